"""``before-after``: the same people in equally long times before and after a promotion began."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.clock import date_of, number_of
from connector.report.compose import Composition, expression
from connector.report.held_funnel import GRACE_MS, FunnelQuestion, funnel_parameters
from connector.report.money import (
    MoneyQuestion,
    currencies_of,
    define_money,
    exact,
    money_notes,
    money_parameters,
    unmatched_note,
    unmatched_refunds,
)
from connector.report.paired import Change, Group, alike, paired_change


class Asked(FunnelQuestion, MoneyQuestion):
    KIND: ClassVar[str] = "before-after"
    SAYS: ClassVar[str] = (
        "The same people in the days before a promotion began and in as many days from then on: the members "
        "of a cohort, or everybody with an event before. A purchase within the window after a view counts "
        "with the view, also when it lies after the last day. Intervals are those of the paired difference, "
        "person by person (95 %)."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "metric": (
            "viewers: people with a view; conversion: viewers who bought in time in a category they viewed / "
            "viewers; buyers_share: people with an order / people; orders_per_person: orders / people; "
            "revenue_per_person: net revenue / people; arpu: net revenue / people active in those days"
        ),
        "currency": "of revenue_per_person and arpu",
        "before": "in the days before: people, a ratio from 0 to 1, orders or currency units per person",
        "after": "in as many days from the start on",
        "change": "after - before",
        "ci_low": "lower end of the 95 % interval of the change",
        "ci_high": "upper end of it",
        "converted_to": "only with rates: the currency that all amounts were converted to",
    }

    start: date = Field(description="First local day of the promotion.")
    days: int = Field(28, ge=1, le=366, description="How many days before, and as many after.")
    cohort: str | None = Field(
        None, description="Name of the cohort that is compared; without one: all who were active before."
    )

    @model_validator(mode="after")
    def _range_is_set(self) -> Asked:
        if self.from_day or self.to_day:
            raise PydanticCustomError(
                "range", "the range follows from start and days; from and to are not given"
            )
        return self


def composed(asking: Asking, asked: Asked) -> Composition:
    """The views of this report; ``asking``: over both times. Period 0 is before, period 1 after."""
    side = expression(f"CASE WHEN day_number < {number_of(asked.start)} THEN 0 ELSE 1 END")
    parameters = {**funnel_parameters(asked), **money_parameters(asked), "period": side}
    composition = asking.composition(parameters, before_ms=GRACE_MS, after_ms=asked.window)
    define_money(composition, asked)
    composition.define("booked_orders", "booked", tables={"amounts": "money"})
    if asked.cohort is not None:
        members = sorted(set(asking.members_of(asked.cohort)))
        composition.define_rows("compared_people", {"uid": "varchar"}, [(uid,) for uid in members])
    return composition


def answer(asking: Asking) -> Answer:
    """One row per metric, and per currency where it is money."""
    asked = asking.question
    assert isinstance(asked, Asked)
    both = _over_both(asking, asked)
    composition = composed(both, asked)
    counts = both.rows(composition, "compared_counts")
    money = both.rows(composition, "compared_money")
    unmatched = unmatched_refunds(both, composition)
    notes = (
        *_WARNINGS[asked.cohort is None],
        *_coverage(asking, both),
        *money_notes(both, composition, asked, money),
        *unmatched_note(unmatched),
    )
    first, last = date_of(both.first), date_of(both.last)
    return both.answer(
        [_row(asked, *metric) for metric in _metrics(asked, counts, money)],
        complete=both.is_over(both.to_ms + asked.window),
        notes=notes,
        people=sum(row["people"] for row in counts),
        before={"from": first, "to": asked.start - timedelta(days=1)},
        after={"from": asked.start, "to": last},
        unmatched_refunds=unmatched,
    )


_REGRESSION = (
    "Regression to the mean: people who were chosen for what they did before, as those who dropped off were "
    "for not buying, come nearer to the average by themselves. Without a control group this change "
    "overstates the promotion; report experiment compares with one."
)
_WARNINGS = {
    False: (_REGRESSION,),
    True: (
        _REGRESSION,
        "Everybody here was active before and not all are after: figures per person fall by that alone.",
    ),
}


def _over_both(asking: Asking, asked: Asked) -> Asking:
    """The same question over both times."""
    length = timedelta(days=asked.days)
    range_ = {"from_day": asked.start - length, "to_day": asked.start + length - timedelta(days=1)}
    return asking.other(asked.model_copy(update=range_))


def _coverage(asking: Asking, both: Asking) -> Iterator[str]:
    first_ms = asking.extent["first_ms"]
    if first_ms is not None and both.clock.day_of(first_ms) > both.first:
        day = date_of(both.clock.day_of(first_ms))
        yield f"Data begin on {day}, after the first day of the time before: the two are not equally long."


_Metric = tuple[str, str | None, Change]


def _metrics(asked: Asked, counts: list[Row], money: list[Row]) -> Iterator[_Metric]:
    people = sum(row["people"] for row in counts)
    yield "viewers", None, _whole(paired_change(_counted(counts, "viewed"), scale=people))
    yield "conversion", None, paired_change(_counted(counts, "converted", per="viewed"))
    yield "buyers_share", None, paired_change(_counted(counts, "orders", most=1))
    yield "orders_per_person", None, paired_change(_counted(counts, "orders"))
    currencies = [asked.converted_to] if asked.convert_to else currencies_of(money)
    for currency in currencies:
        own = [row for row in money if row["currency"] == currency]
        yield "revenue_per_person", currency, paired_change(_paid(counts, own, per_active=False))
        yield "arpu", currency, paired_change(_paid(counts, own, per_active=True))


def _counted(
    counts: list[Row], value: str, *, per: str | None = None, most: int | None = None
) -> list[Group]:
    """Groups of a count; ``per``: the flag that divides it, else all; ``most``: of one person."""

    def side(row: Row, when: str) -> tuple[int, int]:
        amount = int(row[f"{value}_{when}"])
        return amount if most is None else min(amount, most), int(row[f"{per}_{when}"]) if per else 1

    return [alike(row["people"], side(row, "before"), side(row, "after")) for row in counts]


def _paid(counts: list[Row], money: list[Row], *, per_active: bool) -> list[Group]:
    """Groups of net revenue by who was active when; those without money are in them with 0."""
    people: dict[tuple[int, int], int] = defaultdict(int)
    for row in counts:
        people[row["active_before"], row["active_after"]] += row["people"]
    sums = {(row["active_before"], row["active_after"]): row for row in money}
    return [
        _group(number, *(flags if per_active else (1, 1)), sums.get(flags, {}))
        for flags, number in people.items()
    ]


def _group(people: int, per_before: int, per_after: int, sums: Row) -> Group:
    squares = (float(sums.get(name) or 0) for name in ("before_squared", "after_squared", "product"))
    before = exact(sums.get("gross_before")) - exact(sums.get("refunds_before"))
    after = exact(sums.get("gross_after")) - exact(sums.get("refunds_after"))
    return Group(people, per_before, per_after, before, after, *squares)


def _whole(change: Change) -> Change:
    """A change of people: its figures are whole, its interval is not."""
    before, after = round(change.before or 0), round(change.after or 0)
    return Change(before, after, after - before, change.ci_low, change.ci_high)


def _row(asked: Asked, metric: str, currency: str | None, change: Change) -> Row:
    converted = {"converted_to": asked.converted_to if currency else None} if asked.convert_to else {}
    return {"metric": metric, "currency": currency, **change._asdict(), **converted}
