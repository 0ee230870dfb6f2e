"""Raw SDK traffic gets the times it would have behind Segment (segment-delivery 1.8, tables 6.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from action_samples import NOON, NOON_MS, call, main_row, notes, track

from connector.actions.call import LakeSettings
from connector.actions.prepare import prepare
from connector.events import TRACKING_ROUTES
from connector.values.times import iso_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CALLED = "2026-03-14T13:00:00.000Z"
SENT = "2026-03-14T13:00:01.750Z"
"""A device whose clock is an hour ahead calls, and sends 1,750 ms later."""


def sdk(**times: Any) -> dict[str, Any]:
    """What an SDK sends: no receivedAt, and the times given."""
    return {**track("A", timestamp=None, receivedAt=None), **times}


def row_of(event: Any, route: str = "batch", action: str = "storePurchase", **more: Any) -> dict[str, Any]:
    return main_row(event, action, route=route, **{"received_at_ms": NOON_MS, **more})


def times(row: dict[str, Any]) -> dict[str, int]:
    columns = ("timestamp", "original_timestamp", "sent_at", "received_at")
    return {column: row[column] for column in columns if column in row}


def envelope(row: dict[str, Any]) -> Any:
    return json.loads(row.get("envelope", "{}"))


@pytest.mark.parametrize("key", ["timestamp", "originalTimestamp"])
def test_the_time_between_call_and_sending_is_taken_off_the_arrival(key: str) -> None:
    row = row_of(sdk(**{key: CALLED}, sentAt=SENT))

    assert times(row) == {
        "timestamp": NOON_MS - 1_750,
        "original_timestamp": NOON_MS + HOUR_MS,
        "sent_at": NOON_MS + HOUR_MS + 1_750,
        "received_at": NOON_MS,
    }
    assert (notes(row), envelope(row)) == ([], {})


def test_a_clock_that_is_years_off_does_not_matter() -> None:
    row = row_of(sdk(timestamp="1999-12-31T23:59:59.000Z", sentAt="2000-01-01T00:00:00.000Z"))

    assert (row["timestamp"], notes(row)) == (NOON_MS - 1_000, [])


@pytest.mark.parametrize("route", sorted(TRACKING_ROUTES))
def test_every_dialect_of_the_tracking_api_is_corrected(route: str) -> None:
    assert row_of(sdk(timestamp=CALLED, sentAt=SENT), route)["timestamp"] == NOON_MS - 1_750


@pytest.mark.parametrize("route", ["webhook", "file"])
def test_what_segment_delivers_is_left_as_it_is(route: str) -> None:
    sent = track("A", timestamp="2026-03-14T11:00:00.000Z", originalTimestamp=CALLED, sentAt=SENT)

    row = row_of(sent, route, received_at_ms=NOON_MS + 5)

    assert (row["timestamp"], row["received_at"]) == (NOON_MS - HOUR_MS, NOON_MS)


@pytest.mark.parametrize(("sent", "codes"), [(None, []), ("", []), ("soon", ["time_unreadable sentAt"])])
def test_without_a_time_of_sending_the_client_s_time_stays(sent: Any, codes: list[str]) -> None:
    row = row_of(sdk(timestamp="2026-03-14T11:00:00.000Z", sentAt=sent))

    assert (row["timestamp"], row["original_timestamp"]) == (NOON_MS - HOUR_MS, NOON_MS - HOUR_MS)
    assert (notes(row), envelope(row).get("sentAt")) == (codes, sent or None)


def test_without_a_client_time_the_arrival_counts() -> None:
    row = row_of(sdk(sentAt=SENT))

    assert (row["timestamp"], notes(row)) == (NOON_MS, ["time_replaced timestamp"])
    assert "original_timestamp" not in row


def test_an_arrival_that_the_client_claims_is_kept_and_not_believed() -> None:
    row = row_of(sdk(timestamp=CALLED, sentAt=SENT, receivedAt="2019-01-01T00:00:00.000Z"))

    assert (row["received_at"], row["timestamp"]) == (NOON_MS, NOON_MS - 1_750)
    assert (envelope(row), notes(row)) == ({"receivedAt": "2019-01-01T00:00:00.000Z"}, [])


def test_of_two_client_times_the_timestamp_counts_and_the_other_is_kept() -> None:
    row = row_of(sdk(timestamp=CALLED, originalTimestamp=NOON, sentAt=SENT))

    assert (row["original_timestamp"], notes(row)) == (NOON_MS + HOUR_MS, [])
    assert envelope(row) == {"originalTimestamp": NOON}


def test_a_timestamp_that_cannot_be_read_gives_way_to_the_other_one() -> None:
    row = row_of(sdk(timestamp="soon", originalTimestamp=CALLED, sentAt=SENT))

    assert (row["timestamp"], row["original_timestamp"]) == (NOON_MS - 1_750, NOON_MS + HOUR_MS)
    assert notes(row) == ["time_unreadable timestamp", "time_replaced timestamp"]
    assert envelope(row) == {"timestamp": "soon"}


@pytest.mark.parametrize(
    ("sent", "original_ms", "codes"),
    [
        ("2026-03-14T13:00:00.000123+00:00", NOON_MS + HOUR_MS, []),
        ("2026-03-14T13:00:00", NOON_MS + HOUR_MS, ["time_zone_assumed timestamp"]),
        (1_773_493_200, NOON_MS + HOUR_MS, ["time_from_number timestamp"]),
        ("soon", None, ["time_unreadable timestamp", "time_replaced timestamp"]),
    ],
)
def test_what_the_columns_do_not_say_of_a_client_time_stays_as_sent(
    sent: Any, original_ms: int | None, codes: list[str]
) -> None:
    row = row_of(sdk(timestamp=sent, sentAt=SENT))

    assert row.get("original_timestamp") == original_ms
    assert (notes(row), envelope(row)) == (codes, {"timestamp": sent})


@pytest.mark.parametrize(
    "called", ["2026-03-28T13:00:00.000Z", "2025-02-07T13:00:01.749Z", "0002-01-01T00:00:00.000Z"]
)
def test_a_corrected_time_out_of_bounds_is_replaced_by_the_arrival(called: str) -> None:
    row = row_of(sdk(timestamp=called, sentAt=SENT))

    assert (row["timestamp"], notes(row)) == (
        NOON_MS,
        ["time_out_of_range timestamp", "time_replaced timestamp"],
    )
    assert envelope(row) == {"timestamp": called}


def test_a_time_that_no_calendar_holds_is_replaced_too() -> None:
    row = row_of(sdk(timestamp="0002-01-01T00:00:00.000Z", sentAt="9999-12-31T00:00:00.000Z"))

    assert (row["timestamp"], row["received_at"]) == (NOON_MS, NOON_MS)
    assert notes(row) == ["time_out_of_range timestamp", "time_replaced timestamp"]


@pytest.mark.parametrize(("days", "usable"), [(400, True), (401, False)])
def test_a_public_write_key_reaches_400_days_back(days: int, usable: bool) -> None:
    row = row_of(sdk(timestamp=iso_ms(NOON_MS - days * DAY_MS)))

    assert row["timestamp"] == (NOON_MS - days * DAY_MS if usable else NOON_MS)
    assert ("time_out_of_range timestamp" in notes(row)) is not usable


@pytest.mark.parametrize(("bound", "usable"), [(30, False), (None, True)])
def test_the_bound_of_the_past_is_a_setting(bound: int | None, usable: bool) -> None:
    row = row_of(sdk(timestamp="2026-01-01T00:00:00.000Z"), settings=LakeSettings(past_bound_days=bound))

    assert ("time_out_of_range timestamp" in notes(row)) is not usable


@pytest.mark.parametrize("route", ["webhook", "file"])
def test_webhooks_and_archives_have_no_bound_of_the_past_but_the_first_day(route: str) -> None:
    row = row_of(track("A", timestamp="2015-01-01T00:00:00.000Z"), route)

    assert notes(row) == []


def test_the_bound_holds_for_a_time_that_the_mapping_chose() -> None:
    event = sdk(timestamp=CALLED, sentAt=SENT, properties={"ordered": "2015-01-01T00:00:00.000Z"})
    fields = {"event": {"timestamp": {"@path": "$.properties.ordered"}, "event": "A"}}

    row = main_row(event, "storeEvent", fields, route="batch", received_at_ms=NOON_MS)

    assert (row["timestamp"], row["received_at"]) == (NOON_MS, NOON_MS)


@pytest.mark.parametrize("action", ["storeProfile", "storeGroup", "storeAlias"])
def test_calls_of_every_table_are_corrected(action: str) -> None:
    kind = {"storeProfile": "identify", "storeGroup": "group", "storeAlias": "alias"}[action]
    event = call(kind, previousId="a", timestamp=CALLED, receivedAt=None, sentAt=SENT)

    assert row_of(event, action=action)["timestamp"] == NOON_MS - 1_750


def test_subscriptions_and_mappings_see_the_times_that_segment_s_destinations_see() -> None:
    sent = sdk(timestamp="2026-03-14T14:00:00.000123+01:00", sentAt=SENT, receivedAt="claimed")
    before = dict(sent)

    seen = prepare(sent, source="web", route="batch", received_at_ms=NOON_MS).event

    assert seen["timestamp"] == "2026-03-14T11:59:58.250Z"
    assert (seen["originalTimestamp"], seen["sentAt"], seen["receivedAt"]) == (CALLED, SENT, NOON)
    assert sent == before


def test_a_retry_keeps_the_key_of_the_first_try() -> None:
    first = sdk(timestamp=CALLED, sentAt=SENT, messageId=None)
    retry = {**first, "sentAt": "2026-03-14T13:05:00.000Z", "_metadata": {"retryCount": 1}}

    keys = {
        prepare(event, source="web", route="batch", received_at_ms=arrival).key
        for event, arrival in ((first, NOON_MS), (retry, NOON_MS + 300_000))
    }

    assert len(keys) == 1


def test_without_id_and_time_the_arrival_tells_events_apart() -> None:
    event = sdk(messageId=None)

    keys = {
        prepare(event, source="web", route="batch", received_at_ms=arrival).key
        for arrival in (NOON_MS, NOON_MS, NOON_MS + 1)
    }

    assert len(keys) == 2


def test_a_frame_without_an_arrival_computes_nothing() -> None:
    row = row_of(sdk(timestamp=CALLED, sentAt=SENT), received_at_ms=None)

    assert times(row)["timestamp"] == NOON_MS + HOUR_MS
    assert "received_at" not in row
