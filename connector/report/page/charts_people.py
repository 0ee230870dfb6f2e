"""Charts of reports about people over time: engagement, retention, frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.report.answer import Mark, plain
from connector.report.page.drawing import (
    Chart,
    Rows,
    base,
    chart_of,
    from_zero,
    in_percent,
    line_of,
    marked,
    tips,
    trend_of,
)  # fmt: skip


def engagement(rows: Rows, marks: Sequence[Mark]) -> list[Chart]:
    """Lines of people, and of stickiness."""
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
        chart_of("active", "Active people", trend_of(long, "people"),
               marked(line_of(long, "day", "people", "people", "measure"), marks, "day"))
    ]  # fmt: skip
    if any(row["stickiness"] is not None for row in sticky):
        line = line_of(sticky, "day", "stickiness", "stickiness", "measure", percent=True)
        charts.append(
            chart_of("stickiness", "Stickiness", trend_of(sticky, "stickiness"), marked(line, marks, "day"))
        )
    return charts


def retention(rows: Rows, _: Sequence[Mark]) -> list[Chart]:
    """A table of colours."""
    import altair as alt

    cells = [row for row in rows if row.get("rate") is not None and row.get("bucket") is not None]
    if not cells:
        return []
    heat = (
        base(cells)
        .mark_rect()
        .encode(
            x=alt.X("k:O", title="periods after", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("bucket:O", title=None),
            color=alt.Color(
                "rate:Q", title="retained", legend=alt.Legend(format="%"), scale=alt.Scale(scheme="blues")
            ),
            opacity=alt.condition("datum.complete", alt.value(1), alt.value(0.45)),
            tooltip=tips("bucket", "size", "k", "retained", "rate", "complete"),
        )
    )
    height = 24 * len({row["bucket"] for row in cells}) + 40
    says = "Table of colours: a row a bucket, a column a period; pale cells are not complete."
    return [chart_of("heat", "Retention by bucket", says, heat, height=height)]


def averages(rows: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """The curve of retention: one line for each way to take the average; none without averages."""
    import altair as alt

    known = [
        {name: plain(value) for name, value in row.items()} for row in rows if row.get("rate") is not None
    ]
    if not known:
        return []
    curve = (
        base(known)
        .mark_line(point=True)
        .encode(
            x=alt.X("k:O", title="periods after", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("rate:Q", title="retained", axis=in_percent(), scale=from_zero()),
            color=alt.Color("kind:N", title="average"),
            tooltip=tips("kind", "k", "rate"),
        )
    )
    return [chart_of("curve", "Retention on average", trend_of(known, "rate"), curve)]


def frequency(rows: Rows, _: Sequence[Mark]) -> list[Chart]:
    """Bars: people by the number of days they came."""
    import altair as alt

    last = [row for row in rows if row["period"] == rows[-1]["period"]]
    bars = (
        base(last)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("days:O", title="days on which they came", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("people:Q", title="people"),
            tooltip=tips("days", "people", "at_least"),
        )
    )
    says = "; ".join(f"{row['days']} days: {row['people']}" for row in last[:20])
    return [chart_of("days", "People by days", f"Bars. {says}.", bars)]
