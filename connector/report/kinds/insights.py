"""``insights``: how often, how many people, how much: any event over time, by segment, or as a formula."""

from __future__ import annotations

import string
from typing import ClassVar

from pydantic import Field, model_validator

from connector.errors import ConfigError
from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.filters import step_of
from connector.report.insights.formula import Formula
from connector.report.insights.lines import Line, lines_of, rolled, segments_by_size, summed
from connector.report.insights.measures import measure_of
from connector.report.insights.plot import MOST_POINTS, Plot, PlotUnit, plot_of
from connector.report.insights.points import TEXT_ITEMS, Credit, Metric, points_of
from connector.report.insights.segments import OVERALL, Breakdown, breakdown_of
from connector.report.question import Question


class Asked(Question):
    KIND: ClassVar[str] = "insights"
    SAYS: ClassVar[str] = (
        "One or several events, measured per period and segment. People are counted anew in every period and "
        "segment they touch, so uniques do not add up; the segment $overall is computed from all rows. "
        "Figures per user are over the people who did the event. A session ends with half an hour without "
        "any row, and at local midnight; those in which the event happened are counted."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "metric": "A, B, ... in the order of the events, or the formula",
        "period": "first local day of the period; of an hour the moment it begins, UTC",
        "segment": "value of the property; $overall: all rows; empty: rows without it",
        "totals": "rows; not of a formula",
        "uniques": "distinct people; not of a formula",
        "value": "the measurement: rows, people, sessions, or units of the property",
        "complete": "whether the whole period lies in the range and was over",
    }
    SHOWN: ClassVar[tuple[str, ...]] = ("metric", "period", "segment", "totals", "uniques", "value")

    event: tuple[str, ...] = Field(
        min_length=1,
        max_length=26,
        description="An event, perhaps with a condition: Product Viewed where price > 20. * is any event. "
        "Repeatable: the first is A, the next B.",
    )
    measure: tuple[str, ...] = Field(
        ("totals",),
        min_length=1,
        description="One for all events or one for each: totals, uniques, sessions, avg per user, sum of "
        "price, avg per user of sum of price; also median, min, max, p1 to p99, and distinct of product_id.",
    )
    unit: PlotUnit = Field("day", description="Length of a period; range: all of it as one.")
    breakdown: str | None = Field(
        None,
        description="Segments by a column, by properties ->> '$.key', or by the items of a list: "
        "products.category.",
    )
    top: int | None = Field(None, ge=1, description="Only so many segments, those with the most rows.")
    credit: Credit = Field(
        "all",
        description="Count a person among the uniques of every segment, or only in that of the first or last "
        "row of a period.",
    )
    formula: str | None = Field(None, description="Arithmetic over the events' metrics: A / B * 100.")
    rolling: int | None = Field(
        None, ge=2, description="Show the mean of so many periods, reaching back before the range."
    )
    cumulative: bool = Field(False, description="Show the running sum of the periods.")

    @model_validator(mode="after")
    def _fits(self) -> Asked:
        """Raises ``ConfigError``: a text is not understood, or options do not go together."""
        metrics_of(self)
        _formula_of(self)
        _breakdown_of(self)
        _check(self)
        return self


def metrics_of(asked: Asked) -> list[Metric]:
    """The events with their measurements, named A, B, ... Raises ``ConfigError``: one is not understood."""
    measures = asked.measure * len(asked.event) if len(asked.measure) == 1 else asked.measure
    if len(measures) != len(asked.event):
        raise ConfigError("measure: there is one for all events, or one for each")
    return [
        Metric(name, step_of(event, f"event.{at}"), measure_of(measure, f"measure.{at}"))
        for at, (name, event, measure) in enumerate(
            zip(string.ascii_uppercase, asked.event, measures, strict=False), 1
        )
    ]


def answer(asking: Asking) -> Answer:
    """A row per period, segment and metric, also where nothing happened."""
    asked = asking.question
    assert isinstance(asked, Asked)
    metrics, plot = metrics_of(asked), plot_of(asking, asked.unit, (asked.rolling or 1) - 1)
    formula, breakdown = _formula_of(asked), _breakdown_of(asked)
    overall = [points_of(asking, metric, plot).get(None, {}) for metric in metrics]
    parts = [points_of(asking, m, plot, breakdown, asked.credit) for m in metrics] if breakdown else []
    segments = segments_by_size(parts, plot)
    shown = segments[: asked.top]
    lines = lines_of(metrics, formula, plot, OVERALL, overall)
    for segment in shown:
        lines += lines_of(metrics, formula, plot, segment, [points.get(segment, {}) for points in parts])
    notes = [*_mixed(lines), *_left_out(len(segments) - len(shown)), *_unread(asking, breakdown)]
    lines = [_drawn(asking, asked, plot, line) for line in lines]
    rows = [_row(line, plot, at) for at in range(plot.lead, len(plot.numbers)) for line in lines]
    return asking.answer(rows, notes=tuple(notes))


def _formula_of(asked: Asked) -> Formula | None:
    names = string.ascii_uppercase[: len(asked.event)]
    return None if asked.formula is None else Formula(asked.formula, names)


def _breakdown_of(asked: Asked) -> Breakdown | None:
    return None if asked.breakdown is None else breakdown_of(asked.breakdown, "breakdown")


def _check(asked: Asked) -> None:
    if asked.rolling and asked.cumulative:
        raise ConfigError("cumulative: it does not go with rolling")
    if (asked.rolling or asked.cumulative) and asked.unit == "range":
        raise ConfigError("unit: rolling and cumulative need periods, not the range as one")
    if asked.rolling and asked.rolling > MOST_POINTS[asked.unit]:
        raise ConfigError(f"rolling: at most a year, {MOST_POINTS[asked.unit]} periods of this unit")
    if asked.breakdown is None and (asked.top or asked.credit != "all"):
        raise ConfigError("breakdown: top and credit need one")


def _drawn(asking: Asking, asked: Asked, plot: Plot, line: Line) -> Line:
    if asked.rolling:
        return rolled(line, plot, asked.rolling, asking.extent["first_ms"])
    return summed(line, plot) if asked.cumulative else line


def _mixed(lines: list[Line]) -> list[str]:
    mixed = sorted(frozenset[str]().union(*(line.currencies for line in lines if line.is_mixed)))
    if not mixed:
        return []
    names = ", ".join(currency or "none stated" for currency in mixed)
    return [
        f"value is empty where money of several currencies ({names}) would meet, which is never added: "
        "filter or break down by currency."
    ]


def _left_out(segments: int) -> list[str]:
    return [f"{segments} more segments, with fewer rows, are left out."] if segments else []


def _unread(asking: Asking, breakdown: Breakdown | None) -> list[str]:
    is_text = breakdown is not None and breakdown.item is not None and not asking.desk.runs
    return [f"Of a list the first {TEXT_ITEMS} items are read."] if is_text else []


def _row(line: Line, plot: Plot, at: int) -> Row:
    point = line.points[at]
    return {
        "metric": line.name,
        "period": plot.label(at),
        "segment": line.segment,
        "totals": point.totals,
        "uniques": point.uniques,
        "value": point.value,
        "complete": plot.complete[at],
    }
