"""Small believable rows, records and captured files for the tests of ``connector.write``."""

from __future__ import annotations

import string
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from connector.events import Captured, Flag, Rejected, Violation
from connector.tables import PRODUCT_FIELDS, TABLES, Column, Table
from connector.write.entries import Record
from connector.write.folder import DataFolder
from connector.write.parquet import PartWriter
from connector.write.rejected import RejectedWriter
from connector.write.sink import StagedFile

BLACK_FRIDAY_MS = 1_795_773_600_000  # 2026-11-27T10:00:00Z
DAY_MS = 86_400_000


def product_viewed(captured_file: str, index: int, **more: Any) -> dict[str, Any]:
    """A row of ``events`` with what must not be null and a little more."""
    return {
        "row_id": f"00000000-0000-5000-8000-{index:012d}",
        "source": "web",
        "type": "track",
        "event": "Product Viewed",
        "user_id": "u-77",
        "timestamp": BLACK_FRIDAY_MS + index,
        "price": Decimal("19.99"),
        "flags": [],
        "violations": [],
        "proven": "all",
        "mapping": "ecommerce@0123abcd",
        "subscription": "Product Viewed",
        "captured_file": captured_file,
        "captured_index": index,
        **more,
    }


def captured(
    captured_file: str, index: int, raw: bytes = b"{", received_at_ms: int | None = None
) -> Captured:
    return Captured(
        captured_file, index, "web", "webhook", received_at_ms, "all", None, "not_json", False, lambda: raw,
        f"line {index}",
    )  # fmt: skip


def stage(
    folder: DataFolder,
    captured_file: str,
    stored: int = 3,
    rejected: int = 1,
    tag: str = "aaaaaaaaaa",
    **more: Any,
) -> StagedFile:
    """Map a captured file of ``stored`` views on alternating days and ``rejected`` broken records.

    ``tag`` stands for the configuration and all else that the names of outputs depend on.
    """
    staging = folder.new_staging()
    rows = PartWriter(staging, TABLES, captured_file, 0, tag)
    for index in range(stored):
        rows.add(
            "events",
            product_viewed(captured_file, index, timestamp=BLACK_FRIDAY_MS + (index % 2) * DAY_MS),
        )
    lines = RejectedWriter(staging, captured_file, tag)
    for index in range(stored, stored + rejected):
        lines.add(captured(captured_file, index), Rejected("not_json", "the record is not JSON"))
    return StagedFile(
        staging,
        record(
            captured_file, stored=stored, rejected=rejected, outputs=tuple(rows.finish()),
            rejected_outputs=tuple(lines.finish()), **more,
        ),
    )  # fmt: skip


def record(captured_file: str, **more: Any) -> Record:
    counts = dict.fromkeys(("stored", "rejected", "unmatched", "duplicate", "suppressed"), 0)
    counts.update({key: more.pop(key) for key in list(more) if key in counts})
    return Record(
        captured_file=captured_file,
        identity={"kind": "content", "bytes": 12, "sha256": "00"},
        configuration="sha256:11",
        connector="0.1.0",
        received=more.pop("received", sum(counts.values())),
        **counts,
        **more,
    )


def files_below(root: Path, *folders: str) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.is_file()
    }


def _money(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    top = 10**digits - 1
    return st.integers(-top, top).map(lambda units: Decimal(units).scaleb(-scale))


_TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
_WORD = st.text(string.ascii_lowercase, min_size=1, max_size=6)
_BY_CODE: dict[str, st.SearchStrategy[Any]] = {
    "S": _TEXT,
    "J": _WORD.map(lambda word: f'{{"k":"{word}"}}'),
    "T": st.integers(-2_000_000_000_000, 300_000_000_000_000),
    "M": _money(18, 6) | st.sampled_from([Decimal("0"), Decimal("-0.00"), Decimal("1E+3"), Decimal("25")]),
    "Q": _money(12, 3),
    "I": st.integers(-(2**31), 2**31 - 1),
    "L": st.integers(-(2**63), 2**63 - 1),
    "D": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
    "B": st.booleans(),
    "LS": st.lists(_TEXT, max_size=3),
}
_PRODUCT = st.fixed_dictionaries({}, optional={name: _BY_CODE[code] for name, code in PRODUCT_FIELDS})
_FLAG = st.builds(Flag, _WORD, _TEXT) | st.fixed_dictionaries({"code": _WORD, "path": _TEXT})
_BY_CODE |= {
    "K": st.lists(st.fixed_dictionaries({}, optional={"type": _TEXT, "value": _TEXT}), max_size=2),
    "P": st.lists(_PRODUCT, max_size=3),
    "F": st.lists(_FLAG, max_size=2),
    "V": st.lists(st.builds(Violation, _TEXT, _WORD, _TEXT, _WORD), max_size=2),
}


@st.composite
def rows(draw: st.DrawFn, table: Table) -> dict[str, Any]:
    """Rows with what must be there and some of what may be, of every type."""

    def wanted(column: Column) -> bool:
        return not column.nullable or column.name in chosen

    optional = [column.name for column in table.columns if column.nullable]
    chosen = set(draw(st.lists(st.sampled_from(optional), max_size=12)))
    return {column.name: draw(_BY_CODE[column.code]) for column in table.columns if wanted(column)}
