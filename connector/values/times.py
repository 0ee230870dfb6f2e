"""Times as senders write them, to milliseconds. Source: tables 2.2 (T) and 6.2; segment-delivery 1.8."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from connector.events import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000
FIRST_MS = -62_104_060_800_000
"""First millisecond of the year 2: the year before holds the zero times of languages, which say nothing."""
LAST_MS = 253_402_300_799_999
"""Last millisecond of the year 9999, behind which ISO 8601 has no four digits."""
_PATTERN = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[Tt ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,18}))?)?"
    r"\s?(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?(?P<utc>\sUTC(?:\sm=[+-][\d.]+)?)?)?\Z",
    re.ASCII,
)


class Instant(NamedTuple):
    """A time read from a value. ``exact``: writing it as ISO milliseconds in UTC loses nothing."""

    ms: int | None
    """Milliseconds since the epoch, UTC; finer digits cut. None: ``time_unreadable``."""
    exact: bool
    code: str | None
    """Flag of the reading, if any: ``time_zone_assumed``, ``time_from_number``, ``time_unreadable``."""


_UNREADABLE = Instant(None, False, "time_unreadable")


def plain_ms(value: Json) -> int | None:
    """The usual form, ``YYYY-MM-DDTHH:MM:SS.mmmZ``, to milliseconds; None: ask ``read_time``."""
    if type(value) is not str or len(value) != 24 or value[23] != "Z":
        return None
    if value[19] != "." or value[7] != "-" or value[10] != "T" or value[11:13] == "24":
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.year < 2:
        return None
    return round(moment.timestamp() * 1000)


def read_time(value: Json) -> Instant:
    """Read ISO 8601 (also a month of one digit, a blank for T, Go's text, nine digits) or an epoch number."""
    if type(value) is str:
        ms = plain_ms(value)
        return Instant(ms, True, None) if ms is not None else _read_text(value)
    if type(value) is int or type(value) is float:
        return _read_number(value)
    return _UNREADABLE


def _read_text(text: str) -> Instant:
    found = _PATTERN.match(text.strip())
    if found is None:
        return _UNREADABLE
    fraction = found["fraction"] or ""
    zone = found["zone"]
    try:
        moment = datetime(
            int(found["year"]), int(found["month"]), int(found["day"]),
            int(found["hour"] or 0), int(found["minute"] or 0), int(found["second"] or 0), tzinfo=UTC,
        )  # fmt: skip
        offset = _offset(zone)
    except ValueError:
        return _UNREADABLE
    if moment.year < 2:
        return _UNREADABLE
    since = moment - _EPOCH - offset
    ms = since.days * _DAY_MS + since.seconds * 1000 + int(fraction[:3].ljust(3, "0"))
    if not FIRST_MS <= ms <= LAST_MS:
        return _UNREADABLE
    in_words = found["utc"] is not None
    exact = zone is not None and not fraction[3:].strip("0") and not offset and not in_words
    return Instant(ms, exact, None if zone or in_words else "time_zone_assumed")


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError("offset out of range")
    distance = timedelta(hours=hours, minutes=minutes)
    return -distance if zone[0] == "-" else distance


def _read_number(value: float) -> Instant:
    if value != value or abs(value) in (float("inf"), 0.0) or value < 0:
        return _UNREADABLE
    if value < 1e11:
        ms = int(value * 1000)
    elif value < 1e14:
        ms = int(value)
    elif value < 1e17:
        ms = int(value) // 1_000
    else:
        ms = int(value) // 1_000_000
    return Instant(ms, False, "time_from_number") if ms <= LAST_MS else _UNREADABLE


def iso_ms(ms: int) -> str:
    """``1448000000123`` -> ``2015-11-20T06:13:20.123Z``. Years 1 to 9999."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z" if moment.year >= 1000 else (
        f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
    )  # fmt: skip
