"""Processes that die while they change what is live: C32, C34, C35, C38, C39 of journal-protocol 7.

Run as a program, this file is the process that dies: ``python test_change_crashes.py ROOT POINT``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from contract.data_folders import DataUnderTest, on_disk
from contract.publishing import ask, compact, proven, publish_rows, row_id, view
from faults.test_publish_crashes import Dying
from object_stores import Killed, MemoryStore, Mortal, Watched
from unit.write.lake_samples import BLACK_FRIDAY_MS

from connector.compaction import ALL, Compactor
from connector.errors import StoreError
from connector.write.audit import audit
from connector.write.change import Change, lines_change_file, new_tag, table_change_file, touched
from connector.write.data import FolderData, StoreData
from connector.write.entries import Counts
from connector.write.folder import DataFolder
from connector.write.object_ledger import INTENTS, ObjectLedger
from connector.write.object_publish import ObjectPublisher
from connector.write.parquet import PartWriter
from connector.write.publish import Publisher

POINTS = {
    "C32 before the entry": "before write",
    "C32 before link": "before link",
    "C32 after link": "after link",
    "C32 before the first rename": "before rename 1",
    "C32 between two renames": "before rename 2",
    "C32 after the last rename": "after rename 2",
    "C32 before the first delete": "before unlink 1",
    "C32 between two deletes": "after unlink 1",
    "C32 after the last delete": "after unlink 3",
}
EVERYTHING = "SELECT * FROM events ORDER BY row_id"


def main(root: str, point: str) -> None:
    """Compact, and remove what was replaced, dying at ``point``."""
    folder = DataFolder(Path(root), disk=_Dying(point))
    publisher = Publisher(folder)
    compactor = Compactor(FolderData(Path(root)), folder, publisher)
    compactor.run(ALL, compactor.days())
    publisher.remove_old(0)


class _Dying(Dying):
    def unlink(self, path):
        self.step("unlink", lambda: super(Dying, self).unlink(path))


@pytest.fixture
def place(tmp_path: Path) -> DataUnderTest:
    """Three captured files of one day; one event is in two of them."""
    place = on_disk(tmp_path / "data")
    publish_rows(place, "h-1", events=[view("h-1", 0, 1), view("h-1", 1, 2)])
    publish_rows(place, "h-2", events=[view("h-2", 0, 1, received_at=BLACK_FRIDAY_MS + 9_000)])
    publish_rows(place, "h-3", events=[view("h-3", 0, 3)])
    return place


def _die_at(place: DataUnderTest, point: str) -> None:
    program = [sys.executable, __file__, str(place.data.root), point]
    paths = {"PYTHONPATH": str(Path(__file__).parents[1])}
    dead = subprocess.run(program, env={**os.environ, **paths}, timeout=60, check=False)
    assert dead.returncode == -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
def test_c32_a_compaction_that_dies_leaves_every_row_exactly_once(place, point):
    before = ask(place, EVERYTHING)

    _die_at(place, POINTS[point])

    assert ask(place, EVERYTHING) == before, "readers see it before anybody has recovered"
    compact(place)
    place.publisher().remove_old(0)
    assert ask(place, "SELECT * FROM events_raw ORDER BY row_id") == before
    assert proven(place) == {"stored": 3, "duplicate": 1}
    assert place.data.names() == set(place.data.fold().live)
    assert list((place.data.root / ".staging").iterdir()) == []


@pytest.mark.parametrize("point", [point for point in POINTS if "delete" not in point])
def test_c22_a_late_file_that_beats_a_row_in_a_compacted_file_takes_its_place_once(place, point):
    """It was received first and written last; the process dies while the loser is taken out."""
    compact(place)
    place.publisher().remove_old(0)
    publish_rows(place, "h-0", events=[view("h-0", 0, 1, received_at=BLACK_FRIDAY_MS - 9_000)])
    owner = f"SELECT captured_file FROM {{}} WHERE row_id = '{row_id(1)}'"

    _die_at(place, POINTS[point])

    assert ask(place, owner.format("events")) == [("h-0",)]
    compact(place)
    assert ask(place, owner.format("events_raw")) == [("h-0",)]
    assert proven(place) == {"stored": 3, "duplicate": 2}


def test_c38_a_reader_that_folded_before_a_change_reads_on_after_it(place):
    with place.lake() as lake:
        before = lake.execute(EVERYTHING).fetchall()
        compact(place)
        assert lake.execute(EVERYTHING).fetchall() == before


@pytest.mark.parametrize(
    "moved_ms", [-3_600_000, -86_400_000, 40 * 86_400_000], ids=["back an hour", "back a day", "40 days on"]
)
def test_c39_a_clock_that_steps_changes_no_row_and_no_count(place, moved_ms):
    """Forward, replaced files go too early for some reader and nothing else; back, they stay longer."""
    before = ask(place, EVERYTHING)
    folder = DataFolder(place.data.root)
    publisher = Publisher(DataFolder(place.data.root, now_ms=lambda: folder.now_ms() + moved_ms))
    compactor = Compactor(place.data, folder, publisher)
    compactor.run(ALL, compactor.days())

    removed = publisher.remove_old(1_800_000)

    assert bool(removed) == (moved_ms > 0)
    assert ask(place, EVERYTHING) == before
    assert proven(place) == {"stored": 3, "duplicate": 1}


def rerun(place: DataUnderTest, captured_file: str, rows: list[dict]) -> Change:
    """Plan what ``replay --rebuild`` does with one captured file that no change has touched yet."""
    state, staging = place.data.fold(), place.folder.new_staging()
    writer = PartWriter(staging, _tables(), captured_file, 0, new_tag())
    for row in rows:
        writer.add("events", row)
    counts = replace(state.counts[captured_file], stored=len(rows), unmatched=0)
    counts = replace(counts, unmatched=counts.received - counts.stored - counts.duplicate)
    removes = tuple(name for name, live in state.live.items() if live.captured_file == captured_file)
    files = {captured_file: counts}
    return Change(
        "rerun", (staging,), removes, tuple(writer.finish()), files, touched(state, files),
        {captured_file: "sha256:22"},
    )  # fmt: skip


def _tables():
    from connector.tables import TABLES

    return TABLES


@pytest.mark.parametrize("first", ["compaction", "rerun"])
def test_c34_of_a_compaction_and_a_rerun_of_one_day_the_later_is_planned_again(place, first):
    state = place.data.fold()
    again = rerun(place, "h-1", [view("h-1", 0, 1, price=None), view("h-1", 1, 2)])
    if first == "compaction":
        compact(place)
        assert place.publisher().change(again) is None
    else:
        days = _planned(place, state)
        assert place.publisher().change(again) is not None
        assert place.publisher().change(days) is None
        compact(place)
        assert ask(place, f"SELECT price FROM events_raw WHERE row_id = '{row_id(1)}'") == [(None,)]

    assert proven(place) == {"stored": 3, "duplicate": 1}


def _planned(place: DataUnderTest, state) -> Change:
    from connector.compaction.files import table_files
    from connector.compaction.plan import DayPlan
    from connector.compaction.rules import days_of

    files = table_files(place.data, place.folder.new_staging())
    change = DayPlan("2026-11-27", days_of(state), state, files, ALL, place.folder.new_staging()).change()
    assert change is not None
    return change


def test_a_copy_stays_when_the_row_that_was_to_stay_instead_has_gone_meanwhile(place):
    """The plan drops h-2's copy because h-1 has the row; before the commit h-1 is rebuilt without it."""
    days = _planned(place, place.data.fold())
    assert place.publisher().change(rerun(place, "h-1", [view("h-1", 1, 2)])) is not None

    assert place.publisher().change(days) is None
    compact(place)
    assert ask(place, f"SELECT captured_file FROM events WHERE row_id = '{row_id(1)}'") == [("h-2",)]
    assert proven(place) == {"stored": 3, "unmatched": 1}


def test_a_change_whose_counts_somebody_else_has_touched_is_refused(place):
    """Also when all its files are still live: the counts it would write are old."""
    state, staging = place.data.fold(), place.folder.new_staging()
    counts = {"h-1": Counts(received=2, stored=2)}
    first = Change("redrive", (staging,), files=counts, was=touched(state, counts))
    second = replace(first, stagings=(place.folder.new_staging(),))

    assert place.publisher().change(first) is not None
    assert place.publisher().change(second) is None


# In a store: every call of a compaction, before and after.


class Store:
    """A store with four captured files of one day, two of which share an event."""

    def __init__(self, root: Path) -> None:
        self.memory = MemoryStore()
        self.folder = DataFolder(root / "work", now_ms=lambda: self.memory.now_ms)
        place = DataUnderTest(
            StoreData(self.memory), self.folder, lambda **how: self.publisher(self.memory),
            self.memory.put, lambda name: self.memory.delete([name]),
        )  # fmt: skip
        publish_rows(place, "h-1", events=[view("h-1", 0, 1), view("h-1", 1, 2)])
        publish_rows(place, "h-2", events=[view("h-2", 0, 1, received_at=BLACK_FRIDAY_MS + 9_000)])
        self.place = place

    def publisher(self, store) -> ObjectPublisher:
        return ObjectPublisher(self.folder, store, clock_seconds=lambda: self.memory.now_ms / 1_000)

    def compact(self, store=None, grace_ms: int = 0) -> None:
        """As a new process does it."""
        store = store or self.memory
        publisher = self.publisher(store)
        compactor = Compactor(StoreData(store), self.folder, publisher)
        compactor.run(ALL, compactor.days())
        publisher.remove_old(grace_ms)

    def settle(self) -> None:
        """It is run again; a day later the sweep comes by."""
        self.compact()
        self.memory.now_ms += 25 * 3_600_000
        self.publisher(self.memory).sweep()

    def at_rest(self) -> None:
        report = audit(StoreData(self.memory), journal_closed=None, now_ms=self.memory.now_ms, deep=True)
        assert report.findings == ()
        assert {fate: count for fate, count in report.fates.items() if count} == {"stored": 2, "duplicate": 1}
        state = ObjectLedger(self.memory).fold()
        outputs = {name for name in self.memory.objects if not name.startswith("ledger/")}
        assert outputs == set(state.live)
        assert list(self.memory.find(INTENTS)) == []


CALLS = ["put", "upload", "upload", "create", "delete"]
"""Intent, a sorted file, a list of duplicates, the entry, intent off; then what was replaced is deleted."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_compaction_in_a_store_makes_these_writing_calls(store):
    watched = Watched(store.memory)
    store.compact(watched)

    assert [call for call in watched.calls if call in {"put", "upload", "create", "delete"}] == [
        *CALLS,
        "delete",
    ]
    store.at_rest()


METHODS = [("put", 1), ("upload", 1), ("upload", 2), ("create", 1), ("delete", 1), ("delete", 2)]
WRITES = [(when, *call) for when in ("before", "after") for call in METHODS]
every_write = pytest.mark.parametrize(
    ("when", "method", "number"), WRITES, ids=[f"C32 {when} {method} {at}" for when, method, at in WRITES]
)


@every_write
def test_c32_a_process_that_dies_in_a_store_leaves_every_row_exactly_once(store, when, method, number):
    mortal = Mortal(store.memory).at_call(when, method, number, _die)
    with pytest.raises(Killed):
        store.compact(mortal)

    state = ObjectLedger(store.memory).fold()
    assert set(state.live) <= set(store.memory.objects), "nothing that is live is gone"
    store.settle()
    store.at_rest()


@every_write
@pytest.mark.parametrize("retryable", [True, False], ids=["time-out", "403"])
def test_a_store_that_refuses_a_compaction_is_asked_again(store, when, method, number, retryable):
    def refuse() -> None:
        raise StoreError(
            "refused", code="store_unreachable" if retryable else "store_forbidden", retryable=retryable
        )

    with suppress(StoreError):
        store.compact(Watched(store.memory).at_call(when, method, number, refuse))

    assert set(ObjectLedger(store.memory).fold().live) <= set(store.memory.objects)
    store.settle()
    store.at_rest()


@pytest.mark.parametrize("trouble", [StoreError("no answer"), KeyboardInterrupt()], ids=["outage", "Ctrl-C"])
def test_a_commit_that_nobody_can_tell_of_takes_nothing_back(store, trouble):
    """The entry is there, its answer is lost, and then the store is gone: what it names must stay."""
    gone = []

    class Lost(Watched):
        def _call(self, method, do):
            if gone:
                raise StoreError("no answer")
            result = super()._call(method, do)
            if method == "create":
                gone.append(True)
                raise trouble
            return result

    with pytest.raises(type(trouble)):
        store.compact(Lost(store.memory))

    assert set(ObjectLedger(store.memory).fold().live) <= set(store.memory.objects)
    store.settle()
    store.at_rest()


def test_two_compactors_in_a_store_and_one_of_them_is_first(store):
    """The number is taken between the plan and its commit."""
    watched = Watched(store.memory).at_call("before", "create", 1, lambda: store.compact(grace_ms=10**9))

    store.compact(watched)

    store.settle()
    store.at_rest()


def test_replaced_objects_go_when_their_readers_have_had_their_time(store):
    store.compact(grace_ms=1_800_000)
    assert len([name for name in store.memory.objects if name.startswith("tables/")]) == 3
    store.memory.now_ms += 1_800_000
    publisher = store.publisher(store.memory)

    assert len(publisher.remove_old(1_800_000)) == 2
    assert publisher.remove_old(1_800_000) == ()
    store.at_rest()


def _die() -> None:
    raise Killed


def test_names_of_changes_are_told_apart_by_number_and_chance():
    assert table_change_file("events", "2026-11-27", "0a1b2c3d4e").endswith("/c-0a1b2c3d4e.parquet")
    assert lines_change_file("rejected", "2026-11-27", "0a1b2c3d4e").endswith("/c-0a1b2c3d4e.ndjson.gz")
    assert len({new_tag() for _ in range(100)}) == 100


if __name__ == "__main__":
    main(*sys.argv[1:])
