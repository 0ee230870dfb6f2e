"""Laws of raw SDK traffic: clock arithmetic to the millisecond, retries that stay one event, nothing lost."""

from __future__ import annotations

import json
from typing import Any

from event_strategies import EVENTS, JSON, PIPELINE, captured
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.events import TRACKING_ROUTES
from connector.values.times import iso_ms, read_time

LAW = settings(deadline=None, max_examples=80)
NOON_MS = 1_773_489_600_000
YEAR_MS = 365 * 86_400_000
ROUTES = st.sampled_from(sorted(TRACKING_ROUTES))
CLOCKS = st.integers(0, 4_102_444_799_999)
"""What the clock of a device may show: 1970 to 2099."""
ARRIVALS = st.integers(NOON_MS - YEAR_MS, NOON_MS + YEAR_MS)
TIMES: Any = CLOCKS.map(iso_ms) | st.none() | JSON
SENT_BY_SDKS = st.builds(
    lambda event, times: {**event, **times} if isinstance(event, dict) else event,
    EVENTS,
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("timestamp", "originalTimestamp", "sentAt", "receivedAt"), TIMES)
    ),
)


def columns_of(event: Any, route: str, received_at_ms: int) -> list[dict[str, Any]]:
    capture = captured(event, route=route, received_at_ms=received_at_ms, proven="none")
    return [row.columns for row in PIPELINE(capture).rows]


@LAW
@given(
    ARRIVALS,
    CLOCKS,
    st.integers(0, 300 * 86_400_000),
    st.sampled_from(["timestamp", "originalTimestamp"]),
    ROUTES,
)
def test_an_event_happened_as_long_before_its_arrival_as_the_client_says_it_waited(
    received_at_ms: int, called_ms: int, waited_ms: int, key: str, route: str
) -> None:
    sent = {"type": "track", "event": "A", "messageId": "m", "userId": "u",
            key: iso_ms(called_ms), "sentAt": iso_ms(called_ms + waited_ms)}  # fmt: skip

    (row,) = columns_of(sent, route, received_at_ms)

    assert row["timestamp"] == received_at_ms - waited_ms
    assert (row["original_timestamp"], row["sent_at"]) == (called_ms, called_ms + waited_ms)
    assert (row["received_at"], row["flags"], "envelope" in row) == (received_at_ms, [], False)


SURE = st.sampled_from(
    [{"messageId": "ajs-1"}, {"timestamp": iso_ms(NOON_MS)}, {"originalTimestamp": iso_ms(NOON_MS)}]
)
"""What lets a retry be known: an id, or a time of the call."""


@LAW
@given(SENT_BY_SDKS, SURE, ROUTES, st.lists(st.tuples(ARRIVALS, TIMES), min_size=2, max_size=3))
def test_retries_of_an_event_are_one_event(
    event: Any, sure: dict[str, str], route: str, tries: list[tuple[int, Any]]
) -> None:
    ids = {
        tuple(row["row_id"] for row in columns_of({**event, **sure, "sentAt": sent_at}, route, arrival))
        for arrival, sent_at in tries
    }

    assert len(ids) == 1


@LAW
@given(SENT_BY_SDKS, ROUTES, ARRIVALS)
def test_every_row_lies_within_the_bounds_of_its_arrival(event: Any, route: str, arrival: int) -> None:
    for row in columns_of(event, route, arrival):
        assert row["received_at"] == arrival
        assert arrival - 400 * 86_400_000 <= row["timestamp"] <= arrival + 86_400_000


@LAW
@given(SENT_BY_SDKS, ROUTES, ARRIVALS)
def test_no_time_that_a_client_sent_is_lost(event: Any, route: str, arrival: int) -> None:
    for row in columns_of(event, route, arrival)[:1]:
        envelope = json.loads(row.get("envelope", "{}"))
        for key in ("timestamp", "originalTimestamp", "sentAt", "receivedAt"):
            if event.get(key) in (None, "") or key in envelope:
                continue
            read = read_time(event[key])
            assert read.exact
            assert read.ms in (row.get("original_timestamp"), row.get("sent_at"), row["received_at"]), key
