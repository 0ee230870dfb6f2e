"""What dead attempts left is removed, at whatever moment, and nothing that is live or may still become so."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from faults.orders import Step, every_order
from faults.store_journal import (
    HOUR_MS,
    Journal,
    at_rest,
    dies,
    exactly_once,
    forbids,
    leftovers,
    publish_ignoring,
    times_out,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from object_stores import Killed, MemoryStore, Mortal, Watched
from unit.write.lake_samples import record, stage

from connector.errors import StoreError
from connector.write.entries import Output
from connector.write.folder import DataFolder
from connector.write.object_ledger import Intent, ObjectLedger, intent_name, record_name
from connector.write.object_publish import ObjectPublisher
from connector.write.sink import StagedFile
from connector.write.sweep import SWEEP_AFTER_MS, SWEEP_SECONDS, UNDECIDED_AFTER_MS, sweep

ONE_FILE_CALLS = range(1, 8)
"""Recorded? intent, three uploads, record, intent off."""
SWEEP_CALLS = range(1, 8)
"""Intents, time, the old intent, its record, changes, delete the outputs, delete the intent."""


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, waiting={"h-1"})


class _Stepping(Watched):
    """A store whose user waits for his turn before each call."""

    def __init__(self, store: MemoryStore, step: Step) -> None:
        super().__init__(store)
        self._step = step

    def _call(self, method, do):
        self._step()
        return do()


class _Race:
    """An attempt is dead; another one at the same captured file and a sweep go on side by side."""

    NAME = "tables/events/day=2026-11-27/h-1.p0.aaaaaaaaaa.parquet"

    def __init__(self, root: Path, dead_for_ms: int) -> None:
        self.folder = DataFolder(root)
        self.dead_for_ms = dead_for_ms

    def actors(self):
        self.store = MemoryStore()
        with suppress(Killed):
            self._publisher(Mortal(self.store).at_call("before", "create", 1, dies)).publish([self._staged()])
        self.store.now_ms += self.dead_for_ms
        return self._retry, self._sweep

    def _retry(self, step: Step) -> None:
        assert self._publisher(_Stepping(self.store, step)).publish([self._staged()]) == 1

    def _sweep(self, step: Step) -> None:
        sweep(_Stepping(self.store, step), clock_seconds=lambda: 0.0)

    def _publisher(self, store) -> ObjectPublisher:
        return ObjectPublisher(self.folder, store, clock_seconds=lambda: 0.0)

    def _staged(self) -> StagedFile:
        staging = self.folder.new_staging()
        (staging / self.NAME).parent.mkdir(parents=True)
        (staging / self.NAME).write_bytes(b"rows")
        return StagedFile(staging, record("h-1", stored=1, outputs=(Output(self.NAME, 1, 1, 4, "ab"),)))


@pytest.mark.parametrize("dead_for_ms", [2 * HOUR_MS, 25 * HOUR_MS], ids=["two hours", "a day"])
def test_of_a_sweep_and_a_retry_in_every_order_nothing_live_is_lost(tmp_path, dead_for_ms):
    race = _Race(tmp_path, dead_for_ms)
    orders = 0
    for _ in every_order(race.actors):
        orders += 1
        live = set(ObjectLedger(race.store).fold().live)
        assert len(live) == 1
        assert live <= set(race.store.objects)
        race.store.now_ms += 25 * HOUR_MS
        sweep(race.store, clock_seconds=lambda: 0.0)
        assert set(race.store.objects) == {*live, record_name("h-1")}
    assert orders > 100


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", ONE_FILE_CALLS)
@pytest.mark.parametrize("somebody_else_writes_it", [False, True], ids=["alone", "overtaken"])
def test_an_attempt_that_slept_without_knowing_it_is_not_hurt(journal, number, when, somebody_else_writes_it):
    """Its clocks stood still, so it goes on: its record is late, and everything in it is there."""
    other = Journal(journal.root / "other", journal.store, {"h-1"})

    def sleep() -> None:
        journal.sleep(23 * HOUR_MS)
        if somebody_else_writes_it:
            other.write(other.publisher())
        other.publisher().sweep()

    publisher = journal.publisher(Watched(journal.store).at(when, number, sleep))
    publisher.publish([stage(journal.folder, "h-1")])

    exactly_once(journal, "h-1")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", ONE_FILE_CALLS)
def test_a_sweep_at_any_moment_of_a_living_attempt_takes_nothing_from_it(journal, number, when):
    """An attempt under the same configuration died hours ago."""
    publish_ignoring(journal, Mortal(journal.store).at("before", 6, dies))
    journal.later(2 * HOUR_MS)
    store = Watched(journal.store).at(when, number, lambda: journal.publisher().sweep())

    publisher = journal.publisher(store)
    assert publisher.publish([stage(journal.folder, "h-1")]) == 1

    journal.settle()
    at_rest(journal, "h-1")


def test_the_sweep_removes_leftovers_and_nothing_else(journal):
    kept = leftovers(journal)
    journal.store.put("tables/events/day=2026-11-27/somebody else's", b"")
    journal.later(UNDECIDED_AFTER_MS)

    swept = journal.publisher().sweep()

    assert set(journal.store.objects) == {*kept, "tables/events/day=2026-11-27/somebody else's"}
    assert (len(swept.names), swept.intents, swept.unreadable) == (3, 1, ())
    assert {name.split("/")[-1].split(".")[0] for name in swept.names} == {"h-2"}


def test_once_its_captured_file_is_recorded_a_dead_attempt_is_left_an_hour(journal):
    publish_ignoring(journal, Mortal(journal.store).at("before", 6, dies))
    journal.write(journal.publisher())
    journal.later(SWEEP_AFTER_MS - 1)
    assert journal.publisher().sweep().intents == 0

    journal.later(1)
    assert journal.publisher().sweep().intents == 1

    exactly_once(journal, "h-1")


def test_an_attempt_that_may_still_make_its_record_is_left_a_day(journal):
    leftovers(journal)
    before = dict(journal.store.objects)
    journal.later(UNDECIDED_AFTER_MS - 1)

    assert journal.publisher().sweep().intents == 0

    assert journal.store.objects == before


def test_c39_ages_are_measured_by_the_clock_of_the_store(journal):
    """The machine that sweeps is days ahead; the store knows that the attempt is young."""
    publish_ignoring(journal, Mortal(journal.store).at("before", 6, dies))
    journal.seconds += 3 * 86_400

    assert journal.publisher().sweep().names == ()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", SWEEP_CALLS)
def test_a_sweep_that_dies_is_finished_by_the_next(journal, number, when):
    kept = leftovers(journal)
    journal.later(25 * HOUR_MS)
    store = Mortal(journal.store).at(when, number, dies)
    with pytest.raises(Killed):
        journal.publisher(store).sweep()

    assert kept <= set(journal.store.objects)
    journal.publisher().sweep()
    assert set(journal.store.objects) == kept
    journal.settle()
    at_rest(journal, "h-1", "h-2")


def _dead(store: MemoryStore, attempts: int) -> None:
    for number in range(attempts):
        name = f"tables/events/day=2026-11-27/f{number}.parquet"
        store.put(name, b"")
        store.put(intent_name(f"{number:032x}"), Intent(f"{number:032x}", f"f{number}", (name,)).encoded())
    store.now_ms += UNDECIDED_AFTER_MS


def test_a_sweep_reads_each_intent_once_however_many_there_are():
    store = MemoryStore()
    _dead(store, 400)
    watched = Watched(store)

    assert sweep(watched, clock_seconds=lambda: 0.0).intents == 400

    assert store.objects == {}
    calls = Counter(watched.calls)
    assert calls["read"] == 2 * 400, "the intent, the record"
    assert calls["find"] + calls["delete"] < 30


def test_a_sweep_without_any_intent_is_one_request():
    watched = Watched(MemoryStore())

    assert sweep(watched, clock_seconds=lambda: 0.0).finished
    assert watched.calls == ["find"]


def test_a_sweep_that_takes_long_stops_and_the_next_goes_on():
    store = MemoryStore()
    _dead(store, 200)
    seconds = iter(range(0, 10_000, int(SWEEP_SECONDS / 2)))

    first = sweep(store, clock_seconds=lambda: next(seconds))

    assert not first.finished
    assert 0 < first.intents < 200
    rest = sweep(store, clock_seconds=lambda: 0.0)
    assert (rest.finished, first.intents + rest.intents, store.objects) == (True, 200, {})


def test_a_damaged_record_keeps_its_own_intent_and_no_other(journal):
    leftovers(journal)
    journal.store.put(record_name("h-2"), b"")
    journal.waiting = {"h-3"}
    publish_ignoring(journal, Mortal(journal.store).at("before", 6, dies))
    journal.later(25 * HOUR_MS)

    swept = journal.publisher().sweep()

    assert (swept.intents, len(swept.unreadable)) == (1, 1)
    assert {name.split("/")[-1].split(".")[0] for name in swept.names} == {"h-3"}


def test_a_store_that_refuses_stops_the_sweep_and_loses_nothing(journal):
    kept = leftovers(journal)
    journal.later(25 * HOUR_MS)
    with pytest.raises(StoreError):
        journal.publisher(Watched(journal.store).at_call("before", "delete", 1, forbids)).sweep()

    assert kept <= set(journal.store.objects)


def test_an_intent_that_names_anything_but_outputs_is_not_followed(journal):
    journal.write(journal.publisher())
    before = set(journal.store.objects)
    evil = intent_name("evil")
    journal.store.put(evil, Intent("evil", None, (record_name("h-1"),)).encoded())
    journal.later(UNDECIDED_AFTER_MS)

    swept = journal.publisher().sweep()

    assert (swept.names, swept.intents, swept.unreadable) == ((), 0, (evil,))
    assert set(journal.store.objects) == {*before, evil}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("attempt"), st.sampled_from(["aaaaaaaaaa", "bbbbbbbbbb"]), st.integers(1, 24),
                st.sampled_from(["before", "after"]), st.sampled_from([dies, times_out, forbids]),
            ),
            st.tuples(st.just("sweep"), st.integers(1, 14), st.sampled_from(["before", "after"])),
            st.tuples(st.just("wait"), st.sampled_from([60_000, SWEEP_AFTER_MS, UNDECIDED_AFTER_MS])),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_whatever_happened_before_each_event_is_there_exactly_once(tmp_path_factory, history):
    journal = Journal(tmp_path_factory.mktemp("history"), waiting={"h-1", "h-2"})
    for kind, *how in history:
        if kind == "attempt":
            tag, number, when, fails = how
            publish_ignoring(journal, Mortal(journal.store).at(when, number, fails), tag)
        elif kind == "sweep":
            number, when = how
            with suppress(Killed):
                journal.publisher(Mortal(journal.store).at(when, number, dies)).sweep()
        else:
            journal.later(how[0])
        assert set(ObjectLedger(journal.store).fold().live) <= set(journal.store.objects)

    journal.settle()
    at_rest(journal, "h-1", "h-2")
