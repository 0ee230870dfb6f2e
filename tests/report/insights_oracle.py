"""The report ``insights`` in plain Python: lists and loops over rows, no SQL."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.report import oracle

Row = dict[str, Any]
HOUR_MS = 3_600_000


def expected(store: dict[str, list[Row]], asked: Any) -> dict[tuple[Any, str | None, str], Any]:
    """``{(period, segment, metric): (totals, uniques, value)}`` of a question with ``from`` and ``to``."""
    rows = with_sessions([dict(row) for row in oracle.resolved(**store)], asked.timezone)
    plotted, lead = points(asked)
    measures = asked.measure * len(asked.event) if len(asked.measure) == 1 else asked.measure
    metrics = []
    for event in asked.event:
        own = [{**row, "at": place(row, asked, plotted, lead)} for row in rows if matches(row, event)]
        metrics.append([row for row in own if row["at"] is not None])
    named = [
        (row, segment)
        for own in metrics
        for row in own
        if asked.breakdown
        for segment in segments(row, asked.breakdown)
    ]
    shown = {segment for row, segment in named if row["at"] in plotted}
    found = {}
    for name, own, measure in zip("ABC", metrics, measures, strict=False):
        for segment in ("$overall", *shown):
            inside = [r for r in own if segment == "$overall" or segment in segments(r, asked.breakdown)]
            each = {
                point: figures([r for r in inside if r["at"] == point], segment, measure, asked, own)
                for point in (*lead, *plotted)
            }
            values = drawn({point: figure[2] for point, figure in each.items()}, asked, plotted, store)
            is_mixed = len(currencies(inside, measure)) > 1
            for point, value in values.items():
                found[point, segment, name] = (*each[point][:2], None if is_mixed else value)
    return found


def points(asked: Any) -> tuple[list[Any], list[Any]]:
    """The periods of the range, and those that a rolling average reaches back to."""
    days = [asked.from_day + timedelta(days=n) for n in range((asked.to_day - asked.from_day).days + 1)]
    if asked.unit == "range":
        return [asked.from_day], []
    if asked.unit == "hour":
        from_ms = midnight_ms(days[0], asked.timezone)
        to_ms = midnight_ms(days[-1] + timedelta(days=1), asked.timezone)
        first = from_ms - ((asked.rolling or 1) - 1) * HOUR_MS
        hours = [moment(ms) for ms in range(first, to_ms, HOUR_MS)]
        return [hour for hour in hours if hour >= moment(from_ms)], [h for h in hours if h < moment(from_ms)]
    plotted = list(dict.fromkeys(period(day, asked.unit) for day in days))
    lead: list[Any] = []
    while len(lead) < (asked.rolling or 1) - 1:
        lead.insert(0, period((lead or plotted)[0] - timedelta(days=1), asked.unit))
    return plotted, lead


def period(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def place(row: Row, asked: Any, plotted: Sequence[Any], lead: Sequence[Any]) -> Any:
    """The period a row counts in, or None."""
    local = oracle.local(row, asked.timezone)
    inside = asked.from_day <= local.date() <= asked.to_day
    if asked.unit == "range":
        return plotted[0] if inside else None
    if asked.unit == "hour":
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        at: Any = moment(row["time_ms"]) - past
    else:
        at = period(local.date(), asked.unit)
    return at if (inside and at in plotted) or (at in lead and not inside) else None


def matches(row: Row, event: str) -> bool:
    name, _, condition = event.partition(" where ")
    if name not in ("*", row["event"]):
        return False
    if condition == "price > 20":
        return row.get("price") is not None and row["price"] > 20
    assert not condition
    return True


def segments(row: Row, breakdown: str) -> list[str | None]:
    if breakdown == "products.category":
        return list(dict.fromkeys(item.get("category") for item in row.get("products") or [])) or [None]
    value = row.get(breakdown)
    if isinstance(value, Decimal):
        return [str(int(value)) if value == int(value) else str(value.normalize())]
    return [value]


def figures(
    rows: list[Row], segment: str | None, measure: str, asked: Any, own: list[Row]
) -> tuple[int, int, Any]:
    """Totals, uniques and value of one segment at one point; ``own``: the metric's rows in every segment."""
    people = {row["uid"] for row in rows if row["uid"]}
    if asked.credit != "all" and segment != "$overall":
        people = {
            uid
            for uid in people
            if segment == credited([r for r in own if (r["uid"], r["at"]) == (uid, rows[0]["at"])], asked)
        }
    return len(rows), len(people), len(people) if measure == "uniques" else value_of(rows, measure)


def credited(rows: list[Row], asked: Any) -> str | None:
    """The segment of a person's first or last row."""
    ordered = sorted(rows, key=oracle.order)
    is_first = asked.credit == "first"
    return segments(ordered[0 if is_first else -1], asked.breakdown)[0 if is_first else -1]


def value_of(rows: list[Row], measure: str) -> Any:
    people: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["uid"]:
            people[row["uid"]].append(row)
    if measure == "totals":
        return len(rows)
    if measure == "sessions":
        return len({row["session"] for row in rows if row["uid"]})
    outer, per_user, rest = measure.partition(" per user")
    if per_user:
        inner, _, column = rest.removeprefix(" of ").partition(" of ")
        each = [
            aggregate(inner, [r.get(column) for r in own]) if rest else len(own) for own in people.values()
        ]
        return aggregate(outer, each)
    outer, _, column = measure.partition(" of ")
    return aggregate(outer, [row.get(column) for row in rows])


def aggregate(name: str, given: Iterable[Any]) -> Any:
    values = sorted(value for value in given if value is not None)
    if name == "distinct":
        return len(set(values))
    if name == "sum":
        return sum(values)
    if not values:
        return None
    if name == "avg":
        return float(sum(values)) / len(values)
    if name in ("min", "max"):
        return values[0] if name == "min" else values[-1]
    rank = (0.5 if name == "median" else int(name[1:]) / 100) * (len(values) - 1)
    low, high = float(values[math.floor(rank)]), float(values[math.ceil(rank)])
    return low + (high - low) * (rank - math.floor(rank))


def is_money(measure: str) -> bool:
    return measure.endswith(("price", "order_revenue")) and "distinct" not in measure


def currencies(rows: list[Row], measure: str) -> set[Any]:
    column = measure.rpartition(" ")[2]
    own = [row for row in rows if row["uid"]] if " per user" in measure else rows
    return {row["currency"] for row in own if row.get(column) is not None} if is_money(measure) else set()


def with_sessions(rows: list[Row], zone: str) -> list[Row]:
    """Each row with the number of its person's session."""
    last: dict[str, Row] = {}
    for number, row in enumerate(sorted(rows, key=lambda one: one["time_ms"])):
        before = last.get(row["uid"])
        goes_on = (
            before is not None
            and row["time_ms"] - before["time_ms"] < 30 * 60_000
            and oracle.local_day(row, zone) == oracle.local_day(before, zone)
        )
        row["session"] = before["session"] if before and goes_on else number
        last[row["uid"]] = row
    return rows


def drawn(values: dict[Any, Any], asked: Any, plotted: list[Any], store: Any) -> dict[Any, Any]:
    """The plotted values: as they are, running sums, or means of the last points."""
    if asked.cumulative:
        sums: dict[Any, Any] = {}
        for at, point in enumerate(plotted):
            known = [values[p] for p in plotted[: at + 1] if values[p] is not None]
            sums[point] = sum(known) if known else None
        return sums
    return rolling(values, asked, plotted, store) if asked.rolling else {p: values[p] for p in plotted}


def rolling(values: dict[Any, Any], asked: Any, plotted: list[Any], store: Any) -> dict[Any, Any]:
    first_ms = min((row["time_ms"] for row in store["events"]), default=0)
    names = list(values)
    means = {}
    for point in plotted:
        at = names.index(point)
        window = [p for p in names[max(0, at + 1 - asked.rolling) : at + 1] if end_ms(p, asked) > first_ms]
        known = [values[p] for p in window if values[p] is not None]
        means[point] = float(sum(known)) / len(known) if known else None
    return means


def end_ms(point: Any, asked: Any) -> int:
    if asked.unit == "hour":
        return round(point.timestamp() * 1_000) + HOUR_MS
    days = {"day": 1, "week": 7, "month": 32}[asked.unit]
    after = point + timedelta(days=days)
    return midnight_ms(after.replace(day=1) if asked.unit == "month" else after, asked.timezone)


def midnight_ms(day: date, zone: str) -> int:
    """The first ms of a local day."""
    noon = (day - date(1970, 1, 1)).days * 24 * HOUR_MS + 12 * HOUR_MS
    near = range(noon - 36 * HOUR_MS, noon + 24 * HOUR_MS)
    return near[bisect_left(near, day, key=lambda ms: oracle.local_day(ms, zone))]


def moment(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
