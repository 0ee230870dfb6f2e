"""What leaves: everybody or the difference, page by page, at least once, and never twice at the same time."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from object_stores import MemoryStore

from connector.cohorts.catalogue import hash_of
from connector.cohorts.holdout import Holdout
from connector.cohorts.pages import parts_of
from connector.cohorts.send import Paused, prepare, run
from connector.errors import Busy, ConfigError
from connector.saved import LeaseLost
from tests.report.cohort_asking import quiet, wish
from tests.report.cohort_receivers import (
    Crash,
    MemoryChannel,
    Receiver,
    Waits,
    line_of,
    with_email,
)

THREE_DAYS = timedelta(days=3)


class Shop:
    """One cohort, one channel, one receiver."""

    def __init__(self, *, replaces: bool = True, page_people: int = 2) -> None:
        self.store = MemoryStore()
        self.receiver = Receiver()
        self.channel = MemoryChannel(self.receiver, replaces=replaces, page_people=page_people)
        self.waits = Waits()
        self.exposed: list[list[dict[str, Any]]] = []
        self.line = line_of(self.store, self.channel, waits=self.waits, expose=self._expose)

    def _expose(self, messages: bytes, name: str) -> None:
        assert self.store.read(name) == messages, "kept before anything leaves"
        self.exposed.append([json.loads(line) for line in messages.splitlines()])

    def sync(self, people: Collection[str], **more: Any) -> list[str]:
        """Sync, and return what left: action and people of each page."""
        before = len(self.channel.pages)
        run(self.line, wish(people, **more), quiet)
        return self.left(before)

    def left(self, before: int = 0) -> list[str]:
        return [
            f"{page.action} {page.number}/{page.total} {' '.join(each.uid for each in page.people)}".strip()
            for page in self.channel.pages[before:]
        ]


class TestPages:
    def test_the_first_time_everybody_leaves_in_pages(self):
        shop = Shop()

        assert shop.sync(["cleo", "ann", "ben"]) == ["members 1/2 ann ben", "members 2/2 cleo"]
        assert shop.receiver.people == {"ann", "ben", "cleo"}

    def test_later_only_the_difference_leaves(self):
        shop = Shop()
        shop.sync(["ann", "ben", "cleo"])

        assert shop.sync(["ann", "dora"]) == ["add_members 1/1 dora", "remove_members 1/1 ben cleo"]
        assert shop.sync(["ann", "dora"]) == []

    def test_after_three_days_everybody_leaves_again(self):
        shop = Shop()
        shop.sync(["ann"])

        assert shop.sync(["ann"], days=3) == [], "the difference to a success that is three days old"
        assert shop.sync(["ann"], days=3.01) == ["members 1/1 ann"]

    def test_an_export_sends_everybody_whatever_was_sent_before(self):
        shop = Shop()
        shop.sync(["ann", "ben"])

        assert shop.sync(["ben"], full=True) == ["members 1/1 ben"]
        assert shop.receiver.people == {"ben"}

    def test_nobody_is_sent_too(self):
        shop = Shop()
        shop.sync(["ann"])

        assert shop.sync([], full=True) == ["members 1/1"]
        assert shop.receiver.people == set()

    def test_where_nothing_replaces_everybody_enters_again_and_who_is_gone_leaves(self):
        shop = Shop(replaces=False)
        assert shop.sync(["ann", "ben"]) == ["add_members 1/1 ann ben"]

        assert shop.sync(["ben", "cleo"], days=4) == ["add_members 1/1 ben cleo", "remove_members 1/1 ann"]

    def test_pages_of_a_thousand(self):
        people = [f"person {number:04}" for number in range(2_001)]

        parts = parts_of((), people, full=True, replaces=True, at_most=1_000)

        assert [(part.at, part.number, part.total, len(part.people)) for part in parts] == [
            (1, 1, 3, 1_000), (2, 2, 3, 1_000), (3, 3, 3, 1)
        ]  # fmt: skip

    def test_who_cannot_be_reached_is_left_out_and_counted(self):
        shop = Shop()
        line = shop.line._replace(contacts=lambda people: {uid: {} for uid in people} | with_email(["ann"]))

        prepared = prepare(line, wish(["ann", "ben", "cleo"]))

        assert (list(prepared.members), prepared.session.skipped) == (["ann"], {"no_email": 2})
        assert prepared.session.sha256 == hash_of(["ann"])

    def test_who_stays_entered_when_they_were_first_sent(self):
        shop = Shop(page_people=9)
        shop.sync(["ann"])
        shop.sync(["ann", "ben"], days=1)
        shop.sync(["ann", "ben"], days=2, full=True)

        assert [(each.uid, each.entered_at) for each in shop.channel.pages[-1].people] == [
            ("ann", "2026-03-01T12:00:00.000Z"), ("ben", "2026-03-02T12:00:00.000Z")
        ]  # fmt: skip

    def test_lists_of_people_go_when_nobody_needs_them_any_more(self):
        shop = Shop()
        for number in range(6):
            shop.sync([f"person-{number}"])

        kept = [info.name.split("/")[-2] for info in shop.store.find("") if "members.json" in info.name]
        assert kept == ["000004", "000005", "000006"]
        plans = [info.name for info in shop.store.find("") if info.name.endswith("plan.json")]
        assert len(plans) == 6, "what was done stays known"

    def test_preparing_writes_nothing(self):
        shop = Shop()
        prepare(shop.line, wish(["ann"]))

        assert shop.store.objects == {}


class TestTrouble:
    def test_a_failure_is_tried_again_five_times_with_growing_pauses_then_left_for_the_next_run(self):
        shop = Shop()
        shop.channel.faults = ["fails before"] * 6

        (sent,) = run(shop.line, wish(["ann"]), quiet)

        assert sent.stopped is not None
        assert (sent.stopped.status, sent.pages, list(shop.waits)) == ("again", 0, [1, 2, 4, 8, 16])
        assert shop.sync(["ann"]) == ["members 1/1 ann"]

    def test_a_failure_that_passes_is_not_seen_outside(self):
        shop = Shop()
        shop.channel.faults = ["fails before", "fails after"]

        (sent,) = run(shop.line, wish(["ann"]), quiet)

        assert (sent.stopped, sent.pages, list(shop.waits)) == (None, 1, [1, 2])
        assert len({page.key for page in shop.channel.pages}) == 1, "the same page has the same key"

    def test_no_more_than_a_minute_is_waited_for_a_page(self):
        shop = Shop()
        asked = 59.5
        deliver = shop.channel.deliver
        shop.channel.faults = ["fails before"] * 9
        shop.channel.deliver = lambda page: deliver(page)._replace(retry_after_seconds=asked)  # type: ignore[method-assign]

        (sent,) = run(shop.line, wish(["ann"]), quiet)

        assert list(shop.waits) == [asked], "the receiver asked for it; a second time would be too long"
        assert sent.stopped is not None

    def test_a_refusal_pauses_until_a_person_resumes(self):
        shop = Shop()
        shop.channel.faults = ["none", "refuses"]

        (sent,) = run(shop.line, wish(["ann", "ben", "cleo"]), quiet)
        assert sent.stopped is not None
        assert (sent.stopped.status, list(shop.waits)) == ("refused", [])
        with pytest.raises(Paused, match="paused: the receiver answered 403"):
            run(shop.line, wish(["ann"]), quiet)

        run(shop.line, wish(["ann", "ben", "cleo"]), quiet, resume=True)
        assert shop.left() == ["members 1/2 ann ben", "members 2/2 cleo"], "from where it stopped"
        assert shop.sync(["ann"]) == ["remove_members 1/1 ben cleo"], "and it stays resumed"

    def test_a_crash_goes_on_with_the_first_page_that_is_not_known_to_have_arrived(self):
        shop = Shop()
        shop.channel.faults = ["none", "dies after"]
        with pytest.raises(Crash):
            run(shop.line, wish(["ann", "ben", "cleo", "dora", "eve"]), quiet)

        run(shop.line, wish(["ann", "ben", "cleo", "dora", "eve"]), quiet)

        assert shop.left() == [
            "members 1/3 ann ben", "members 2/3 cleo dora", "members 2/3 cleo dora", "members 3/3 eve"
        ]  # fmt: skip
        assert shop.channel.pages[1].key == shop.channel.pages[2].key

    def test_what_arrived_of_an_interrupted_difference_is_not_forgotten(self):
        shop = Shop()
        shop.sync(["ann"])
        shop.channel.faults = ["none", "dies before"]
        with pytest.raises(Crash):
            shop.sync(["ann", "ben", "cleo", "dora"])

        shop.sync(["ann"])

        assert shop.receiver.people == {"ann"}

    def test_the_export_of_a_snapshot_that_was_interrupted_goes_on(self):
        shop = Shop()
        export = wish(["ann", "ben", "cleo"], full=True, snapshot="spring")
        shop.channel.faults = ["none", "dies before"]
        with pytest.raises(Crash):
            run(shop.line, export, quiet)

        run(shop.line, export, quiet)

        assert shop.left() == ["members 1/2 ann ben", "members 2/2 cleo"]

    def test_who_lost_the_address_on_the_way_is_left_out_and_comes_again_with_it(self):
        shop = Shop()
        shop.channel.faults = ["dies before"]
        with pytest.raises(Crash):
            shop.sync(["ann", "ben"])
        without = shop.line._replace(contacts=lambda people: {**with_email(people), "ben": {}})
        run(without, wish(["ann", "ben"]), quiet)
        assert shop.receiver.people == {"ann"}

        assert shop.sync(["ann", "ben"]) == ["add_members 1/1 ben"]

    def test_the_log_has_every_try(self):
        shop = Shop()
        shop.channel.faults = ["fails before"]
        (sent,) = run(shop.line, wish(["ann", "ben", "cleo"]), quiet)

        entries = shop.line.sessions.entries(sent.session)

        assert [(e["page"], e["attempt"], e["status"], e["sent"], e["http_status"]) for e in entries] == [
            (1, 1, "again", 2, 500), (1, 2, "ok", 2, 200), (2, 1, "ok", 1, 200)
        ]  # fmt: skip
        assert not any("@" in json.dumps(entry) for entry in entries), "no address in a log"


class TestTwoAtOnce:
    def test_a_second_run_ends_at_once(self):
        shop = Shop()
        with (
            line_of(shop.store, shop.channel).lease.held(),
            pytest.raises(Busy, match="cohort droppers is being sent to channel by process"),
        ):
            run(shop.line, wish(["ann"]), quiet)
        assert shop.left() == []

    def test_who_was_overtaken_stops_before_the_next_page(self):
        shop = Shop()
        deliver = shop.channel.deliver

        def slow(page: Any) -> Any:
            shop.store.now_ms += 3_600_000
            with line_of(shop.store, shop.channel).lease.held():
                pass
            return deliver(page)

        shop.channel.deliver = slow  # type: ignore[method-assign]
        with pytest.raises(LeaseLost):
            run(shop.line, wish(["ann", "ben", "cleo"]), quiet)
        assert shop.left() == ["members 1/2 ann ben"]


class TestControlGroups:
    EVERYBODY = tuple(f"person-{number:03}" for number in range(200))
    OFFER = Holdout("Home offer", 0.2)

    def test_control_people_are_sent_nothing_and_everybody_is_exposed(self):
        shop = Shop(page_people=1_000)
        control, treatment = self.OFFER.split(self.EVERYBODY)

        run(shop.line, wish(self.EVERYBODY, full=True, holdout=self.OFFER), quiet)

        assert shop.receiver.people == set(treatment)
        (messages,) = shop.exposed
        arms = {each["userId"]: each["properties"]["variation_name"] for each in messages}
        assert arms == dict.fromkeys(control, "control") | dict.fromkeys(treatment, "treatment")
        assert 20 <= len(control) <= 60, "two in ten of two hundred, give or take"

    def test_a_sync_leaves_the_control_group_alone_and_exposes_newcomers_only(self):
        shop = Shop(page_people=1_000)
        run(shop.line, wish(self.EVERYBODY, full=True, holdout=self.OFFER), quiet)
        later = [*self.EVERYBODY, *(f"late-{number:02}" for number in range(30))]

        run(shop.line, wish(later, days=1), quiet)
        run(shop.line, wish(later, days=4), quiet)

        treatment = self.OFFER.split(later)[1]
        assert shop.receiver.people == set(treatment)
        assert len(shop.exposed) == 2
        assert {each["userId"] for each in shop.exposed[1]} == set(later[200:])

    def test_a_newcomer_of_the_control_group_alone_is_exposed_too(self):
        shop = Shop(page_people=1_000)
        run(shop.line, wish(self.EVERYBODY, full=True, holdout=self.OFFER), quiet)
        held = next(f"late-{n}" for n in range(99) if self.OFFER.arm(f"late-{n}") == "control")

        sent = run(shop.line, wish([*self.EVERYBODY, held], days=1), quiet)

        assert [(each.pages, each.stopped) for each in sent] == [(0, None)]
        assert [each["userId"] for each in shop.exposed[1]] == [held]

    def test_exposures_are_written_again_after_a_crash_as_they_were(self):
        shop = Shop(page_people=1_000)
        shop.channel.faults = ["dies after"]
        with pytest.raises(Crash):
            run(shop.line, wish(self.EVERYBODY, full=True, holdout=self.OFFER), quiet)

        run(shop.line, wish(self.EVERYBODY, days=0.1), quiet)

        assert shop.exposed[0] == shop.exposed[1]
        assert shop.receiver.people == set(self.OFFER.split(self.EVERYBODY)[1])

    def test_nothing_leaves_when_the_exposures_cannot_be_kept(self):
        shop = Shop()

        def fail(messages: bytes, name: str) -> None:
            raise ConfigError("the mapping stores no exposures")

        with pytest.raises(ConfigError, match="stores no exposures"):
            run(shop.line._replace(expose=fail), wish(self.EVERYBODY, full=True, holdout=self.OFFER), quiet)
        assert shop.left() == []

    def test_the_share_of_an_experiment_stays(self):
        shop = Shop(page_people=1_000)
        run(shop.line, wish(self.EVERYBODY, full=True, holdout=self.OFFER), quiet)

        with pytest.raises(ConfigError, match="a control group of 20%; its share stays"):
            run(shop.line, wish(self.EVERYBODY, full=True, holdout=Holdout("Home offer", 0.1)), quiet)

    def test_a_control_group_ends_when_that_is_said(self):
        shop = Shop(page_people=1_000)
        run(shop.line, wish(self.EVERYBODY, full=True, holdout=self.OFFER), quiet)

        run(shop.line, wish(self.EVERYBODY, full=True, end_holdout=True), quiet)

        assert shop.receiver.people == set(self.EVERYBODY)

    def test_who_cannot_be_reached_takes_no_part(self):
        shop = Shop(page_people=1_000)
        reachable = frozenset(self.EVERYBODY[:100])
        line = shop.line._replace(
            contacts=lambda people: {
                uid: with_email([uid])[uid] if uid in reachable else {} for uid in people
            }
        )

        run(line, wish(self.EVERYBODY, full=True, holdout=self.OFFER), quiet)

        assert {each["userId"] for each in shop.exposed[0]} == reachable

    def test_a_larger_share_holds_back_those_of_a_smaller_one(self):
        small = set(Holdout("Home offer", 0.1).split(self.EVERYBODY)[0])

        assert small < set(self.OFFER.split(self.EVERYBODY)[0])
        assert small != set(Holdout("Other offer", 0.1).split(self.EVERYBODY)[0])
