"""What a frozen folder holds, and the figures that every later release must read from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.lake.open import open_lake
from connector.tables import TABLES
from connector.write.ledger import fold
from connector.write.row_sum import row_sum_of_file

HERE = Path(__file__).parent
PRIVACY_KEY = "made-up-for-the-frozen-folders"
"""Protects nothing: every person in these folders is invented."""
PRIVACY_KEY_VARIABLE = "COMPAT_PRIVACY_KEY"


@dataclass(frozen=True, slots=True)
class Frozen:
    """``tests/compat/<release>/``: captured files, the data folder they became, and its figures."""

    folder: Path

    @property
    def captured(self) -> Path:
        """Plain and gzip NDJSON. The journal's own files are in ``data/journal/done``."""
        return self.folder / "captured"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def journal_done(self) -> Path:
        return self.data / "journal" / "done"

    @property
    def expected(self) -> Path:
        return self.folder / "expected.json"


def releases() -> list[Frozen]:
    """Every frozen folder there is, oldest name first."""
    return [Frozen(path.parent) for path in sorted(HERE.glob("*/expected.json"))]


def figures(data: Path) -> dict[str, Any]:
    """
    Return what the tables of a data folder say, as JSON values.

    Tables without a row and money columns without a value are left out, so that what a later release adds
    changes nothing in the figures of an older folder.
    """
    files = sorted((data / "tables").rglob("*.parquet"))
    return {
        "ledger": str(fold(data).total),
        "rows": dict(_counts(data, "_raw")),
        "rows_without_copies": dict(_counts(data, "")),
        "money": dict(_money(data)),
        "orders": _orders(data),
        "row_sums": {
            path.relative_to(data).as_posix(): row_sum_of_file(path, _table_of(path)) for path in files
        },
    }


def row_ids(data: Path) -> set[tuple[str, str]]:
    """Table and ``row_id`` of every row."""
    with open_lake(data) as lake:
        return {
            (table.name, row_id)
            for table in TABLES
            for (row_id,) in lake.execute(f"SELECT row_id FROM {table.name}_raw").fetchall()
        }


def _counts(data: Path, suffix: str) -> Iterator[tuple[str, int]]:
    with open_lake(data) as lake:
        for table in TABLES:
            (found,) = lake.execute(f"SELECT count(*) FROM {table.name}{suffix}").fetchall()
            if found[0]:
                yield table.name, found[0]


def _money(data: Path) -> Iterator[tuple[str, str]]:
    """``<table>.<column>`` and its exact sum. Over all currencies it means nothing; it must not move."""
    with open_lake(data) as lake:
        for table in TABLES:
            for column in table.columns:
                if column.code == "M":
                    (found,) = lake.execute(f'SELECT sum("{column.name}") FROM {table.name}').fetchall()
                    if found[0] is not None:
                        yield f"{table.name}.{column.name}", str(found[0])


def _orders(data: Path) -> list[list[Any]]:
    """Currency, orders, gross and refunded amount."""
    query = "SELECT currency, count(*), sum(gross), sum(refunded) FROM orders GROUP BY ALL ORDER BY 1"
    with open_lake(data) as lake:
        rows = lake.execute(query).fetchall()
    return [[currency, orders, str(gross), str(refunded)] for currency, orders, gross, refunded in rows]


def _table_of(path: Path) -> str:
    return path.parts[-3]
