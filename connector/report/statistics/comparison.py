"""Two arms of an experiment side by side: difference, lift, and how sure both are. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

SIGNIFICANT = 0.05
"""A two-sided p below this is called significant."""
CONFIDENCE_Z = 1.96
"""Half the width of a 95 % interval, in standard errors."""


@dataclass(frozen=True)
class Arm:
    """What was measured of the people of one variant: mean and variance of one value a person."""

    people: int
    mean: float
    variance: float | None
    """None: there are too few people to have one."""

    @classmethod
    def of_share(cls, people: int, with_it: int) -> Arm:
        """People who did something: each is 0 or 1, variance p(1 - p)."""
        share = with_it / people
        return cls(people, share, share * (1 - share))

    @classmethod
    def of_count(cls, people: int, total: int) -> Arm:
        """Happenings that come at a rate (Poisson): the variance is the mean."""
        return cls(people, total / people, total / people)

    @classmethod
    def of_values(cls, people: int, having: int, mean: float, variance: float | None) -> Arm:
        """
        A value a person, of which all but some are 0: sample variance over everyone.

        Args:
            people: all of them.
            having: those with a value of their own, the others count as 0.
            mean, variance: over those alone; the sample variance of one value is None.
        """
        squares = (variance or 0.0) * max(having - 1, 0)
        squares += mean * mean * having * (people - having) / people
        return cls(people, mean * having / people, squares / (people - 1) if people > 1 else None)

    @property
    def error(self) -> float | None:
        """The squared standard error of the mean."""
        return None if self.variance is None else self.variance / self.people


@dataclass(frozen=True)
class Comparison:
    """A variant against the control. What cannot be computed is None."""

    diff: float
    """Mean of the variant - mean of the control."""
    lift: float | None
    """diff / mean of the control."""
    se: float | None
    """Standard error of ``diff``."""
    lift_se: float | None
    """Standard error of ``lift``, by the delta method."""
    z: float | None
    p: float | None
    """Two-sided."""

    def diff_interval(self, width: float = CONFIDENCE_Z) -> tuple[float | None, float | None]:
        """``diff`` plus and minus ``width`` standard errors."""
        return _interval(self.diff, self.se, width)

    def lift_interval(self, width: float = CONFIDENCE_Z) -> tuple[float | None, float | None]:
        """``lift`` plus and minus ``width`` standard errors."""
        return _interval(self.lift, self.lift_se, width)


def compare(control: Arm, variant: Arm) -> Comparison:
    """
    SE = sqrt(v_c / n_c + v_v / n_v), z = diff / SE, two-sided p of the normal distribution.

    The error of the lift is that of a ratio of two means:
    sqrt(v_v / n_v / r_c^2 + r_v^2 / r_c^4 x v_c / n_c).

    Source: analytics definitions, section 7.
    """
    diff = variant.mean - control.mean
    own, base, rate = variant.error, control.error, control.mean
    if own is None or base is None:
        return Comparison(diff, diff / rate if rate else None, None, None, None, None)
    se = math.sqrt(own + base)
    lift_se = math.sqrt(own / rate**2 + variant.mean**2 / rate**4 * base) if rate else None
    z = diff / se if se else None
    return Comparison(diff, diff / rate if rate else None, se, lift_se, z, normal_p_value(z))


def normal_p_value(z: float | None) -> float | None:
    """How likely a standard normal number lies at least as far from 0, on either side."""
    return None if z is None else math.erfc(abs(z) / math.sqrt(2))


def _interval(middle: float | None, error: float | None, width: float) -> tuple[float | None, float | None]:
    if middle is None or error is None:
        return None, None
    return middle - width * error, middle + width * error
