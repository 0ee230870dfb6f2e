"""``funnel``: how many get from a first step to a last one, and how long it takes them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.clock import date_of
from connector.report.compose import Composition
from connector.report.funnels import figures
from connector.report.funnels.counting import define_attempts
from connector.report.funnels.plan import (
    Counting,
    Order,
    Plan,
    attribution_of,
    blocks_of,
    exclusions_of,
    property_of,
    steps_of,
    values_of,
)
from connector.report.funnels.rows import GRACE_MS, define_rows
from connector.report.funnels.usual import define_usual, is_usual
from connector.report.periods import is_complete, period_of, starts_of
from connector.report.question import Duration, Question, Unit


class Asked(Question):
    KIND: ClassVar[str] = "funnel"
    SAYS: ClassVar[str] = (
        "An attempt begins with a first step in the range. Each further step is the earliest unused "
        "row of its event from 2 seconds before the steps matched so far; the last lies at most the "
        "window after the entry, and a repeated first step does not start the window again. Uniques "
        "follow a person's first entry only; reentry follows every entry and counts the attempt that "
        "came furthest; totals begin a new attempt where the one before has ended; sessions follow "
        "the first entry of each session."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "period": "first local day of the day, week or month of the entry; only with trend or split",
        "segment": "value of the breakdown; empty: none, or no breakdown",
        "step": "number of the step, from 1",
        "event": "event of the step; in any order the events that can stand at this place",
        "count": "attempts that reached the step",
        "step_conversion": "count / count of the step before, 0 to 1",
        "overall_conversion": "count / count of step 1, 0 to 1",
        "dropped": "attempts that reached the step before and not this one",
        "p_value": "chance of a conversion this far from all segments'; on the last step, from 30 entries",
        "ttc_mean": "time to convert: mean over converted attempts, ms; on the last step",
        "ttc_median": "its median, ms",
        "ttc_p25": "its 25th percentile, ms",
        "ttc_p75": "its 75th percentile, ms",
        "ttc_p90": "its 90th percentile, ms",
        "complete": "whether the time of the entries and the window after it were over",
    }

    step: tuple[str, ...] = Field(
        min_length=2,
        max_length=20,
        description="An event, or <event> where <condition>; two or more, in order.",
    )
    window: Duration = Field(
        604_800_000,
        ge=0,
        le=366 * 86_400_000,
        description="From the entry to the last step, its end included.",
    )
    order: Order = Field("specific", description="One step after the other, or any sequence.")
    anchored: tuple[int, ...] = Field((), description="In any order: number of a step that keeps its place.")
    counting: Counting = Field("uniques", description="Which attempts of a person count.")
    hold: tuple[str, ...] = Field(
        (), max_length=3, description="A property that is the same on every step; repeatable, at most 3."
    )
    exclude: tuple[str, ...] = Field(
        (),
        description="What ends an attempt: an event between any two steps, or 1-2: <event> in that gap only.",
    )
    breakdown: str | None = Field(None, description="A property whose values are the segments.")
    attribution: str = Field(
        "first", description="Whose value an attempt has: the first or last that is there, or that of step 2."
    )
    where: str | None = Field(None, description="Condition on attempts, over the values they have.")
    trend: Unit | None = Field(None, description="A separate funnel for every day, week or month.")
    split: Unit | None = Field(None, description="One funnel, its attempts by day, week or month of entry.")
    cohort: str | None = Field(None, description="Only the people of this cohort.")

    @model_validator(mode="after")
    def _one_cut(self) -> Asked:
        if self.trend and self.split:
            raise PydanticCustomError("cut", "trend and split do not go together: choose one")
        return self


def plan_of(asking: Asking, asked: Asked) -> Plan:
    """
    What is asked, read and checked.

    Raises:
        ConfigError: an option cannot be read; the message names it and the rule.
    """
    steps = steps_of(asked.step)
    values, kept = values_of(asked.breakdown, asked.where)
    members = None if asked.cohort is None else frozenset(asking.members_of(asked.cohort))
    return Plan(
        steps=steps,
        window_ms=asked.window,
        ordered=asked.order == "specific",
        blocks=blocks_of(len(steps), asked.order, asked.anchored),
        counting=asked.counting,
        hold=tuple(property_of(text, "hold") for text in dict.fromkeys(asked.hold)),
        exclusions=exclusions_of(asked.exclude, len(steps), asked.order),
        values=tuple(values),
        attribution=attribution_of(asked.attribution, len(steps)),
        broken_down=asked.breakdown is not None,
        kept=kept,
        trend=asked.trend,
        split=asked.split,
        members=members,
    )


def attempts(asking: Asking, asked: Asked) -> tuple[Composition, str]:
    """
    The attempts that the report counts, one row each.

    Returns:
        The views, and the name of the one with ``uid``, ``segment``, ``period`` (a day number; null without
        trend or split), ``entry_ms``, ``reached`` (steps), ``last_ms`` (the latest matched row) and
        ``convert_ms`` (null unless it reached the last step).
    """
    return _composed(asking, asked, plan_of(asking, asked))


def _composed(asking: Asking, asked: Asked, plan: Plan) -> tuple[Composition, str]:
    composition = asking.composition(before_ms=GRACE_MS, after_ms=asked.window)
    cut = asked.trend or asked.split
    period = None if cut is None else period_of(asking, cut)
    if is_usual(plan):
        return composition, define_usual(composition, plan, period)
    define_rows(composition, plan, period)
    return composition, define_attempts(composition, plan, period)


def answer(asking: Asking) -> Answer:
    """A row per period, segment and step; without a breakdown also where nobody entered."""
    asked = asking.question
    assert isinstance(asked, Asked)
    plan = plan_of(asking, asked)
    composition, _ = _composed(asking, asked, plan)
    found = asking.rows(composition, "funnel_counts")
    counts = figures.reached_counts(found, len(plan.steps))
    times = {(row["period"], row["segment"]): row for row in found if row["reached"] == len(plan.steps)}
    if not plan.broken_down:
        for start in _period_starts(asking, asked):
            counts.setdefault((start, None), [0] * len(plan.steps))
    chances = figures.p_values(counts) if plan.broken_down else {}
    rows: list[Row] = []
    for one in figures.in_order(counts):
        before, behind = _placed(asking, asked, one[0])
        steps = figures.step_rows(_names(plan), one, counts[one], times.get(one, {}), chances.get(one))
        rows += [{**before, **row, **behind} for row in steps]
    return asking.answer(rows, complete=asking.is_over(asking.to_ms + asked.window))


def _period_starts(asking: Asking, asked: Asked) -> list[int | None]:
    cut = asked.trend or asked.split
    return [None] if cut is None else [*starts_of(asking, cut)]


def _placed(asking: Asking, asked: Asked, start: int | None) -> tuple[Row, Row]:
    """What stands before and behind the figures of a period."""
    cut = asked.trend or asked.split
    if cut is None or start is None:
        return {}, {"complete": asking.is_over(asking.to_ms + asked.window)}
    return {"period": date_of(start)}, {"complete": is_complete(asking, start, cut, asked.window)}


def _names(plan: Plan) -> list[str]:
    """What stands at each place: an event, or those of which each can."""
    blocks = ((block, [plan.steps[number - 1].event for number in block]) for block in plan.blocks)
    return [" or ".join(dict.fromkeys(events)) for block, events in blocks for _ in block]
