"""What may be summed, and what is said of amounts that do not add up (tables 5; quirks 32 to 40)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from action_samples import line_rows, main_row, notes, order, run, track

from connector.actions.call import LakeSettings, SourceRules


def money_notes(row: dict[str, Any]) -> list[str]:
    return [flag.code for flag in row["flags"]]


@pytest.mark.parametrize(
    ("properties", "currency", "codes"),
    [
        ({"revenue": 5, "currency": "USD"}, "USD", []),
        ({"revenue": 5, "currency": " usd "}, "USD", []),
        ({"revenue": 5}, None, ["currency_missing"]),
        ({"total": 5}, None, ["currency_missing"]),
        ({"value": 5}, None, ["currency_missing"]),
        ({"subtotal": 5}, None, ["currency_missing"]),
        ({"revenue": 5, "currency": "  "}, None, ["currency_missing"]),
        ({"revenue": "free"}, None, ["number_unreadable"]),
        ({"price": 5}, None, []),
        ({"currency": "dollars"}, "DOLLARS", ["currency_unknown"]),
    ],
)
def test_currency(properties: Any, currency: str | None, codes: list[str]) -> None:
    row = main_row(track("Size Guide Opened", properties))

    assert (row.get("currency"), money_notes(row)) == (currency, codes)


def test_a_currency_configured_for_the_source_is_assumed_and_flagged() -> None:
    settings = LakeSettings(sources={"web": SourceRules(currency="EUR")})
    amount = track("Size Guide Opened", {"value": 5})

    assumed = main_row(amount, settings=settings)
    elsewhere = main_row(amount, settings=settings, source="app")
    stated = main_row(order(), settings=settings)
    without_amount = main_row(track("Size Guide Opened"), settings=settings)

    assert (assumed["currency"], notes(assumed)) == ("EUR", ["currency_assumed properties.currency"])
    assert ("currency" in elsewhere, money_notes(elsewhere)) == (False, ["currency_missing"])
    assert (stated["currency"], money_notes(stated)) == ("USD", [])
    assert "currency" not in without_amount


def test_an_assumed_currency_is_the_lines_too() -> None:
    lines = line_rows(
        order(currency=None), settings=LakeSettings(sources={"web": SourceRules(currency="EUR")})
    )

    assert [line["currency"] for line in lines] == ["EUR", "EUR"]


FALLBACK = ["revenue_missing", "revenue_fallback"]
NET = "total_less_tax_shipping"


@pytest.mark.parametrize(
    ("sources", "properties", "amount", "came_from", "codes"),
    [
        ("revenue", {}, "40", "revenue", []),
        ("revenue", {"revenue": 0}, "0", "revenue", ["items_total_differs"]),
        ("revenue", {"revenue": None, "total": 44}, None, None, ["revenue_missing"]),
        ("revenue subtotal", {"revenue": None, "subtotal": 40}, "40", "subtotal", FALLBACK),
        ("revenue subtotal", {"subtotal": 41}, "40", "revenue", []),
        (f"revenue {NET}", {"revenue": None, "total": 47, "tax": 4, "shipping": 3}, "40", NET, FALLBACK),
        (f"revenue {NET}", {"revenue": None, "total": 40}, "40", NET, FALLBACK),
        ("revenue subtotal items", {"revenue": None}, "40", "items", FALLBACK),
        ("items revenue", {"revenue": 39}, "40", "items", ["revenue_fallback", "items_total_differs"]),
        (
            "revenue items",
            {"revenue": None, "products": [{"sku": "s", "quantity": 1}]},
            None,
            None,
            ["price_missing", "revenue_missing"],
        ),
        (
            "revenue items",
            {"revenue": None, "products": []},
            None,
            None,
            ["products_missing", "revenue_missing"],
        ),
    ],
)
def test_order_revenue(
    sources: str, properties: Any, amount: str | None, came_from: str | None, codes: list[str]
) -> None:
    row = main_row(order(**properties), settings=LakeSettings(revenue_from=tuple(sources.split())))

    assert row.get("order_revenue") == (None if amount is None else Decimal(amount))
    assert row.get("order_revenue_from") == came_from
    assert money_notes(row) == codes


@pytest.mark.parametrize(
    "event", ["Checkout Started", "Order Updated", "Order Cancelled", "Subscription Renewed"]
)
def test_revenue_of_other_events_is_no_order_revenue(event: str) -> None:
    row = main_row(track(event, {"revenue": 40, "currency": "USD"}))

    assert row["revenue"] == Decimal(40)
    assert not {"order_revenue", "order_revenue_from"} & row.keys()


@pytest.mark.parametrize("event", ["Order Refunded", "Order Cancelled"])
@pytest.mark.parametrize(
    ("properties", "amount", "codes"),
    [
        ({"total": 30}, "30", []),
        ({"total": -30}, "30", ["amount_negative"]),
        ({"revenue": 25}, "25", []),
        ({"revenue": "-25.00"}, "25", ["number_from_text", "amount_negative"]),
        ({"total": 30, "revenue": 25}, "30", []),
        ({"total": 0}, "0", []),
        ({}, None, []),
    ],
)
def test_refund_amount(event: str, properties: Any, amount: str | None, codes: list[str]) -> None:
    row = main_row(track(event, {"order_id": "o", "currency": "USD", **properties}))

    assert row.get("refund_amount") == (None if amount is None else Decimal(amount))
    assert money_notes(row) == codes
    if "total" in properties:
        assert row["total"] == Decimal(properties["total"])


def test_nothing_else_is_a_refund() -> None:
    assert "refund_amount" not in main_row(order(total=44))


@pytest.mark.parametrize(
    ("properties", "codes"),
    [
        ({}, []),
        ({"revenue": 40.03}, []),
        ({"revenue": 40.04}, ["items_total_differs"]),
        ({"revenue": 36, "discount": 4}, []),
        ({"revenue": 40, "discount": 4}, []),
        ({"revenue": 55, "subtotal": 40}, []),
        ({"revenue": 55}, ["items_total_differs"]),
        ({"revenue": 4000}, ["items_total_differs", "minor_units_suspected"]),
        ({"revenue": 3600, "discount": 4}, ["items_total_differs", "minor_units_suspected"]),
        ({"revenue": 0.4}, ["items_total_differs", "minor_units_suspected"]),
        ({"revenue": None}, ["revenue_missing"]),
    ],
)
def test_items_and_order_are_compared_and_nothing_is_corrected(properties: Any, codes: list[str]) -> None:
    row = main_row(order(**properties))

    assert money_notes(row) == codes
    stated = properties.get("revenue", 40)
    assert row.get("order_revenue") == (None if stated is None else Decimal(repr(stated)))


def test_an_order_of_gifts_cannot_be_compared() -> None:
    assert money_notes(main_row(order(products=[{"sku": "a", "price": 0, "quantity": 1}]))) == []


def test_an_order_with_a_priceless_line_cannot_be_compared() -> None:
    row = main_row(
        order(revenue=1, products=[{"sku": "a", "price": 5, "quantity": 1}, {"sku": "b", "quantity": 1}])
    )

    assert money_notes(row) == ["price_missing"]


def test_order_money_and_line_money_never_share_a_row() -> None:
    main, lines = main_row(order(tax=1, total=41)), line_rows(order(tax=1, total=41))

    assert "line_revenue" not in main
    order_money = {"revenue", "order_revenue", "order_revenue_from", "total", "tax", "refund_amount"}
    assert not any(order_money & line.keys() for line in lines)
    assert sum(line["line_revenue"] for line in lines) == main["order_revenue"]


def test_items_in_another_currency_are_neither_added_nor_compared() -> None:
    mixed = [
        {"sku": "a", "price": 15, "quantity": 1},
        {"sku": "b", "price": 2500, "quantity": 1, "currency": "JPY"},
    ]

    allowed = LakeSettings(revenue_from=("revenue", "items"))
    stated = main_row(order(products=mixed), settings=allowed)
    unstated = main_row(order(products=mixed, revenue=None), settings=allowed)

    assert (stated["order_revenue"], money_notes(stated)) == (40, [])
    assert ("order_revenue" in unstated, money_notes(unstated)) == (False, ["revenue_missing"])


def test_the_currency_of_the_source_holds_for_a_price_alone() -> None:
    euro = LakeSettings(sources={"web": SourceRules(currency="EUR")})
    added = main_row(track("Product Added", {"product_id": "p1", "price": 2}), settings=euro)
    order, line = run(
        track("Order Completed", {"order_id": "o1", "products": [{"sku": "a", "price": 20}]}), settings=euro
    )

    assert (added["currency"], notes(added)) == ("EUR", ["currency_assumed properties.currency"])
    assert (order.columns["currency"], line.columns["currency"]) == ("EUR", "EUR")
    assert "currency_assumed properties.currency" in notes(order.columns)


def test_a_price_without_any_currency_is_not_worth_a_note_outside_orders() -> None:
    assert notes(main_row(track("Product Added", {"product_id": "p1", "price": 2}))) == []


def test_revenue_in_cents_is_noticed_beside_a_right_subtotal() -> None:
    row = main_row(
        track("Order Completed", {"order_id": "o", "currency": "USD", "revenue": 4000, "subtotal": 40,
                                  "products": [{"sku": "a", "price": 40, "quantity": 1}]})
    )  # fmt: skip

    assert {"items_total_differs properties.products", "minor_units_suspected properties.products"} <= {
        *notes(row)
    }


def test_an_id_as_number_and_as_text_is_no_conflict() -> None:
    row = main_row(track("Order Updated", {"order_id": 1001, "orderId": "1001"}))
    assert not [note for note in notes(row) if note.startswith("key_conflict")]
