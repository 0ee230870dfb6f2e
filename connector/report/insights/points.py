"""One metric of ``insights`` per point in time and segment, as the engine answers it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from connector.report.asking import Asking
from connector.report.compose import Composition, Value, expression
from connector.report.filters import Step
from connector.report.insights.formula import Number
from connector.report.insights.measures import Measure
from connector.report.insights.plot import Plot
from connector.report.insights.segments import NO_BREAKDOWN, Breakdown, segment_text

Credit = Literal["all", "first", "last"]
ANY_EVENT = "*"
TEXT_ITEMS = 100
"""Items of a list that a statement reaches which is rendered and not run."""


@dataclass(frozen=True)
class Metric:
    """An event and what is measured of it."""

    name: str
    """A, B, ..."""
    step: Step
    measure: Measure


class Point(NamedTuple):
    """A metric at one point of one segment."""

    totals: int | None = 0
    uniques: int | None = 0
    value: Number | None = None
    currencies: frozenset[str] = frozenset()
    """Of the money in the value; "" where none is stated."""


Points = dict[str | None, dict[int, Point]]
"""Segment -> point -> figures; points without rows are not in it."""


def points_of(
    asking: Asking, metric: Metric, plot: Plot, breakdown: Breakdown = NO_BREAKDOWN, credit: Credit = "all"
) -> Points:
    """
    Ask for one metric.

    Args:
        credit: whether a person counts among the uniques of every segment, or of that of the first or last
            row of each point alone.
    """
    composition = _composed(asking, metric, plot, breakdown, credit)
    found: Points = {}
    for row in asking.rows(composition, "insight_points"):
        point = _point(row, metric.measure)
        found.setdefault(segment_text(row["segment"]), {})[row["period"]] = point
    if metric.measure.over == "people":
        _over_people(asking, composition, metric.measure, found)
    if credit != "all":
        _credited(asking, composition, metric.measure, found)
    return found


def _composed(
    asking: Asking, metric: Metric, plot: Plot, breakdown: Breakdown, credit: Credit
) -> Composition:
    measure = metric.measure
    parameters: dict[str, Value] = {
        "lead_from_ms": plot.from_ms,
        "lead_to_ms": plot.lead_to_ms,
        "matches": _matches(metric.step),
        "period": plot.number(),
        "segment": breakdown.value,
        "property": measure.column(),
        "is_money": measure.is_money,
        "amount": measure.of_each(),
        "credited": expression("from_last" if credit == "last" else "from_first"),
    }
    composition = asking.composition(parameters, before_ms=asking.from_ms - plot.from_ms)
    if measure.over == "sessions":
        composition.define("insight_rows", "insight_rows", tables={"activity": "activity_sessions"})
    segments = {"insight_segments": "insight_rows"}
    if breakdown.item is not None:
        _define_items(asking, composition, breakdown)
        segments = {"insight_segments": "insight_items"}
    composition.define("insight_points", "insight_points", {"value": measure.of_rows()}, segments)
    composition.define("insight_people", "insight_people", tables=segments)
    composition.define("insight_person_points", "insight_person_points", {"value": measure.of_people()})
    composition.define("insight_credited", "insight_credited", tables=segments)
    return composition


def _matches(step: Step) -> Value:
    if step.event == ANY_EVENT:
        return True if step.filter is None else step.filter
    return step.condition()


def _define_items(asking: Asking, composition: Composition, breakdown: Breakdown) -> None:
    """Number the items of the longest list there is."""
    rows = asking.rows(composition, "insight_lists")
    longest = (rows[0]["longest"] or 0) if rows else TEXT_ITEMS
    composition.define_rows("item_numbers", {"item_number": "bigint"}, [[n + 1] for n in range(longest)])
    composition.parameters["item"] = breakdown.item


def _over_people(asking: Asking, composition: Composition, measure: Measure, found: Points) -> None:
    for row in asking.rows(composition, "insight_person_points"):
        points = found[segment_text(row["segment"])]
        figure = _point({**row, "totals": 0, "uniques": 0}, measure)
        points[row["period"]] = points[row["period"]]._replace(
            value=figure.value, currencies=figure.currencies
        )


def _credited(asking: Asking, composition: Composition, measure: Measure, found: Points) -> None:
    """Count people anew, each in one segment of a point."""
    credited = {
        (segment_text(row["segment"]), row["period"]): row["uniques"]
        for row in asking.rows(composition, "insight_credited")
    }
    for segment, points in found.items():
        for period, point in points.items():
            uniques = credited.get((segment, period), 0)
            value = uniques if measure.aggregate == "uniques" else point.value
            points[period] = point._replace(uniques=uniques, value=value)


def _point(row: Mapping[str, Any], measure: Measure) -> Point:
    value: Number | None = row["value"]
    if measure.aggregate == "avg" and value is not None:
        value = float(Fraction(value) / row["known"])
    currencies = frozenset({row["least_currency"], row["greatest_currency"]} - {None})
    return Point(row["totals"], row["uniques"], measure.nothing if value is None else value, currencies)
