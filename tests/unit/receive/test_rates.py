"""Write keys bring so much on average, and no batch is ever impossible."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from receive_fakes import Clock

from connector.errors import TooManyEvents
from connector.events import SourceKeys
from connector.receive.rates import (
    HOLDS_SECONDS,
    MOST_DEBT_SECONDS,
    MOST_EVENTS,
    STRANGERS_BYTES_PER_SECOND,
    BatchTooLong,
    Rates,
)


def keys(events: float = 10, size: float = 1_000, name: str = "web") -> SourceKeys:
    return SourceKeys(name, events_per_second=events, bytes_per_second=size)


def refused_for(rates: Rates, source: SourceKeys, events: int = 1, body_bytes: int = 1) -> int | None:
    """Seconds to wait; None when the request was admitted."""
    try:
        rates.admit(source, events, body_bytes)
    except TooManyEvents as trouble:
        return trouble.retry_after_seconds
    return None


def test_two_seconds_worth_may_come_at_once_and_then_the_rate() -> None:
    clock = Clock()
    rates = Rates(clock)

    assert [refused_for(rates, keys()) for _ in range(21)] == [None] * 20 + [1]
    clock.seconds += 0.5
    assert [refused_for(rates, keys()) for _ in range(6)] == [None] * 5 + [1]


def test_bytes_are_counted_as_well_as_events() -> None:
    rates = Rates(Clock())

    assert refused_for(rates, keys(), body_bytes=2_000) is None
    assert refused_for(rates, keys()) == 1


def test_a_batch_above_the_rate_is_taken_and_paid_for_afterwards() -> None:
    clock = Clock()
    rates = Rates(clock)

    assert refused_for(rates, keys(), events=500) is None
    assert refused_for(rates, keys()) == 49
    clock.seconds += 48
    assert refused_for(rates, keys()) == 1
    clock.seconds += 1
    assert refused_for(rates, keys(), events=500) is None


def test_a_rate_below_one_event_a_second_still_takes_one() -> None:
    clock = Clock()
    rates = Rates(clock)
    slow = keys(events=0.1)

    assert [refused_for(rates, slow) for _ in range(2)] == [None, 9]
    clock.seconds += 9
    assert refused_for(rates, slow) is None


@pytest.mark.parametrize(("events", "size"), [(5_000, 1), (1, 4_000_000)])
def test_no_request_shuts_its_source_out_for_longer_than_a_minute(events: int, size: int) -> None:
    clock = Clock()
    rates = Rates(clock)
    rates.admit(keys(), events, size)

    assert refused_for(rates, keys()) == 61
    clock.seconds += 61
    assert refused_for(rates, keys()) is None


def test_a_request_of_too_many_events_is_refused_and_pays_for_its_bytes_alone() -> None:
    clock = Clock()
    rates = Rates(clock)

    with pytest.raises(BatchTooLong) as refused:
        rates.admit(keys(), MOST_EVENTS + 1, 3_000)

    assert (refused.value.status, refused.value.code) == (413, "too_many_events")
    assert refused_for(rates, keys()) == 2
    clock.seconds += 2
    assert [refused_for(rates, keys()) for _ in range(21)] == [None] * 20 + [1]


class TestCheck:
    """What may be read at all."""

    def test_a_source_may_be_read_while_it_may_bring_something_and_asking_takes_nothing(self) -> None:
        clock = Clock()
        rates = Rates(clock)
        for _ in range(100):
            rates.check(keys())
        rates.admit(keys(), 40, 1)

        with pytest.raises(TooManyEvents) as refused:
            rates.check(keys())

        assert refused.value.retry_after_seconds == 3
        clock.seconds += 3
        rates.check(keys())

    def test_what_strangers_cost_together_is_limited(self) -> None:
        clock = Clock()
        rates = Rates(clock)
        rates.charge_strangers(int(STRANGERS_BYTES_PER_SECOND * HOLDS_SECONDS) - 1)
        rates.check(None)
        rates.charge_strangers(int(STRANGERS_BYTES_PER_SECOND))

        with pytest.raises(TooManyEvents) as refused:
            rates.check(None)

        assert refused.value.retry_after_seconds == 1
        rates.check(keys())
        rates.admit(keys(), 1, 1)
        clock.seconds += 1
        rates.check(None)

    def test_strangers_are_let_in_again_after_a_minute_whatever_they_brought(self) -> None:
        clock = Clock()
        rates = Rates(clock)
        rates.charge_strangers(10**12)
        clock.seconds += 61

        rates.check(None)


def test_what_is_refused_takes_nothing() -> None:
    clock = Clock()
    rates = Rates(clock)
    rates.admit(keys(), 30, 1)

    assert [refused_for(rates, keys(), events=1_000) for _ in range(3)] == [2, 2, 2]
    clock.seconds += 2
    assert refused_for(rates, keys()) is None


def test_sources_do_not_pay_for_each_other() -> None:
    rates = Rates(Clock())
    rates.admit(keys(), 1_000, 1)

    assert refused_for(rates, keys()) is not None
    assert refused_for(rates, keys(name="app")) is None


@settings(deadline=None, max_examples=100)
@given(st.floats(0.1, 80), st.data())
def test_over_any_time_no_more_than_the_rate_the_bucket_and_one_request_comes_in(
    rate: float, data: st.DataObject
) -> None:
    """For requests that bring no more than a minute's worth."""
    clock = Clock()
    rates = Rates(clock)
    source = keys(events=rate, size=1e12)
    began, admitted, largest = clock.seconds, 0, int(rate * MOST_DEBT_SECONDS)

    for pause, events in data.draw(
        st.lists(st.tuples(st.floats(0, 5), st.integers(1, largest)), min_size=1, max_size=60)
    ):
        clock.seconds += pause
        if refused_for(rates, source, events) is None:
            admitted += events

    assert admitted <= rate * (HOLDS_SECONDS + clock.seconds - began) + largest + 1e-6


@settings(deadline=None, max_examples=100)
@given(st.floats(0.1, 1_000), st.integers(1, MOST_EVENTS))
def test_who_waits_as_long_as_told_is_admitted(rate: float, events: int) -> None:
    clock = Clock()
    rates = Rates(clock)
    source = keys(events=rate, size=1e12)
    rates.admit(source, events, 1)

    waits = []
    while (wait := refused_for(rates, source)) is not None:
        waits.append(wait)
        clock.seconds += wait

    assert waits[:1] <= [61]
    assert waits[1:] in ([], [1])
