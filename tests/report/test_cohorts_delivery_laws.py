"""Whatever fails on the way of a cohort, its receiver ends with the people of the last run."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from object_stores import MemoryStore

from connector.cohorts.holdout import Holdout
from connector.cohorts.pages import parts_of
from connector.cohorts.send import run
from tests.report.cohort_asking import quiet, wish
from tests.report.cohort_receivers import (
    FAULTS,
    Crash,
    MemoryChannel,
    Receiver,
    line_of,
)


class Failing(MemoryStore):
    """A store at which the process dies: at one of its calls, before or after it is done."""

    def __init__(self) -> None:
        super().__init__()
        self.dies_in = 0
        self.dead = False

    def create(self, name: str, content: bytes) -> bool:
        if self.dead or self._dies():
            self.dead = True
            raise Crash
        done = super().create(name, content)
        if self._dies():
            self.dead = True
            raise Crash
        return done

    def _dies(self) -> bool:
        self.dies_in -= 1
        return self.dies_in == 0


_people = st.sets(st.sampled_from([f"p{number}" for number in range(7)]))
_runs = st.lists(
    st.tuples(
        _people,
        st.booleans(),
        st.sampled_from((0.0, 0.01, 1.0, 3.5)),
        st.lists(st.sampled_from(FAULTS), max_size=8),
        st.one_of(st.just(0), st.integers(1, 60)),
    ),
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(_runs, _people, st.booleans(), st.booleans(), st.integers(1, 3))
def test_whatever_fails_the_receiver_ends_with_the_people_of_the_last_run(
    runs: Any, last: set[str], replaces: bool, with_holdout: bool, page_people: int
):
    """Failures before and after the effect, refusals, and deaths between any two steps."""
    store, receiver, day = Failing(), Receiver(), 0.0
    channel = MemoryChannel(receiver, replaces=replaces, page_people=page_people)
    holdout = Holdout("Offer", 0.3) if with_holdout else None
    for people, full, days, faults, dies_in in runs:
        day += days
        channel.faults, store.dies_in, store.dead = list(faults), dies_in, False
        again = wish(people, days=day, full=full, holdout=holdout)
        with suppress(Crash):
            run(line_of(store, channel), again, quiet, resume=True)

    channel.faults, store.dies_in, store.dead = [], 0, False
    sent = run(line_of(store, channel), wish(last, days=day, holdout=holdout), quiet, resume=True)

    wanted = set(holdout.split(last)[1]) if holdout else last
    assert receiver.people == wanted
    assert all(each.stopped is None for each in sent)


@settings(max_examples=200, deadline=None)
@given(_people, _people, st.booleans(), st.booleans(), st.integers(1, 3))
def test_pages_lead_from_before_to_after(
    before: set[str], after: set[str], full: bool, replaces: bool, at_most: int
):
    receiver = Receiver()
    receiver.people = set(before)

    for part in parts_of(before, after, full=full, replaces=replaces, at_most=at_most):
        assert len(part.people) <= at_most
        receiver.take(part.action, "one", part.people)

    assert receiver.people == after
