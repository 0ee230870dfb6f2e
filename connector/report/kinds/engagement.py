"""``engagement``: how many people are active in 1, 7 and 30 days."""

from __future__ import annotations

from itertools import accumulate
from typing import ClassVar

from pydantic import Field

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.clock import date_of, period_end, period_start
from connector.report.compose import Composition
from connector.report.question import Question, Unit
from connector.report.statistics import ratio
from connector.report.wanted import rows_wanted

REACH_DAYS = 29
"""How far a point looks back before its own day."""


class Asked(Question):
    KIND: ClassVar[str] = "engagement"
    SAYS: ClassVar[str] = (
        "Distinct people with an event in the 1, 7 and 30 local days that end with a day, which may reach "
        "before the range. The point of a week or month is the value at its last day in the range, not the "
        "number of people of the calendar week or month. Stickiness is DAU / MAU and DAU / WAU."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "day": "local day",
        "dau": "people active on the day",
        "wau": "people active on the day or one of the 6 before",
        "mau": "people active on the day or one of the 29 before",
        "dau_mau": "dau / mau, 0 to 1",
        "dau_wau": "dau / wau, 0 to 1",
        "complete": "whether the day was over",
    }

    unit: Unit = Field(
        "day", description="A point for every day, or for the last day of every week or month."
    )
    event: str | None = Field(
        None,
        description="What makes a person active: an event, or <event> where <condition>; any event if none.",
    )


def composed(asking: Asking, asked: Asked) -> Composition:
    """The views of this report over the range of a question and the days before it."""
    reach_ms = asking.clock.start_ms(asking.first - REACH_DAYS)
    return asking.composition(
        {"active": rows_wanted(asked.event, "event"), "reach_ms": reach_ms},
        before_ms=asking.from_ms - reach_ms,
    )


def answer(asking: Asking) -> Answer:
    """One row per day, or per last day of a period, also where nobody came."""
    asked = asking.question
    assert isinstance(asked, Asked)
    changes = asking.rows(composed(asking, asked), "engagement_changes", "change_day")
    days = range(asking.first - REACH_DAYS, asking.last + 1)
    dau, wau, mau = (_counts(changes, days, name) for name in ("dau", "wau", "mau"))
    return asking.answer(
        [_row(asking, day, dau[day], wau[day], mau[day]) for day in _points(asking, asked.unit)]
    )


def _counts(changes: list[Row], days: range, name: str) -> dict[int, int]:
    """A count on every day: the changes until then, added up."""
    found = {int(row["change_day"]): int(row[name]) for row in changes}
    return dict(zip(days, accumulate(found.get(day, 0) for day in days), strict=True))


def _points(asking: Asking, unit: Unit) -> list[int]:
    """Days of which each is the last in the range of its period."""
    days = range(asking.first, asking.last + 1)
    ends = (min(period_end(period_start(day, unit), unit) - 1, asking.last) for day in days)
    return list(dict.fromkeys(ends))


def _row(asking: Asking, day: int, dau: int, wau: int, mau: int) -> Row:
    return {
        "day": date_of(day),
        "dau": dau,
        "wau": wau,
        "mau": mau,
        "dau_mau": ratio(dau, mau),
        "dau_wau": ratio(dau, wau),
        "complete": asking.is_over(asking.clock.start_ms(day + 1)),
    }
