"""Copies and the views of unique rows: which row stays, and what the views cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from unit.prepared.small_lakes import SmallLake, found_in

from connector.prepared import resolve
from connector.write.ledger import Fold

FRIDAY_MS = 1_795_773_600_000  # 2026-11-27T10:00:00Z
FRIDAY, SATURDAY, SPRING = "2026-11-27", "2026-11-28", "2027-03-01"


@pytest.fixture
def lake(tmp_path: Path) -> SmallLake:
    return SmallLake(tmp_path / "data")


def row(number: int, captured_file: str = "h-1", index: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "row_id": f"row-{number}", "message_id": f"m-{number}", "user_id": None, "anonymous_id": None,
        "previous_id": None, "timestamp": FRIDAY_MS, "received_at": FRIDAY_MS + 200, "line_index": None,
        "captured_file": captured_file, "captured_index": number if index is None else index,
        "event": "Product Viewed", "source": "web", **more,
    }  # fmt: skip


def test_copies_months_apart_are_found_and_the_first_received_stays(lake):
    lake.add("events", FRIDAY, [row(1, "h-2", received_at=FRIDAY_MS + 9_000), row(2)])
    lake.resolved()
    lake.add("events", SPRING, [row(1, "h-1"), row(3)])

    done, found = lake.resolved()

    assert found == lake.expected()
    assert found.copies == [("events", "row-1", "h-2", 1)]
    assert (done.copies, done.days, done.days_read, done.rows_read) == (1, 2, 2, 4)


def test_a_row_without_arrival_gives_way_and_ties_go_by_captured_file_then_index(lake):
    lake.add(
        "profiles",
        FRIDAY,
        [row(1, "h-0", received_at=None), row(1, "h-2"), row(1, "h-1", 7), row(1, "h-1", 3)],
    )

    _, found = lake.resolved()

    assert found.unique["profiles"] == [("row-1", "h-1", 3)]
    assert found == lake.expected()


def test_a_row_id_in_two_tables_is_two_rows(lake):
    lake.add("events", FRIDAY, [row(1)])
    lake.add("profiles", FRIDAY, [row(1)])

    assert lake.resolved()[1].copies == []


def test_a_copy_comes_back_when_the_row_that_stayed_is_removed(lake):
    first = lake.add("events", FRIDAY, [row(1, "h-1")])
    lake.add("events", SPRING, [row(1, "h-2")])
    lake.add("events", "2027-04-01", [row(1, "h-3")])
    assert [file for *_, file, _ in lake.resolved()[1].copies] == ["h-2", "h-3"]

    lake.remove(first)

    done, found = lake.resolved()
    assert found.unique["events"] == [("row-1", "h-2", 1)]
    assert done.days_read == 1, "the day in which a row is a copy no more; nothing else"


def test_what_is_known_of_other_days_is_not_read_again(lake, monkeypatch):
    """Copies that lie far apart for good cost once."""
    lake.add("events", FRIDAY, [row(1, "h-1"), row(2)])
    lake.add("events", SPRING, [row(1, "h-2"), row(3)])
    lake.resolved()
    lake.add("events", SPRING, [row(1, "h-3"), row(4)])
    read = []
    monkeypatch.setattr("connector.prepared.copies.on", lambda days: read.append(days) or _only(days))

    _, found = lake.resolved()

    assert found == lake.expected()
    assert read == [[SPRING], [SPRING]], "its keys, and the rows behind those that are there twice"


def _only(days: list[str]) -> str:
    return f"WHERE day IN ({', '.join(f'DATE {day!r}' for day in days)})"


def test_without_copies_the_view_is_the_table_as_it_lies_there(lake):
    lake.add("events", FRIDAY, [row(1)])
    lake.add("events", SATURDAY, [row(2)])

    with lake.open() as connection:
        resolve(connection, lake.data, lake.state)
        query = "SELECT count(*), max(event) FROM {} WHERE day = DATE '2026-11-27' AND event = 'page'"
        raw, unique = (_plan(connection, query.format(view)) for view in ("events_raw", "unique_events"))

    assert unique == raw
    assert "ANTI" not in unique


def test_only_days_with_copies_compare_row_ids_and_filters_reach_the_files(lake):
    for number, day in enumerate((FRIDAY, SATURDAY, SPRING)):
        lake.add("events", day, [row(10 + number), row(20 + number, event="page")])
    lake.add("events", FRIDAY, [row(10, "h-2")])

    with lake.open() as connection:
        resolve(connection, lake.data, lake.state)
        query = "SELECT price FROM unique_events WHERE event = 'page' AND day = DATE '{}'"
        friday, saturday = (_reads(connection, query.format(day)) for day in (FRIDAY, SATURDAY))

    assert saturday == [("1/4", "(event = 'page')", False)], "nothing is compared"
    assert friday == [("2/4", "(event = 'page')", True)]


def _reads(connection: Any, query: str) -> list[tuple[str, str, bool]]:
    """Of every Parquet scan that opens files: how many, with which filter, and whether row ids are read."""
    ((_, text),) = connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
    found, waiting = [], json.loads(text)
    while waiting:
        node = waiting.pop()
        waiting += node["children"]
        about = node["extra_info"]
        if node["name"] == "READ_PARQUET" and not about["Scanning Files"].startswith("0/"):
            found.append((about["Scanning Files"], about.get("Filters"), "row_id" in about["Projections"]))
    return found


def _plan(connection: Any, query: str) -> str:
    ((_, plan),) = connection.execute(f"EXPLAIN {query}").fetchall()
    return str(plan)


@pytest.mark.parametrize("copies", [0, 1, 2], ids=["none", "some days", "all days"])
def test_the_views_have_the_columns_of_the_tables(lake, copies):
    for number, day in enumerate((FRIDAY, SATURDAY)):
        lake.add("events", day, [row(number), *([row(number, "h-9")] if number < copies else [])])

    with lake.open() as connection:
        resolve(connection, lake.data, lake.state)
        for table in ("events", "profiles", "aliases"):
            raw, unique = (
                connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {view})").fetchall()
                for view in (f"{table}_raw", f"unique_{table}")
            )
            assert unique == raw
        assert found_in(connection) == lake.expected()


def test_a_row_that_lies_in_two_files_is_no_copy_of_itself_and_shows_once(lake):
    """As where somebody copied the plain files of a folder while it was compacted."""
    lake.add("events", FRIDAY, [row(1, anonymous_id="device", user_id="ada"), row(2)])
    lake.add("events", FRIDAY, [row(1, anonymous_id="device", user_id="ada"), row(1, "h-2")])

    _, found = lake.resolved()

    assert found.unique["events"] == [("row-1", "h-1", 1), ("row-2", "h-1", 2)]
    assert found.copies == [("events", "row-1", "h-2", 1)]
    assert [device for device, *_ in found.identities] == ["device"]


def test_a_folder_without_a_ledger_is_resolved_as_it_is_and_nothing_is_saved(lake):
    lake.add("events", FRIDAY, [row(1, anonymous_id="device", user_id="ada"), row(2)])
    lake.add("events", SPRING, [row(1, "h-2", anonymous_id="device", user_id="bob")])

    with lake.open() as connection:
        done = resolve(connection, lake.data, Fold())
        assert found_in(connection) == lake.expected()

    assert (done.saved, done.days, done.days_read) == (False, 2, 2)
    assert not (lake.root / "derived").exists()
