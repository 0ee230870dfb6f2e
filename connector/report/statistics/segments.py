"""Ratios, and the p-value of a segment of a funnel. Pure; scipy is imported when asked."""

from __future__ import annotations

LEAST_ENTRIES = 30
"""A segment with fewer entries gets no p-value."""


def segment_p_value(entries: int, converted: int, all_entries: int, all_converted: int) -> float | None:
    """
    How likely a segment's conversion differs this much from everybody's by chance.

    Args:
        entries, converted: of the segment.
        all_entries, all_converted: of all segments together.

    Returns:
        p = 1 - max(P(X < k), P(X > k)), X hypergeometric; None for fewer than 30 entries.

    Source: analytics definitions, section 3, significance.
    """
    if entries < LEAST_ENTRIES:
        return None
    from scipy.stats import hypergeom

    chance = hypergeom(all_entries, all_converted, entries)
    return float(min(1.0, max(0.0, 1 - max(chance.cdf(converted - 1), chance.sf(converted)))))


def ratio(part: float | int | None, whole: float | int | None) -> float | None:
    """``part / whole``; None where there is nothing to divide by."""
    return None if not whole or part is None else float(part) / float(whole)
