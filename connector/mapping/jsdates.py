"""When JavaScript finds a text to be a date, and which: dayjs 1.10.7 over V8's ``Date.parse``, in UTC.

V8 reads ISO 8601 first; what is left, or all of it, goes through an old reader that takes almost anything.
Source: mapping-kit 9 (``date-like``) and the behaviour of Node 20, against which this is tested.
"""

from __future__ import annotations

import re
from datetime import datetime

from connector.mapping.jsvalues import JS_WHITESPACE, number_of, number_text
from connector.mapping.legacy_dates import LegacyReader, days_from_civil

MAX_TIME_MS = 8_640_000_000_000_000
"""Farthest time, before and after 1970, that a JavaScript date can hold."""

_MS_PER_SECOND = 1_000
_DAYJS = re.compile(
    rf"([0-9]{{4}})[-/]?([0-9]{{1,2}})?[-/]?([0-9]{{0,2}})[Tt{JS_WHITESPACE}]*"
    r"([0-9]{1,2})?:?([0-9]{1,2})?:?([0-9]{1,2})?[.:]?([0-9]+)?\Z"
)


_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z\Z")
"""What nearly every sender writes."""


def is_date_like(text: str) -> bool:
    """Return True when Segment's ``date-like`` accepts a text."""
    if _usual_ms(text) is not None:
        return True
    number = number_of(text)
    if number_text(number) == text:
        return abs(number * _MS_PER_SECOND) <= MAX_TIME_MS
    return dayjs_ms(text) is not None


def dayjs_ms(text: str) -> int | None:
    """
    Return the time that ``dayjs.utc`` reads in a text, in ms since the epoch, None when it is no date.

    Digits that begin with a year are read part by part, and roll over; a text without a zone is UTC.
    """
    if (usual := _usual_ms(text)) is not None:
        return usual
    match = None if text[-1:] in ("z", "Z") else _DAYJS.match(text)
    if match is None:
        return date_parse_ms(text)
    month_text, day_text, fraction = match.group(2, 3, 7)
    year, hour, minute, second = (int(part or 0) for part in match.group(1, 4, 5, 6))
    # Month 0 is the December before; a text without a month means January.
    month_index = int(month_text or 1) - 1
    days = days_from_civil(_full_year(year), month_index, int(day_text or 1))
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    return seconds * _MS_PER_SECOND + int((fraction or "0")[:3])


def _usual_ms(text: str) -> int | None:
    """Return the time of a date of the calendar in the usual form, None when it is anything else."""
    if not _USUAL.match(text):
        return None
    try:
        return round(datetime.fromisoformat(text).timestamp() * _MS_PER_SECOND)
    except ValueError:
        return None


def _full_year(year: int) -> int:
    """Return the year that ``Date.UTC`` makes of one with two digits."""
    return 1900 + year if year <= 99 else year


def date_parse_ms(text: str) -> int | None:
    """Return ``Date.parse(text)`` in UTC, in ms since the epoch, None for ``NaN``. A NUL ends the text."""
    time = LegacyReader(text.partition("\0")[0]).read()
    return None if time is None or abs(time) > MAX_TIME_MS else time
