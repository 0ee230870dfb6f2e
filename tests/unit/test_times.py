"""Times in every form senders use, to milliseconds: nothing rounded, nothing guessed (tables 2.2, 6.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.values.times import Instant, iso_ms, plain_ms, read_time

NOON_MS = 1_773_489_600_000  # 2026-03-14T12:00:00.000Z


@pytest.mark.parametrize(
    ("sent", "ms", "exact", "code"),
    [
        ("2026-03-14T12:00:00.000Z", NOON_MS, True, None),
        ("2026-03-14T12:00:00.789Z", NOON_MS + 789, True, None),
        ("2026-03-14T12:00:00Z", NOON_MS, True, None),
        ("2026-03-14T12:00Z", NOON_MS, True, None),
        ("2026-03-14t12:00:00z", NOON_MS, True, None),
        ("2026-03-14T12:00:00.080+00:00", NOON_MS + 80, True, None),
        ("2026-03-14T14:30:00+02:30", NOON_MS, False, None),
        ("2026-03-14T05:00:00-0700", NOON_MS, False, None),
        ("2026-03-14T13:00:00+01", NOON_MS, False, None),
        ("2026-03-14T12:00:00.789123456Z", NOON_MS + 789, False, None),
        ("2026-03-14T12:00:00.789999Z", NOON_MS + 789, False, None),
        ("2026-03-14T12:00:00.789000Z", NOON_MS + 789, True, None),
        ("2026-03-14T12:00:00,5Z", NOON_MS + 500, True, None),
        ("2026-3-14T12:00:00Z", NOON_MS, True, None),
        ("2026-03-14 12:00:00Z", NOON_MS, True, None),
        (" 2026-03-14T12:00:00Z\n", NOON_MS, True, None),
        ("2026-03-14 12:00:00.209808489 +0000 UTC m=+70366.29", NOON_MS + 209, False, None),
        ("2026-03-14 12:00:00 +0000 UTC", NOON_MS, False, None),
        ("2026-03-14 12:00:00 UTC", NOON_MS, False, None),
        ("2026-03-14T12:00:00", NOON_MS, False, "time_zone_assumed"),
        ("2026-03-14 12:00", NOON_MS, False, "time_zone_assumed"),
        ("2026-03-14", NOON_MS - 43_200_000, False, "time_zone_assumed"),
        ("1969-12-31T23:59:59.999Z", -1, True, None),
        ("0002-01-01T00:00:00.000Z", -62_104_060_800_000, True, None),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999, True, None),
        (1_773_489_600, NOON_MS, False, "time_from_number"),
        (1_773_489_600.789, NOON_MS + 789, False, "time_from_number"),
        (99_999_999_999, 99_999_999_999_000, False, "time_from_number"),
        (100_000_000_000, 100_000_000_000, False, "time_from_number"),
        (NOON_MS, NOON_MS, False, "time_from_number"),
        (99_999_999_999_999, 99_999_999_999_999, False, "time_from_number"),
        (100_000_000_000_000, 100_000_000_000, False, "time_from_number"),
        (99_999_999_999_999_999, 99_999_999_999_999, False, "time_from_number"),
        (100_000_000_000_000_000, 100_000_000_000, False, "time_from_number"),
        (NOON_MS * 1000 + 999, NOON_MS, False, "time_from_number"),
        (NOON_MS * 1_000_000 + 999_999, NOON_MS, False, "time_from_number"),
    ],
)
def test_a_readable_time(sent: Any, ms: int, exact: bool, code: str | None) -> None:
    assert read_time(sent) == Instant(ms, exact, code)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "yesterday",
        "14/03/2026",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00.000Z",
        "0000-01-01T00:00:00.000Z",
        "2026-02-30T00:00:00Z",
        "2026-02-30T00:00:00.000Z",
        "2026-03-14T25:00:00Z",
        "2026-03-14T24:00:00.000Z",
        "2026-03-14T12:60:00Z",
        "2026-03-14T12:00:00+24:00",
        "2026-03-14T12:00:00 CET",
        "9999-12-31T23:59:59.000-10:00",
        "2026-03-14X12:00:00.000Z",
        "20260314T120000.5281234Z",
        "2026-W11-6T12:00:00.000Z",
        "٢٠٢٦-03-14T12:00:00Z",
        "1773489600",
        0,
        -1,
        float("nan"),
        float("inf"),
        10**30,
        10**400,
        True,
        None,
        [],
        {},
    ],
)
def test_everything_else_is_unreadable(sent: Any) -> None:
    assert read_time(sent) == Instant(None, False, "time_unreadable")


@pytest.mark.parametrize("sent", ["2026-03-14T12:00:00Z", "2026-02-30T00:00:00.000Z", 1_773_489_600, None])
def test_only_the_usual_form_is_read_the_short_way(sent: Any) -> None:
    assert plain_ms(sent) is None


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (NOON_MS + 7, "2026-03-14T12:00:00.007Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-62_104_060_800_000, "0002-01-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_milliseconds_as_text(ms: int, text: str) -> None:
    assert iso_ms(ms) == text


MOMENTS = st.datetimes(datetime(2, 1, 2), datetime(9999, 12, 30)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)


@settings(deadline=None, max_examples=200)
@given(MOMENTS)
def test_both_ways_agree_with_the_calendar(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert read_time(iso_ms(ms)) == Instant(ms, True, None)
    assert plain_ms(iso_ms(ms)) == ms
    assert read_time(moment.isoformat(sep=" ")) == Instant(ms, True, None)


@settings(deadline=None, max_examples=200)
@given(MOMENTS, st.integers(-23 * 60, 23 * 60))
def test_an_offset_changes_the_text_and_not_the_instant(moment: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    there = moment.replace(microsecond=0) + timedelta(minutes=minutes)

    read = read_time(f"{there.replace(tzinfo=None).isoformat()}{sign}{hours:02d}:{rest:02d}")

    assert read.ms == (moment.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )
    assert read.exact is (minutes == 0)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=40) | st.floats() | st.integers() | st.booleans() | st.none())
def test_reading_never_raises_and_what_is_read_can_be_written(sent: Any) -> None:
    read = read_time(sent)

    assert (read.ms is None) == (read.code == "time_unreadable")
    assert read.ms is None or iso_ms(read.ms).endswith("Z")
