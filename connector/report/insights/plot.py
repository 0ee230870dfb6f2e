"""The points in time of a plot, and lines through them. Pure but for the range of an ``Asking``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from sqlglot import exp

from connector.report.asking import Asking
from connector.report.clock import HOUR_MS, date_of, period_end, period_start
from connector.report.compose import expression
from connector.report.periods import is_complete, starts_of

PlotUnit = Literal["hour", "day", "week", "month", "range"]
MOST_POINTS = {"hour": 8_760, "day": 366, "week": 52, "month": 12}
"""How far a rolling average may reach: a year."""
_QUARTER_MS = 900_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_DAY = "local_day(time_ms)"
_NUMBERS = {
    "hour": "time_ms - local_ms(time_ms) % 3600000",
    "day": _LOCAL_DAY,
    "week": f"{_LOCAL_DAY} - ({_LOCAL_DAY} + 3) % 7",
    "month": f"month_start({_LOCAL_DAY})",
}


@dataclass(frozen=True)
class Plot:
    """
    Points of one unit over the range of a question: local hours, days, weeks, months, or all of it as one.

    A point's number is its first local day, of an hour its first ms; an hour that the clock repeats is two.
    """

    unit: PlotUnit
    numbers: tuple[int, ...]
    """The points in order; the first ``lead`` of them lie before the range."""
    lead: int
    from_ms: int
    """Where the points before the range begin; where there are none, the range."""
    lead_to_ms: int
    """Where the points before the range end."""
    ends_ms: tuple[int, ...]
    complete: tuple[bool, ...]
    """Which points lie wholly in the range and are over."""

    def number(self) -> exp.Expr:
        """SQL: the point of ``time_ms``."""
        text = f"CAST({self.numbers[0]} AS BIGINT)" if self.unit == "range" else _NUMBERS[self.unit]
        return expression(text)

    def label(self, at: int) -> date | datetime:
        """A point by its place: a local day, of an hour the moment it begins."""
        number = self.numbers[at]
        return _EPOCH + timedelta(milliseconds=number) if self.unit == "hour" else date_of(number)


def plot_of(asking: Asking, unit: PlotUnit, lead: int = 0) -> Plot:
    """
    The points of a question's range.

    Args:
        lead: how many points before the range are wanted too, at most a year of them.
    """
    if unit == "hour":
        return _hours(asking, lead)
    starts = starts_of(asking, unit)
    before: list[int] = []
    for _ in range(lead):
        before.insert(0, period_start((before or starts)[0] - 1, unit))
    numbers = (*before, *starts)
    clock = asking.clock
    ends = [asking.last + 1 if unit == "range" else period_end(start, unit) for start in numbers]
    return Plot(
        unit=unit,
        numbers=numbers,
        lead=lead,
        from_ms=clock.start_ms(before[0]) if before else asking.from_ms,
        lead_to_ms=clock.start_ms(starts[0]) if before else asking.from_ms,
        ends_ms=tuple(map(clock.start_ms, ends)),
        complete=tuple(is_complete(asking, start, unit) for start in numbers),
    )


def _hours(asking: Asking, lead: int) -> Plot:
    before = _hours_between(asking, asking.from_ms - (lead + 2) * HOUR_MS, asking.from_ms)
    before = before[len(before) - lead :]
    numbers = (*before, *_hours_between(asking, asking.from_ms, asking.to_ms))
    ends = tuple(number + HOUR_MS for number in numbers)
    return Plot(
        unit="hour",
        numbers=numbers,
        lead=lead,
        from_ms=before[0] if before else asking.from_ms,
        lead_to_ms=asking.from_ms,
        ends_ms=ends,
        complete=tuple(map(asking.is_over, ends)),
    )


def _hours_between(asking: Asking, from_ms: int, to_ms: int) -> list[int]:
    """Starts of local hours; every zone's clock differs from UTC by whole quarters of an hour."""
    clock = asking.clock
    moments = range(from_ms, to_ms, _QUARTER_MS)
    return sorted({moment - (moment + clock.offset_ms(moment)) % HOUR_MS for moment in moments})
