"""The sample shop's time: when its visitors come, and how a moment is written."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import accumulate

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000

_HOUR_WEIGHTS = (*(2, 1, 1, 1, 1, 1), *(2, 3, 4, 5, 6, 6), *(7, 7, 6, 6, 6, 7), *(8, 9, 10, 9, 6, 4))
_HOURS = (0, *accumulate(_HOUR_WEIGHTS))
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def start_of(day: date) -> int:
    """Midnight UTC, in ms since the epoch."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


def moment_ms(progress: float, days: int) -> int:
    """The time, in ms from the start, by which this share of all messages was made; evenings are busiest."""
    day, share = divmod(progress * days, 1)
    weight = share * _HOURS[-1]
    hour = bisect_right(_HOURS, weight) - 1
    return int((day * 24 + hour + (weight - _HOURS[hour]) / _HOUR_WEIGHTS[hour]) * HOUR_MS)


def iso(at_ms: int) -> str:
    """A moment, in ms since the epoch, as Segment writes it: ``2026-01-01T00:00:00.000Z``."""
    day, rest = divmod(at_ms, DAY_MS)
    seconds, millis = divmod(rest, 1_000)
    return f"{_iso_day(day)}T{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}Z"


@lru_cache(maxsize=64)
def _iso_day(day: int) -> str:
    return date.fromordinal(day + _EPOCH_ORDINAL).isoformat()
