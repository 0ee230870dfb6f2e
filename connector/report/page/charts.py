"""The chart of each kind of answer, as a Vega-Lite specification. altair is imported when one is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from connector.report.answer import Answer, Mark, plain
from connector.report.page.charts_people import averages, engagement, frequency, retention
from connector.report.page.drawing import (
    Chart,
    Rows,
    base,
    chart_of,
    from_zero,
    in_percent,
    legend,
    line_of,
    marked,
    series_of,
    time_of,
    tips,
    trend_of,
)  # fmt: skip


def charts_of(answer: Answer, marks: Sequence[Mark] = ()) -> list[Chart]:
    """The charts of an answer, none for a kind that is best read as a table, nor without rows."""
    draw = _DRAWN.get(answer.question.KIND)
    rows = [{name: plain(value) for name, value in row.items()} for row in answer.rows]
    charts = [] if draw is None or not rows else draw(rows, _inside(answer, marks))
    return charts + averages(answer.extra.get("averages", ()))


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
        base(list(seen.values()))
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X(
                "conversion:Q", title="conversion from view to purchase", axis=in_percent(), scale=from_zero()
            ),
            y=alt.Y("category:N", sort=names, title=None),
            color=_chosen_or(alt.value("#3d8f8f"), by_conversion),
            tooltip=tips("category", "viewers", "converted", "conversion", "dropped"),
        )
    )
    labels = bars.mark_text(align="left", dx=4).encode(text=alt.Text("conversion:Q", format=".2%"))
    shares = ", ".join(f"{name} {seen[name]['conversion']:.1%}" for name in names)
    charts = [
        chart_of("conversion", "Conversion by category, the lowest first", f"Bars. {shares}.", bars + labels,
               height=34 * len(names) + 20)
    ]  # fmt: skip
    priced = [row for row in by_conversion if row["avg_price"] is not None]
    if priced:
        bubbles = (
            base(priced)
            .mark_circle(opacity=0.75, stroke="white")
            .encode(
                x=alt.X(
                    "conversion:Q",
                    title="conversion",
                    axis=in_percent(),
                    scale=alt.Scale(zero=False, padding=30),
                ),
                y=alt.Y("avg_price:Q", title="average price", scale=alt.Scale(zero=False, padding=30)),
                size=alt.Size("purchases:Q", title="purchases", scale=alt.Scale(range=[80, 1200])),
                color=_chosen_or(
                    alt.Color("currency:N", title="currency", legend=legend(priced, "currency")), priced
                ),
                tooltip=tips(
                    "category", "currency", "conversion", "avg_price", "purchases", "dropped", "opportunity"
                ),
            )
        )
        names_of = base(priced).mark_text(dy=-20).encode(x="conversion:Q", y="avg_price:Q", text="category:N")
        says = "Bubbles: to the left converts badly, further up is dearer, larger sells more. "
        says += "; ".join(f"{r['category']} {r['conversion']:.1%} at {r['avg_price']:,.2f}" for r in priced)
        charts.append(
            chart_of("opportunity", "Conversion and price", says + ".", bubbles + names_of, height=360)
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

    time = time_of(rows)
    line = line_of(rows, time, "arpu", "net revenue per active user", series_of(rows, "cohort", "currency"))
    bars = (
        base(rows)
        .mark_bar(opacity=0.35)
        .encode(
            x=alt.X(f"{time}:T", title=None),
            y=alt.Y("sum(refunds):Q", title="refunds", stack=None),
            tooltip=tips(time, "cohort", "currency", "gross", "refunds", "net", "orders", "active_users"),
        )
    )
    return [
        chart_of(
            "arpu", "Average revenue per active user", trend_of(rows, "arpu"), marked(line, marks, time)
        ),
        chart_of("refunds", "Refunds", "Bars: money given back.", bars, height=120),
    ]


def _conversion(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    time = time_of(rows)
    line = line_of(
        rows, time, "conversion", "conversion", series_of(rows, "category", "cohort"), percent=True
    )
    return [
        chart_of(
            "conversion", "Conversion over time", trend_of(rows, "conversion"), marked(line, marks, time)
        )
    ]


def _funnel(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    import altair as alt

    if "period" in rows[0]:
        last = [row for row in rows if row["step"] == max(other["step"] for other in rows)]
        line = line_of(
            last, "period", "overall_conversion", "conversion", series_of(last, "segment"), percent=True
        )
        says = trend_of(last, "overall_conversion")
        return [chart_of("trend", "Conversion over time", says, marked(line, marks, "period"))]
    bars = (
        base([{**row, "stage": f"{row['step']}. {row['event']}"} for row in rows])
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("stage:N", title=None, sort=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("count:Q", title="people"),
            xOffset="segment:N",
            color=alt.Color("segment:N", title="segment", legend=legend(rows, "segment")),
            tooltip=tips("segment", "event", "count", "step_conversion", "overall_conversion", "dropped"),
        )
    )
    says = "; ".join(f"{row['segment'] or 'all'}, {row['event']}: {row['count']}" for row in rows[:24])
    return [chart_of("steps", "Funnel", f"Bars. {says}.", bars)]


def _insights(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    import altair as alt

    if len({row["period"] for row in rows}) > 1:
        line = line_of(rows, "period", "value", "value", series_of(rows, "metric", "segment"))
        return [chart_of("value", "Over time", trend_of(rows, "value"), marked(line, marks, "period"))]
    bars = (
        base(rows)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("value:Q"), y=alt.Y("segment:N", sort="-x", title=None),
            tooltip=tips("segment", "totals", "uniques", "value"),
        )
    )  # fmt: skip
    return [chart_of("value", "By segment", "Bars by segment.", bars, height=28 * len(rows) + 40)]


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
    shown = tips("variant", "metric", "exposed", "rate", "lift", "ci_low", "ci_high", "p")
    whisker = (
        base(known)
        .mark_rule(strokeWidth=3)
        .encode(
            x=alt.X("ci_low:Q", title="lift against control", axis=in_percent()),
            x2="ci_high:Q",
            y=y,
            tooltip=shown,
        )
    )
    points = base(known).mark_point(filled=True, size=110).encode(x="lift:Q", y=y, tooltip=shown)
    zero = alt.Chart(alt.InlineData(values=[{"lift": 0}])).mark_rule(strokeDash=[4, 4]).encode(x="lift:Q")
    says = "; ".join(
        f"{r['name']}: lift {r['lift']:.1%}, from {r['ci_low']:.1%} to {r['ci_high']:.1%}" for r in known
    )
    return [chart_of("lift", "Lift with its 95 % interval", says + ".", whisker + points + zero,
                   height=44 * len(known) + 40)]  # fmt: skip


def _reconcile(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    line = line_of(rows, "day", "difference", "item value - revenue - discount", series_of(rows, "currency"))
    return [
        chart_of(
            "difference",
            "Line items against orders",
            trend_of(rows, "difference"),
            marked(line, marks, "day"),
        )
    ]


_DRAWN: dict[str, Callable[[Rows, Sequence[Mark]], list[Chart]]] = {
    "categories": _categories,
    "arpu": _arpu,
    "conversion": _conversion,
    "funnel": _funnel,
    "engagement": engagement,
    "retention": retention,
    "frequency": frequency,
    "insights": _insights,
    "experiment": _experiment,
    "reconcile": _reconcile,
}
