"""What charts are drawn with: lines, annotations, tips, axes. altair is imported when one is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from connector.report.answer import Mark

Drawing = Any
"""A chart of altair, whose own types are wider than what is done with them."""
Spec = dict[str, Any]
Rows = list[dict[str, Any]]
HEIGHT = 260
SHARES = {
    "conversion", "step_conversion", "overall_conversion", "rate", "lift", "ci_low", "ci_high", "diff_ci_low",
    "diff_ci_high", "dau_mau", "dau_wau", "stickiness",
}  # fmt: skip
"""Columns that hold ratios; everything else is shown as it is."""


class Chart(NamedTuple):
    """A specification and what a screen reader says of it."""

    name: str
    title: str
    says: str
    spec: Spec


def base(rows: Rows) -> Drawing:
    import altair as alt

    return alt.Chart(alt.InlineData(values=rows))


def line_of(
    rows: Rows, time: str, value: str, title: str, series: str | None, *, percent: bool = False
) -> Drawing:
    import altair as alt

    axis = in_percent() if percent else alt.Axis()
    names = [name for name in rows[0] if name != "row_id"][:10]
    chart = base(rows).mark_line(point=True).encode(
        x=alt.X(f"{time}:T", title=None), y=alt.Y(f"{value}:Q", title=title, axis=axis, scale=from_zero()),
        tooltip=tips(*names),
    )  # fmt: skip
    return chart if series is None else chart.encode(color=alt.Color(f"{series}:N", title=None))


def marked(chart: Drawing, marks: Sequence[Mark], time: str) -> Drawing:
    """The chart with its annotations: a dashed line each, with its text."""
    import altair as alt

    if not marks:
        return chart
    values = [{time: mark.day.isoformat(), "text": mark.text} for mark in marks]
    base = alt.Chart(alt.InlineData(values=values)).encode(x=alt.X(f"{time}:T"))
    rule = base.mark_rule(strokeDash=[5, 4], strokeWidth=1.5).encode(tooltip=tips("text"))
    return chart + rule + base.mark_text(align="left", dx=5, dy=-6, y=8).encode(text="text:N")


def series_of(rows: Rows, *columns: str) -> str | None:
    """Add a column that names the series, from those columns that differ; None when there is one series."""
    differing = [name for name in columns if len({row.get(name) for row in rows}) > 1]
    if not differing:
        return None
    for row in rows:
        row["series"] = ", ".join(str(row.get(name)) for name in differing)
    return "series"


def time_of(rows: Rows) -> str:
    return "week" if "week" in rows[0] else "period"


def trend_of(rows: Rows, value: str) -> str:
    known = [row[value] for row in rows if row.get(value) is not None]
    if not known:
        return "A line without points."
    low, high, last = (f"{number:,.4g}" for number in (min(known), max(known), known[-1]))
    return f"A line of {len(known)} points, from {low} to {high}, the last {last}."


def tips(*names: str) -> list[Any]:
    return [
        tip(name, "quantitative", ".2%") if name in SHARES else tip(name, "nominal", "") for name in names
    ]


def tip(name: str, kind: Any, form: str) -> Any:
    import altair as alt

    return alt.Tooltip(field=name, type=kind, title=name.replace("_", " "), format=form)


def in_percent() -> Any:
    import altair as alt

    return alt.Axis(format="%")


def from_zero() -> Any:
    import altair as alt

    return alt.Scale(zero=True)


def legend(rows: Rows, column: str) -> Any:
    import altair as alt

    return None if len({row.get(column) for row in rows}) < 2 else alt.Legend()


def chart_of(name: str, title: str, says: str, chart: Drawing, height: int = HEIGHT) -> Chart:
    spec = chart.properties(width="container", height=height).to_dict()
    spec["description"] = says
    return Chart(name, title, says, spec)
