"""However files came, went and were merged, and whatever lay prepared: the same copies, the same people."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.prepared.small_lakes import Row, SmallLake

from connector.prepared.days import RESOLVED

DAYS = ("2010-01-01", "2026-11-26", "2026-11-27", "2027-03-01")
_START_MS = int(datetime(2026, 11, 26, tzinfo=UTC).timestamp()) * 1000
_TIMES_MS = (None, _START_MS, _START_MS + 1, _START_MS + 86_400_000)
_IDS = st.sampled_from([None, "", "ada", "bob", "Ünal"])

_ROW = st.fixed_dictionaries(
    {
        "row_id": st.sampled_from([f"row-{number}" for number in range(6)]),
        "message_id": st.sampled_from([None, "m-1", "m-2"]),
        "user_id": _IDS,
        "anonymous_id": _IDS,
        "previous_id": _IDS,
        "timestamp": st.sampled_from(_TIMES_MS),
        "received_at": st.sampled_from(_TIMES_MS),
        "line_index": st.sampled_from([None, 0, 1]),
    }
)
_STEP = st.tuples(
    st.sampled_from(["add", "add", "add", "remove", "compact", "rewrite"]),
    st.sampled_from(RESOLVED),
    st.sampled_from(DAYS),
    st.lists(_ROW, min_size=1, max_size=4),
    st.integers(0, 5),
)


@given(
    steps=st.lists(st.lists(_STEP, min_size=1, max_size=3), min_size=2, max_size=4),
    small_rows=st.sampled_from([0, 4, 500_000]),
    coarse=st.booleans(),
    kept=st.lists(st.booleans(), min_size=5, max_size=5),
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_history_of_files_gives_what_brute_force_finds(steps, small_rows, coarse, kept):
    """``small_rows``: how readily prepared parts are written together; ``coarse``: keys of two values."""
    with tempfile.TemporaryDirectory() as folder, _with(small_rows, coarse):
        lake = SmallLake(Path(folder))
        for changes, keep in zip(steps, kept, strict=False):
            for number, change in enumerate(changes):
                _do(lake, number, *change)
            done, found = lake.resolved(keep=keep)
            assert found == lake.expected()
            assert done.saved == keep or not done.days_read
        _, found = lake.resolved(keep=False)
        assert found == lake.expected()


@given(
    rows=st.lists(st.tuples(st.sampled_from(RESOLVED), st.sampled_from(DAYS), _ROW), max_size=12),
    data=st.data(),
)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_does_not_matter_which_file_a_row_came_in_nor_in_which_order(rows, data):
    given_rows = [
        (table, day, {**row, "captured_file": "h", "captured_index": number})
        for number, (table, day, row) in enumerate(rows)
    ]
    found = []
    for order in (given_rows, data.draw(st.permutations(given_rows))):
        with tempfile.TemporaryDirectory() as folder:
            lake = SmallLake(Path(folder))
            for table, day, row in order:
                lake.add(table, day, [row])
            found.append(lake.resolved(keep=False)[1])
    assert found[0] == found[1]


def _do(lake: SmallLake, number: int, what: str, table: str, day: str, rows: list[Row], which: int) -> None:
    """A file more, or what changes of the ledger do to the files of a day."""
    there = sorted(name for name in lake.files if name.startswith(f"tables/{table}/day={day}/"))
    if what == "add" or not there:
        captured_file = f"h-{which}-{len(lake.files)}-{lake._number}-{number}"
        lake.add(table, day, [_captured(row, captured_file, at) for at, row in enumerate(rows)])
    elif what == "compact":
        everything = [row for name in there for row in lake.files[name]]
        copies = {place[1:] for place in _copies_among(everything)}
        for name in there:
            lake.remove(name)
        lake.add(table, day, [row for row in everything if _place(row) not in copies])
    else:
        name = there[which % len(there)]
        before = lake.files[name]
        lake.remove(name)
        if what == "rewrite":
            lake.add(table, day, [{**old, **new} for old, new in zip(before, rows, strict=False)])


def _captured(row: Row, captured_file: str, index: int) -> dict[str, Any]:
    return {**row, "captured_file": captured_file, "captured_index": index}


def _copies_among(rows: list[Row]) -> list[tuple[Any, ...]]:
    alone = SmallLake(Path(), {"tables/events/day=2026-11-26/x": rows})
    return alone.expected().copies


def _place(row: Row) -> tuple[Any, ...]:
    return row["row_id"], row["captured_file"], row["captured_index"]


@contextmanager
def _with(small_rows: int, coarse: bool) -> Iterator[None]:
    keys = (lambda table: f"hash('{table}') % 2 + hash(row_id) % 2") if coarse else None
    with mock.patch("connector.prepared.manifest.SMALL_ROWS", small_rows):
        if keys is None:
            yield
        else:
            with mock.patch("connector.prepared.copies.key_of", keys):
                yield
