"""Retention read plainly: every person, every return, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from connector.report.kinds.retention import Asked
from tests.report import oracle

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def units(birth_ms: int, later_ms: int, unit: str, mode: str, zone: str) -> int:
    if mode == "rolling":
        days = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30}[unit]
        return (later_ms - birth_ms) // round(days * DAY_MS)
    born, later = oracle.local(birth_ms, zone), oracle.local(later_ms, zone)
    if unit == "hour":
        hours = [moment.replace(minute=0, second=0, microsecond=0, tzinfo=None) for moment in (born, later)]
        return max(0, (hours[1] - hours[0]) // timedelta(hours=1))
    if unit == "month":
        return later.year * 12 + later.month - born.year * 12 - born.month
    starts = [start_of(moment.date(), unit) for moment in (born, later)]
    return (starts[1] - starts[0]).days // (7 if unit == "week" else 1)


def start_of(day: date, unit: str) -> date:
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


def later_start(start: date, unit: str, many: int) -> date:
    if unit == "month":
        month = start.year * 12 + start.month - 1 + many
        return date(month // 12, month % 12 + 1, 1)
    return start + timedelta(days=many * (7 if unit == "week" else 1))


def end_ms(bucket: date, units: int, question: Asked) -> int:
    """The moment so many units after the end of a bucket."""
    kept = "day" if question.unit == "hour" else question.unit
    zone, end = question.timezone, later_start(bucket, kept, 1)
    if question.unit == "hour":
        return oracle.midnight_ms(end, zone) + units * HOUR_MS
    if question.mode == "calendar":
        return oracle.midnight_ms(later_start(end, question.unit, units), zone)
    return oracle.midnight_ms(end, zone) + units * {"day": 1, "week": 7, "month": 30}[question.unit] * DAY_MS


def births(rows: list[dict[str, Any]], question: Asked) -> dict[tuple[date, str], int]:
    found: dict[tuple[date, str], int] = {}
    kept = "day" if question.unit == "hour" else question.unit
    for one in rows:
        if one["uid"] and question.birth_event in (None, one["event"]):
            key = (start_of(oracle.local_day(one, question.timezone), kept), one["uid"])
            found.setdefault(key, one["time_ms"])
    return found


def cells(
    rows: list[dict[str, Any]], question: Asked, as_of_ms: int
) -> Iterator[tuple[date, int, int, bool, bool]]:
    """Each person at each bracket: bucket, first unit, last unit, whether retained, whether reached."""
    back = [one for one in rows if question.return_event in (None, one["event"])]
    edges = [sum(question.sizes[:n]) for n in range(len(question.sizes) + 1)]
    counting = question.counting or ("on" if question.brackets else "on-or-after")
    for (bucket, uid), birth_ms in births(rows, question).items():
        came = {
            units(birth_ms, one["time_ms"], question.unit, question.mode, question.timezone)
            for one in back
            if one["uid"] == uid and one["time_ms"] > birth_ms
        }
        now = units(birth_ms, as_of_ms, question.unit, question.mode, question.timezone)
        for first, end in pairwise(edges):
            retained = {
                "on": any(first <= k < end for k in came),
                "on-or-after": any(k >= first for k in came),
                "on-or-before": any(k < end for k in came),
                "streak": all(
                    any(low <= k < high for k in came) for low, high in pairwise(edges) if high <= end
                ),
            }[counting]
            yield bucket, first, end - 1, retained, as_of_ms >= birth_ms and now >= first


def received(store: dict[str, Any], as_of_ms: int) -> dict[str, Any]:
    return {name: [one for one in rows if one["received_ms"] <= as_of_ms] for name, rows in store.items()}
