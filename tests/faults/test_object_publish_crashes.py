"""Attempts that die, are refused, frozen or overtaken while they publish to a store; the sweep: C23 to C30.

Crash points are those of journal-protocol 7. Every point is tried: before and after each call to the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from object_stores import Killed, MemoryStore, Mortal, Watched
from unit.write.lake_samples import files_below, stage

from connector.errors import StoreError
from connector.objects import ObjectStore
from connector.write.audit import audit
from connector.write.data import StoreData
from connector.write.folder import DataFolder
from connector.write.object_ledger import DEADLINE_SECONDS, Intent, ObjectLedger, intent_name, record_name
from connector.write.object_publish import ObjectPublisher
from connector.write.sweep import SWEEP_AFTER_MS

HOUR_MS = 3_600_000
ONE_FILE = ["read", "put", "upload", "upload", "upload", "create", "delete"]
"""The calls of an attempt: recorded? intent, two days of events, one of rejected ones, record, intent off."""
POINTS = [(when, number) for number in range(1, len(ONE_FILE) + 1) for when in ("before", "after")]


def _crash_point(point: tuple[str, int]) -> str:
    when, number = point
    what = {1: "C23", 2: "C24", 3: "C24", 4: "C24", 5: "C24", 6: "C25", 7: "C26"}[number]
    if point in (("before", 2), ("after", 6)):
        what = "C23" if number == 2 else "C26"
    return f"{what} {when} {ONE_FILE[number - 1]} {number}"


every_point = pytest.mark.parametrize("point", POINTS, ids=_crash_point)


@dataclass
class Journal:
    """Captured files that wait until they are retired, and a machine that writes them to a store."""

    root: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    waiting: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def publisher(self, store: ObjectStore | None = None) -> ObjectPublisher:
        """As a new process makes it."""
        self.folder = DataFolder(self.root / "work", now_ms=lambda: self.store.now_ms)
        return ObjectPublisher(
            self.folder, store or self.store, retire=self.waiting.discard,
            unretired=lambda: sorted(self.waiting), clock_seconds=lambda: self.seconds,
        )  # fmt: skip

    def write(self, publisher: ObjectPublisher, tag: str = "aaaaaaaaaa") -> int:
        """A round: map what waits, under the configuration that ``tag`` stands for, and publish it."""
        publisher.recover()
        return publisher.publish([stage(self.folder, name, tag=tag) for name in sorted(self.waiting)])

    def later(self, milliseconds: int) -> None:
        self.store.now_ms += milliseconds
        self.seconds += milliseconds / 1000

    def settle(self) -> None:
        """The machine starts again and finishes; hours later the sweep comes by."""
        self.write(self.publisher())
        self.later(2 * HOUR_MS)
        self.publisher().sweep()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, waiting={"h-1"})


def _exactly_once(journal: Journal, *names: str) -> None:
    """The audit holds, all that is there is in the ledger, and nobody's work lies about."""
    report = audit(StoreData(journal.store), journal_closed=None, now_ms=journal.store.now_ms, deep=True)
    assert report.findings == ()
    _at_rest(journal, *names)


def _at_rest(journal: Journal, *names: str) -> None:
    """What ``_exactly_once`` says of names and bytes, in a hundredth of the time."""
    state = ObjectLedger(journal.store).fold()
    objects = journal.store.objects
    assert sorted(state.records) == sorted(names)
    assert {name: live.output.sha256 for name, live in state.live.items()} == {
        name: hashlib.sha256(content).hexdigest()
        for name, (content, _) in objects.items()
        if name.startswith(("tables/", "rejected/"))
    }
    assert set(objects) == {*state.live, *map(record_name, names)}
    assert journal.waiting == set()
    assert files_below(journal.root / "work", ".staging") == set()


def _dies() -> None:
    raise Killed


def _times_out() -> None:
    raise StoreError("no answer")


def _forbids() -> None:
    raise StoreError("HTTP 403", code="store_forbidden", retryable=False)


def test_an_attempt_makes_these_calls(journal):
    watched = Watched(journal.store)

    assert journal.write(journal.publisher(watched)) == 1

    assert watched.calls == ["find", *ONE_FILE]
    _exactly_once(journal, "h-1")


@every_point
def test_a_process_that_dies_leaves_each_event_exactly_once(journal, point):
    store = Mortal(journal.store).at(point[0], point[1], _dies)
    _publish_ignoring(journal, store)

    assert store.dead
    journal.settle()
    _exactly_once(journal, "h-1")


def _publish_ignoring(journal: Journal, store: ObjectStore, tag: str = "aaaaaaaaaa") -> None:
    """Publish what waits with a store that fails."""
    publisher = journal.publisher(store)
    staged = [stage(journal.folder, name, tag=tag) for name in sorted(journal.waiting)]
    with suppress(Killed, StoreError):
        publisher.publish(staged)


@every_point
def test_an_event_is_never_lost_between_a_crash_and_what_the_journal_still_has(journal, point):
    """Either the journal or the ledger has the captured file; nothing listed is missing."""
    _publish_ignoring(journal, Mortal(journal.store).at(point[0], point[1], _dies))

    state = ObjectLedger(journal.store).fold()
    assert journal.waiting | set(state.records) == {"h-1"}
    assert set(state.live) <= set(journal.store.objects)


@every_point
@pytest.mark.parametrize("fails", [_times_out, _forbids], ids=["C30 time-out or 5xx", "C30 403"])
def test_a_store_that_refuses_once_is_asked_again(journal, point, fails):
    """``after``: it was done although the answer says otherwise."""
    store = Watched(journal.store).at(point[0], point[1], fails)
    publisher = journal.publisher(store)
    staged = stage(journal.folder, "h-1")
    known_to_be_done = point[1] == 7 or (point == ("after", 6) and fails is _times_out)

    if known_to_be_done:
        assert publisher.publish([staged]) == 1
    else:
        with pytest.raises(StoreError):
            publisher.publish([staged])
        assert journal.waiting == {"h-1"}
        assert files_below(staged.staging, "tables") != set()

    journal.settle()
    _at_rest(journal, "h-1")


def test_the_same_staged_files_may_be_published_again_after_a_refusal(journal):
    store = Watched(journal.store).at_call("before", "create", 1, _forbids)
    publisher = journal.publisher(store)
    staged = stage(journal.folder, "h-1")
    with pytest.raises(StoreError) as refused:
        publisher.publish([staged])

    assert (refused.value.code, refused.value.retryable) == ("store_forbidden", False)
    assert publisher.publish([staged]) == 1


def test_c25_a_client_that_repeats_its_own_create_recognises_its_record(journal):
    """The SDK's own retry is told that the name is taken, by its first try."""

    class Repeats(Watched):
        def create(self, name: str, content: bytes) -> bool:
            return super().create(name, content) and super().create(name, content)

    assert journal.write(journal.publisher(Repeats(journal.store))) == 1
    _exactly_once(journal, "h-1")


def test_c25_a_create_that_lands_after_everybody_gave_up_is_found(journal):
    """The answer timed out, the record was not there yet, then it was."""
    late: list[Callable[[], object]] = []

    class Slow(Watched):
        def create(self, name: str, content: bytes) -> bool:
            late.append(lambda: self.store.create(name, content))
            raise StoreError("no answer")

    with pytest.raises(StoreError):
        journal.write(journal.publisher(Slow(journal.store)))
    late[0]()

    assert journal.write(journal.publisher()) == 0
    journal.settle()
    _exactly_once(journal, "h-1")


@pytest.mark.parametrize("tag", ["aaaaaaaaaa", "bbbbbbbbbb"], ids=["same", "different"])
@every_point
def test_c27_of_two_attempts_one_wins_and_the_other_takes_its_files_back(journal, point, tag):
    """Another machine writes the captured file between any two calls of the first."""
    other = Journal(journal.root / "other", journal.store, {"h-1"})
    won = []
    store = Watched(journal.store).at(
        point[0], point[1], lambda: won.append(other.write(other.publisher(), tag))
    )

    publisher = journal.publisher(store)
    won.append(publisher.publish([stage(journal.folder, "h-1")]))

    assert sum(won) == 1
    _exactly_once(journal, "h-1")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(7, 11))
def test_c27_a_loser_that_dies_while_it_takes_back_is_cleaned_up_after(journal, number, when):
    """It asks whose record it is, what changes say, and deletes: outputs, then the intent."""
    other = Journal(journal.root / "other", journal.store, {"h-1"})
    store = Mortal(journal.store).at("before", 6, lambda: other.write(other.publisher(), "bbbbbbbbbb"))
    _publish_ignoring(journal, store.at(when, number, _dies))

    assert store.dead
    journal.settle()
    _at_rest(journal, "h-1")


def test_c27_a_loser_that_may_not_delete_leaves_the_rest_to_the_sweep(journal):
    other = Journal(journal.root / "other", journal.store, {"h-1"})
    store = Watched(journal.store).at_call("before", "delete", 1, _forbids)
    store.at("before", 6, lambda: other.write(other.publisher(), "bbbbbbbbbb"))

    publisher = journal.publisher(store)
    assert publisher.publish([stage(journal.folder, "h-1")]) == 0

    journal.settle()
    _exactly_once(journal, "h-1")


def test_c28_a_captured_file_that_comes_again_a_day_later_is_done(journal):
    journal.write(journal.publisher())
    before = dict(journal.store.objects)
    journal.later(24 * HOUR_MS)
    journal.waiting.add("h-1")

    publisher = journal.publisher()
    assert publisher.publish([stage(journal.folder, "h-1", tag="bbbbbbbbbb")]) == 0

    assert journal.store.objects == before
    _exactly_once(journal, "h-1")


@pytest.mark.parametrize("number", range(3, 7), ids=["upload 1", "upload 2", "upload 3", "create"])
def test_c29_an_attempt_that_was_frozen_past_its_deadline_neither_puts_nor_commits(journal, number):
    """While it slept its leftovers were swept; had it gone on, its record would name files that are gone."""

    def freeze() -> None:
        journal.later(2 * HOUR_MS)
        journal.publisher().sweep()

    store = Watched(journal.store).at("after", number - 1, freeze)
    publisher = journal.publisher(store)
    with pytest.raises(StoreError, match="h-1: not written within 20 minutes") as late:
        publisher.publish([stage(journal.folder, "h-1")])

    assert late.value.retryable
    assert journal.store.objects == {}
    journal.settle()
    _at_rest(journal, "h-1")


def test_an_attempt_within_its_deadline_commits(journal):
    def work() -> None:
        journal.seconds += DEADLINE_SECONDS

    store = Watched(journal.store).at("before", 5, work)

    publisher = journal.publisher(store)
    assert publisher.publish([stage(journal.folder, "h-1")]) == 1


@every_point
def test_a_sweep_at_any_moment_of_a_living_attempt_takes_nothing_from_it(journal, point):
    """An attempt under the same configuration died hours ago: both have the same names."""
    _publish_ignoring(journal, Mortal(journal.store).at("before", 6, _dies))
    journal.later(2 * HOUR_MS)
    store = Watched(journal.store).at(point[0], point[1], lambda: journal.publisher().sweep())

    publisher = journal.publisher(store)
    assert publisher.publish([stage(journal.folder, "h-1")]) == 1

    journal.settle()
    _at_rest(journal, "h-1")


def _leftovers(journal: Journal) -> set[str]:
    """A captured file that is written, and one whose attempt died before its record."""
    journal.write(journal.publisher())
    kept = set(journal.store.objects)
    journal.waiting = {"h-2"}
    _publish_ignoring(journal, Mortal(journal.store).at("before", 6, _dies))
    return kept


def test_the_sweep_removes_leftovers_and_nothing_else(journal):
    kept = _leftovers(journal)
    journal.store.put("tables/events/day=2026-11-27/somebody else's", b"")
    journal.later(SWEEP_AFTER_MS)

    swept = journal.publisher().sweep()

    assert set(journal.store.objects) == {*kept, "tables/events/day=2026-11-27/somebody else's"}
    assert (len(swept.names), swept.intents, swept.unreadable) == (3, 1, ())
    assert {name.split("/")[-1].split(".")[0] for name in swept.names} == {"h-2"}


def test_an_attempt_that_may_be_alive_is_left_alone(journal):
    _leftovers(journal)
    before = dict(journal.store.objects)
    journal.later(SWEEP_AFTER_MS - 1)

    assert journal.publisher().sweep().intents == 0

    assert journal.store.objects == before


def test_c39_ages_are_measured_by_the_clock_of_the_store(tmp_path):
    """The machine that sweeps is a day ahead; the store knows that the attempt is young."""
    journal = Journal(tmp_path, waiting={"h-1"})
    _publish_ignoring(journal, Mortal(journal.store).at("before", 6, _dies))
    journal.seconds += 86_400

    assert journal.publisher().sweep().names == ()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 13))
def test_a_sweep_that_dies_is_finished_by_the_next(journal, number, when):
    kept = _leftovers(journal)
    journal.later(2 * HOUR_MS)
    store = Mortal(journal.store).at(when, number, _dies)
    with pytest.raises(Killed):
        journal.publisher(store).sweep()

    assert kept <= set(journal.store.objects)
    journal.later(2 * HOUR_MS)
    journal.publisher().sweep()
    assert set(journal.store.objects) == kept
    journal.settle()
    _at_rest(journal, "h-1", "h-2")


def test_a_sweep_that_was_frozen_between_looking_and_deleting_deletes_nothing(journal):
    _leftovers(journal)
    journal.later(2 * HOUR_MS)
    before = set(journal.store.objects)

    def freeze() -> None:
        journal.seconds += 3_600

    store = Watched(journal.store).at_call("before", "find", 3, freeze)

    assert journal.publisher(store).sweep().names == ()
    assert set(journal.store.objects) == before


def test_an_intent_that_names_anything_but_outputs_is_not_followed(journal):
    journal.write(journal.publisher())
    before = set(journal.store.objects)
    evil = intent_name("evil")
    journal.store.put(evil, Intent("evil", None, (record_name("h-1"),)).encoded())
    journal.later(2 * HOUR_MS)

    swept = journal.publisher().sweep()

    assert (swept.names, swept.intents, swept.unreadable) == ((), 0, (evil,))
    assert set(journal.store.objects) == {*before, evil}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("attempt"), st.sampled_from(["aaaaaaaaaa", "bbbbbbbbbb"]), st.integers(1, 24),
                st.sampled_from(["before", "after"]), st.sampled_from([_dies, _times_out, _forbids]),
            ),
            st.tuples(st.just("sweep"), st.integers(1, 14), st.sampled_from(["before", "after"])),
            st.tuples(st.just("wait"), st.sampled_from([60_000, SWEEP_AFTER_MS, 25 * HOUR_MS])),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_whatever_happened_before_each_event_is_there_exactly_once(tmp_path_factory, history):
    journal = Journal(tmp_path_factory.mktemp("history"), waiting={"h-1", "h-2"})
    for kind, *how in history:
        if kind == "attempt":
            tag, number, when, fails = how
            _publish_ignoring(journal, Mortal(journal.store).at(when, number, fails), tag)
        elif kind == "sweep":
            number, when = how
            with suppress(Killed):
                journal.publisher(Mortal(journal.store).at(when, number, _dies)).sweep()
        else:
            journal.later(how[0])
        assert set(ObjectLedger(journal.store).fold().live) <= set(journal.store.objects)

    journal.settle()
    _at_rest(journal, "h-1", "h-2")
