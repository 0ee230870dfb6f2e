"""Who came back, as cells of a table, and its average rows. Pure: counted people in, cells out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from connector.report.answer import Row
from connector.report.statistics import mixpanel_weighted, ratio

Counting = Literal["on-or-after", "on", "on-or-before", "streak"]


@dataclass(frozen=True)
class Bracket:
    """Units ``first`` to ``last`` after birth, both included; a single unit where no brackets were asked."""

    first: int
    last: int


def brackets_of(sizes: Sequence[int]) -> list[Bracket]:
    """Sizes 1, 3, 4, 7 -> units 0, 1 to 3, 4 to 7, 8 to 14."""
    firsts = [0, *accumulate(sizes)]
    return [Bracket(first, first + size - 1) for first, size in zip(firsts, sizes, strict=False)]


@dataclass(frozen=True)
class Bucket:
    """
    People born in one period. Lists have a number per bracket.

    ``retained``: of all of them. ``reached``: people of whom the bracket had begun; ``retained_of_reached``:
    of those.
    """

    start: int
    size: int
    retained: list[int]
    reached: list[int]
    retained_of_reached: list[int]


def buckets_of(counting: Counting, brackets: int, counts: Iterable[Row]) -> list[Bucket]:
    """
    Buckets in the order of time.

    Args:
        brackets: how many there are.
        counts: rows of ``bucket``, ``bracket``, ``reached`` (the last bracket that had begun, -1: none) and
            ``people``: those born, without a bracket, and those who came back in one: the first for
            ``on-or-before``, the last for ``on-or-after``, the last of the streak for ``streak``.
    """
    rows = list(counts)
    born = _by_bucket(row for row in rows if row["bracket"] is None)
    back = _by_bucket(row for row in rows if row["bracket"] is not None)
    return [
        _bucket(counting, brackets, start, sizes, back.get(start, []))
        for start, sizes in sorted(born.items())
    ]


def _bucket(
    counting: Counting, brackets: int, start: int, sizes: Sequence[Row], returned: Sequence[Row]
) -> Bucket:
    spans = [(*_cells(counting, row, brackets), row["people"], row["reached"]) for row in returned]
    return Bucket(
        start,
        sum(int(row["people"]) for row in sizes),
        _sums(brackets, [(first, last, people) for first, last, people, _ in spans]),
        _sums(brackets, [(0, row["reached"], row["people"]) for row in sizes]),
        _sums(brackets, [(first, min(last, reached), people) for first, last, people, reached in spans]),
    )


def _by_bucket(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(int(row["bucket"]), []).append(row)
    return found


def _cells(counting: Counting, row: Row, brackets: int) -> tuple[int, int]:
    """The first and the last bracket at which someone who came back in this one counts as retained."""
    came = int(row["bracket"])
    if counting == "on":
        return came, came
    return (came, brackets - 1) if counting == "on-or-before" else (0, came)


def _sums(length: int, spans: Iterable[tuple[int, int, int]]) -> list[int]:
    """Add up ``(first, last, count)``: the count stands at every place from first to last."""
    changes = [0] * (length + 1)
    for first, last, count in spans:
        if first <= last:
            changes[first] += int(count)
            changes[last + 1] -= int(count)
    return list(accumulate(changes))[:length]


def averages(
    buckets: Sequence[Bucket], brackets: Sequence[Bracket], complete: Sequence[Sequence[bool]]
) -> list[Row]:
    """
    The average rows, three of each bracket.

    ``mixpanel_weighted`` and ``pooled`` are over complete buckets. ``reached`` divides by everybody who has
    reached the bracket, whatever the bucket, as Amplitude does.

    Args:
        complete: by bucket and bracket.
    """
    rows = []
    for at, bracket in enumerate(brackets):
        over = [own for own, known in zip(buckets, complete, strict=True) if known[at]]
        pairs = [(own.size, own.retained[at]) for own in over]
        far = [(own.reached[at], own.retained_of_reached[at]) for own in buckets if own.reached[at]]
        rows += [
            _average("mixpanel_weighted", bracket, pairs, mixpanel_weighted(pairs)),
            _average("pooled", bracket, pairs, _pooled(pairs)),
            _average("reached", bracket, far, _pooled(far)),
        ]
    return rows


def _pooled(pairs: Sequence[tuple[int, int]]) -> float | None:
    return ratio(sum(retained for _, retained in pairs), sum(size for size, _ in pairs))


def _average(kind: str, bracket: Bracket, pairs: Sequence[tuple[int, int]], rate: float | None) -> Row:
    return {
        "kind": kind,
        "k": bracket.first,
        "k_last": bracket.last,
        "buckets": len(pairs),
        "size": sum(size for size, _ in pairs),
        "retained": sum(retained for _, retained in pairs),
        "rate": rate,
    }
