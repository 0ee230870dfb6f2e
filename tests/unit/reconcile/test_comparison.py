"""Keys of an archive against those of a lake: in parts or at once, near days first, then everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from connector.lake.faults import LakeUnreadable
from connector.reconcile.compare import Comparison
from connector.reconcile.keys import CONTENT, MESSAGE, ROW, Key, content_key

DAY = date(2026, 3, 2)
NAMELESS = {"type": "track", "userId": "u", "timestamp": "2026-03-01T00:00:00Z"}


def lake(rejected: bool = False) -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect()
    opened.execute(
        "CREATE TABLE events_raw AS SELECT * FROM (VALUES "
        "('near', 'r1', DATE '2026-03-01'), ('far', 'r2', DATE '2019-01-01'), (NULL, 'r3', DATE '2026-03-02')"
        ") AS t (message_id, row_id, day)"
    )
    opened.execute(
        "CREATE TABLE rejected AS SELECT * FROM (VALUES "
        "('refused', NULL, NULL, NULL::BIGINT), (NULL, '{\"messageId\": 4711}', NULL, NULL),"
        "(NULL, '{\"type\": ', NULL, NULL), (NULL, NULL, 'gP8=', NULL),"
        '(NULL, \'{"type":"track","userId":"u","timestamp":"2026-03-01T00:00:00Z"}\', NULL, NULL)'
        ") AS t (message_id, raw, raw_base64, received_at_ms)"
    )
    return opened


@pytest.fixture
def compare(tmp_path: Path) -> Iterator[Callable[..., Comparison]]:
    made = []

    def make(open_: Callable[[bool], duckdb.DuckDBPyConnection] = lake) -> Comparison:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Comparison(open_, "a lake", ["events"], folder))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_what_is_in_the_tables_or_rejected_or_waits_is_not_missing(
    compare: Callable[..., Comparison],
) -> None:
    comparison = compare()
    known = ["near", "far", "refused", "4711", "waits", "waits"]
    for index, name in enumerate([*known, "gone", "gone", "other"]):
        comparison.add(Key(MESSAGE, name), 7, index)
    for index, key in enumerate(
        [Key(ROW, "r3"), content_key(NAMELESS, None), Key(ROW, "r4"), Key(CONTENT, "h")]
    ):
        comparison.add(key, 8, index)

    comparison.settle(DAY, DAY)
    found = comparison.finish([Key(MESSAGE, "waits")])

    assert found == (2, 4, 1)
    assert list(comparison.missing()) == [(7, 6), (7, 8), (8, 2), (8, 3)]


@pytest.mark.parametrize("days", [(DAY, DAY), (None, None), (date(2031, 1, 1), date(2031, 1, 2))])
def test_the_days_only_decide_where_it_is_looked_first(
    compare: Callable[..., Comparison], days: tuple[date | None, date | None]
) -> None:
    comparison = compare()
    for index, name in enumerate(["near", "far", "gone"]):
        comparison.add(Key(MESSAGE, name), 0, index)

    comparison.settle(*days)

    assert comparison.finish([])[1:] == (1, 0)
    assert list(comparison.missing()) == [(0, 2)]


def test_in_parts_it_finds_what_it_finds_at_once(compare: Callable[..., Comparison]) -> None:
    together, apart = compare(), compare()
    names = ["near", "gone", "far", "gone", "other", "near", "gone"]
    for number, name in enumerate(names):
        for comparison in (together, apart):
            comparison.add(Key(MESSAGE, name), number, 0)
        apart.settle(DAY, DAY)
    together.settle(DAY, DAY)

    assert apart.files_with_candidates() == together.files_with_candidates() == {1, 2, 3, 4, 6}
    assert apart.finish([]) == together.finish([]) == (0, 2, 2)
    assert list(apart.missing()) == list(together.missing()) == [(1, 0), (4, 0)]


def test_the_journal_is_not_looked_at_when_everything_is_found(compare: Callable[..., Comparison]) -> None:
    comparison = compare()
    comparison.add(Key(MESSAGE, "near"), 0, 0)
    comparison.settle(DAY, DAY)

    def never() -> Iterator[Key]:
        raise AssertionError("asked")
        yield

    assert comparison.finish(never()) == (0, 0, 0)


def opener(path: Path, opened: list[Path], *, removed: bool) -> Callable[[bool], duckdb.DuckDBPyConnection]:
    """Opens a lake whose one table file is a Parquet file, perhaps removed as soon as it is open."""

    def open_(rejected: bool) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        row = "SELECT 'near' AS message_id, 'r' AS row_id, DATE '2026-03-02' AS day"
        connection.execute(f"COPY ({row}) TO '{path}'")
        connection.execute(f"CREATE VIEW events_raw AS FROM read_parquet('{path}')")
        if removed:
            path.unlink()
        opened.append(path)
        return connection

    return open_


def test_a_lake_of_which_a_file_is_gone_is_opened_again(
    compare: Callable[..., Comparison], tmp_path: Path
) -> None:
    path, opened = tmp_path / "part.parquet", []
    comparison = compare(opener(path, opened, removed=False))
    comparison.add(Key(MESSAGE, "near"), 0, 0)
    path.unlink()

    comparison.settle(DAY, DAY)

    assert comparison.finish([]) == (0, 0, 0)
    assert len(opened) == 2


def test_a_lake_that_stays_unreadable_is_said(compare: Callable[..., Comparison], tmp_path: Path) -> None:
    comparison = compare(opener(tmp_path / "part.parquet", [], removed=True))
    comparison.add(Key(MESSAGE, "near"), 0, 0)

    with pytest.raises(LakeUnreadable):
        comparison.settle(DAY, DAY)
