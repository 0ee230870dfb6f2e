"""The four times of a row, and which of them counts (tables 2.3 and 6.2; quirks 58 to 62)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from action_samples import NOON, NOON_MS, call, main_row, notes, track

from connector.actions.call import LakeSettings
from connector.tables.layout import day_of, ms_of

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def times(row: dict[str, Any]) -> dict[str, int]:
    columns = ("timestamp", "original_timestamp", "sent_at", "received_at")
    return {column: row[column] for column in columns if column in row}


def test_all_four_as_sent() -> None:
    sent = track(
        "A",
        timestamp="2026-03-14T11:59:58.250Z",
        originalTimestamp="2026-03-14T13:00:00Z",
        sentAt="2026-03-14T13:00:01.750Z",
    )

    row = main_row(sent)

    assert times(row) == {
        "timestamp": NOON_MS - 1_750,
        "original_timestamp": NOON_MS + HOUR_MS,
        "sent_at": NOON_MS + HOUR_MS + 1_750,
        "received_at": NOON_MS,
    }
    assert notes(row) == []
    assert "envelope" not in row


def test_the_captured_arrival_is_received_at_when_the_event_has_none() -> None:
    row = main_row(track("A", receivedAt=None), received_at_ms=NOON_MS + 5)

    assert times(row) == {"timestamp": NOON_MS, "received_at": NOON_MS + 5}


def test_received_at_of_the_event_wins_over_the_captured_arrival() -> None:
    assert main_row(track("A"), received_at_ms=NOON_MS + 5)["received_at"] == NOON_MS


@pytest.mark.parametrize(
    ("sent", "codes"),
    [
        (None, ["time_replaced timestamp"]),
        ("", ["time_replaced timestamp"]),
        ("soon", ["time_unreadable timestamp", "time_replaced timestamp"]),
        (True, ["time_unreadable timestamp", "time_replaced timestamp"]),
        ("0001-01-01T00:00:00Z", ["time_unreadable timestamp", "time_replaced timestamp"]),
        ("2009-12-31T23:59:59.999Z", ["time_out_of_range timestamp", "time_replaced timestamp"]),
        ("2026-03-15T12:00:00.001Z", ["time_out_of_range timestamp", "time_replaced timestamp"]),
        ("2100-01-01T00:00:00.001Z", ["time_out_of_range timestamp", "time_replaced timestamp"]),
    ],
)
def test_an_unusable_time_is_replaced_by_the_arrival(sent: Any, codes: list[str]) -> None:
    row = main_row(track("A", timestamp=sent))

    assert row["timestamp"] == NOON_MS
    assert notes(row) == codes
    assert json.loads(row.get("envelope", "{}")).get("timestamp") == (sent or None)


@pytest.mark.parametrize(
    ("sent", "ms"),
    [
        ("2010-01-01T00:00:00.000Z", ms_of(date(2010, 1, 1))),
        ("2026-03-15T12:00:00.000Z", NOON_MS + DAY_MS),
    ],
)
def test_the_bounds_themselves_are_usable(sent: str, ms: int) -> None:
    row = main_row(track("A", timestamp=sent))

    assert (row["timestamp"], notes(row)) == (ms, [])


def test_without_any_arrival_only_the_outer_bounds_hold() -> None:
    row = main_row(track("A", timestamp="2099-12-31T00:00:00.000Z", receivedAt=None))

    assert (day_of(row["timestamp"]), notes(row)) == ("2099-12-31", [])


def test_the_client_s_time_is_the_last_resort() -> None:
    row = main_row(track("A", timestamp=None, receivedAt=None, originalTimestamp=NOON))

    assert times(row) == {"timestamp": NOON_MS, "original_timestamp": NOON_MS}
    assert notes(row) == ["time_replaced timestamp"]


def test_an_arrival_out_of_bounds_does_not_replace_anything() -> None:
    sent = track("A", timestamp="soon", receivedAt="1970-01-01T00:00:01.000Z")

    row = main_row(sent, received_at_ms=NOON_MS)

    assert (row["timestamp"], row["received_at"]) == (NOON_MS, 1_000)


def test_no_usable_time_at_all_lands_in_the_first_day() -> None:
    row = main_row(track("A", timestamp="soon", receivedAt="later", originalTimestamp="1999-01-01T00:00:00Z"))

    assert "timestamp" not in row
    assert day_of(row.get("timestamp")) == "2010-01-01"
    assert notes(row) == [
        "time_unreadable receivedAt",
        "time_unreadable timestamp",
        "time_missing timestamp",
    ]
    assert json.loads(row["envelope"]) == {"receivedAt": "later", "timestamp": "soon"}


@pytest.mark.parametrize(
    ("sent", "ms", "codes"),
    [
        ("2026-03-14T12:00:00.209808489Z", NOON_MS + 209, []),
        ("2026-03-14T13:00:00+01:00", NOON_MS, []),
        ("2026-03-14 12:00:00", NOON_MS, ["time_zone_assumed timestamp"]),
        (NOON_MS // 1000, NOON_MS, ["time_from_number timestamp"]),
    ],
)
def test_what_milliseconds_in_utc_cannot_say_stays_in_the_envelope(
    sent: Any, ms: int, codes: list[str]
) -> None:
    row = main_row(track("A", timestamp=sent))

    assert (row["timestamp"], notes(row)) == (ms, codes)
    assert json.loads(row["envelope"]) == {"timestamp": sent}


def test_the_other_times_are_read_alike() -> None:
    row = main_row(track("A", originalTimestamp=1_773_489_600, sentAt="never"))

    assert times(row) == {"timestamp": NOON_MS, "original_timestamp": NOON_MS, "received_at": NOON_MS}
    assert notes(row) == ["time_from_number originalTimestamp", "time_unreadable sentAt"]
    assert json.loads(row["envelope"]) == {"originalTimestamp": 1_773_489_600, "sentAt": "never"}


def test_the_bounds_are_settings() -> None:
    settings = LakeSettings(first_day=date(2020, 1, 1), future_bound_ms=HOUR_MS)

    late = main_row(track("A", timestamp="2026-03-14T13:00:00.001Z"), settings=settings)
    early = main_row(track("A", timestamp="2019-12-31T23:59:59.999Z"), settings=settings)

    assert [notes(row)[0] for row in (late, early)] == ["time_out_of_range timestamp"] * 2


@pytest.mark.parametrize("action", ["storeProfile", "storeGroup", "storeAlias"])
def test_every_table_has_the_same_times(action: str) -> None:
    kind = {"storeProfile": "identify", "storeGroup": "group", "storeAlias": "alias"}[action]

    row = main_row(call(kind, previousId="a", timestamp="soon"), action)

    assert times(row) == {"timestamp": NOON_MS, "received_at": NOON_MS}
    assert notes(row) == ["time_unreadable timestamp", "time_replaced timestamp"]
