"""Figures as lines: every point filled, currencies kept apart; formulas, sums and means of points. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.report.insights.formula import Formula, Number, mean, total
from connector.report.insights.plot import Plot
from connector.report.insights.points import Metric, Point, Points


@dataclass(frozen=True)
class Line:
    """A metric, or a formula, in one segment."""

    name: str
    segment: str | None
    points: tuple[Point, ...]
    """One for each point of the plot; those of a formula count nothing."""

    @property
    def currencies(self) -> frozenset[str]:
        """Of the money in the line; "" where none was stated."""
        return frozenset[str]().union(*(point.currencies for point in self.points))

    @property
    def is_mixed(self) -> bool:
        """Whether money of several currencies would meet: then no point has a value."""
        return len(self.currencies) > 1

    def with_values(self, values: Sequence[Number | None]) -> Line:
        """The same line with other values."""
        pairs = zip(self.points, values, strict=True)
        return replace(self, points=tuple(point._replace(value=value) for point, value in pairs))


def lines_of(
    metrics: Sequence[Metric],
    formula: Formula | None,
    plot: Plot,
    segment: str | None,
    found: Sequence[Mapping[int, Point]],
) -> list[Line]:
    """
    The lines of one segment: one for each metric, or the formula's.

    Args:
        found: the figures of each metric, points without rows missing.
    """
    lines = [_filled(metric, plot, segment, points) for metric, points in zip(metrics, found, strict=True)]
    if formula is not None:
        lines = [_computed(formula, [line for line in lines if line.name in formula.names])]
    return [line.with_values([None] * len(plot.numbers)) if line.is_mixed else line for line in lines]


def _filled(metric: Metric, plot: Plot, segment: str | None, points: Mapping[int, Point]) -> Line:
    nothing = Point(value=metric.measure.nothing)
    return Line(metric.name, segment, tuple(points.get(number, nothing) for number in plot.numbers))


def _computed(formula: Formula, lines: Sequence[Line]) -> Line:
    points = [
        Point(
            totals=None,
            uniques=None,
            value=formula.value({line.name: point.value for line, point in zip(lines, beside, strict=True)}),
            currencies=frozenset[str]().union(*(point.currencies for point in beside)),
        )
        for beside in zip(*(line.points for line in lines), strict=True)
    ]
    return Line(formula.text, lines[0].segment, tuple(points))


def rolled(line: Line, plot: Plot, points: int, first_ms: int | None) -> Line:
    """
    Each point as the mean of itself and those before it; points without a value are left out.

    Args:
        points: how many.
        first_ms: when the first row there is happened; what is over before it is no point.
    """
    is_known = [first_ms is None or end > first_ms for end in plot.ends_ms]
    values = [p.value if known else None for p, known in zip(line.points, is_known, strict=True)]
    return line.with_values(
        [
            mean(value for value in values[max(0, at + 1 - points) : at + 1] if value is not None)
            for at in range(len(values))
        ]
    )


def summed(line: Line, plot: Plot) -> Line:
    """Each point as the sum of the range so far; nothing until the first value."""
    sums: list[Number | None] = []
    for at, point in enumerate(line.points):
        before = sums[-1] if sums and at > plot.lead else None
        known = [number for number in (before, point.value) if number is not None]
        sums.append(total(known) if known else None)
    return line.with_values(sums)


def segments_by_size(parts: Iterable[Points], plot: Plot) -> list[str | None]:
    """Segments with rows in the range, those with the most first, then by name."""
    shown = set(plot.numbers[plot.lead :])
    sizes: dict[str | None, int] = {}
    for points in parts:
        for segment, figures in points.items():
            size = sum(point.totals or 0 for number, point in figures.items() if number in shown)
            sizes[segment] = sizes.get(segment, 0) + size
    kept = [segment for segment, size in sizes.items() if size]
    return sorted(kept, key=lambda segment: (-sizes[segment], segment is None, segment or ""))
