"""trackEvent: one event of ``/import`` (mixpanel-actions 3)."""

from __future__ import annotations

from typing import Any

import pytest
from mixpanel_samples import NOON_MS, properties, refusal, run, track

from connector.mixpanel.events import RESERVED
from connector.mixpanel.times import mixpanel_ms


def test_what_the_sender_says_wins_over_what_is_computed() -> None:
    said = {
        "$browser": "Mine",
        "utm_source": "mine",
        "mp_lib": "mine",
        "ip": "mine",
        "timezone": None,
        "a": "",
    }
    event = track(
        properties=said,
        context={"userAgent": "Chrome/1.2", "ip": "203.0.113.7", "timezone": "UTC", "library": {"name": "js"},
                 "campaign": {"source": "news"}},
    )  # fmt: skip

    assert said.items() <= properties(event).items()


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_properties_are_not_the_senders_to_set(name: str) -> None:
    assert properties(track(properties={name: "mine"})) == properties(track(properties={}))


@pytest.mark.parametrize(
    ("ids", "distinct_id", "sent_id"),
    [
        ({"userId": 5, "anonymousId": "a1"}, "5", "5"),
        ({"userId": None, "anonymousId": "a1"}, "a1", "a1"),
        ({"anonymousId": "a1"}, "a1", "a1"),
        ({}, "", None),
        ({"userId": "", "anonymousId": "a1"}, "", None),
    ],
)
def test_who_did_it(ids: Any, distinct_id: str, sent_id: str | None) -> None:
    sent = properties({"type": "track", "event": "A", **ids})

    assert (distinct_id, sent_id) == (sent["distinct_id"], sent.get("id"))


def test_a_batch_keeps_the_empty_texts_that_a_single_event_loses() -> None:
    event = track(userId="", messageId="", context={"library": {"name": ""}})

    single, batch = properties(event), properties(event, settings={"batch": True})

    assert batch.items() - single.items() == {
        ("id", ""), ("$identified_id", ""), ("$user_id", ""), ("$insert_id", ""), ("mp_lib", "")
    }  # fmt: skip
    assert len(single["$insert_id"]) == 16


def test_an_empty_name_is_refused_alone_and_sent_in_a_batch() -> None:
    assert refusal("trackEvent", track("")) == "The root value is missing the required field 'event'."
    assert run("trackEvent", track(""), settings={"batch": True})[0]["row"]["event"] == ""


def test_an_empty_time_is_the_arrival_alone_and_refused_in_a_batch() -> None:
    event = track(timestamp="", receivedAt="2026-03-14T12:00:00.000Z")

    assert properties(event)["time"] == NOON_MS
    assert "Timestamp" in refusal("trackEvent", event, settings={"batch": True})


@pytest.mark.parametrize(
    "wrong",
    [
        {"context": {"screen": {"width": "wide"}}},
        {"userId": {}},
        {"properties": []},
        {"timestamp": "nope"},
        {"context": "x"},
    ],
)
def test_a_wrong_type_refuses_the_whole_event(wrong: Any) -> None:
    assert refusal("trackEvent", track(**wrong))


@pytest.mark.parametrize(
    ("timestamp", "ms"),
    [
        ("2024-01-01T00:00:00+02:00", 1_704_060_000_000),
        ("2024-01-01 10:00", 1_704_103_200_000),
        ("2024-02-30", 1_709_251_200_000),
        (1_709_294_400, 1_709_294_400),
        ("1709294400", -8_159_184_000_000),
        ("0", 946_684_800_000),
        ("2024-01-01T00:00:00.123456Z", 1_704_067_200_123),
        (1_709_294_400.9, 1_709_294_400),
    ],
)
def test_times_are_read_as_dayjs_reads_them(timestamp: Any, ms: int) -> None:
    assert properties(track(timestamp=timestamp))["time"] == ms


@pytest.mark.parametrize("value", [None, "", 0, True, [], 8.65e15, float("nan"), float("inf")])
def test_what_is_no_time_is_left_to_the_arrival(value: Any) -> None:
    assert mixpanel_ms(value) is None


def test_without_any_time_it_is_the_beginning_of_time() -> None:
    assert properties(track(timestamp=None))["time"] == 0


@pytest.mark.parametrize(
    ("integration", "source"),
    [
        ({"name": "Iterable"}, "Iterable"),
        ({"name": "Other"}, "segment"),
        ("Iterable", "segment"),
        (None, "segment"),
    ],
)
def test_the_source_is_segment_unless_it_is_iterable(integration: Any, source: str) -> None:
    assert properties(track(context={"integration": integration}))["$source"] == source


def test_what_a_payload_does_not_say_is_not_there() -> None:
    sent = run("trackEvent", track(), mapping={"event": {"@path": "$.event"}})[0]["row"]

    assert sent["properties"].keys() == {"time", "distinct_id", "$insert_id", "$source"}


def test_the_sources_name_is_sent_when_it_is_set() -> None:
    assert properties(track(), settings={"sourceName": "web"})["segment_source_name"] == "web"
    assert "segment_source_name" not in properties(track())
