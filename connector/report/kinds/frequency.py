"""``frequency``: on how many days people come."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.clock import date_of
from connector.report.compose import Composition
from connector.report.periods import Cut, is_complete, period_of, starts_of
from connector.report.question import Question
from connector.report.statistics import ratio
from connector.report.wanted import rows_wanted


class Asked(Question):
    KIND: ClassVar[str] = "frequency"
    SAYS: ClassVar[str] = (
        "How many people were active on exactly, and on at least, k distinct local days of a period. Shares "
        "are of everybody who was active in it."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "period": "first local day of the week or month, or of the range",
        "days": "k, distinct local days with an event",
        "people": "people active on exactly k days",
        "share": "people / everybody active in the period, 0 to 1",
        "at_least": "people active on k days or more",
        "at_least_share": "at_least / everybody active in the period, 0 to 1",
        "complete": "whether the whole period lies in the range and was over",
    }

    unit: Cut = Field("range", description="Period within which days are counted; range: all of it as one.")
    event: str | None = Field(
        None,
        description="What makes a person active: an event, or <event> where <condition>; any event if none.",
    )


def composed(asking: Asking, asked: Asked) -> Composition:
    """The views of this report over the range of a question."""
    return asking.composition(
        {
            "active": rows_wanted(asked.event, "event"),
            "reach_ms": asking.from_ms,
            "period": period_of(asking, asked.unit),
        }
    )


def answer(asking: Asking) -> Answer:
    """A row for every number of days up to the largest of the period, from 1."""
    asked = asking.question
    assert isinstance(asked, Asked)
    found = asking.rows(composed(asking, asked), "frequency_counts", "period, days")
    return asking.answer(
        [row for start in starts_of(asking, asked.unit) for row in _rows(asking, start, found)]
    )


def _rows(asking: Asking, start: int, found: list[Row]) -> list[Row]:
    asked = asking.question
    assert isinstance(asked, Asked)
    people = {int(row["days"]): int(row["people"]) for row in found if row["period"] == start}
    everybody, complete = sum(people.values()), is_complete(asking, start, asked.unit)
    rows = []
    for days in range(1, max(people, default=0) + 1):
        at_least = sum(count for own, count in people.items() if own >= days)
        rows.append(
            {
                "period": date_of(start),
                "days": days,
                "people": people.get(days, 0),
                "share": ratio(people.get(days, 0), everybody),
                "at_least": at_least,
                "at_least_share": ratio(at_least, everybody),
                "complete": complete,
            }
        )
    return rows
