"""Measurements of ``insights`` written as text: ``uniques``, ``p90 of price``, ``avg per user``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from connector.errors import ConfigError
from connector.report.compose import expression
from connector.report.filters import value_of
from connector.tables import EVENTS, Table

Over = Literal["rows", "people", "sessions"]
_AGGREGATE = r"sum|avg|average|median|min|max|distinct|p[1-9][0-9]?"
_MEASURE = re.compile(
    rf"(?P<simple>totals|uniques|sessions)|(?P<rows>{_AGGREGATE})\s+of\s+(?P<of>.+)|"
    rf"(?P<people>{_AGGREGATE})\s+per\s+user(\s+of\s+(?P<each>{_AGGREGATE})\s+of\s+(?P<each_of>.+))?"
)
RULE = (
    "a measurement is totals, uniques, sessions, `sum of price`, `avg per user` or `avg per user of sum of "
    "price`; instead of sum and avg also median, min, max, p1 to p99, and distinct over rows"
)
SESSION = "uid || '/' || CAST(session_number AS VARCHAR)"


@dataclass(frozen=True)
class Measure:
    """What is asked of the rows of an event."""

    text: str
    over: Over
    """``people``: a figure of each person's rows first, then one of these figures."""
    aggregate: str
    """``totals``, ``uniques``, ``distinct``, ``sum``, ``avg``, ``median``, ``min``, ``max`` or ``p90``."""
    each: str | None = None
    """Over people: what is asked of each person's rows; ``totals`` counts them."""
    of: exp.Expr | None = None
    """The property, where there is one."""
    is_money: bool = False

    @property
    def nothing(self) -> int | None:
        """The value where there are no rows: counts and sums are 0, others have none."""
        return 0 if self.aggregate in ("totals", "uniques", "distinct", "sum") else None

    def column(self) -> exp.Expr:
        """What stands as ``property`` beside each row."""
        if self.over == "sessions":
            return expression(SESSION)
        return self.of or expression("CAST(NULL AS BIGINT)")

    def of_rows(self) -> exp.Expr:
        """The value over rows, NULL where it is one over people; an average is a sum, divided later."""
        if self.over == "people":
            return expression("CAST(NULL AS BIGINT)")
        return _aggregated(self.aggregate, "property")

    def of_each(self) -> exp.Expr:
        """The figure of one person."""
        if self.each == "avg":
            return expression("CAST(sum(property) AS DOUBLE) / count(property)")
        figure = _aggregated(self.each or "totals", "property")
        return exp.Coalesce(this=figure, expressions=[expression("0")]) if self.each == "sum" else figure

    def of_people(self) -> exp.Expr:
        """The value over the figures of people."""
        return _aggregated(self.aggregate, "amount")


def measure_of(text: str, place: str, table: Table = EVENTS) -> Measure:
    """
    Read a measurement.

    Raises:
        ConfigError: it is none, or its property does not fit; the message names the place and the rule.
    """
    words = " ".join(text.split())
    found = _MEASURE.fullmatch(words)
    if found is None:
        raise ConfigError(f"{place}: {RULE}")
    if simple := found["simple"]:
        over: Over = "sessions" if simple == "sessions" else "rows"
        return Measure(words, over, "distinct" if simple == "sessions" else simple)
    aggregate = _short(found["rows"] or found["people"])
    if found["rows"]:
        return _of_property(Measure(words, "rows", aggregate), aggregate, found["of"], place, table)
    if aggregate == "distinct":
        raise ConfigError(f"{place}: distinct stands before the property of rows, not before per user")
    if found["each"] is None:
        return Measure(words, "people", aggregate, "totals")
    each = _short(found["each"])
    return _of_property(Measure(words, "people", aggregate, each), each, found["each_of"], place, table)


def _short(aggregate: str) -> str:
    return "avg" if aggregate == "average" else aggregate


def _of_property(measure: Measure, aggregate: str, text: str, place: str, table: Table) -> Measure:
    value, kind = value_of(text, place, table)
    if aggregate != "distinct" and kind != "number":
        raise ConfigError(f"{place}: {aggregate} needs a column of numbers")
    column = table.by_name.get(value.name) if isinstance(value, exp.Column) else None
    is_money = aggregate != "distinct" and column is not None and column.code == "M"
    return Measure(measure.text, measure.over, measure.aggregate, measure.each, value, is_money)


def _aggregated(aggregate: str, column: str) -> exp.Expr:
    if aggregate == "totals":
        return expression("count(*)")
    if aggregate == "uniques":
        return expression("count(DISTINCT uid)")
    if aggregate == "distinct":
        return expression(f"count(DISTINCT {column})")
    if aggregate in ("sum", "avg"):
        return expression(f"sum({column})")
    if aggregate in ("min", "max"):
        return expression(f"{aggregate}({column})")
    share = 50 if aggregate == "median" else int(aggregate[1:])
    return expression(f"percentile({column}, {share / 100})")
