"""The same people before and after: a change and how sure it is. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from connector.report.statistics import ratio

_Z = 1.96
"""Half the width of a 95 % interval, in standard errors."""


class Group(NamedTuple):
    """People of one kind: sums over their values, and what each of them counts as in the divisors."""

    people: int
    per_before: int
    per_after: int
    before: Decimal | int
    after: Decimal | int
    before_squared: float
    after_squared: float
    product: float
    """Sum of value before x value after."""


class Change(NamedTuple):
    """A figure before and after. What cannot be computed is None."""

    before: float | None
    after: float | None
    change: float | None
    ci_low: float | None
    ci_high: float | None


def alike(people: int, before: tuple[int, int], after: tuple[int, int]) -> Group:
    """People with the same values; ``before``, ``after``: the value of each and their part of the divisor."""
    (x, per_before), (y, per_after) = before, after
    return Group(
        people, per_before, per_after, people * x, people * y, people * x * x, people * y * y, people * x * y
    )


def paired_change(groups: Sequence[Group], scale: int = 1) -> Change:
    """
    The change of a sum of values / sum of divisors over the same people, with its 95 % interval.

    Where everyone counts as 1 in both divisors, the interval is that of the mean of paired differences: their
    sample variance, change +/- 1.96 SE. Where the divisor counts some of them (viewers, active people), each
    person enters with their part in the change of the ratio (the delta method).

    Args:
        groups: everyone, also those whose values are 0.
        scale: what the figures are multiplied with: the number of people turns means into counts.
    """
    people = sum(group.people for group in groups)
    divisors = [
        sum(group.people * group.per_before for group in groups),
        sum(group.people * group.per_after for group in groups),
    ]
    before = ratio(float(sum(group.before for group in groups)), divisors[0])
    after = ratio(float(sum(group.after for group in groups)), divisors[1])
    if before is None or after is None:
        return Change(_times(before, scale), _times(after, scale), None, None, None)
    change = after - before
    if people < 2:
        return Change(before * scale, after * scale, change * scale, None, None)
    weights = people / divisors[0], people / divisors[1]
    squares = math.fsum(_squares(group, before, after, *weights) for group in groups)
    half = _Z * math.sqrt(max(0.0, squares) / (people - 1) / people)
    low, high = (change - half) * scale, (change + half) * scale
    return Change(before * scale, after * scale, change * scale, low, high)


def _squares(group: Group, before: float, after: float, weight_before: float, weight_after: float) -> float:
    """
    Sum over a group of squared parts.

    The part of a person is weight x (value - ratio x divisor) after, less the same before; their mean is 0.
    """
    fixed = before * group.per_before * weight_before - after * group.per_after * weight_after
    return (
        weight_after**2 * group.after_squared
        + weight_before**2 * group.before_squared
        - 2 * weight_before * weight_after * group.product
        + 2 * fixed * (weight_after * float(group.after) - weight_before * float(group.before))
        + group.people * fixed**2
    )


def _times(value: float | None, scale: int) -> float | None:
    return None if value is None else value * scale
