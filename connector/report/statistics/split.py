"""Whether people were spread over the variants as planned. Pure; scipy is imported when asked."""

from __future__ import annotations

from collections.abc import Sequence

SRM_ALARM = 0.001
"""A sample ratio that is less likely than this is taken for a fault of the experiment."""


def srm_p_value(people: Sequence[int], weights: Sequence[float]) -> float | None:
    """
    How likely a split this far from the plan is by chance: chi-square.

    Args:
        people: exposed, by variant.
        weights: planned share of each variant, in any unit.

    Returns:
        None for fewer than two variants or without people; 0 where people are in a variant that was to have
        none.
    """
    total, planned = sum(people), sum(weights)
    if len(people) < 2 or not total or not planned:
        return None
    if any(count and not weight for count, weight in zip(people, weights, strict=True)):
        return 0.0
    pairs = [(count, weight) for count, weight in zip(people, weights, strict=True) if weight]
    if len(pairs) < 2:
        return None
    from scipy.stats import chi2

    expected = [total * weight / planned for _, weight in pairs]
    far = sum((count - mean) ** 2 / mean for (count, _), mean in zip(pairs, expected, strict=True))
    return float(chi2.sf(far, len(pairs) - 1))
