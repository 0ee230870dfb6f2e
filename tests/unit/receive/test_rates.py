"""Write keys bring so much on average, and no batch is ever impossible."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from receive_fakes import Clock

from connector.errors import TooManyEvents
from connector.events import SourceKeys
from connector.receive.rates import HOLDS_SECONDS, Rates


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

    assert refused_for(rates, keys(), events=2_500) is None
    assert refused_for(rates, keys()) == 249
    clock.seconds += 248
    assert refused_for(rates, keys()) == 1
    clock.seconds += 1
    assert refused_for(rates, keys(), events=2_500) is None


def test_a_rate_below_one_event_a_second_still_takes_one() -> None:
    clock = Clock()
    rates = Rates(clock)
    slow = keys(events=0.1)

    assert [refused_for(rates, slow) for _ in range(2)] == [None, 9]
    clock.seconds += 9
    assert refused_for(rates, slow) is None


def test_nobody_is_told_to_wait_longer_than_an_sdk_would() -> None:
    rates = Rates(Clock())
    rates.admit(keys(), 1_000_000, 1)

    assert refused_for(rates, keys()) == 300


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
@given(
    st.floats(0.1, 1_000),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 3_000)), min_size=1, max_size=60),
)
def test_over_any_time_no_more_than_the_rate_the_bucket_and_one_request_comes_in(
    rate: float, arrivals: list[tuple[float, int]]
) -> None:
    clock = Clock()
    rates = Rates(clock)
    source = keys(events=rate, size=1e12)
    began, admitted = clock.seconds, 0

    for pause, events in arrivals:
        clock.seconds += pause
        if refused_for(rates, source, events) is None:
            admitted += events

    largest = max(events for _, events in arrivals)
    assert admitted <= rate * (HOLDS_SECONDS + clock.seconds - began) + largest + 1e-6


@settings(deadline=None, max_examples=100)
@given(st.floats(0.1, 1_000), st.integers(1, 100_000))
def test_who_waits_as_long_as_told_is_admitted(rate: float, events: int) -> None:
    clock = Clock()
    rates = Rates(clock)
    source = keys(events=rate, size=1e12)
    rates.admit(source, events, 1)

    waits = []
    while (wait := refused_for(rates, source)) is not None:
        waits.append(wait)
        clock.seconds += wait

    assert all(wait == 300 for wait in waits[:-1])
