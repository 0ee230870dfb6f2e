"""What sold and was given back: parameters, views and notes that reports of money share."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlglot import exp

from connector.report.answer import Row
from connector.report.asking import Asking
from connector.report.compose import Composition, Value, expression
from connector.report.question import Question
from connector.report.rates import rates_of

_MICROS = Decimal("0.000001")
_RATES = {"currency": "varchar", "first_day": "bigint", "end_day": "bigint", "rate": "decimal(19, 12)"}
"""19 digits, so that an amount times a rate is exact in 38 digits on every engine."""


class MoneyQuestion(Question):
    """Parameters of the reports that count revenue net of refunds."""

    refunds: Literal["cash", "cohort"] = Field(
        "cash", description="A refund counts on its own date (cash) or on that of its order (cohort)."
    )
    convert_to: str | None = Field(
        None, description="Currency to convert to, as USD, by the rates; none: each currency stands alone."
    )
    rates: tuple[str, ...] = Field(
        (),
        description="What one unit is worth in it: EUR=1.08, or from a day on, EUR@2026-01-01=1.08.",
    )

    @model_validator(mode="after")
    def _rates_fit(self) -> MoneyQuestion:
        if bool(self.rates) != bool(self.convert_to):
            raise PydanticCustomError("rates", "rates and convert-to are given together or not at all")
        if self.convert_to:
            rates_of(self.rates, self.converted_to)
        return self

    @property
    def converted_to(self) -> str:
        """The currency of converted amounts, in capitals as in the tables; empty when none are."""
        return (self.convert_to or "").strip().upper()


def money_parameters(asked: MoneyQuestion) -> dict[str, Value]:
    """Parameters of the money views."""
    booked = "time_ms" if asked.refunds == "cash" else "order_ms"
    return {"refund_booked_ms": expression(booked), "convert_to": asked.converted_to}


def define_money(composition: Composition, asked: MoneyQuestion) -> None:
    """Let ``amounts`` be sales and refunds as they are, or converted."""
    if not asked.convert_to:
        composition.define("amounts", "money")
        return
    rows = [
        (
            rate.currency,
            rate.first_day,
            rate.end_day,
            exp.cast(exp.Literal.string(str(rate.rate)), _RATES["rate"]),
        )
        for rate in rates_of(asked.rates, asked.converted_to)
    ]
    composition.define_rows("rates", _RATES, rows)
    composition.define("amounts", "converted_money")


def exact(amount: Any) -> Decimal:
    """An amount of money; nothing is 0, and a converted one is rounded to 6 places, once."""
    return Decimal(0) if amount is None else _rounded(Decimal(amount))


def _rounded(amount: Decimal) -> Decimal:
    return amount if amount.as_tuple().exponent >= -6 else amount.quantize(_MICROS)  # type: ignore[operator]


def currencies_of(rows: Iterable[Row]) -> list[str | None]:
    """Currencies in alphabetical order, an unknown one last; only the unknown one where there is no money."""
    found = {row["currency"] for row in rows}
    return sorted(found, key=lambda name: (name is None, name or "")) or [None]


def money_notes(
    asking: Asking, composition: Composition, asked: MoneyQuestion, rows: Iterable[Row]
) -> tuple[str, ...]:
    """What a reader must know; ``rows``: sums of ``booked`` that hold its counts of doubtful orders."""
    rows = list(rows)
    notes = [
        text.format(count)
        for name, text in _DOUBTS.items()
        if (count := sum(int(row[name] or 0) for row in rows))
    ]
    if asked.refunds == "cohort":
        notes.append(
            "Refunds count on the date of their order (cohort view), so a past period can still lose revenue."
        )
    if asked.convert_to:
        notes += _rate_notes(asking.rows(composition, "money_without_rate", "currency NULLS LAST"), asked)
    return tuple(notes)


_DOUBTS = {
    "unpriced_orders": "{} orders state no revenue: they count as orders and add no money.",
    "fallback_orders": "{} orders state no revenue; it comes from other amounts, as revenue_from allows.",
    "foreign_refunds": "{} refunds state another currency than their order and are taken in the order's.",
}


def _rate_notes(left_out: list[Row], asked: MoneyQuestion) -> list[str]:
    notes = [
        f"Converted to {asked.converted_to} at the rate of the local day of each sale and refund, exactly; "
        "sums are rounded to 6 places."
    ]
    notes += [
        f"Left out for want of a rate: {row['currency'] or 'no currency'}, {row['left_out']} sales and "
        "refunds."
        for row in left_out
    ]
    return notes


def unmatched_refunds(asking: Asking, composition: Composition) -> list[Row]:
    """Refunds of unknown orders in the range: ``currency``, ``refunds``, ``amount``, ``without_amount``."""
    rows = asking.rows(composition, "unmatched_refunds", "currency NULLS LAST")
    return [{**row, "refunds": int(row["refunds"]), "amount": exact(row["amount"])} for row in rows]


def unmatched_note(rows: Iterable[Row]) -> tuple[str, ...]:
    """A sentence when there are any."""
    count = sum(row["refunds"] for row in rows)
    if not count:
        return ()
    return (
        f"{count} refunds or cancellations are of unknown orders: not subtracted, see unmatched_refunds.",
    )
