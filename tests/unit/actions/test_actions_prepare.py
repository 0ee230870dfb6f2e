"""What call it is: type, name and identity (tables 2.3, 3 and 4; quirks 1 to 3, 53, 58)."""

from __future__ import annotations

from typing import Any

import pytest
from action_samples import track

from connector.actions.call import Call, Refusal
from connector.actions.prepare import CALL_TYPES, prepare
from connector.events import Flag


def prepared(event: Any, **more: Any) -> Call:
    return prepare(event, source="web", **more)


@pytest.mark.parametrize("kind", sorted(CALL_TYPES))
def test_a_stated_type_is_taken(kind: str) -> None:
    call = prepared({"type": kind, "event": "Size Guide Opened", "messageId": "m"})

    assert (call.type, call.flags) == (kind, [])


@pytest.mark.parametrize(
    ("event", "route", "kind", "path"),
    [
        ({"action": "page"}, "webhook", "page", "action"),
        ({"type": "", "action": "page"}, "webhook", "page", "action"),
        ({"action": "page"}, "track", "page", "action"),
        ({"userId": "u"}, "identify", "identify", "type"),
        ({"event": "Product Viewed"}, "page", "page", "type"),
        ({"event": "Product Viewed"}, "batch", "track", "event"),
        ({"type": None, "action": "click", "event": "Product Viewed"}, "webhook", "track", "event"),
    ],
)
def test_a_missing_type_is_inferred_and_flagged(event: Any, route: str, kind: str, path: str) -> None:
    call = prepared({**event, "messageId": "m"}, route=route)

    assert (call.type, call.flags) == (kind, [Flag("type_inferred", path)])
    assert call.event["type"] == kind


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"userId": "u"},
        {"type": "Track", "event": "A"},
        {"type": "pageview", "event": "A"},
        {"type": 5, "event": "A"},
        {"event": 5},
        {"action": "click"},
    ],
)
def test_an_event_that_says_not_what_it_is_is_refused(event: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        prepared(event)

    assert refusal.value.code == "type_unknown"


@pytest.mark.parametrize("fragment", [None, True, 5, 2.5, "track", [], [{"type": "track"}]])
def test_a_fragment_is_refused(fragment: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        prepared(fragment)

    assert refusal.value.code == "not_an_object"


@pytest.mark.parametrize("name", [None, "", True, [], {}, ["Order Completed"], float("nan")])
def test_a_track_call_without_a_name_is_refused(name: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        prepared({"type": "track", "event": name})

    assert refusal.value.code == "event_missing"


def test_a_folded_name_is_what_subscriptions_see_and_the_received_one_is_kept() -> None:
    sent = track("completed_order")

    call = prepared(sent)

    assert (call.event["event"], call.received_event) == ("Order Completed", "completed_order")
    assert call.flags == [Flag("event_renamed", "event")]
    assert sent["event"] == "completed_order"
    assert call.key == "track/15/completed_order/iajs-1"


def test_a_name_of_one_s_own_is_left_alone() -> None:
    call = prepared(track(" Size Guide Opened "))

    assert (call.event["event"], call.received_event, call.flags) == (
        " Size Guide Opened ",
        " Size Guide Opened ",
        [],
    )


def test_a_name_that_is_a_number_becomes_text() -> None:
    call = prepared(track(404))  # type: ignore[arg-type]

    assert (call.event["event"], call.flags) == ("404", [Flag("text_from_number", "event")])


def test_the_name_is_in_the_key_of_track_calls_only() -> None:
    assert prepared({"type": "page", "event": "A", "messageId": "m"}).key == "page/0//im"


@pytest.mark.parametrize(
    ("sent", "key", "codes"),
    [("m-1", "im-1", []), (17, "i17", ["text_from_number"]), (1e3, "i1000", ["text_from_number"])],
)
def test_a_message_id_is_text_or_becomes_it(sent: Any, key: str, codes: list[str]) -> None:
    call = prepared(track("A", messageId=sent))

    assert call.message_id == key[1:]
    assert call.key == f"track/1/A/{key}"
    assert [flag.code for flag in call.flags] == codes


@pytest.mark.parametrize("sent", [None, "", True, [], ["m"], {}])
def test_anything_else_is_no_message_id_and_the_content_is_the_identity(sent: Any) -> None:
    call = prepared(track("A", messageId=sent))

    assert call.message_id is None
    assert call.key == prepared(track("A", messageId=None)).key
    assert call.key.startswith("track/1/A/h")


def test_two_broken_texts_are_two_events_although_they_are_mended_alike() -> None:
    ids = [prepared(track("A", messageId=sent)) for sent in ("\ud800", "\ud801", "\ufffd")]
    names = [prepared(track(sent)) for sent in ("\ud800", "\ud801", "\ufffd")]

    assert {call.message_id for call in ids} == {call.received_event for call in names} == {"\ufffd"}
    assert len({call.key for call in ids}) == len({call.key for call in names}) == 3


def test_what_decoding_repaired_is_said_on_the_event() -> None:
    assert prepared(track("A"), repaired=True).flags == [Flag("json_repaired", "")]
