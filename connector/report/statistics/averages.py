"""Averages over buckets of people. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from connector.report.statistics.segments import ratio


def mixpanel_weighted(buckets: Iterable[tuple[int, int]]) -> float | None:
    """
    The average row of Mixpanel's retention table.

    Each bucket weighs as much as its share of all people, on both sides of the fraction, so a large bucket
    counts more than in the pooled rate: sizes 1000 and 500 of which 500 and 400 came back give 56 %, pooled
    60 %.

    Args:
        buckets: ``(size, retained)``, people.

    Returns:
        sum(size x retained) / sum(size x size), 0 to 1; None without people.
    """
    pairs = list(buckets)
    return ratio(sum(size * retained for size, retained in pairs), sum(size * size for size, _ in pairs))
