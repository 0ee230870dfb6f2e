"""Days, weeks, months or the whole range as columns of a report."""

from __future__ import annotations

from typing import Literal

from sqlglot import exp

from connector.report import clock
from connector.report.asking import Asking
from connector.report.compose import expression

Cut = Literal["day", "week", "month", "range"]
"""Local days, weeks from Monday, months, or the range as one."""
_STARTS = {
    "day": "day_number",
    "week": "day_number - (day_number + 3) % 7",
    "month": "month_start(day_number)",
}


def period_of(asking: Asking, unit: Cut) -> exp.Expr:
    """The first day of the period that holds ``day_number``, as SQL: a day number."""
    return expression(_STARTS[unit] if unit != "range" else f"CAST({asking.first} AS BIGINT)")


def starts_of(asking: Asking, unit: Cut) -> list[int]:
    """First days of the periods that touch the range, day numbers; the first may lie before the range."""
    return [asking.first] if unit == "range" else clock.periods(asking.first, asking.last, unit)


def is_complete(asking: Asking, start: int, unit: Cut, after_ms: int = 0) -> bool:
    """
    Whether a period lies wholly in the range that was asked for, and is over, and ``after_ms`` more.

    An end that the data set (no ``from``, no ``to``) cuts no period.
    """
    asked = asking.question
    end = asking.last + 1 if unit == "range" else clock.period_end(start, unit)
    cut = (asked.from_day and start < asking.first) or (asked.to_day and end > asking.last + 1)
    return not cut and asking.is_over(asking.clock.start_ms(end) + after_ms)
