"""
Units that retention counts in. Pure.

*Rolling* units are elapsed time from a person's birth: 1 h, 24 h, 7 d, 30 d. *Calendar* units are local
hours, days, weeks and months, counted as whole numbers so that a difference of two is a number of units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlglot import exp

from connector.report.clock import DAY_MS, HOUR_MS, Clock, date_of, number_of, period_end
from connector.report.compose import expression

SpanUnit = Literal["hour", "day", "week", "month"]
SpanMode = Literal["rolling", "calendar"]
_ROLLING_MS = {"hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS, "month": 30 * DAY_MS}
_LONGEST_MS = {**_ROLLING_MS, "month": 31 * DAY_MS}
_NUMBERS = {
    "hour": "whole(local_ms(time_ms), 3600000)",
    "day": "local_day(time_ms)",
    "week": "whole(local_day(time_ms) + 3, 7)",
    "month": "whole((month_start(local_day(time_ms)) + 15) * 1000, 30437)",
}
"""Months have 30.437 days on average: the first of each lies within 15 days of its number times that."""


@dataclass(frozen=True)
class Span:
    """
    How far apart birth and return are.

    A *point* is what is subtracted: ms in rolling mode, the number of the local unit in calendar mode.
    """

    unit: SpanUnit
    mode: SpanMode

    @property
    def bucket_unit(self) -> Literal["day", "week", "month"]:
        """People are put together by this; hours are counted within buckets of a day."""
        return "day" if self.unit == "hour" else self.unit

    @property
    def width(self) -> int:
        """How much of a point is one unit."""
        return _ROLLING_MS[self.unit] if self.mode == "rolling" else 1

    @property
    def longest_ms(self) -> int:
        """How long a unit can last, but for a change of the clock."""
        return _LONGEST_MS[self.unit]

    def point(self) -> exp.Expr:
        """SQL: the point of ``time_ms``."""
        return expression("time_ms" if self.mode == "rolling" else _NUMBERS[self.unit])

    def point_of(self, at_ms: int, clock: Clock) -> int:
        """The point of a moment."""
        if self.mode == "rolling":
            return at_ms
        day = clock.day_of(at_ms)
        if self.unit == "hour":
            return (at_ms + clock.offset_ms(at_ms)) // HOUR_MS
        if self.unit == "month":
            return date_of(day).year * 12 + date_of(day).month - 1 - 1970 * 12
        return (day + 3) // 7 if self.unit == "week" else day

    def end_ms(self, bucket: int, units: int, clock: Clock) -> int:
        """The moment that lies a number of units after the end of a bucket, named by its first local day."""
        day = period_end(bucket, self.bucket_unit)
        if self.mode == "rolling" or self.unit == "hour":
            return clock.start_ms(day) + units * _ROLLING_MS[self.unit]
        if self.unit == "month":
            years, month = divmod(date_of(day).month - 1 + units, 12)
            return clock.start_ms(number_of(date(date_of(day).year + years, month + 1, 1)))
        return clock.start_ms(day + units * (7 if self.unit == "week" else 1))
