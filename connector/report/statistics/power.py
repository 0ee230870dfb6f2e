"""How small a lift an experiment of a given size can show. Pure."""

from __future__ import annotations

import math
from statistics import NormalDist


def smallest_detectable_lift(
    n_control: int, n_treatment: int, baseline: float, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """
    The smallest relative rise of a conversion rate that a test of this size finds with the given power.

    Solves p - b = (z_alpha/2 + z_power) x sqrt(b(1 - b) / n_control + p(1 - p) / n_treatment), the test
    being the two-sided one of ``compare``.

    Args:
        n_control, n_treatment: people in either arm.
        baseline: conversion without treatment, 0 to 1.
        alpha: limit of the two-sided p.
        power: how likely the rise is found.

    Returns:
        p / baseline - 1; None where no rise can be found: an empty arm, a baseline of 0 or 1, too few people.
    """
    if n_control < 1 or n_treatment < 1 or not 0 < baseline < 1:
        return None
    factor = _factor(alpha, power) ** 2
    square = 1 + factor / n_treatment
    linear = 2 * baseline + factor / n_treatment
    rest = baseline**2 - factor * baseline * (1 - baseline) / n_control
    treated = (linear + math.sqrt(max(linear**2 - 4 * square * rest, 0.0))) / (2 * square)
    return treated / baseline - 1 if treated <= 1 else None


def detectable_lift(
    n_control: int,
    n_treatment: int,
    mean: float,
    variance: float | None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float | None:
    """
    The same for a value a person, whose variance is taken to be the control's in both arms.

    Args:
        mean, variance: of the control, in the unit of the value and its square.

    Returns:
        (z_alpha/2 + z_power) x sqrt(variance / n_control + variance / n_treatment) / mean; None where it has
        none.
    """
    if n_control < 1 or n_treatment < 1 or not mean or not variance:
        return None
    return _factor(alpha, power) * math.sqrt(variance / n_control + variance / n_treatment) / abs(mean)


def _factor(alpha: float, power: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
