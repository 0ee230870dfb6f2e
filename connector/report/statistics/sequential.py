"""Tests that may be looked at while they run: the mixture sequential probability ratio test (mSPRT). Pure."""

from __future__ import annotations

import math

from connector.report.statistics.comparison import SIGNIFICANT


def always_valid_p_value(diff: float, se: float | None, tau: float) -> float | None:
    """
    A p-value that stays below a limit by chance no more often than the limit says, however often it is read.

    The likelihood of the difference, averaged over true differences with a normal distribution around 0,
    against that of no difference; p = 1 / ratio, at most 1.

    Args:
        diff: variant - control.
        se: standard error of ``diff``; None or 0: there is no p.
        tau: standard deviation of the true differences that are thought possible, in the unit of ``diff``; to
            be chosen before the first look. 0: there is no p.

    Source: Johari, Koomen, Pekelis, Walsh: Always Valid Inference (2022), normal mixture.
    """
    if not se or not tau:
        return None
    v, t = se * se, tau * tau
    log_ratio = 0.5 * math.log(v / (v + t)) + t * diff * diff / (2 * v * (v + t))
    return math.exp(-max(log_ratio, 0.0))


def always_valid_width(se: float | None, tau: float, alpha: float = SIGNIFICANT) -> float | None:
    """
    Half the width of the interval that belongs to it, in standard errors: p is ``alpha`` at its ends.

    Args:
        se, tau: as for ``always_valid_p_value``.
    """
    if not se or not tau:
        return None
    v, t = se * se, tau * tau
    return math.sqrt((v + t) / t * (2 * math.log(1 / alpha) + math.log((v + t) / v)))
