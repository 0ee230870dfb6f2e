"""``conversion``: from view to purchase within a category, a funnel of its own for every week and cohort."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.clock import date_of
from connector.report.compose import Composition
from connector.report.held_funnel import GRACE_MS, FunnelQuestion, funnel_parameters
from connector.report.periods import is_complete, period_of, starts_of
from connector.report.question import Unit
from connector.report.series import Series
from connector.report.statistics import ratio


class Asked(FunnelQuestion):
    KIND: ClassVar[str] = "conversion"
    SAYS: ClassVar[str] = (
        "Of the people who viewed a product of a category in a period, counted from their first view in it: "
        "how many bought a product of the same category within the window. Every period is a funnel of its "
        "own: the view lies in it, the purchase may lie after it, and a person may count in several."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "week": "first local day of the week, a Monday; only with weeks",
        "period": "first local day of the day or month; only with days or months",
        "cohort": "name of the cohort; all: everybody",
        "category": "product category, as sent",
        "viewers": "people with a view in the period",
        "converted": "of them, people who bought in the category within the window after their first view",
        "conversion": "converted / viewers, 0 to 1",
        "complete": "whether the whole period lies in the range, and it and the window after it were over",
    }

    unit: Unit = Field("week", description="Length of a period.")
    cohort: tuple[str, ...] = Field(
        (), description="Name of a cohort that gets lines of its own; repeatable."
    )


def composed(asking: Asking, asked: Asked) -> Composition:
    """The views of this report over the range of a question."""
    parameters = {**funnel_parameters(asked), "period": period_of(asking, asked.unit)}
    return asking.composition(parameters, before_ms=GRACE_MS, after_ms=asked.window)


def answer(asking: Asking) -> Answer:
    """One row per period, series and category that was viewed in the range, also where nobody viewed it."""
    asked = asking.question
    assert isinstance(asked, Asked)
    composition, series = composed(asking, asked), Series(asking, asked.cohort)
    found = series.rows(composition, "conversion", of="conversion_attempts")
    counts = {(row["period"], row["cohort"], row["category"]): row for row in found}
    categories = sorted({row["category"] for row in found})
    rows = [
        _row(asking, asked, start, cohort, category, counts.get((start, cohort, category), {}))
        for start in starts_of(asking, asked.unit)
        for cohort in series.names
        for category in categories
    ]
    return asking.answer(rows, complete=asking.is_over(asking.to_ms + asked.window))


def _row(asking: Asking, asked: Asked, start: int, cohort: str, category: str, counts: Row) -> Row:
    viewers, converted = int(counts.get("viewers", 0)), int(counts.get("converted", 0))
    return {
        "week" if asked.unit == "week" else "period": date_of(start),
        "cohort": cohort,
        "category": category,
        "viewers": viewers,
        "converted": converted,
        "conversion": ratio(converted, viewers),
        "complete": is_complete(asking, start, asked.unit, asked.window),
    }
