"""``experiment``: variants of an experiment compared, per exposed person."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator
from sqlglot import exp

from connector.errors import ConfigError
from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.compose import Composition, Value, expression
from connector.report.experiments import (
    Metric,
    Plan,
    amounts_metrics,
    conversion_metric,
    rows_of,
    sessions_metric,
    shares_of,
)
from connector.report.filters import step_of
from connector.report.question import Duration, Question
from connector.report.statistics import SRM_ALARM, Correction, srm_p_value

_LONGEST_MS = 90 * 86_400_000
MetricName = Literal["conversion", "revenue", "orders", "sessions"]


class Asked(Question):
    KIND: ClassVar[str] = "experiment"
    SAYS: ClassVar[str] = (
        "People count from their first exposure (Experiment Viewed, $experiment_started) in the range, that "
        "moment included, for at most 90 days; whoever was exposed to two variants is left out and counted "
        "as crossover. Every rate is per exposed person. lift = (rate - rate of the control) / rate of the "
        "control; z and two-sided p of the difference, intervals of 95 %. Variances: p(1 - p) for "
        "conversion, of the people for revenue and orders, Poisson for sessions."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "experiment": "name of the experiment, else its id",
        "variant": "name of the variant, else its id; the control first",
        "metric": (
            "conversion: people with the event; revenue: of the orders made, in currency units; orders: "
            "their number; sessions: cut by half an hour without an event and by midnight"
        ),
        "currency": "of revenue; empty: none was stated",
        "exposed": "people exposed to this variant and to no other",
        "value": "total over them, in the unit of the metric",
        "rate": "value / exposed; with winsorize of the values that were cut",
        "lift": "relative difference to the control, 0.1 for 10 % more",
        "ci_low": "lower end of the 95 % interval of the lift, by the delta method",
        "ci_high": "upper end of it",
        "diff_ci_low": "lower end of the 95 % interval of rate - rate of the control",
        "diff_ci_high": "upper end of it",
        "z": "difference / its standard error",
        "p": "two-sided p-value; with sequential the always valid one",
        "p_adjusted": "p corrected for the number of comparisons, metrics x variants",
        "significant": "whether p_adjusted is below 0.05",
        "n_enough": "whether both have 30 people and a lift of minimum_lift would be found 4 times in 5",
        "detectable_lift": "the smallest lift that people as many as these show 4 times in 5",
        "srm_p": "chance of a split of people this far from the planned one; below 0.001 the test is broken",
    }
    SHOWN: ClassVar[tuple[str, ...]] = (
        "variant", "metric", "currency", "exposed", "value", "rate", "lift", "ci_low", "ci_high",
        "p_adjusted", "significant", "n_enough",
    )  # fmt: skip

    experiment: str | None = Field(None, description="Name of the experiment; needed when there are several.")
    control: str | None = Field(
        None, description="Name of the control variant; the one called control if none."
    )
    metric: tuple[MetricName, ...] = Field(
        ("conversion", "revenue", "orders", "sessions"),
        min_length=1,
        description="What is compared; repeatable.",
    )
    conversion_event: tuple[str, ...] = Field(
        (),
        description="What a conversion is: an event, or <event> where <condition>; repeatable. When not "
        "given Order Completed, with a category Product Purchased.",
    )
    category: str | None = Field(None, description="Conversions in this product category only.")
    revenue: Literal["gross", "net"] = Field(
        "gross", description="Revenue of the orders made, or less what was refunded of them since."
    )
    window: Duration = Field(
        _LONGEST_MS, ge=0, le=_LONGEST_MS, description="From exposure on, behaviour counts."
    )
    split: tuple[str, ...] = Field(
        (), description="Planned share of a variant, as control=50; repeatable. Equal shares when not given."
    )
    minimum_lift: float = Field(0.1, gt=0, description="The smallest lift worth finding, 0.1 for 10 % more.")
    correction: Correction = Field(
        "benjamini-hochberg", description="How p-values are corrected for the number of comparisons."
    )
    sequential: bool = Field(
        False, description="P-values and intervals that stay valid when looked at again and again (mSPRT)."
    )
    winsorize: float | None = Field(
        None, gt=0, lt=1,
        description="Cut what a person spent or ordered at this percentile of the people with any: 0.99.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _split_fits(self) -> Asked:
        shares_of(self.split)
        return self

    @property
    def conversions(self) -> tuple[str, ...]:
        """Steps of which each is a metric."""
        given = tuple(dict.fromkeys(self.conversion_event))
        return given or ("Product Purchased" if self.category is not None else "Order Completed",)


def composed(asking: Asking, asked: Asked, experiment: str | None) -> Composition:
    """The views of this report over the range and the windows after it; None: of all experiments."""
    composition = asking.composition(
        {
            "experiment": experiment,
            "window_ms": asked.window,
            "amount": expression("gross" if asked.revenue == "gross" else "gross - refunded"),
            "refund_booked_ms": expression("order_ms"),
            "winsorize": asked.winsorize,
        },
        after_ms=asked.window,
    )
    counted = "experiment_uncapped" if asked.winsorize is None else "experiment_capped"
    composition.define("counted_amounts", counted)
    return composition


def answer(asking: Asking) -> Answer:
    """
    One row per metric, currency and variant.

    Raises:
        ConfigError: there are several experiments and none was named, or there is no such control.
    """
    asked = asking.question
    assert isinstance(asked, Asked)
    sizes = asking.rows(composed(asking, asked, asked.experiment), "experiment_sizes")
    experiment = _the_experiment(asked, sizes)
    people = {row["variant"]: int(row["people"]) for row in sizes}
    crossover = people.pop(None, 0)
    control = _the_control(asked, people)
    variants = sorted(people, key=lambda name: (name != control, name))
    exposed = {name: people[name] for name in variants}
    plan = Plan(control, asked.minimum_lift, asked.correction, asked.sequential)
    srm_p = _srm_p(asked, exposed)
    complete = asking.is_over(asking.to_ms + asked.window)
    rows = rows_of(_metrics(asking, asked, experiment, exposed), variants, plan)
    return asking.answer(
        [{"experiment": experiment, **row, "srm_p": srm_p} for row in rows],
        complete=complete,
        notes=_notes(asked, crossover, srm_p, complete),
        experiment=experiment,
        control=control,
        exposed=exposed,
        crossover=crossover,
        srm_p=srm_p,
        srm_alarm=srm_p is not None and srm_p < SRM_ALARM,
    )


def _the_experiment(asked: Asked, sizes: list[Row]) -> str | None:
    names = {row["experiment"] for row in sizes}
    if len(names) > 1:
        raise ConfigError(f"experiment: there are {len(names)} in the range, so one is to be named")
    return next(iter(names), asked.experiment)


def _the_control(asked: Asked, people: dict[str, int]) -> str | None:
    """The control variant; None where nobody was exposed."""
    name = asked.control or "control"
    if people and name not in people:
        raise ConfigError("control: nobody was exposed to a variant of this name, so another is to be named")
    return name if people else None


def _srm_p(asked: Asked, exposed: dict[str, int]) -> float | None:
    planned = shares_of(asked.split) or dict.fromkeys(exposed, 1.0)
    names = list(dict.fromkeys([*planned, *exposed]))
    return srm_p_value([exposed.get(name, 0) for name in names], [planned.get(name, 0.0) for name in names])


def _metrics(asking: Asking, asked: Asked, experiment: str | None, exposed: dict[str, int]) -> list[Metric]:
    composition = composed(asking, asked, experiment)
    composition.define("experiment_measured", _measured(composition, asked))
    rows = asking.rows(composition, "experiment_measured")
    found = {name: [row for row in rows if row["metric"] == name] for name in {row["metric"] for row in rows}}
    metrics: list[Metric] = []
    for metric in dict.fromkeys(asked.metric):
        if metric == "conversion":
            names = [_name(asked, step) for step in asked.conversions]
            metrics += [conversion_metric(name, exposed, found.get(name, [])) for name in names]
        elif metric == "sessions":
            metrics.append(sessions_metric(exposed, found.get(metric, [])))
        else:
            metrics += amounts_metrics(metric, exposed, found.get(metric, []))
    return metrics


def _measured(composition: Composition, asked: Asked) -> exp.Expr:
    """One view of all that is asked for, so that the rows are read once."""
    views = []
    if "conversion" in asked.metric:
        views += [_converted(composition, asked, number) for number in range(len(asked.conversions))]
    if {"revenue", "orders"} & {*asked.metric}:
        views.append("experiment_moments")
    if "sessions" in asked.metric:
        views.append("experiment_sessions")
    columns = "metric, variant, currency, people, total, mean, variance"
    return expression(" UNION ALL ".join(f"SELECT {columns} FROM {view}" for view in views))


def _converted(composition: Composition, asked: Asked, number: int) -> str:
    step = asked.conversions[number]
    condition = step_of(step, "conversion-event").condition()
    if asked.category is not None:
        in_category = exp.EQ(this=exp.column("category"), expression=exp.Literal.string(asked.category))
        condition = exp.and_(condition, in_category)
    own: dict[str, Value] = {"converted": condition, "metric": _name(asked, step)}
    return composition.define(f"experiment_converted_{number + 1}", "experiment_converted", own)


def _name(asked: Asked, step: str) -> str:
    return "conversion" if len(asked.conversions) == 1 else f"conversion: {step}"


def _notes(asked: Asked, crossover: int, srm_p: float | None, complete: bool) -> tuple[str, ...]:
    notes = []
    if crossover:
        notes.append(f"{crossover} people were exposed to several variants and are left out.")
    if srm_p is not None and srm_p < SRM_ALARM:
        notes.append(
            "Sample ratio mismatch: people are not spread over the variants as planned, so something chose "
            "them besides chance. No figure of this test can be trusted."
        )
    if not complete and not asked.sequential:
        notes.append(
            "Behaviour is still coming in. A p-value that is looked at again and again finds differences "
            "that are none: decide at the end, or use sequential."
        )
    if asked.winsorize is not None:
        notes.append("Revenue and orders of one person are cut at a percentile; value holds them uncut.")
    return tuple(notes)
