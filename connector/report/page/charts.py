"""The chart of each kind of answer, as a Vega-Lite specification. altair is imported when one is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from connector.report.answer import Answer, Mark, plain

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


def charts_of(answer: Answer, marks: Sequence[Mark] = ()) -> list[Chart]:
    """The charts of an answer, none for a kind that is best read as a table, nor without rows."""
    draw = _DRAWN.get(answer.question.KIND)
    rows = [{name: plain(value) for name, value in row.items()} for row in answer.rows]
    return [] if draw is None or not rows else draw(rows, _inside(answer, marks))


def _inside(answer: Answer, marks: Iterable[Mark]) -> list[Mark]:
    """The annotations that the range holds."""
    first, last = answer.range["from"] or "", answer.range["to"] or "9"
    return [mark for mark in marks if first <= mark.day.isoformat() <= last]


def _categories(rows: Rows, _: Sequence[Mark]) -> list[Chart]:
    import altair as alt

    by_conversion = [row for row in rows if row["conversion"] is not None]
    names = list(dict.fromkeys(row["category"] for row in by_conversion))
    seen = {row["category"]: row for row in by_conversion}
    bars = (
        _base(list(seen.values()))
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X(
                "conversion:Q", title="conversion from view to purchase", axis=_percent(), scale=_from_zero()
            ),
            y=alt.Y("category:N", sort=names, title=None),
            color=_chosen_or(alt.value("#3d8f8f"), by_conversion),
            tooltip=_tips("category", "viewers", "converted", "conversion", "dropped"),
        )
    )
    labels = bars.mark_text(align="left", dx=4).encode(text=alt.Text("conversion:Q", format=".2%"))
    shares = ", ".join(f"{name} {seen[name]['conversion']:.1%}" for name in names)
    charts = [
        _chart("conversion", "Conversion by category, the lowest first", f"Bars. {shares}.", bars + labels,
               height=34 * len(names) + 20)
    ]  # fmt: skip
    priced = [row for row in by_conversion if row["avg_price"] is not None]
    if priced:
        bubbles = (
            _base(priced)
            .mark_circle(opacity=0.75, stroke="white")
            .encode(
                x=alt.X(
                    "conversion:Q",
                    title="conversion",
                    axis=_percent(),
                    scale=alt.Scale(zero=False, padding=30),
                ),
                y=alt.Y("avg_price:Q", title="average price", scale=alt.Scale(zero=False, padding=30)),
                size=alt.Size("purchases:Q", title="purchases", scale=alt.Scale(range=[80, 1200])),
                color=_chosen_or(
                    alt.Color("currency:N", title="currency", legend=_legend(priced, "currency")), priced
                ),
                tooltip=_tips(
                    "category", "currency", "conversion", "avg_price", "purchases", "dropped", "opportunity"
                ),
            )
        )
        names_of = (
            _base(priced).mark_text(dy=-20).encode(x="conversion:Q", y="avg_price:Q", text="category:N")
        )
        says = "Bubbles: to the left converts badly, further up is dearer, larger sells more. "
        says += "; ".join(f"{r['category']} {r['conversion']:.1%} at {r['avg_price']:,.2f}" for r in priced)
        charts.append(
            _chart("opportunity", "Conversion and price", says + ".", bubbles + names_of, height=360)
        )
    return charts


def _chosen_or(color: Any, rows: Rows) -> Any:
    """The accent for rows that are marked as chosen, the colour for others."""
    import altair as alt

    if not any(row.get("chosen") for row in rows):
        return color
    return alt.condition("datum.chosen", alt.value("#d9730d"), color)


def _arpu(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    import altair as alt

    time = _time_of(rows)
    line = _line(rows, time, "arpu", "net revenue per active user", _series(rows, "cohort", "currency"))
    bars = (
        _base(rows)
        .mark_bar(opacity=0.35)
        .encode(
            x=alt.X(f"{time}:T", title=None),
            y=alt.Y("sum(refunds):Q", title="refunds", stack=None),
            tooltip=_tips(time, "cohort", "currency", "gross", "refunds", "net", "orders", "active_users"),
        )
    )
    return [
        _chart("arpu", "Average revenue per active user", _trend(rows, "arpu"), line + _rules(marks, time)),
        _chart("refunds", "Refunds", "Bars: money given back.", bars, height=120),
    ]


def _conversion(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    time = _time_of(rows)
    line = _line(rows, time, "conversion", "conversion", _series(rows, "category", "cohort"), percent=True)
    return [
        _chart("conversion", "Conversion over time", _trend(rows, "conversion"), line + _rules(marks, time))
    ]


def _funnel(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    import altair as alt

    if "period" in rows[0]:
        last = [row for row in rows if row["step"] == max(other["step"] for other in rows)]
        line = _line(
            last, "period", "overall_conversion", "conversion", _series(last, "segment"), percent=True
        )
        says = _trend(last, "overall_conversion")
        return [_chart("trend", "Conversion over time", says, line + _rules(marks, "period"))]
    bars = (
        _base([{**row, "stage": f"{row['step']}. {row['event']}"} for row in rows])
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("stage:N", title=None, sort=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("count:Q", title="people"),
            xOffset="segment:N",
            color=alt.Color("segment:N", title="segment", legend=_legend(rows, "segment")),
            tooltip=_tips("segment", "event", "count", "step_conversion", "overall_conversion", "dropped"),
        )
    )
    says = "; ".join(f"{row['segment'] or 'all'}, {row['event']}: {row['count']}" for row in rows[:24])
    return [_chart("steps", "Funnel", f"Bars. {says}.", bars)]


def _engagement(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    long = [
        {"day": row["day"], "people": row[name], "measure": name.upper()}
        for row in rows
        for name in ("dau", "wau", "mau")
        if name in row
    ]
    sticky = [
        {"day": row["day"], "stickiness": row[name], "measure": name.upper().replace("_", " / ")}
        for row in rows
        for name in ("dau_wau", "dau_mau")
        if name in row
    ]
    charts = [
        _chart("active", "Active people", _trend(long, "people"),
               _line(long, "day", "people", "people", "measure") + _rules(marks, "day"))
    ]  # fmt: skip
    if any(row["stickiness"] is not None for row in sticky):
        line = _line(sticky, "day", "stickiness", "stickiness", "measure", percent=True)
        charts.append(
            _chart("stickiness", "Stickiness", _trend(sticky, "stickiness"), line + _rules(marks, "day"))
        )
    return charts


def _retention(rows: Rows, _: Sequence[Mark]) -> list[Chart]:
    import altair as alt

    cells = [row for row in rows if row.get("rate") is not None and row.get("bucket") is not None]
    if not cells:
        return []
    heat = (
        _base(cells)
        .mark_rect()
        .encode(
            x=alt.X("k:O", title="periods after"),
            y=alt.Y("bucket:O", title=None),
            color=alt.Color(
                "rate:Q", title="retained", legend=alt.Legend(format="%"), scale=alt.Scale(scheme="blues")
            ),
            opacity=alt.condition("datum.complete", alt.value(1), alt.value(0.45)),
            tooltip=_tips("bucket", "size", "k", "retained", "rate", "complete"),
        )
    )
    height = 24 * len({row["bucket"] for row in cells}) + 40
    says = "Table of colours: a row a bucket, a column a period; pale cells are not complete."
    return [_chart("heat", "Retention by bucket", says, heat, height=height)]


def _insights(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    import altair as alt

    if len({row["period"] for row in rows}) > 1:
        line = _line(rows, "period", "value", "value", _series(rows, "metric", "segment"))
        return [_chart("value", "Over time", _trend(rows, "value"), line + _rules(marks, "period"))]
    bars = (
        _base(rows)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("value:Q"), y=alt.Y("segment:N", sort="-x", title=None),
            tooltip=_tips("segment", "totals", "uniques", "value"),
        )
    )  # fmt: skip
    return [_chart("value", "By segment", "Bars by segment.", bars, height=28 * len(rows) + 40)]


def _experiment(rows: Rows, _: Sequence[Mark]) -> list[Chart]:
    import altair as alt

    known = [
        {**row, "name": " ".join(filter(None, (row["variant"], row.get("metric"), row.get("currency"))))}
        for row in rows
        if row.get("lift") is not None and row.get("ci_low") is not None
    ]
    if not known:
        return []
    y = alt.Y("name:N", title=None, axis=alt.Axis(labelLimit=240))
    tips = _tips("variant", "metric", "exposed", "rate", "lift", "ci_low", "ci_high", "p")
    whisker = (
        _base(known)
        .mark_rule(strokeWidth=3)
        .encode(
            x=alt.X("ci_low:Q", title="lift against control", axis=_percent()),
            x2="ci_high:Q",
            y=y,
            tooltip=tips,
        )
    )
    points = _base(known).mark_point(filled=True, size=110).encode(x="lift:Q", y=y, tooltip=tips)
    zero = alt.Chart(alt.InlineData(values=[{"lift": 0}])).mark_rule(strokeDash=[4, 4]).encode(x="lift:Q")
    says = "; ".join(
        f"{r['name']}: lift {r['lift']:.1%}, from {r['ci_low']:.1%} to {r['ci_high']:.1%}" for r in known
    )
    return [_chart("lift", "Lift with its 95 % interval", says + ".", whisker + points + zero,
                   height=44 * len(known) + 40)]  # fmt: skip


def _reconcile(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    line = _line(rows, "day", "difference", "item value - revenue - discount", _series(rows, "currency"))
    return [
        _chart(
            "difference", "Line items against orders", _trend(rows, "difference"), line + _rules(marks, "day")
        )
    ]


_DRAWN: dict[str, Callable[[Rows, Sequence[Mark]], list[Chart]]] = {
    "categories": _categories,
    "arpu": _arpu,
    "conversion": _conversion,
    "funnel": _funnel,
    "engagement": _engagement,
    "retention": _retention,
    "insights": _insights,
    "experiment": _experiment,
    "reconcile": _reconcile,
}


def _base(rows: Rows) -> Drawing:
    import altair as alt

    return alt.Chart(alt.InlineData(values=rows))


def _line(
    rows: Rows, time: str, value: str, title: str, series: str | None, *, percent: bool = False
) -> Drawing:
    import altair as alt

    axis = _percent() if percent else alt.Axis()
    names = [name for name in rows[0] if name != "row_id"][:10]
    chart = _base(rows).mark_line(point=True).encode(
        x=alt.X(f"{time}:T", title=None), y=alt.Y(f"{value}:Q", title=title, axis=axis, scale=_from_zero()),
        tooltip=_tips(*names),
    )  # fmt: skip
    return chart if series is None else chart.encode(color=alt.Color(f"{series}:N", title=None))


def _rules(marks: Sequence[Mark], time: str) -> Drawing:
    """Annotations: a dashed line with its text."""
    import altair as alt

    values = [{time: mark.day.isoformat(), "text": mark.text} for mark in marks]
    base = alt.Chart(alt.InlineData(values=values)).encode(x=alt.X(f"{time}:T"))
    rule = base.mark_rule(strokeDash=[5, 4], strokeWidth=1.5).encode(tooltip=_tips("text"))
    return rule + base.mark_text(align="left", dx=5, dy=-6, y=8).encode(text="text:N")


def _series(rows: Rows, *columns: str) -> str | None:
    """Add a column that names the series, from those columns that differ; None when there is one series."""
    differing = [name for name in columns if len({row.get(name) for row in rows}) > 1]
    if not differing:
        return None
    for row in rows:
        row["series"] = ", ".join(str(row.get(name)) for name in differing)
    return "series"


def _time_of(rows: Rows) -> str:
    return "week" if "week" in rows[0] else "period"


def _trend(rows: Rows, value: str) -> str:
    known = [row[value] for row in rows if row.get(value) is not None]
    if not known:
        return "A line without points."
    low, high, last = (f"{number:,.4g}" for number in (min(known), max(known), known[-1]))
    return f"A line of {len(known)} points, from {low} to {high}, the last {last}."


def _tips(*names: str) -> list[Any]:
    return [
        _tip(name, "quantitative", ".2%") if name in SHARES else _tip(name, "nominal", "") for name in names
    ]


def _tip(name: str, kind: Any, form: str) -> Any:
    import altair as alt

    return alt.Tooltip(field=name, type=kind, title=name.replace("_", " "), format=form)


def _percent() -> Any:
    import altair as alt

    return alt.Axis(format="%")


def _from_zero() -> Any:
    import altair as alt

    return alt.Scale(zero=True)


def _legend(rows: Rows, column: str) -> Any:
    import altair as alt

    return None if len({row.get(column) for row in rows}) < 2 else alt.Legend()


def _chart(name: str, title: str, says: str, chart: Drawing, height: int = HEIGHT) -> Chart:
    spec = chart.properties(width="container", height=height).to_dict()
    spec["description"] = says
    return Chart(name, title, says, spec)
