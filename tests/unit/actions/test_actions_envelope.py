"""Identity, envelope and context of events: nothing sent is lost, no write key is kept (tables 2.3, 2.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from action_samples import call, main_row, notes, track

from connector.events import Violation


def envelope(row: dict[str, Any]) -> Any:
    return json.loads(row.get("envelope", "{}"))


def rest(row: dict[str, Any]) -> Any:
    return json.loads(row.get("context", "{}"))


def test_bookkeeping_comes_from_the_capture_and_not_from_the_payload() -> None:
    sent = track("A", source="evil", proven="all", mapping="x", subscription="y", row_id="z")

    row = main_row(sent, "storeEvent", source="web", proven="first", mapping="lake@01234567",
                   violations=[Violation("/a", "type", "string", "integer")])  # fmt: skip

    assert [row[key] for key in ("source", "type", "event", "received_event", "message_id")] == [
        "web", "track", "A", "A", "ajs-1",
    ]  # fmt: skip
    assert [row[key] for key in ("proven", "mapping", "subscription")] == ["first", "lake@01234567", "All"]
    assert row["violations"] == [Violation("/a", "type", "string", "integer")]
    assert envelope(row) == {
        "source": "evil",
        "proven": "all",
        "mapping": "x",
        "subscription": "y",
        "row_id": "z",
    }


@pytest.mark.parametrize(
    ("sent", "columns", "codes"),
    [
        ({"userId": "u"}, {"user_id": "u", "distinct_id": "u"}, []),
        ({"userId": None, "anonymousId": "a"}, {"anonymous_id": "a", "distinct_id": "a"}, []),
        ({"userId": "", "anonymousId": "a"}, {"anonymous_id": "a", "distinct_id": "a"}, []),
        ({"userId": "u", "anonymousId": "a"}, {"user_id": "u", "anonymous_id": "a", "distinct_id": "u"}, []),
        ({"userId": 17}, {"user_id": "17", "distinct_id": "17"}, ["text_from_number userId"]),
        ({"userId": None}, {}, ["identity_missing userId"]),
        ({"userId": None, "properties": {"userId": "p"}}, {}, ["identity_missing userId"]),
    ],
)
def test_people(sent: dict[str, Any], columns: dict[str, str], codes: list[str]) -> None:
    row = main_row({**track("A"), **sent})

    names = ("user_id", "anonymous_id", "distinct_id")
    assert {name: row[name] for name in names if name in row} == columns
    assert notes(row) == codes


def test_no_message_id_is_flagged() -> None:
    row = main_row(track("A", messageId=None))

    assert "message_id" not in row
    assert notes(row) == ["message_id_missing messageId"]


@pytest.mark.parametrize(
    ("key", "sent", "typed"),
    [
        ("messageId", 17, "17"),
        ("messageId", ["m"], None),
        ("userId", 17, "17"),
        ("anonymousId", {"id": 1}, '{"id":1}'),
        ("groupId", True, "true"),
        ("channel", ["browser"], "browser"),
    ],
)
def test_a_top_level_value_that_is_no_text_stays_as_it_was_sent(key: str, sent: Any, typed: Any) -> None:
    row = main_row(track("A", **{key: sent}))

    column = {"messageId": "message_id", "userId": "user_id", "anonymousId": "anonymous_id",
              "groupId": "group_id"}.get(key, key)  # fmt: skip
    assert row.get(column) == typed
    assert envelope(row) == {key: sent}


def test_the_envelope_holds_the_top_level_keys_without_a_column() -> None:
    more = {"integrations": {"All": True}, "_metadata": {"bundled": []}, "version": "1.1", "projectId": "p",
            "traits": {"plan": "pro"}, "name": "n", "email": None}  # fmt: skip

    assert envelope(main_row(track("A", **more))) == more


@pytest.mark.parametrize(
    ("action", "kind"), [("storeEvent", "track"), ("storeEvent", "page"), ("storeProfile", "identify"),
                         ("storeGroup", "group"), ("storeAlias", "alias"), ("storeDeletion", "delete")]
)  # fmt: skip
def test_a_write_key_is_never_stored(action: str, kind: str) -> None:
    sent = call(kind, event="A", previousId="a", writeKey="Zk3lANTERNweb01")

    assert "Zk3lANTERNweb01" not in repr(main_row(sent, action, proven="all"))


@pytest.mark.parametrize("kind", ["page", "screen"])
def test_an_event_name_on_a_call_that_has_none_stays_in_the_envelope(kind: str) -> None:
    row = main_row(call(kind, event="Viewed Home"))

    assert row["event"] == kind
    assert "received_event" not in row
    assert envelope(row) == {"event": "Viewed Home"}


def test_group_and_channel_come_from_the_top_or_from_context() -> None:
    above = main_row(
        track("A", groupId="g1", channel="client", context={"groupId": "g2", "channel": "client"})
    )
    inside = main_row(track("A", context={"groupId": "g2", "channel": "server"}))

    assert (above["group_id"], above["channel"], rest(above)) == ("g1", "client", {"groupId": "g2"})
    assert (inside["group_id"], inside["channel"], rest(inside)) == ("g2", "server", {})


@pytest.mark.parametrize("sent", [None, "", {}])
def test_missing_properties_are_no_trouble(sent: Any) -> None:
    row = main_row({**track("A"), "properties": sent})

    assert ("properties" in row, notes(row)) == (False, [])


@pytest.mark.parametrize("sent", ["Coupon", 5, ["a"], True, []])
def test_properties_of_another_shape_stay_in_the_envelope(sent: Any) -> None:
    row = main_row({**track("A"), "properties": sent})

    assert "properties" not in row
    assert notes(row) == ["properties_not_object properties"]
    assert envelope(row) == {"properties": sent}


def test_properties_are_kept_verbatim_with_the_typed_keys() -> None:
    sent = {"price": "19.99", "gift": {"note": None, "tags": ["a", 1.0]}, "": "", "id": 2**70, "größe": "L"}

    assert json.loads(main_row(track("A", sent))["properties"]) == sent


def test_not_a_number_is_null_in_json_and_flagged_where_it_was_typed() -> None:
    row = main_row(track("A", {"price": float("nan"), "other": float("inf")}), repaired=True)

    assert row["properties"] == '{"price":null,"other":null}'
    assert notes(row) == ["json_repaired ", "number_not_finite properties.price"]


def test_broken_text_is_replaced_everywhere() -> None:
    row = main_row(track("A", {"brand": "a\ud800", "own": "b\ud800"}, userId="u\0"))

    assert (row["brand"], row["user_id"]) == ("a\ufffd", "u\ufffd")
    assert row["properties"] == '{"brand":"a\ufffd","own":"b\ufffd"}'
    assert notes(row) == ["text_replaced userId", "text_replaced properties.brand"]
    assert envelope(row) == {"userId": "u\0"}


CONTEXT: list[tuple[str, Any, str, Any]] = [
    ("page.path", "/p/lamp", "context_page_path", "/p/lamp"),
    ("page.referrer", "https://example.com/", "context_page_referrer", "https://example.com/"),
    ("campaign.source", "newsletter", "context_campaign_source", "newsletter"),
    ("device.id", "4C1B", "context_device_id", "4C1B"),
    ("device.advertisingId", "ad-1", "context_device_advertising_id", "ad-1"),
    ("device.idfa", "ad-2", "context_device_advertising_id", "ad-2"),
    ("device.adTrackingEnabled", False, "context_device_ad_tracking_enabled", False),
    ("os.version", "18.3", "context_os_version", "18.3"),
    ("app.build", "1187", "context_app_build", "1187"),
    ("network.wifi", True, "context_network_wifi", True),
    ("location.latitude", 45.5, "context_location_latitude", 45.5),
    ("screen.width", 393, "context_screen_width", 393),
    ("screen.density", 3, "context_screen_density", 3.0),
    ("referrer.id", "click-1", "context_referrer_id", "click-1"),
    ("locale", "en-US", "context_locale", "en-US"),
    ("timezone", "Europe/Berlin", "context_timezone", "Europe/Berlin"),
    ("ip", "203.0.113.24", "context_ip", "203.0.113.24"),
    ("userAgent", "Mozilla/5.0", "context_user_agent", "Mozilla/5.0"),
    ("userAgentData.mobile", True, "context_user_agent_data_mobile", True),
    ("library.name", "analytics.js", "context_library_name", "analytics.js"),
]


def nested(path: str, value: Any) -> Any:
    for step in reversed(path.split(".")):
        value = {step: value}
    return value


@pytest.mark.parametrize(("path", "sent", "column", "typed"), CONTEXT)
def test_a_typed_context_value_is_not_kept_twice(path: str, sent: Any, column: str, typed: Any) -> None:
    row = main_row(track("A", context=nested(path, sent)))

    assert row[column] == typed
    assert "context" not in row
    assert notes(row) == []


@pytest.mark.parametrize(
    ("path", "sent", "column", "typed"),
    [
        ("app.build", 1187, "context_app_build", "1187"),
        ("network.wifi", "true", "context_network_wifi", True),
        ("screen.width", "393", "context_screen_width", 393),
        ("screen.width", 393.5, "context_screen_width", None),
        ("screen.width", 2**31, "context_screen_width", None),
        ("location.latitude", 2**53 + 1, "context_location_latitude", float(2**53)),
        ("page.url", ["a", "b"], "context_page_url", '["a","b"]'),
        ("locale", "", "context_locale", None),
        ("ip", "a\0", "context_ip", "a\ufffd"),
        ("device", "iPhone", "context_device_name", None),
        ("os", ["iOS"], "context_os_name", None),
    ],
)
def test_a_context_value_that_did_not_fit_is_kept(path: str, sent: Any, column: str, typed: Any) -> None:
    row = main_row(track("A", context=nested(path, sent)))

    assert row.get(column) == typed
    assert rest(row) == nested(path, sent)


@pytest.mark.parametrize(
    ("path", "sent", "column", "typed", "kept"),
    [
        ("location.latitude", float("inf"), "context_location_latitude", None, None),
        ("location.latitude", float("nan"), "context_location_latitude", None, None),
        ("ip", "a\ud800", "context_ip", "a\ufffd", "a\ufffd"),
    ],
)
def test_a_context_value_that_json_cannot_say(
    path: str, sent: Any, column: str, typed: Any, kept: Any
) -> None:
    row = main_row(track("A", context=nested(path, sent)))

    assert row.get(column) == typed
    assert rest(row) == nested(path, kept)
    assert len(notes(row)) == 1


def test_context_without_a_column_is_the_rest() -> None:
    own = {"consent": {"categoryPreferences": {"ads": False}}, "traits": {}, "active": True}
    sent = {**own, "ip": "::1", "device": {"token": "t", "type": "ios"}, "page": {}, "os": None}

    row = main_row(track("A", context=sent))

    assert rest(row) == {**own, "device": {"token": "t"}}


def test_an_empty_object_of_one_s_own_is_kept_beside_values_from_a_second_place() -> None:
    row = main_row(track("A", context={"channel": "server", "consent": {}, "device": {"idfa": "i"}}))

    assert rest(row) == {"consent": {}}


def test_the_first_source_wins_and_another_value_is_kept() -> None:
    row = main_row(track("A", context={"device": {"idfa": "i", "advertisingId": "a"}}))

    assert row["context_device_advertising_id"] == "a"
    assert rest(row) == {"device": {"idfa": "i"}}


@pytest.mark.parametrize("sent", [None, [], "", {}])
def test_an_empty_context_is_no_trouble(sent: Any) -> None:
    row = main_row(track("A", context=sent))

    assert ("context" in row, "envelope" in row, notes(row)) == (False, False, [])


@pytest.mark.parametrize("sent", ["web", 5, ["web"], True])
def test_a_context_of_another_shape_stays_in_the_envelope(sent: Any) -> None:
    row = main_row(track("A", context=sent))

    assert notes(row) == ["context_not_object context"]
    assert envelope(row) == {"context": sent}
