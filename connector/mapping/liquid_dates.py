"""LiquidJS's ``date`` filters in UTC. Source: mapping-kit 4 (liquidjs 10.27.2).

The pipeline has no clock: ``now`` and ``today`` are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.errors import MappingError
from connector.mapping.jsdates import MAX_TIME_MS, date_parse_ms
from connector.mapping.jsvalues import is_missing, is_number
from connector.mapping.liquid_values import MEMORY_EXCEEDED, plain, text

DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONVERSION = re.compile(r"%([-_0^#:]+)?([0-9]+)?([EO])?([^\n\r\u2028\u2029])")
_DIGITS = re.compile(r"[0-9]+\Z")
_WIDTHS = {**dict.fromkeys("deHIklmMSUW", 2), "j": 3, "L": 3}
_PADDED_BY_SPACES = frozenset("aAbBceklpP")
_MAX_WIDTH = 1_000
_MAX_LAYOUT_LENGTH = 10_000
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split()


def _weekday(time: datetime) -> int:
    """Return the day of the week, Sunday being 0."""
    return time.isoweekday() % 7


def _day_of_year(time: datetime) -> int:
    return time.timetuple().tm_yday


def _week(time: datetime, first_day: int) -> int:
    """Return the week of the year as LiquidJS counts it."""
    january_first = time.replace(month=1, day=1)
    start = _day_of_year(time) + first_day - _weekday(time)
    return (start - (7 - _weekday(january_first) + first_day)) // 7 + 1


def _ordinal(time: datetime) -> str:
    if time.day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(time.day % 10, "th")


def _clock(time: datetime) -> str:
    return f"{time.hour % 12 or 12}:{time:%M:%S} {'AM' if time.hour < 12 else 'PM'}"


def _calendar(time: datetime) -> str:
    return f"{time.month}/{time.day}/{time.year}"


def _ms(time: datetime) -> int:
    return time.microsecond // 1000


def _rounded_seconds(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(seconds=1) + (_ms(time) >= 500)


_CONVERSIONS: Mapping[str, Callable[[datetime], str | int]] = {
    "a": lambda time: _DAYS[_weekday(time)][:3],
    "A": lambda time: _DAYS[_weekday(time)],
    "b": lambda time: _MONTHS[time.month - 1][:3],
    "B": lambda time: _MONTHS[time.month - 1],
    "c": lambda time: f"{_calendar(time)}, {_clock(time)}",
    "C": lambda time: int(str(time.year)[:2]),
    "d": lambda time: time.day,
    "e": lambda time: time.day,
    "h": lambda time: _MONTHS[time.month - 1][:3],
    "H": lambda time: time.hour,
    "I": lambda time: time.hour % 12 or 12,
    "j": _day_of_year,
    "k": lambda time: time.hour,
    "l": lambda time: time.hour % 12 or 12,
    "L": _ms,
    "m": lambda time: time.month,
    "M": lambda time: time.minute,
    "p": lambda time: "AM" if time.hour < 12 else "PM",
    "P": lambda time: "am" if time.hour < 12 else "pm",
    "q": _ordinal,
    "s": _rounded_seconds,
    "S": lambda time: time.second,
    "u": lambda time: time.isoweekday(),
    "U": lambda time: _week(time, 0),
    "w": _weekday,
    "W": lambda time: _week(time, 1),
    "x": _calendar,
    "X": _clock,
    "y": lambda time: str(time.year)[2:4],
    "Y": lambda time: time.year,
    "t": lambda _time: "\t",
    "n": lambda _time: "\n",
    "%": lambda _time: "%",
}


def date(value: Any, layout: Any = None, *offset: Any) -> Any:
    """Return a time as text, or the value itself when it is no time.

    Raises:
        MappingError: it is ``now`` or ``today``, or a time zone is asked for.
    """
    if offset:
        raise MappingError("@liquid dates are in UTC: a time zone is not supported")
    time = _parsed(plain(value))
    if time is None:
        return value
    written = DEFAULT_FORMAT if is_missing(layout) else text(layout)
    if len(written) > _MAX_LAYOUT_LENGTH:
        raise MappingError(MEMORY_EXCEEDED)
    return _formatted(time, written)


def written_date(month: str) -> Callable[..., Any]:
    """Return the filter that writes a date with the month by name, given its conversion."""

    def filter_(value: Any, kind: Any = None, style: Any = None) -> Any:
        time = _parsed(plain(value))
        if time is None:
            return value
        if kind != "ordinal":
            return _formatted(time, f"%d {month} %Y")
        return _formatted(time, f"{month} %-d%q, %Y" if style == "US" else f"%-d%q {month} %Y")

    return filter_


def _parsed(value: Any) -> datetime | None:
    if value in ("now", "today"):
        raise MappingError("@liquid cannot read the clock: now and today are not supported")
    ms: float | None = None
    if is_number(value):
        ms = value * 1000
    elif isinstance(value, str):
        ms = int(value) * 1000 if _DIGITS.match(value) and len(value) < 20 else date_parse_ms(value)
    elif isinstance(value, bool):
        ms = int(value)
    if ms is None or not abs(ms) <= MAX_TIME_MS:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(ms))
    except OverflowError:
        return None


def _formatted(time: datetime, layout: str) -> str:
    return _CONVERSION.sub(lambda match: _converted(time, match), layout)


def _converted(time: datetime, match: re.Match[str]) -> str:
    flags, conversion = match[1] or "", match[4]
    asked_width = min(int(match[2] or 0), _MAX_WIDTH)
    if conversion == "N":
        return f"{_ms(time):03d}"[: asked_width or 9].ljust(asked_width or 9, "0")
    if conversion in "zZ":
        written = "+00:00" if ":" in flags else "+0000"
        written = "UTC" if conversion == "Z" else written
    elif conversion in _CONVERSIONS:
        written = str(_CONVERSIONS[conversion](time))
    else:
        return match[0]
    if "^" in flags:
        written = written.upper()
    elif "#" in flags:
        written = written.lower() if any(map(str.isupper, written[1:])) else written.upper()
    fill = " " if "_" in flags or (conversion in _PADDED_BY_SPACES and "0" not in flags) else "0"
    width = 0 if "-" in flags else asked_width or _WIDTHS.get(conversion, 0)
    return written.rjust(width, fill)
