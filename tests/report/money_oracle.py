"""Sales, refunds and held conversions in plain Python: nothing here knows SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.report.oracle import Row, local_day

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Booked:
    """A sale or a refund: whose, when it happened, when it counts, and how much."""

    uid: str | None
    currency: str | None
    happened_ms: int
    booked_ms: int
    gross: Decimal = NOTHING
    refunded: Decimal = NOTHING
    is_order: bool = False


def sales(rows: Iterable[Row]) -> list[Row]:
    """The earliest Order Completed of every order of a source; without an order id each is an order."""
    first: dict[tuple[str, str], Row] = {}
    completed = (row for row in rows if row["event"] == "Order Completed" and row.get("line_index") is None)
    for row in sorted(completed, key=lambda one: (one["time_ms"], one["row_id"])):
        order_id = row.get("order_id")
        first.setdefault((row["source"], row["row_id"] if order_id is None else order_id), row)
    return list(first.values())


def claims(rows: Iterable[Row]) -> list[Row]:
    """Everything that gives money back, in its order."""
    back = [row for row in rows if row["event"] in ("Order Refunded", "Order Cancelled")]
    return sorted(back, key=lambda one: (one["time_ms"], one["row_id"]))


def money(rows: Sequence[Row], refunds: str = "cash") -> tuple[list[Booked], list[Row]]:
    """Sales and refunds, each refund paid out of the rest of its order; and the refunds of unknown orders."""
    sold = sales(rows)
    orders = {(row["source"], row["order_id"]): row for row in sold if row.get("order_id") is not None}
    left = {key: row.get("order_revenue") or NOTHING for key, row in orders.items()}
    found = [
        Booked(row["uid"], row.get("currency"), row["time_ms"], row["time_ms"], gross, is_order=True)
        for row in sold
        for gross in [row.get("order_revenue") or NOTHING]
    ]
    unmatched = []
    for claim in claims(rows):
        key = (claim["source"], claim.get("order_id"))
        if key not in orders:
            unmatched.append(claim)
            continue
        order, stated = orders[key], claim.get("refund_amount")
        everything = claim["event"] == "Order Cancelled" or stated is None
        taken = left[key] if everything else min(stated, left[key])
        left[key] -= taken
        booked_ms = claim["time_ms"] if refunds == "cash" else order["time_ms"]
        found.append(Booked(order["uid"], order.get("currency"), claim["time_ms"], booked_ms, refunded=taken))
    return found, unmatched


def period(row_or_ms: Row | int, zone: str, unit: str, whole: date) -> date:
    """The first day of the period that a moment lies in."""
    day = local_day(row_or_ms, zone)
    if unit == "range":
        return whole
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def held(rows: Sequence[Row], views: Iterable[Row], window_ms: int) -> dict[tuple[str, str], bool]:
    """(uid, category) -> whether the first of ``views`` is followed in time by a purchase in ``rows``."""
    entries: dict[tuple[str, str], int] = {}
    for view in views:
        if view["uid"] and view["event"] == "Product Viewed" and view.get("category") is not None:
            key = (view["uid"], view["category"])
            entries[key] = min(view["time_ms"], entries.get(key, view["time_ms"]))
    return {
        key: any(
            entry - 2_000 <= row["time_ms"] <= entry + window_ms
            for row in rows
            if row["event"] == "Product Purchased" and row.get("line_index") is not None
            if (row["uid"], row.get("category")) == key
        )
        for key, entry in entries.items()
    }


def total(values: Iterable[Any]) -> Decimal:
    """The exact sum."""
    return sum(values, NOTHING)
