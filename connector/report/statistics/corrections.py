"""P-values of several comparisons made at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Correction = Literal["benjamini-hochberg", "bonferroni", "none"]
CORRECTIONS: tuple[Correction, ...] = ("benjamini-hochberg", "bonferroni", "none")


def adjusted(p_values: Sequence[float | None], correction: Correction) -> list[float | None]:
    """
    P-values that may be compared with the usual limit although there are several.

    Args:
        p_values: one a comparison; None where there was nothing to compare, which does not count as one.
        correction: ``bonferroni`` keeps the chance of a single false alarm below the limit;
            ``benjamini-hochberg`` keeps the share of false ones among the alarms below it.

    Returns:
        In the same order, each from 0 to 1.
    """
    known = [(p, place) for place, p in enumerate(p_values) if p is not None]
    found: list[float | None] = list(p_values)
    if correction == "bonferroni":
        for p, place in known:
            found[place] = min(1.0, p * len(known))
    if correction == "benjamini-hochberg":
        least = 1.0
        for rank, (p, place) in reversed(list(enumerate(sorted(known), 1))):
            least = min(least, p * len(known) / rank)
            found[place] = least
    return found
