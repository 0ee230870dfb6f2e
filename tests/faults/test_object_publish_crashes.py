"""Attempts that die, are refused, frozen or overtaken while they publish to a store: C23 to C30.

Crash points are those of journal-protocol 7. Every point is tried, before and after each call to the store,
in memory and in a SeaweedFS server.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from faults.real_store import RealStore
from faults.store_journal import (
    HOUR_MS,
    Journal,
    at_rest,
    dies,
    exactly_once,
    forbids,
    publish_ignoring,
    times_out,
)
from object_stores import Mortal, Watched
from s3_servers import S3Server
from unit.write.lake_samples import files_below, stage

from connector.errors import StoreError
from connector.write.object_ledger import DEADLINE_SECONDS, INTENTS, ObjectLedger

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


@pytest.fixture(params=["memory", "SeaweedFS"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal:
    if request.param == "memory":
        return Journal(tmp_path, waiting={"h-1"})
    server: S3Server = request.getfixturevalue("seaweed")
    return Journal(tmp_path, RealStore(server.store()), waiting={"h-1"})


def test_an_attempt_makes_these_calls(journal):
    watched = Watched(journal.store)

    assert journal.write(journal.publisher(watched)) == 1

    assert watched.calls == ["read", *ONE_FILE], "recovery asks for the waiting file first"
    exactly_once(journal, "h-1")


@every_point
def test_a_process_that_dies_leaves_each_event_exactly_once(journal, point):
    store = Mortal(journal.store).at(point[0], point[1], dies)
    publish_ignoring(journal, store)

    assert store.dead
    journal.settle()
    exactly_once(journal, "h-1")


@every_point
def test_an_event_is_never_lost_between_a_crash_and_what_the_journal_still_has(journal, point):
    """Either the journal or the ledger has the captured file; nothing listed is missing."""
    publish_ignoring(journal, Mortal(journal.store).at(point[0], point[1], dies))

    state = ObjectLedger(journal.store).fold()
    assert journal.waiting | set(state.records) == {"h-1"}
    assert set(state.live) <= set(journal.store.objects)


@every_point
@pytest.mark.parametrize("fails", [times_out, forbids], ids=["C30 time-out or 5xx", "C30 403"])
def test_a_store_that_refuses_once_is_asked_again(journal, point, fails):
    """``after``: it was done although the answer says otherwise."""
    store = Watched(journal.store).at(point[0], point[1], fails)
    publisher = journal.publisher(store)
    staged = stage(journal.folder, "h-1")
    known_to_be_done = point[1] == 7 or (point == ("after", 6) and fails is times_out)

    if known_to_be_done:
        assert publisher.publish([staged]) == 1
    else:
        with pytest.raises(StoreError):
            publisher.publish([staged])
        assert journal.waiting == {"h-1"}
        assert files_below(staged.staging, "tables") != set()

    journal.settle()
    at_rest(journal, "h-1")


def test_the_same_staged_files_may_be_published_again_after_a_refusal(journal):
    store = Watched(journal.store).at_call("before", "create", 1, forbids)
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
    exactly_once(journal, "h-1")


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
    exactly_once(journal, "h-1")


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
    exactly_once(journal, "h-1")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(7, 10))
def test_c27_a_loser_that_dies_while_it_takes_back_is_cleaned_up_after(journal, number, when):
    """It asks whose record it is, and deletes: outputs, then the intent."""
    other = Journal(journal.root / "other", journal.store, {"h-1"})
    store = Mortal(journal.store).at("before", 6, lambda: other.write(other.publisher(), "bbbbbbbbbb"))
    publish_ignoring(journal, store.at(when, number, dies))

    assert store.dead
    journal.settle()
    at_rest(journal, "h-1")


def test_c27_a_loser_that_may_not_delete_leaves_the_rest_to_the_sweep(journal):
    other = Journal(journal.root / "other", journal.store, {"h-1"})
    store = Watched(journal.store).at_call("before", "delete", 1, forbids)
    store.at("before", 6, lambda: other.write(other.publisher(), "bbbbbbbbbb"))

    publisher = journal.publisher(store)
    assert publisher.publish([stage(journal.folder, "h-1")]) == 0

    journal.settle()
    exactly_once(journal, "h-1")


def test_c28_a_captured_file_that_comes_again_a_day_later_is_done(journal):
    journal.write(journal.publisher())
    before = dict(journal.store.objects)
    journal.later(24 * HOUR_MS)
    journal.waiting.add("h-1")

    publisher = journal.publisher()
    assert publisher.publish([stage(journal.folder, "h-1", tag="bbbbbbbbbb")]) == 0

    assert journal.store.objects == before
    exactly_once(journal, "h-1")


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
    at_rest(journal, "h-1")


def test_an_attempt_within_its_deadline_commits(journal):
    def work() -> None:
        journal.seconds += DEADLINE_SECONDS

    store = Watched(journal.store).at("before", 5, work)

    publisher = journal.publisher(store)
    assert publisher.publish([stage(journal.folder, "h-1")]) == 1


@pytest.mark.parametrize("number", range(3, 6), ids=["upload 1", "upload 2", "upload 3"])
def test_an_upload_that_outlasts_the_deadline_is_taken_back_by_its_own_attempt(journal, number):
    """Its intent may be swept before the object appears: nobody else would ever find it."""
    other = Journal(journal.root / "other", journal.store, {"h-1"})

    def linger() -> None:
        other.write(other.publisher())
        journal.later(2 * HOUR_MS)
        assert other.publisher().sweep().intents == 1

    publisher = journal.publisher(Watched(journal.store).at("before", number, linger))
    with pytest.raises(StoreError, match="not written within 20 minutes"):
        publisher.publish([stage(journal.folder, "h-1")])

    journal.write(journal.publisher())
    at_rest(journal, "h-1")


@pytest.mark.parametrize("number", range(2, 6), ids=["intent", "upload 1", "upload 2", "upload 3"])
def test_an_attempt_that_is_refused_leaves_nothing_behind(journal, number):
    """However often it is made again."""
    for _ in range(3):
        publish_ignoring(journal, Watched(journal.store).at("before", number, forbids))

    assert journal.store.objects == {}
    journal.settle()
    at_rest(journal, "h-1")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(3, 6))
def test_an_attempt_whose_upload_may_still_land_leaves_its_intent_for_the_sweep(journal, number, when):
    publish_ignoring(journal, Watched(journal.store).at(when, number, times_out))

    assert len(list(journal.store.find(INTENTS))) == 1
    journal.settle()
    at_rest(journal, "h-1")


def test_no_two_attempts_have_a_name_in_common(journal):
    """Also not under one configuration: a sweep that looks at one can never hurt the other."""
    named: list[set[str]] = []
    for _ in range(2):
        publish_ignoring(journal, Mortal(journal.store).at("before", 6, dies))
        ledger = ObjectLedger(journal.store)
        intents = ledger.intents(ledger.listed_intents())
        named = [set(found.intent.names) for found in intents]

    assert [len(names) for names in named] == [3, 3]
    assert named[0].isdisjoint(named[1])
    for found in intents:
        digits = found.intent.attempt_id[:16]
        assert {name.partition("aaaaaaaaaa")[2] for name in found.intent.names} == {
            f".{digits}.parquet", f".{digits}.ndjson.gz",
        }  # fmt: skip
