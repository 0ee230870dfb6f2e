"""Local days of one time zone as whole numbers, daylight saving included. Pure; asks no engine's calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector.errors import ConfigError

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
_EPOCH = date(1970, 1, 1)
_FIRST_MS = 1_262_304_000_000
"""2010-01-01: no row is older."""


@dataclass(frozen=True)
class Clock:
    """
    One time zone, exact between two moments (ms since the epoch, UTC).

    A local day is the number of days since 1970-01-01; a local ms is the wall clock read as if it were UTC.
    """

    zone: str = "UTC"
    from_ms: int = _FIRST_MS
    to_ms: int = 4_102_444_800_000

    @cached_property
    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, IsADirectoryError, PermissionError):
            raise ConfigError(
                f"timezone: {self.zone} is no zone of the IANA database, as Europe/Berlin is"
            ) from None

    @cached_property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """``(since_ms, offset_ms)``, times rising: from then on, local ms = ms + offset."""
        at = self.from_ms - 2 * DAY_MS
        found = [(at, self.offset_ms(at))]
        while at < self.to_ms + 2 * DAY_MS:
            later = at + 7 * DAY_MS
            if self.offset_ms(later) != found[-1][1]:
                found.append((self._change(at, later), self.offset_ms(later)))
            at = later
        return tuple(found)

    def _change(self, before_ms: int, after_ms: int) -> int:
        """The first ms of a new offset, which ``after_ms`` has and ``before_ms`` has not."""
        new = self.offset_ms(after_ms)
        while after_ms - before_ms > 1:
            middle = (before_ms + after_ms) // 2
            before_ms, after_ms = (before_ms, middle) if self.offset_ms(middle) == new else (middle, after_ms)
        return after_ms

    def offset_ms(self, at_ms: int) -> int:
        """How far the zone's wall clock is ahead of UTC."""
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
        offset = moment.astimezone(self._zone).utcoffset()
        assert offset is not None
        return round(offset.total_seconds() * 1_000)

    def day_of(self, at_ms: int) -> int:
        """The local day of a moment."""
        return (at_ms + self.offset_ms(at_ms)) // DAY_MS

    def start_ms(self, day: int) -> int:
        """The first moment of a local day: midnight, or when the clock jumps over midnight."""
        low, high = day * DAY_MS - DAY_MS, day * DAY_MS + DAY_MS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.day_of(middle) >= day else (middle, high)
        return high


def number_of(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def date_of(number: int) -> date:
    """The date of a day number."""
    return _EPOCH + timedelta(days=number)


def period_start(day: int, unit: str) -> int:
    """The first local day of the ``day``, ``week`` (from Monday) or ``month`` that holds a local day."""
    if unit == "week":
        return day - (day + 3) % 7
    return number_of(date_of(day).replace(day=1)) if unit == "month" else day


def period_end(start: int, unit: str) -> int:
    """The first local day after a period."""
    if unit == "month":
        return number_of((date_of(start) + timedelta(days=32)).replace(day=1))
    return start + (7 if unit == "week" else 1)


def periods(first: int, last: int, unit: str) -> list[int]:
    """Starts of all periods that touch the local days ``first`` to ``last``, both included."""
    starts = [period_start(first, unit)]
    while (after := period_end(starts[-1], unit)) <= last:
        starts.append(after)
    return starts
