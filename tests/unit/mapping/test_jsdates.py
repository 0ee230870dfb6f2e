"""Texts that JavaScript reads as times, and texts that it does not (Node 20, dayjs 1.10.7, UTC)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.mapping.jsdates import date_parse_ms, dayjs_ms, is_date_like

MIDNIGHT = 1704067200000
"""2024-01-01T00:00:00Z in milliseconds."""


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2024-01-01", MIDNIGHT),
        ("2024-01-01T00:00:00+02:00", MIDNIGHT - 7_200_000),
        ("2024-01-01 10:00", MIDNIGHT + 36_000_000),
        ("2024-01-01T00:00:00.123456Z", MIDNIGHT + 123),
        ("2024-02-30", 1709251200000),
        ("2024-00-00", 1701302400000),
        ("2024", MIDNIGHT),
        ("20240101", MIDNIGHT),
        ("0024-01-01", -1451692800000),
        ("0", 946684800000),
        ("1709294400", -8159184000000),
        ("nope", None),
        ("", None),
    ],
)
def test_the_time_that_dayjs_reads(text: str, ms: int | None) -> None:
    assert ms == dayjs_ms(text)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("Mon, 01 Jan 2024 00:00:00 GMT", MIDNIGHT),
        ("Jan 1 2024", MIDNIGHT),
        ("1 January 2024", MIDNIGHT),
        ("01/01/2024", MIDNIGHT),
        ("1/1/24", MIDNIGHT),
        ("1/1/50", -631152000000),
        ("2024-1-1", MIDNIGHT),
        ("Jan 1 2024 12:00 AM", MIDNIGHT),
        ("Jan 1 2024 1:00 pm", MIDNIGHT + 46_800_000),
        ("Jan 1 2024 13:00 pm", None),
        ("2024-01-01T24:00:00Z", MIDNIGHT + 86_400_000),
        ("2024-01-01T24:00:01Z", None),
        ("2024-01-01T00:00:00+25:00", None),
        ("Jan 1 2024 00:00 GMT-8", MIDNIGHT + 28_800_000),
        ("Jan 1 2024 00:00 -0330", MIDNIGHT + 12_600_000),
        ("Jan 1 2024 00:00 +02:00", MIDNIGHT - 7_200_000),
        ("Jan 1 2024 00:00 EST", MIDNIGHT + 18_000_000),
        ("Jan 1 2024 (New Year (again)) 00:00", MIDNIGHT),
        ("Jan 1 2024 00:00:00.5", MIDNIGHT + 500),
        ("Jan 1 2024 00:00:00.1234567890123", MIDNIGHT + 123),
        ("about 2024", MIDNIGHT),
        ("about2024", None),
        ("2024 about", None),
        ("Jan 32 2024", None),
        ("1 2 3 4", None),
        ("12::30", None),
        ("Jan 1 2024 1:2:3:4:5", MIDNIGHT + 3_723_004),
        ("Jan 1 2024 1:2:3:4:5:6", None),
        ("Jan 1 2024 00:00 +12345", None),
        ("Jan 1 2024 )", None),
        ("-002024-01-01", -126038505600000),
        ("-000000-01-01", 978307200000),
        ("+275760-09-13T00:00:00.000Z", 8_640_000_000_000_000),
        ("+275760-09-13T00:00:00.001Z", None),
    ],
)
def test_the_time_that_javascript_parses(text: str, ms: int | None) -> None:
    assert ms == date_parse_ms(text)


@pytest.mark.parametrize("text", ["-5", "5.5", "03/05/2024", "2024-13-45", "8640000000000"])
def test_texts_that_are_like_a_date(text: str) -> None:
    assert is_date_like(text)


@pytest.mark.parametrize(
    "text", ["nope", "12:00", "1e10", "5.0", "NaN", "Infinity", "8640000000001", "", "١"]
)
def test_texts_that_are_not(text: str) -> None:
    assert not is_date_like(text)


@settings(deadline=None, max_examples=200)
@given(st.datetimes(datetime(100, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))
def test_iso_times_are_read_to_the_millisecond(time: datetime) -> None:
    ms = (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert ms == date_parse_ms(time.isoformat(timespec="milliseconds"))
    assert ms == dayjs_ms(time.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


@settings(deadline=None, max_examples=200)
@given(st.text("0123456789:-+TZ./ ()apmJan\u00a0é", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert isinstance(is_date_like(text), bool)


@pytest.mark.parametrize(
    ("text", "ms"), [("\0" + "0", None), ("a\0" + "0", None), ("2024-01-01\0x", 1_704_067_200_000)]
)
def test_a_nul_ends_the_text(text: str, ms: int | None) -> None:
    assert date_parse_ms(text) == ms
