"""What one source's rules change: keys, commas, cents, escapes (quirks 16, 22, 30, 32, 48)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from action_samples import call, line_rows, main_row, notes, order, run, track

from connector.actions.call import LakeSettings, SourceRules
from connector.tables import SPEC_PROPERTIES, Column


def with_rules(**rules: Any) -> LakeSettings:
    return LakeSettings(sources={"web": SourceRules(**rules)})


def properties_of(row: dict[str, Any]) -> dict[str, Any]:
    return {column.name: row[column.name] for column in SPEC_PROPERTIES if column.name in row}


@pytest.mark.parametrize(
    ("aliases", "sent", "columns", "codes"),
    [
        ({"product_id": ["objectID"]}, {"objectID": "h1"}, {"product_id": "h1"},
         ["key_alias properties.objectID"]),
        ({"product_id": ["a", "b"]}, {"b": "2", "a": "1"}, {"product_id": "1"},
         ["key_alias properties.a", "key_conflict properties.b"]),
        ({"product_id": ["a", "b"]}, {"b": "2", "a": ""}, {"product_id": "2"}, ["key_alias properties.b"]),
        ({"product_id": ["sku"]}, {"sku": "s"}, {"sku": "s", "product_id": "s"},
         ["key_alias properties.sku"]),
        ({"product_id": ["product_id"]}, {"product_id": "1"}, {"product_id": "1"}, []),
        ({"sku": ["ids.erp.code"]}, {"ids": {"erp": {"code": 7}}}, {"sku": "7"},
         ["key_alias properties.ids.erp.code", "text_from_number properties.ids.erp.code"]),
        ({"sku": ["ids.erp.code"]}, {"sku": "s", "ids": "none"}, {"sku": "s"}, []),
        ({"price": ["price.amount"], "currency": ["price.code"]},
         {"sku": "s", "price": {"amount": "5.50", "code": "eur"}},
         {"sku": "s", "price": Decimal("5.5"), "currency": "EUR"},
         ["key_alias properties.price.amount", "number_from_text properties.price.amount",
          "key_alias properties.price.code"]),
        ({"price": ["price.amount"]}, {"sku": "s", "price": 5}, {"sku": "s", "price": Decimal(5)}, []),
        ({"price": ["price.amount"]}, {"sku": "s", "price": {"net": 5}}, {"sku": "s"},
         ["type_mismatch properties.price"]),
        ({"category": ["taxonomy"]}, {"sku": "s", "taxonomy": [" A ", "B"]}, {"sku": "s", "category": "A"},
         ["key_alias properties.taxonomy"]),
    ],
)  # fmt: skip
def test_a_source_s_own_keys_of_product_fields(
    aliases: Any, sent: Any, columns: Any, codes: list[str]
) -> None:
    row = main_row(track("Product Viewed", sent), settings=with_rules(key_aliases=aliases))
    without = main_row(track("Product Viewed", sent), settings=with_rules(key_aliases=aliases), source="app")

    assert properties_of(row) == columns
    assert [note for note in notes(row) if not note.startswith("product_key")] == codes
    assert not any("objectID" in note or "amount" in note for note in notes(without))


def test_they_count_where_the_event_is_about_one_product_and_in_product_lists() -> None:
    settings = with_rules(key_aliases={"product_id": ["objectID"], "price": ["price.amount"]})
    sent = {"objectID": "h1", "price": {"amount": 5}}

    custom = main_row(track("Size Guide Opened", {**sent, "products": [sent]}), settings=settings)

    assert properties_of(custom) == {"products": [{"product_id": "h1", "price": Decimal(5)}]}
    assert notes(custom) == [
        "type_mismatch properties.price",
        "key_alias properties.products[0].price.amount",
        "key_alias properties.products[0].objectID",
    ]


def test_a_currency_under_a_key_of_the_source_is_what_its_minor_units_are_of() -> None:
    settings = with_rules(
        minor_units=True, key_aliases={"price": ["money.units"], "currency": ["money.code"]}
    )
    sent = {"sku": "s", "money": {"units": 4800, "code": "JPY"}}

    viewed = main_row(track("Product Viewed", sent), settings=settings)
    listed = main_row(track("Cart Viewed", {"products": [sent]}), settings=settings)

    assert (viewed["price"], viewed["currency"]) == (4800, "JPY")
    assert listed["products"] == [{"sku": "s", "price": Decimal(4800)}]


@pytest.mark.parametrize(
    ("sent", "columns"),
    [
        ("Toys &amp; Games", {"category": "Toys & Games"}),
        (" &nbsp;Caf&eacute; ", {"category": "Café"}),
        ("&nbsp;", {}),
        (["A &gt; B", "C"], {"category": "A > B", "categories": ["A > B", "C"]}),
        (["&nbsp;", "C"], {"category": "C", "categories": ["C"]}),
        ("Lamps", {"category": "Lamps"}),
    ],
)
def test_escaped_categories_of_a_source_that_escapes_them(sent: Any, columns: Any) -> None:
    settings = with_rules(unescape_categories=True)

    row = main_row(track("Product List Viewed", {"category": sent, "name": "A &amp; B"}), settings=settings)

    assert {key: row[key] for key in ("category", "categories") if key in row} == columns
    assert (row["name"], notes(row)) == ("A &amp; B", [])


CENTS = with_rules(minor_units=True)
SHOWN = "revenue total tax shipping discount subtotal value price".split()


def test_every_amount_of_a_source_that_counts_in_cents_is_divided() -> None:
    row = main_row(
        track("Size Guide Opened", {**dict.fromkeys(SHOWN, 1999), "currency": "USD"}), settings=CENTS
    )

    assert {name: row[name] for name in SHOWN} == dict.fromkeys(SHOWN, Decimal("19.99"))
    assert row["properties"].startswith('{"revenue":1999,')
    assert notes(row) == []


def test_only_that_source_s_amounts_are() -> None:
    assert main_row(order(), settings=CENTS)["revenue"] == Decimal("0.4")
    assert main_row(order(), settings=CENTS, source="app")["revenue"] == Decimal(40)


def test_what_is_derived_from_amounts_in_cents_is_in_the_currency_s_unit() -> None:
    sold = order(
        revenue=4000,
        products=[
            {"sku": "mug", "price": 750, "quantity": 2},
            {"sku": "lamp", "price": 2500, "quantity": 1},
        ],
    )

    assert main_row(sold, settings=CENTS)["order_revenue"] == 40
    assert [line["line_revenue"] for line in line_rows(sold, settings=CENTS)] == [15, 25]
    assert notes(main_row(sold, settings=CENTS)) == []
    refund = main_row(track("Order Refunded", {"total": -3000, "currency": "USD"}), settings=CENTS)
    assert refund["refund_amount"] == 30


@pytest.mark.parametrize("currency_first", [True, False])
def test_the_currency_may_stand_before_or_behind_the_amounts(currency_first: bool) -> None:
    currency, amount = {"currency": "jpy"}, {"revenue": 4800}
    sent = {**currency, **amount} if currency_first else {**amount, **currency}

    assert main_row(track("Order Updated", sent), settings=CENTS)["revenue"] == 4800


def test_amounts_that_the_mapping_takes_are_in_minor_units_too() -> None:
    columns = {
        "revenue": {"@path": "$.properties.amount_due"},
        "quantity": {"@path": "$.properties.count"},
    }
    sent = {"amount_due": 1999, "count": 2, "currency": "USD"}

    row = main_row(track("Order Updated", sent), fields={"columns": columns}, settings=CENTS)
    tiny = main_row(
        track("Order Updated", {**sent, "amount_due": 0.00005}), fields={"columns": columns}, settings=CENTS
    )

    assert (row["revenue"], row["quantity"], notes(row)) == (Decimal("19.99"), 2, [])
    assert (tiny["revenue"], notes(tiny)) == (0, ["number_rounded columns.revenue"])


def test_a_currency_that_the_mapping_sets_is_what_the_amounts_are_in() -> None:
    columns = {"currency": {"@path": "$.properties.shop_currency"}}
    sent = {
        "shop_currency": "JPY",
        "currency": "USD",
        "revenue": 4800,
        "products": [{"sku": "a", "price": 4800}],
    }

    main, line = (
        row.columns
        for row in run(track("Order Completed", sent), fields={"columns": columns}, settings=CENTS)
    )

    assert (main["currency"], main["revenue"], line["price"], line["currency"]) == ("JPY", 4800, 4800, "JPY")


def with_column(settings: LakeSettings, column: Column) -> LakeSettings:
    events = settings.table("events").with_columns([column])
    others = tuple(table for table in settings.tables if table.name != "events")
    return LakeSettings(tables=(events, *others), sources=settings.sources)


def test_a_promoted_amount_is_read_by_the_rules_of_its_source() -> None:
    fee = Column("gift_fee", "M", "", ("properties.gift.fee",))
    comma = with_rules(decimal_comma=True)

    cents = main_row(track("A", {"gift": {"fee": 250}}), settings=with_column(CENTS, fee))
    text = main_row(track("A", {"gift": {"fee": "2,50"}}), settings=with_column(comma, fee))
    page = main_row(call("page", properties={"gift": {"fee": 250}}), settings=with_column(CENTS, fee))

    assert [row["gift_fee"] for row in (cents, text, page)] == [Decimal("2.5")] * 3


def test_amounts_with_a_decimal_comma_are_read_only_where_the_source_writes_so() -> None:
    comma = with_rules(decimal_comma=True)
    sent = order(revenue="40,00", products=[{"sku": "sofa", "price": "40,00", "quantity": "1"}])

    main, line = (row.columns for row in run(sent, settings=comma))

    assert (main["order_revenue"], line["line_revenue"]) == (40, 40)
    assert "revenue" not in main_row(sent, settings=comma, source="app")


def test_the_decimal_comma_holds_for_traits_and_for_columns_of_the_mapping() -> None:
    comma = with_rules(decimal_comma=True)
    identify = {"type": "identify", "userId": "u1", "traits": {"lifetimeValue": "1.204,50"}}
    mapped = {"columns": {"value": {"@path": "$.properties.worth"}}}

    profile = main_row(identify, "storeProfile", settings=comma)
    row = main_row(track("Sale", {"worth": "19,99"}), "storeEvent", mapped, settings=comma)

    assert profile["lifetime_value"] == Decimal("1204.5")
    assert row["value"] == Decimal("19.99")
