"""``arpu``: revenue, refunds and what a person brings, by period and cohort."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.clock import date_of
from connector.report.compose import Composition
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
from connector.report.periods import Cut, is_complete, period_of, starts_of
from connector.report.series import Series
from connector.report.statistics import ratio


class Asked(MoneyQuestion):
    KIND: ClassVar[str] = "arpu"
    SAYS: ClassVar[str] = (
        "ARPU = net revenue / active users, where a person is active who has any event in the period. ARPPU "
        "= net revenue / buyers, AOV = gross revenue / orders. An order is the earliest Order Completed of "
        "its source and order id; what is refunded never exceeds it. Every period is computed from its own "
        "rows: a longer one is not the mean of shorter ones, because people count once in each."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "period": "first local day of the day, week or month, or of the range",
        "cohort": "name of the cohort; all: everybody",
        "currency": "of the money columns; empty: none was stated, or nothing was sold",
        "gross": "sum of order revenue, currency units",
        "refunds": "what was refunded or cancelled, currency units",
        "net": "gross - refunds, currency units",
        "orders": "number of orders",
        "buyers": "distinct people with an order",
        "active_users": "distinct people with any event, whatever the currency",
        "aov": "gross / orders, currency units",
        "arpu": "net / active_users, currency units per person",
        "arppu": "net / buyers, currency units per person",
        "converted_to": "only with rates: the currency that all amounts were converted to",
        "complete": "whether the whole period lies in the range and was over",
    }
    SHOWN: ClassVar[tuple[str, ...]] = (
        "period", "cohort", "currency", "gross", "refunds", "net", "buyers", "active_users", "arpu", "arppu",
    )  # fmt: skip

    unit: Cut = Field("week", description="Length of a period; range: all of it as one.")
    cohort: tuple[str, ...] = Field(
        (), description="Name of a cohort that gets a line of its own; repeatable."
    )


def composed(asking: Asking, asked: Asked) -> Composition:
    """The views of this report over the range of a question."""
    parameters = {**money_parameters(asked), "period": period_of(asking, asked.unit)}
    composition = asking.composition(parameters)
    define_money(composition, asked)
    return composition


def answer(asking: Asking) -> Answer:
    """One row per period, series and currency, also where nothing happened."""
    asked = asking.question
    assert isinstance(asked, Asked)
    composition, series = composed(asking, asked), Series(asking, asked.cohort)
    money = series.rows(composition, "arpu_money", of="booked")
    people = series.rows(composition, "arpu_people", of="active_people")
    unmatched = unmatched_refunds(asking, composition)
    everybody = [row for row in money if row["cohort"] == series.names[0]]
    notes = money_notes(asking, composition, asked, everybody) + unmatched_note(unmatched)
    return asking.answer(
        _rows(asking, asked, series, money, people), notes=notes, unmatched_refunds=unmatched
    )


def _rows(asking: Asking, asked: Asked, series: Series, money: list[Row], people: list[Row]) -> list[Row]:
    sums = {(row["period"], row["cohort"], row["currency"]): row for row in money}
    active = {(row["period"], row["cohort"]): int(row["active_users"]) for row in people}
    currencies = [asked.converted_to] if asked.convert_to else currencies_of(money)
    return [
        _row(asking, asked, (start, cohort, currency), sums, active.get((start, cohort), 0))
        for start in starts_of(asking, asked.unit)
        for cohort in series.names
        for currency in currencies
    ]


_Key = tuple[int, str, str | None]


def _row(asking: Asking, asked: Asked, key: _Key, sums: dict[_Key, Row], active_users: int) -> Row:
    start, cohort, currency = key
    found = sums.get(key, {})
    gross, refunds = exact(found.get("gross")), exact(found.get("refunds"))
    orders, buyers = int(found.get("orders", 0)), int(found.get("buyers", 0))
    return {
        "period": date_of(start),
        "cohort": cohort,
        "currency": currency,
        "gross": gross,
        "refunds": refunds,
        "net": gross - refunds,
        "orders": orders,
        "buyers": buyers,
        "active_users": active_users,
        "aov": ratio(float(gross), orders),
        "arpu": ratio(float(gross - refunds), active_users),
        "arppu": ratio(float(gross - refunds), buyers),
        **({"converted_to": asked.converted_to} if asked.convert_to else {}),
        "complete": is_complete(asking, start, asked.unit),
    }
