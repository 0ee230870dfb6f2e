"""Compaction on a folder of this machine, in moto and in SeaweedFS: fewer files, the same rows, no copies."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from contract.data_folders import DataUnderTest, place_of
from contract.publishing import ask, compact, proven, publish_rows, row_id, view
from unit.write.lake_samples import BLACK_FRIDAY_MS, DAY_MS

from connector.compaction import ALL, RECENT, Compactor
from connector.compaction.files import table_files
from connector.compaction.plan import DayPlan
from connector.compaction.rules import days_of
from connector.tables import TABLES, Column

EVERYTHING = "SELECT * FROM events_raw ORDER BY row_id, captured_file, captured_index"
LATE_MS = BLACK_FRIDAY_MS + 13 * 3_600_000
"""23:00 of the day; two hours later it is the next."""


@pytest.fixture(params=["disk", "moto", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    return place_of(request, tmp_path, monkeypatch)


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    request.param = "disk"
    return place_of(request, tmp_path, monkeypatch)


def test_small_files_of_a_day_become_one_and_no_row_changes(place):
    place.publish(*(f"h-{number}" for number in range(4)))
    publish_rows(place, "h-9", events=[view("h-9", index, 100 + index) for index in range(5)])
    before = ask(place, "SELECT * FROM events ORDER BY row_id")

    done = compact(place)

    assert (done.files_before, done.files_after) == (9, 2)
    assert ask(place, "SELECT * FROM events ORDER BY row_id") == before
    assert proven(place)["stored"] == 8


def test_a_compacted_file_is_sorted_says_so_and_has_filters_for_people_and_orders(disk):
    for number in range(3):
        rows = [
            view(f"h-{number}", at, number * 10 + at, event=event, timestamp=BLACK_FRIDAY_MS - at)
            for at, event in enumerate(("Product Viewed", "Cart Viewed", "Order Completed"))
        ]
        publish_rows(disk, f"h-{number}", events=rows)

    compact(disk)

    (name,) = disk.data.fold().tables
    assert name.startswith("tables/events/day=2026-11-27/c-000000000004-")
    with disk.data.file(name) as path, pq.ParquetFile(path) as file:
        group = file.metadata.row_group(0)
        sorting = [file.schema_arrow.names[each.column_index] for each in group.sorting_columns]
        keys = list(
            zip(*(file.read([c])[c].to_pylist() for c in ("event", "timestamp", "row_id")), strict=True)
        )
        bloomed = (
            {
                group.column(at).path_in_schema
                for at in range(group.num_columns)
                if group.column(at).bloom_filter_offset is not None
            }
            if hasattr(group.column(0), "bloom_filter_offset")
            else {"user_id", "anonymous_id", "order_id"}
        )
    assert sorting == ["event", "timestamp", "row_id"]
    assert keys == sorted(keys)
    assert bloomed == {"user_id", "anonymous_id", "order_id"}


def test_copies_in_other_captured_files_go_are_counted_and_listed(place):
    publish_rows(place, "h-1", events=[view("h-1", 0, 1), view("h-1", 1, 2)])
    late = view("h-2", 0, 1, received_at=BLACK_FRIDAY_MS + 60_000)
    publish_rows(place, "h-2", events=[late, view("h-2", 1, 3)])
    shown = ask(place, "SELECT * FROM events ORDER BY row_id")
    copy = (row_id(1), "h-2", 0, "h-1", 0)
    columns = "row_id, captured_file, captured_index, kept_captured_file, kept_captured_index"
    assert ask(place, f"SELECT {columns} FROM duplicates") == [copy], "listed before it is taken out"

    done = compact(place)

    assert done.duplicates == 1
    assert proven(place) == {"stored": 3, "duplicate": 1}
    assert ask(place, "SELECT * FROM events ORDER BY row_id") == shown
    assert ask(place, EVERYTHING) == shown
    assert ask(place, f"SELECT {columns} FROM duplicates") == [copy]


def test_the_first_received_stays_whichever_file_was_written_first(place):
    publish_rows(place, "h-late", events=[view("h-late", 0, 1, received_at=BLACK_FRIDAY_MS + 9_000)])
    publish_rows(place, "h-none", events=[view("h-none", 0, 1, received_at=None)])
    publish_rows(place, "h-soon", events=[view("h-soon", 0, 1, received_at=BLACK_FRIDAY_MS + 5_000)])

    compact(place)

    assert ask(place, "SELECT captured_file FROM events_raw") == [("h-soon",)]
    assert proven(place) == {"stored": 1, "duplicate": 2}


def test_a_copy_in_the_next_day_goes_too(place):
    """The retry of a sender that states no time, across midnight."""
    publish_rows(place, "h-1", events=[view("h-1", 0, 1, timestamp=LATE_MS, received_at=LATE_MS)])
    again_ms = LATE_MS + 2 * 3_600_000
    publish_rows(place, "h-2", events=[view("h-2", 0, 1, timestamp=again_ms, received_at=again_ms)])

    compact(place)

    assert ask(place, "SELECT captured_file, day::VARCHAR FROM events_raw") == [("h-1", "2026-11-27")]
    assert proven(place) == {"stored": 1, "duplicate": 1}


def test_an_event_that_keeps_a_row_elsewhere_stays_stored(place):
    """Two subscriptions gave it rows in two days; only one of them is a copy."""
    two_days = [view("h-2", 0, 1, received_at=BLACK_FRIDAY_MS + 9_000),
                view("h-2", 0, 2, timestamp=BLACK_FRIDAY_MS + 3 * DAY_MS)]  # fmt: skip
    publish_rows(place, "h-1", events=[view("h-1", 0, 1)])
    publish_rows(place, "h-2", events=two_days)

    compact(place)

    assert ask(place, "SELECT row_id, captured_file FROM events_raw ORDER BY 1") == [
        (row_id(1), "h-1"), (row_id(2), "h-2"),
    ]  # fmt: skip
    assert proven(place) == {"stored": 2}


def test_it_becomes_a_duplicate_when_its_last_row_goes(place):
    publish_rows(
        place, "h-1", events=[view("h-1", 0, 1), view("h-1", 1, 2, timestamp=BLACK_FRIDAY_MS + 3 * DAY_MS)]
    )
    publish_rows(
        place, "h-2",
        events=[view("h-2", 0, 1, received_at=BLACK_FRIDAY_MS + 9_000),
                view("h-2", 0, 2, timestamp=BLACK_FRIDAY_MS + 3 * DAY_MS,
                     received_at=BLACK_FRIDAY_MS + 4 * DAY_MS)],
    )  # fmt: skip

    compact(place)

    assert ask(place, "SELECT DISTINCT captured_file FROM events_raw") == [("h-1",)]
    assert proven(place) == {"stored": 2, "duplicate": 1}


def test_readers_that_came_before_read_on_until_the_grace_is_over(place):
    place.publish("h-1", "h-2")
    with place.lake() as lake:
        compact(place)
        assert lake.execute("SELECT count(*) FROM events").fetchall() == [(3,)]
        assert place.publisher().remove_old(3_600_000) == ()
        assert place.audit().old_files == 4
        assert lake.execute("SELECT count(*) FROM events").fetchall() == [(3,)]

    removed = place.publisher().remove_old(0)

    assert len(removed) == 4
    assert place.audit().old_files == 0
    assert place.data.names() == set(place.data.fold().live)
    assert place.publisher().remove_old(0) == ()


def test_a_view_over_both_generations_shows_every_row_once(disk):
    """Whoever reads the plain files meanwhile sees old and new; one row per row_id is still right."""
    disk.publish("h-1", "h-2")
    before = ask(disk, "SELECT * FROM events ORDER BY row_id")
    compact(disk)

    files = f"'{disk.data.root}/tables/events/*/*.parquet'"
    ((rows, shown),) = duckdb.sql(f"SELECT count(*), count(DISTINCT row_id) FROM {files}").fetchall()
    assert rows > shown == len(before)


def test_what_is_compact_is_left_alone(place):
    place.publish("h-1", "h-2")
    compact(place)
    state = place.data.fold()

    done = compact(place)

    assert done.days == 0
    assert place.data.fold() == state


def test_recent_days_are_merged_only_when_they_have_many_small_files(place):
    place.publish("h-1", "h-2")
    assert compact(place, RECENT).days == 0
    place.publish(*(f"h-{number}" for number in range(3, 9)))

    assert compact(place, RECENT).days == 2
    assert proven(place)["stored"] == 3


def test_columns_that_only_some_files_have_are_kept(place):
    """Also those that are configured no more; and rows of the others are summed anew."""
    wide = (TABLES[0].with_columns([Column("gift_note", "S", "on the card")]), *TABLES[1:])
    wider = (TABLES[0].with_columns([Column("gift_weight", "Q", "in kg")]), *TABLES[1:])
    publish_rows(place, "h-1", events=[view("h-1", 0, 1)])
    publish_rows(place, "h-2", wide, events=[view("h-2", 0, 2, gift_note="For Ada")])
    publish_rows(place, "h-3", wider, events=[view("h-3", 0, 3, gift_weight=3)])

    compact(place)

    both = (wide[0].with_columns(wider[0].columns[-1:]), *TABLES[1:])
    query = "SELECT gift_note, gift_weight::INTEGER FROM events ORDER BY row_id"
    assert ask(place, query, tables=both) == [(None, None), ("For Ada", None), (None, 3)]
    assert proven(place) == {"stored": 3}


def test_files_that_give_a_column_two_types_stay_apart(disk, caplog):
    text = (TABLES[0].with_columns([Column("size", "S", "as text")]), *TABLES[1:])
    number = (TABLES[0].with_columns([Column("size", "I", "as a number")]), *TABLES[1:])
    publish_rows(disk, "h-1", text, events=[view("h-1", 0, 1, size="M")])
    publish_rows(disk, "h-2", number, events=[view("h-2", 0, 2, size=42)])

    assert compact(disk).days == 0
    assert "stay apart" in caplog.text
    assert proven(disk) == {"stored": 2}


def test_files_of_each_type_are_merged_among_themselves(disk):
    """After a promoted column was given another type."""
    text = (TABLES[0].with_columns([Column("size", "S", "as text")]), *TABLES[1:])
    number = (TABLES[0].with_columns([Column("size", "I", "as a number")]), *TABLES[1:])
    for at, (tables, size) in enumerate([(text, "M"), (number, 42), (text, "L"), (number, 43)]):
        publish_rows(disk, f"h-{at}", tables, events=[view(f"h-{at}", 0, at, size=size)])

    assert compact(disk).files_after == 2
    assert proven(disk) == {"stored": 4}


def test_a_column_may_be_called_filename(disk):
    wide = (TABLES[0].with_columns([Column("filename", "S", "of a download")]), *TABLES[1:])
    for at in range(3):
        publish_rows(disk, f"h-{at}", wide, events=[view(f"h-{at}", 0, at % 2, filename=f"{at}.pdf")])

    assert compact(disk).files_after == 1
    names = "SELECT filename FROM events_raw ORDER BY 1"
    assert ask(disk, names, tables=wide) == [("0.pdf",), ("1.pdf",)]
    assert proven(disk) == {"stored": 2, "duplicate": 1}


def test_a_large_file_is_left_alone_unless_a_copy_lies_in_it(disk):
    publish_rows(disk, "h-1", events=[view("h-1", at, at) for at in range(50)])
    publish_rows(disk, "h-2", events=[view("h-2", at, 100 + at) for at in range(50)])
    tiny = {"target_bytes": 1_000}
    assert compact(disk, ALL, **tiny).days == 0

    publish_rows(disk, "h-3", events=[view("h-3", 0, 7, received_at=BLACK_FRIDAY_MS - 1)])
    done = compact(disk, ALL, **tiny)

    assert (done.days, done.duplicates, done.files_before) == (1, 1, 1)
    assert proven(disk) == {"stored": 100, "duplicate": 1}


def test_a_day_is_split_at_the_size_that_is_wanted(disk):
    for number in range(12):
        rows = [view(f"h-{number}", at, number * 1_000 + at) for at in range(400)]
        publish_rows(disk, f"h-{number}", events=rows)
    size = sum(live.output.bytes for live in disk.data.fold().tables.values())

    done = compact(disk, ALL, target_bytes=size // 3)

    assert done.files_after == 3
    assert proven(disk) == {"stored": 4_800}
    (rows,) = ask(disk, "SELECT count(*), count(DISTINCT row_id) FROM events_raw")
    assert rows == (4_800, 4_800)


def test_a_day_larger_than_what_is_sorted_at_one_time_goes_through_buckets(disk, monkeypatch):
    monkeypatch.setattr("connector.compaction.sorting.BUCKET_BYTES", 20_000)
    monkeypatch.setattr("connector.compaction.sorting.CHUNK_BYTES", 10_000)
    for number in range(11):
        rows = [view(f"h-{number}", at, number % 9 * 20 + at) for at in range(20)]
        publish_rows(disk, f"h-{number}", events=rows)

    assert compact(disk).files_after == 1
    assert proven(disk) == {"stored": 180, "duplicate": 40}
    keys = ask(disk, "SELECT event, timestamp, row_id FROM events_raw")
    assert keys == sorted(keys)


def test_c33_of_two_compactors_on_one_fold_one_commits(place):
    place.publish("h-1", "h-2", "h-3")
    changes = []
    for _ in range(2):
        state, staging = place.data.fold(), place.folder.new_staging()
        days = days_of(state)
        files = table_files(place.data, place.folder.new_staging())
        changes.append(DayPlan("2026-11-27", days, state, files, ALL, staging).change())

    first, second = (place.publisher().change(change) for change in changes)

    assert first is not None
    assert second is None
    assert proven(place) == {"stored": 5, "rejected": 3, "duplicate": 4}


def test_a_plan_is_made_again_when_its_files_changed_meanwhile(place):
    place.publish("h-1", "h-2", "h-3")
    publisher = place.publisher()

    class Overtaken:
        times = 0

        def recover(self):
            return publisher.recover()

        def change(self, change):
            Overtaken.times += 1
            if Overtaken.times == 1:
                compact(place)
            return publisher.change(change)

        def remove_old(self, grace_ms):
            return publisher.remove_old(grace_ms)

    compactor = Compactor(place.data, place.folder, Overtaken())
    done = compactor.run(ALL, compactor.days())

    assert done.left_for_later == []
    assert proven(place)["stored"] == 3
