"""``retention``: who comes back after a first event."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlglot import exp

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.clock import DAY_MS, date_of
from connector.report.compose import Composition, expression
from connector.report.periods import period_of
from connector.report.question import Question
from connector.report.retained import Bracket, Bucket, Counting, averages, brackets_of, buckets_of
from connector.report.retained_amounts import amounts_of, value_averages, with_values
from connector.report.spans import Span, SpanMode, SpanUnit
from connector.report.statistics import ratio
from connector.report.wanted import rows_wanted

_FOREVER_MS = 4_102_444_800_000
"""2100-01-01, after which no row lies."""
_LONGEST_DAYS = 366
_UNIT_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30.5}


class Asked(Question):
    KIND: ClassVar[str] = "retention"
    SAYS: ClassVar[str] = (
        "A person is in the bucket of every local day, week or month in which the birth event happened, "
        "once, born at the first of it. Returns are return events strictly after birth. A cell is complete "
        "when k + 1 units have passed since the end of its bucket; the averages leave out cells that are not."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "bucket": "first local day of the day, week or month of birth",
        "size": "people born in it",
        "k": "units after birth; of a bracket the first",
        "k_last": "the last unit of the bracket, included; without brackets k",
        "retained": "people who came back at k, as the counting says",
        "rate": "retained / size, 0 to 1",
        "complete": "whether k_last + 1 units had passed since the end of the bucket",
        "currency": "only with sum-of: of amounts, one row each; empty: none was stated, or no amount",
        "value": "only with sum-of: its sum over the return events from birth to k_last, in its unit",
        "value_per_person": "only with sum-of: value / size",
    }
    SHOWN: ClassVar[tuple[str, ...]] = ("bucket", "size", "k", "retained", "rate", "complete")

    birth_event: str | None = Field(
        None, description="What begins: an event, or <event> where <condition>; any event when not given."
    )
    return_event: str | None = Field(
        None,
        description="What counts as coming back: an event, or <event> where <condition>; any if not given.",
    )
    unit: SpanUnit = Field("day", description="What k counts; hours are counted in buckets of a day.")
    intervals: int = Field(
        8, ge=1, le=8_784, description="How many units, from k = 0; at most 366 days of them."
    )
    mode: SpanMode = Field(
        "rolling", description="Elapsed units of 1 h, 24 h, 7 d or 30 d since birth, or local calendar units."
    )
    counting: Counting | None = Field(
        None,
        description=(
            "Which returns count at k: one at k or after (on-or-after, the default), at k (on, the default "
            "with brackets), at k or before (on-or-before), or one in each unit from 0 to k (streak)."
        ),
    )
    brackets: tuple[int, ...] = Field(
        (),
        description="Sizes in units, not intervals; repeatable: 1, 3, 4, 7 are [0,1) [1,4) [4,8) [8,15).",
    )
    sum_of: str | None = Field(
        None,
        description="Numeric column to add up over returns at k or before, as order_revenue (LTV, ARPU).",
    )

    @model_validator(mode="after")
    def _fits(self) -> Asked:
        if any(size < 1 for size in self.brackets):
            raise PydanticCustomError("brackets", "a bracket has a size of 1 or more")
        if sum(self.sizes) * _UNIT_DAYS[self.unit] > _LONGEST_DAYS:
            raise PydanticCustomError("intervals", "units reach 366 days after birth at most")
        if self.sum_of is not None and self.counting not in (None, "on-or-before"):
            raise PydanticCustomError("sum_of", "sum-of adds up with the counting on-or-before")
        return self

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the brackets; a single unit each where none were asked."""
        return self.brackets or (1,) * self.intervals

    @property
    def counts(self) -> Counting:
        """The counting, where none was given the one that goes with the rest."""
        if self.counting is not None:
            return self.counting
        if self.sum_of is not None:
            return "on-or-before"
        return "on" if self.brackets else "on-or-after"


def composed(asking: Asking, asked: Asked) -> Composition:
    """The views of this report over the range of a question and what comes after it."""
    span, last_unit = Span(asked.unit, asked.mode), sum(asked.sizes) - 1
    within_ms = (last_unit + 1) * span.longest_ms + DAY_MS
    return asking.composition(
        {
            "birth": rows_wanted(asked.birth_event, "birth-event"),
            "back": rows_wanted(asked.return_event, "return-event"),
            "bucket": period_of(asking, span.bucket_unit),
            "point": span.point(),
            "now_point": span.point_of(asking.as_of_ms, asking.clock),
            "width": span.width,
            "last_unit": last_unit,
            "bracket": _bracket(asked),
        },
        after_ms=_FOREVER_MS - asking.to_ms if asked.counts == "on-or-after" else within_ms,
    )


def _bracket(asked: Asked) -> exp.Expr:
    """SQL: the number of the bracket that holds ``units``; -1 for -1."""
    if not asked.brackets:
        return exp.column("units")
    ends = enumerate(accumulate(asked.brackets))
    whens = " ".join(f"WHEN units < {end} THEN {at}" for at, end in ends)
    return expression(f"CASE WHEN units < 0 THEN -1 {whens} END")


def answer(asking: Asking) -> Answer:
    """One row per bucket with people and k, with sum-of also per currency; ``averages`` beside."""
    asked = asking.question
    assert isinstance(asked, Asked)
    composition, brackets = composed(asking, asked), brackets_of(asked.sizes)
    rule = f"retention_{asked.counts.replace('-', '_')}"
    composition.define("retention_counts", "retention_counts", tables={"returned": rule})
    counts = asking.rows(composition, "retention_counts")
    buckets = buckets_of(asked.counts, len(brackets), counts)
    complete = [[_is_complete(asking, asked, own, bracket) for bracket in brackets] for own in buckets]
    rows = [
        _row(own, at, bracket, known[at])
        for own, known in zip(buckets, complete, strict=True)
        for at, bracket in enumerate(brackets)
    ]
    extra: dict[str, Any] = {"averages": averages(buckets, brackets, complete)}
    if asked.sum_of is not None:
        amounts = amounts_of(asking, composition, asked.sum_of)
        rows = with_values(rows, amounts, len(brackets))
        extra["value_averages"] = value_averages(rows)
    over = all(known[-1] for known in complete)
    return asking.answer(rows, complete=asking.is_over(asking.to_ms) and over, **extra)


def _is_complete(asking: Asking, asked: Asked, bucket: Bucket, bracket: Bracket) -> bool:
    span = Span(asked.unit, asked.mode)
    return asking.is_over(span.end_ms(bucket.start, bracket.last + 1, asking.clock))


def _row(bucket: Bucket, at: int, bracket: Bracket, complete: bool) -> Row:
    return {
        "bucket": date_of(bucket.start),
        "size": bucket.size,
        "k": bracket.first,
        "k_last": bracket.last,
        "retained": bucket.retained[at],
        "rate": ratio(bucket.retained[at], bucket.size),
        "complete": complete,
    }
