"""``recipe``: the whole story: which category, who looked and did not buy, what targeting them brought."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, ClassVar

from pydantic import Field

from connector.errors import ConfigError
from connector.report.answer import Answer, Row
from connector.report.asking import Asking, MembersOf
from connector.report.kinds import kind_of
from connector.report.kinds.categories import Asked as Categories
from connector.report.question import Duration, Question, Unit

PROMOTION = "promotion"
"""Tag of the annotation that says when a promotion began."""
DROPPED = "dropped"
"""Name of the cohort of those who looked and did not buy, where no other is named."""


class Asked(Question):
    KIND: ClassVar[str] = "recipe"
    SAYS: ClassVar[str] = (
        "Four steps. 1: orders become one purchase per product. 2: the category with a low conversion from "
        "view to purchase and a high average price. 3: who viewed it and did not buy. 4: average revenue "
        "per user and conversion over time, before and after they were targeted, and against a control "
        "group. The rows are those of `categories`; the other steps are parts."
    )
    COLUMNS: ClassVar[dict[str, str]] = Categories.COLUMNS
    SHOWN: ClassVar[tuple[str, ...]] = Categories.SHOWN

    category: str | None = Field(None, description="Which category; the highest opportunity when not given.")
    window: Duration = Field(
        604_800_000, ge=0, le=366 * 86_400_000, description="From first view to purchase."
    )
    promotion: date | None = Field(
        None,
        description="First local day of the promotion; without it the first annotation tagged promotion. "
        "Steps 1 to 3 end the day before unless --to says otherwise.",
    )
    days: int = Field(28, ge=1, le=366, description="Days before and after the promotion's start to compare.")
    cohort: str | None = Field(
        None,
        description="Cohort that was targeted; without it those who dropped off, as they are computed now.",
    )
    experiment: str | None = Field(None, description="Name of the experiment, where there are several.")
    unit: Unit = Field("week", description="Points of the charts over time.")
    with_contacts: bool = Field(False, description="Show e-mail addresses and telephone numbers.")


def answer(asking: Asking) -> Answer:
    """
    The rows of ``categories``; ``totals``: what was chosen; ``parts``: the other steps.

    Raises:
        ConfigError: no category was viewed in the range, or not the one that is asked for.
    """
    asked = asking.question
    assert isinstance(asked, Asked)
    promotion = asked.promotion or _promoted(asking)
    early = _earlier(asked, promotion)
    categories = asking.ask(_as(asked, "categories", **early, window=asked.window))
    chosen = _chosen(asking, asked, categories)
    category, currency = chosen["category"], chosen["currency"]
    dropped = asking.ask(
        _as(
            asked,
            "dropped",
            **early,
            window=asked.window,
            category=category,
            with_contacts=asked.with_contacts,
        )
    )
    cohort, members_of = _cohort(asking, asked, dropped)
    parts = {
        "reconcile": asking.ask(_as(asked, "reconcile", **early)),
        "readings": asking.ask(
            _as(asked, "readings", **early, window=asked.window, category=category, currency=currency)
        ),
        "dropped": dropped,
        "arpu": asking.ask(_as(asked, "arpu", unit=asked.unit, cohort=[cohort]), members_of),
        "conversion": asking.ask(
            _as(
                asked,
                "conversion",
                unit=asked.unit,
                cohort=[cohort],
                category=[category],
                window=asked.window,
            ),
            members_of,
        ),
    }
    if promotion is not None:
        before_after = _as(
            asked, "before-after", start=promotion, days=asked.days, cohort=cohort, category=[category],
            window=asked.window,
        )  # fmt: skip
        parts["before-after"] = asking.ask(before_after, members_of)
    if (experiment := _experiment(asking, asked, category)) is not None:
        parts["experiment"] = experiment
    return asking.other(_as(asked, "recipe", **early)).answer(
        list(categories.rows),
        complete=categories.complete,
        notes=(*categories.notes, *_missing(promotion, parts)),
        parts=parts,
        category=category,
        currency=currency,
        promotion=promotion,
        cohort=cohort,
        cohort_size=len(members_of(cohort)),
    )


def _as(asked: Asked, kind: str, **parameters: Any) -> Question:
    """A question of another kind with the same zone, source and moment."""
    common = asked.model_dump(by_alias=True, include={"timezone", "source", "as_of"})
    given = {name: value for name, value in {**common, **parameters}.items() if value is not None}
    return kind_of(kind).question.model_validate(given)


def _earlier(asked: Asked, promotion: date | None) -> dict[str, Any]:
    """The range of the first steps: what is asked for, and nothing of the promotion unless it is."""
    end = asked.to_day
    if end is None and promotion is not None:
        end = promotion - timedelta(days=1)
    return {"from": asked.from_day, "to": end}


def _promoted(asking: Asking) -> date | None:
    return min((mark.day for mark in asking.marks if PROMOTION in mark.tags), default=None)


def _chosen(asking: Asking, asked: Asked, categories: Answer) -> Row:
    """The row of the category that is asked for, else of the highest opportunity."""
    if not asking.desk.runs:
        return {"category": asked.category or "", "currency": None}
    rows = [row for row in categories.rows if row["viewers"]]
    if asked.category is not None:
        rows = [row for row in rows if row["category"] == asked.category]
        if not rows:
            raise ConfigError("--category: nobody viewed a product of this category in the range")
    if not rows:
        raise ConfigError("report recipe: nobody viewed a product of any category in the range")
    return max(rows, key=lambda row: (row["opportunity"] or 0.0, row["purchases"], row["viewers"]))


def _cohort(asking: Asking, asked: Asked, dropped: Answer) -> tuple[str, MembersOf]:
    """The cohort of step 4: the one that is named, else the dropped."""
    if asked.cohort is not None:
        return asked.cohort, asking.members_of
    people = [row["uid"] for row in dropped.rows]

    def members_of(name: str) -> Collection[str]:
        return people if name == DROPPED else asking.members_of(name)

    return DROPPED, members_of


def _experiment(asking: Asking, asked: Asked, category: str) -> Answer | None:
    """Step 4.4, where people were exposed; None where nobody was, and none was asked for."""
    question = _as(asked, "experiment", experiment=asked.experiment, category=category)
    try:
        found = asking.ask(question)
    except ConfigError:
        if asked.experiment is not None:
            raise
        return None
    return found if found.rows else None


def _missing(promotion: date | None, parts: dict[str, Answer]) -> list[str]:
    notes = []
    if promotion is None:
        notes.append(
            "No promotion is known, so nothing is compared before and after: --promotion DAY, or an "
            "annotation with the tag promotion."
        )
    if "experiment" not in parts:
        notes.append(
            "Nobody was exposed to an experiment: cohort export --holdout keeps a control group back."
        )
    return notes
