"""Variants of an experiment side by side. Pure: what was measured in, rows out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic_core import PydanticCustomError

from connector.report.answer import Row
from connector.report.statistics import (
    SIGNIFICANT,
    Arm,
    Comparison,
    Correction,
    adjusted,
    always_valid_p_value,
    always_valid_width,
    compare,
    detectable_lift,
    smallest_detectable_lift,
)
from connector.report.statistics.comparison import CONFIDENCE_Z

LEAST_PEOPLE = 30
"""An arm with fewer people is too small for a normal approximation."""


@dataclass(frozen=True)
class Metric:
    """What was measured in each variant."""

    name: str
    currency: str | None
    totals: Mapping[str, int | Decimal]
    """By variant; none: 0."""
    arms: Mapping[str, Arm]
    is_share: bool = False
    """Whether each person is 0 or 1."""


@dataclass(frozen=True)
class Plan:
    """What was decided before anybody looked."""

    control: str | None
    """None: nothing is compared."""
    minimum_lift: float
    """The smallest lift that is worth finding."""
    correction: Correction
    sequential: bool


def conversion_metric(name: str, exposed: Mapping[str, int], rows: Iterable[Row]) -> Metric:
    """``rows``: ``variant`` and ``total``, the people who converted."""
    people = {row["variant"]: int(row["total"]) for row in rows}
    arms = {variant: Arm.of_share(count, people.get(variant, 0)) for variant, count in exposed.items()}
    return Metric(name, None, people, arms, is_share=True)


def sessions_metric(exposed: Mapping[str, int], rows: Iterable[Row]) -> Metric:
    """``rows``: ``variant`` and ``total``, its sessions."""
    sessions = {row["variant"]: int(row["total"]) for row in rows}
    arms = {variant: Arm.of_count(count, sessions.get(variant, 0)) for variant, count in exposed.items()}
    return Metric("sessions", None, sessions, arms)


def amounts_metrics(name: str, exposed: Mapping[str, int], rows: Iterable[Row]) -> list[Metric]:
    """
    A metric per currency: ``revenue`` in Decimal, ``orders`` in whole numbers.

    Args:
        rows: ``variant``, ``currency``, and of the people with any amount the number ``people``, the sum
            ``total``, the ``mean`` and the sample ``variance``.
    """
    own = list(rows)
    found = {row["currency"] for row in own} or {None}
    currencies = sorted(found, key=lambda currency: (currency is None, currency or ""))
    return [_amounts(name, exposed, currency, own) for currency in currencies]


def _amounts(name: str, exposed: Mapping[str, int], currency: str | None, rows: Sequence[Row]) -> Metric:
    own = {row["variant"]: row for row in rows if row["currency"] == currency}
    whole = int if name == "orders" else Decimal
    totals = {variant: whole(own[variant]["total"] if variant in own else 0) for variant in exposed}
    arms = {
        variant: Arm.of_values(
            people, *((own[variant][part] for part in _MOMENTS) if variant in own else (0, 0.0, None))
        )
        for variant, people in exposed.items()
    }
    return Metric(name, currency, totals, arms)


_MOMENTS = ("people", "mean", "variance")


def shares_of(split: Iterable[str]) -> dict[str, float]:
    """
    Planned shares by variant, in the unit they are given: ``control=50`` and ``treatment=50``, or both in one
    text with a comma.

    Raises:
        PydanticCustomError: a text has another form, a share is no number, a variant is named twice.
    """
    parts = [part for text in split for part in (text.split(",") if text.count("=") > 1 else [text])]
    shares: dict[str, float] = {}
    for part in parts:
        name, _, share = part.rpartition("=")
        if not name.strip() or name.strip() in shares or not _SHARE.fullmatch(share.strip()):
            raise PydanticCustomError("split", "a share is written as control=50, once for each variant")
        shares[name.strip()] = float(share)
    return shares


_SHARE = re.compile(r"[0-9]+(\.[0-9]+)?")


def rows_of(metrics: Sequence[Metric], variants: Sequence[str], plan: Plan) -> list[Row]:
    """One row per metric and variant, in their order; p-values are corrected over all comparisons."""
    rows = [_row(metric, variant, plan) for metric in metrics for variant in variants]
    for row, p in zip(rows, adjusted([row["p"] for row in rows], plan.correction), strict=True):
        row["p_adjusted"] = p
        row["significant"] = None if p is None else p < SIGNIFICANT
    return rows


def _row(metric: Metric, variant: str, plan: Plan) -> Row:
    arm = metric.arms[variant]
    row: Row = {
        "variant": variant,
        "metric": metric.name,
        "currency": metric.currency,
        "exposed": arm.people,
        "value": metric.totals.get(variant, 0),
        "rate": arm.mean,
        **dict.fromkeys(_COMPARED),
    }
    if plan.control is None or variant == plan.control:
        return row
    control = metric.arms[plan.control]
    return {**row, **_compared(compare(control, arm), control, plan), **_power(metric, control, arm, plan)}


_COMPARED = (
    "lift", "ci_low", "ci_high", "diff_ci_low", "diff_ci_high", "z", "p", "p_adjusted", "significant",
    "n_enough", "detectable_lift",
)  # fmt: skip


def _compared(found: Comparison, control: Arm, plan: Plan) -> Row:
    tau = plan.minimum_lift * abs(control.mean)
    width = always_valid_width(found.se, tau) if plan.sequential else CONFIDENCE_Z
    lift_width = always_valid_width(found.lift_se, plan.minimum_lift) if plan.sequential else CONFIDENCE_Z
    low, high = found.lift_interval(lift_width) if lift_width else (None, None)
    diff_low, diff_high = found.diff_interval(width) if width else (None, None)
    return {
        "lift": found.lift,
        "ci_low": low,
        "ci_high": high,
        "diff_ci_low": diff_low,
        "diff_ci_high": diff_high,
        "z": found.z,
        "p": always_valid_p_value(found.diff, found.se, tau) if plan.sequential else found.p,
    }


def _power(metric: Metric, control: Arm, arm: Arm, plan: Plan) -> Row:
    if metric.is_share:
        least = smallest_detectable_lift(control.people, arm.people, control.mean)
    else:
        least = detectable_lift(control.people, arm.people, control.mean, control.variance)
    enough = min(control.people, arm.people) >= LEAST_PEOPLE
    return {
        "n_enough": enough and least is not None and least <= plan.minimum_lift,
        "detectable_lift": least,
    }
