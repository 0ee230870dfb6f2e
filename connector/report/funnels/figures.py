"""Attempts counted by how far they came, as the rows of an answer. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from connector.report.answer import Row
from connector.report.statistics import ratio, segment_p_value

Series = tuple[int | None, Any]
"""The first day of a period (a day number; None: the whole range) and a segment."""
TIMES = ("ttc_mean", "ttc_median", "ttc_p25", "ttc_p75", "ttc_p90")


def reached_counts(rows: Iterable[Row], steps: int) -> dict[Series, list[int]]:
    """Attempts that ended at a step -> attempts that reached each step, from the first to the last."""
    counts: dict[Series, list[int]] = defaultdict(lambda: [0] * steps)
    for row in rows:
        series = counts[row["period"], row["segment"]]
        for place in range(row["reached"]):
            series[place] += row["attempts"]
    return dict(counts)


def in_order(counts: dict[Series, list[int]]) -> list[Series]:
    """By period, then the segments with the most entries first, the one without a value last among equals."""
    return sorted(counts, key=lambda one: (one[0] or 0, -counts[one][0], one[1] is None, str(one[1])))


def step_rows(
    names: Sequence[str], series: Series, counts: list[int], times: Row, p_value: float | None
) -> list[Row]:
    """One row per step. The last has the times to convert and the p-value."""
    last = len(names)
    rows = []
    for number, (name, count) in enumerate(zip(names, counts, strict=True), 1):
        before = counts[max(number - 2, 0)]
        row: Row = {
            "segment": series[1],
            "step": number,
            "event": name,
            "count": count,
            "step_conversion": ratio(count, before),
            "overall_conversion": ratio(count, counts[0]),
            "dropped": before - count,
            "p_value": p_value if number == last else None,
        }
        rows.append(row | {name: _number(times.get(name)) if number == last else None for name in TIMES})
    return rows


def p_values(counts: dict[Series, list[int]]) -> dict[Series, float | None]:
    """How likely each segment's conversion is by chance, against all segments of its period."""
    entries: dict[int | None, int] = defaultdict(int)
    converted: dict[int | None, int] = defaultdict(int)
    for (period, _), series in counts.items():
        entries[period] += series[0]
        converted[period] += series[-1]
    return {
        (period, segment): segment_p_value(series[0], series[-1], entries[period], converted[period])
        for (period, segment), series in counts.items()
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
