"""What may be summed, and notes about amounts that do not add up. Source: tables 5."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from connector.actions.call import Columns, LakeSettings, SourceRules
from connector.events import Flag
from connector.values.currencies import CURRENCIES

_AMOUNTS = ("revenue", "total", "value", "subtotal")
_ALL_AMOUNTS = (*_AMOUNTS, "price", "discount", "shipping", "tax")
_ZERO = Decimal(0)
_MICRO = Decimal("0.000001")
_LIMIT = Decimal(10) ** 12


def note_currency(row: Columns, rules: SourceRules, flags: list[Flag]) -> None:
    """The event's currency, else the one configured for the source; never a silent default (quirk 38).

    What is configured holds for every amount, a product's price included; that it is missing is noted where
    one of the order's own amounts is there (tables 2.4).
    """
    code = row.get("currency")
    if code is not None:
        if code not in CURRENCIES:
            flags.append(Flag("currency_unknown", "properties.currency"))
    elif rules.currency and _has_amount(row):
        flags.append(Flag("currency_assumed", "properties.currency"))
        row["currency"] = rules.currency
    elif any(amount in row for amount in _AMOUNTS):
        flags.append(Flag("currency_missing", "properties.currency"))


def _has_amount(row: Columns) -> bool:
    products = row.get("products") or ()
    return any(amount in row for amount in _ALL_AMOUNTS) or any(each and "price" in each for each in products)


def put_order_revenue(
    row: Columns, lines: Sequence[Columns], settings: LakeSettings, flags: list[Flag]
) -> None:
    """``order_revenue`` of an Order Completed: the mapping's, else the first allowed source that is there."""
    if "revenue" not in row:
        flags.append(Flag("revenue_missing", "properties.revenue"))
    if "order_revenue" in row:
        return
    for place in settings.revenue_from:
        amount = _amount_from(place, row, lines)
        if amount is not None and abs(amount) < _LIMIT:
            row["order_revenue"] = amount
            row["order_revenue_from"] = place
            if place != "revenue":
                flags.append(Flag("revenue_fallback", "properties.revenue"))
            return


def _amount_from(place: str, row: Columns, lines: Sequence[Columns]) -> Decimal | None:
    if place == "items":
        return item_value(row, lines)
    if place != "total_less_tax_shipping":
        return row.get(place)
    total: Decimal | None = row.get("total")
    return None if total is None else total - row.get("tax", _ZERO) - row.get("shipping", _ZERO)


def item_value(order: Columns, lines: Sequence[Columns]) -> Decimal | None:
    """Sum of the lines; None when there is none, or one has no price or another currency (quirk 40)."""
    currency = order.get("currency")
    if not lines or any("line_revenue" not in line or line.get("currency") != currency for line in lines):
        return None
    return sum((line["line_revenue"] for line in lines), _ZERO)


def put_refund(row: Columns, flags: list[Flag]) -> None:
    """``refund_amount`` without sign (quirk 37); nothing stated: null, which means the whole rest."""
    if "refund_amount" in row:
        return
    for place in ("total", "revenue"):
        amount: Decimal | None = row.get(place)
        if amount is not None:
            if amount < 0:
                flags.append(Flag("amount_negative", f"properties.{place}"))
            row["refund_amount"] = abs(amount)
            return


def note_totals(row: Columns, lines: Sequence[Columns], flags: list[Flag]) -> None:
    """Compare item value with what the order states; nothing is corrected (quirks 32, 33)."""
    items = item_value(row, lines)
    stated = [row[place] for place in ("subtotal", "revenue") if place in row]
    if items is None or not stated or not items:
        return
    tolerance = Decimal("0.01") * (len(lines) + 1)
    expected = (items, items - row.get("discount", _ZERO))
    in_cents = any(_factor_hundred(amount, value) for amount in stated for value in expected)
    agrees = any(abs(amount - value) <= tolerance for amount in stated for value in expected)
    if in_cents or not agrees:
        flags.append(Flag("items_total_differs", "properties.products"))
    if in_cents:
        flags.append(Flag("minor_units_suspected", "properties.products"))


def _factor_hundred(amount: Decimal, value: Decimal) -> bool:
    larger, smaller = max(abs(amount), abs(value)), min(abs(amount), abs(value))
    return bool(smaller) and abs(larger - smaller * 100) <= smaller


def to_major_units(row: Columns, amounts: Iterable[str], digits: int, flags: list[Flag]) -> None:
    """Amounts that the mapping took from an event of a source that counts in minor units (quirk 32)."""
    for name in amounts if digits else ():
        if name in row:
            sent: Decimal = row[name]
            row[name] = sent.scaleb(-digits).quantize(_MICRO)
            if row[name].scaleb(digits) != sent:
                flags.append(Flag("number_rounded", f"columns.{name}"))
