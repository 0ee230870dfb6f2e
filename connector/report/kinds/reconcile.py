"""``reconcile``: what the lines of orders add up to, against what the orders say."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.clock import date_of
from connector.report.money import currencies_of, exact
from connector.report.question import Question

_COUNTS = ("orders", "product_rows")
_SUMS = ("item_value", "revenue", "discount")


class Asked(Question):
    KIND: ClassVar[str] = "reconcile"
    SAYS: ClassVar[str] = (
        "Per local day and currency: the sum of price x quantity over the products of orders, against the "
        "revenue that the orders state and the discount they grant. difference = item_value - revenue - "
        "discount is 0 where orders and their products agree. All rows count, once each however often they "
        "were delivered; also later orders with an order id that was seen before, beside their own products, "
        "which the revenue reports leave out."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "day": "local day",
        "currency": "of the money columns; empty: none was stated",
        "orders": "Order Completed rows",
        "product_rows": "Product Purchased rows, one per product of an order",
        "item_value": "sum of price x quantity over product rows, currency units",
        "revenue": "sum of order revenue, currency units",
        "discount": "sum of the discounts of orders, currency units",
        "difference": "item_value - revenue - discount, currency units",
    }


def answer(asking: Asking) -> Answer:
    """One row per day with orders and currency; the totals of each currency beside them."""
    found = asking.rows(asking.composition(), "reconciled", "day_number, currency NULLS LAST")
    rows = [_row(row) for row in found]
    totals = [
        {"currency": currency, **_total(row for row in rows if row["currency"] == currency)}
        for currency in (currencies_of(rows) if rows else [])
    ]
    repeated = sum(int(row["repeated_orders"]) for row in found)
    return asking.answer(rows, notes=_notes(rows, repeated), by_currency=totals, repeated_orders=repeated)


def _row(found: Row) -> Row:
    counts = {name: int(found[name]) for name in _COUNTS}
    sums = {name: exact(found[name]) for name in _SUMS}
    return {
        "day": date_of(found["day_number"]),
        "currency": found["currency"],
        **counts,
        **sums,
        "difference": sums["item_value"] - sums["revenue"] - sums["discount"],
    }


def _total(rows: Iterable[Row]) -> Row:
    rows = list(rows)
    counts = {name: sum(row[name] for row in rows) for name in _COUNTS}
    return {
        **counts,
        **{name: sum((row[name] for row in rows), Decimal(0)) for name in (*_SUMS, "difference")},
    }


def _notes(rows: list[Row], repeated: int) -> tuple[str, ...]:
    differing = sum(1 for row in rows if row["difference"])
    notes = []
    if differing:
        notes.append(
            f"{differing} of {len(rows)} rows differ: products or orders are missing, or state other amounts."
        )
    if repeated:
        notes.append(
            f"{repeated} orders repeat an order id: they are in here, and not in arpu, where the first "
            "counts."
        )
    return tuple(notes)
