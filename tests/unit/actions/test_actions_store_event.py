"""The main row of ``events``: every property of the spec, its spellings, pages and screens (tables 2.4)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from action_samples import call, document, main_row, notes, run, track

from connector.actions.call import LakeSettings
from connector.actions.destination import Destination
from connector.actions.prepare import prepare
from connector.tables import SPEC_PROPERTIES, TABLES, Column
from connector.tables.model import camel


def properties_of(row: dict[str, Any]) -> dict[str, Any]:
    return {column.name: row[column.name] for column in SPEC_PROPERTIES if column.name in row}


BY_CODE: dict[str, tuple[Any, Any]] = {
    "S": ("text", "text"),
    "M": (19.99, Decimal("19.99")),
    "Q": (1.5, Decimal("1.5")),
    "I": (3, 3),
    "K": ([{"type": "a", "value": "b"}], [{"type": "a", "value": "b"}]),
    "P": ([], []),
}
SIMPLE = [column for column in SPEC_PROPERTIES if column.name != "currency"]


@pytest.mark.parametrize("column", SIMPLE, ids=lambda column: column.name)
def test_each_property_of_the_spec_fills_its_column_on_any_track_call(column: Column) -> None:
    sent, typed = BY_CODE[column.code]

    row = main_row(track("Size Guide Opened", {column.name: sent}))

    assert properties_of(row) == {column.name: typed}
    assert json.loads(row["properties"]) == {column.name: sent}


CAMEL = [column for column in SIMPLE if camel(column.name) != column.name]


@pytest.mark.parametrize("column", CAMEL, ids=lambda column: column.name)
def test_camel_case_is_accepted_and_flagged(column: Column) -> None:
    sent, typed = BY_CODE[column.code]
    other = camel(column.name)

    row = main_row(track("Size Guide Opened", {other: sent}))

    assert properties_of(row) == {column.name: typed}
    assert notes(row) == [f"key_alias properties.{other}"]


@pytest.mark.parametrize(
    ("sent", "winner", "codes"),
    [
        ({"order_id": "a", "orderId": "b"}, "a", ["key_conflict properties.orderId"]),
        ({"orderId": "b", "order_id": "a"}, "a", ["key_conflict properties.orderId"]),
        ({"order_id": "a", "orderId": "a"}, "a", []),
        ({"order_id": "", "orderId": "b"}, "b", ["key_alias properties.orderId"]),
        ({"order_id": None, "orderId": "b"}, "b", ["key_alias properties.orderId"]),
        ({"order_id": "a", "orderId": ""}, "a", []),
        ({"order_id": "a", "id": "c"}, "a", ["key_conflict properties.id"]),
        ({"id": "c"}, "c", ["key_alias properties.id"]),
        ({"id": "c", "orderId": "b"}, "b", ["key_alias properties.orderId", "key_conflict properties.id"]),
        ({"id": 1001}, "1001", ["key_alias properties.id", "text_from_number properties.id"]),
    ],
)
def test_of_two_spellings_the_spec_s_wins(sent: Any, winner: str, codes: list[str]) -> None:
    row = main_row(track("Order Updated", sent))

    assert (row["order_id"], notes(row)) == (winner, codes)


@pytest.mark.parametrize(
    ("event", "column"),
    [
        ("Order Completed", "order_id"),
        ("Order Refunded", "order_id"),
        ("Product Viewed", "product_id"),
        ("Product Added", "product_id"),
        ("Product Reviewed", "product_id"),
        ("Wishlist Product Added to Cart", "product_id"),
        ("Cart Viewed", None),
        ("Promotion Viewed", None),
        ("Size Guide Opened", None),
    ],
)
def test_what_a_bare_id_means_depends_on_the_event(event: str, column: str | None) -> None:
    row = main_row(track(event, {"id": "x1"}))

    assert {name for name in ("order_id", "product_id") if name in row} == ({column} - {None})


def test_a_legacy_event_is_read_under_its_new_name() -> None:
    row = main_row(track("Viewed Product", {"id": 507, "sku": "G-32", "name": "Monopoly", "price": 18.99}))

    assert (row["event"], row["received_event"]) == ("Product Viewed", "Viewed Product")
    assert properties_of(row) == {
        "product_id": "507", "sku": "G-32", "name": "Monopoly", "price": Decimal("18.99"),
    }  # fmt: skip
    assert notes(row) == [
        "event_renamed event", "key_alias properties.id", "text_from_number properties.id",
    ]  # fmt: skip


@pytest.mark.parametrize("event", ["Product Viewed", "Product Removed", "Product Shared"])
@pytest.mark.parametrize(
    ("sent", "missing"),
    [({}, True), ({"sku": "", "product_id": None}, True), ({"objectID": "x"}, True), ({"sku": "s"}, False)],
)
def test_a_product_that_cannot_be_named_is_flagged(event: str, sent: Any, missing: bool) -> None:
    assert notes(main_row(track(event, sent))) == ["product_key_missing properties.product_id"] * missing


@pytest.mark.parametrize(
    ("sent", "columns", "codes"),
    [
        ("Lamps", {"category": "Lamps"}, []),
        (" Apparel > Shoes ", {"category": "Apparel > Shoes"}, []),
        ("Lamps, Throws", {"category": "Lamps, Throws"}, []),
        ("Home &amp; Garden", {"category": "Home &amp; Garden"}, []),
        ("   ", {}, []),
        (["Lamps", " Sale "], {"category": "Lamps", "categories": ["Lamps", "Sale"]}, []),
        ([None, "", "  ", "Sale"], {"category": "Sale", "categories": ["Sale"]}, []),
        ([], {"categories": []}, []),
        (
            ["Lamps", 7],
            {"category": "Lamps", "categories": ["Lamps", "7"]},
            ["text_from_number properties.category[1]"],
        ),
        (12, {"category": "12"}, ["text_from_number properties.category"]),
    ],
)
def test_one_category_and_all_of_them(sent: Any, columns: Any, codes: list[str]) -> None:
    row = main_row(track("Product List Viewed", {"category": sent}))

    assert {key: row[key] for key in ("category", "categories") if key in row} == columns
    assert notes(row) == codes


def test_one_coupon_and_all_of_them() -> None:
    listed = main_row(track("Coupon Applied", {"coupon": ["MAY10", "VIP"]}))
    comma = main_row(track("Coupon Applied", {"coupon": "MAY10,VIP"}))

    assert (listed["coupon"], listed["coupons"]) == ("MAY10", ["MAY10", "VIP"])
    assert (comma["coupon"], "coupons" in comma) == ("MAY10,VIP", False)


@pytest.mark.parametrize(
    ("sent", "columns", "codes"),
    [
        (0, {"position": 0}, []),
        ("3", {"position": 3}, ["number_from_text properties.position"]),
        ("home_banner_top", {"position_text": "home_banner_top"}, []),
        (2.5, {}, ["number_not_integer properties.position"]),
        (True, {}, ["number_from_bool properties.position"]),
        ({"x": 1}, {}, ["type_mismatch properties.position"]),
    ],
)
def test_a_position_is_a_rank_or_a_placement_in_words(sent: Any, columns: Any, codes: list[str]) -> None:
    row = main_row(track("Promotion Viewed", {"position": sent}))

    assert {key: row[key] for key in ("position", "position_text") if key in row} == columns
    assert notes(row) == codes


@pytest.mark.parametrize(
    ("properties", "column", "typed", "codes"),
    [
        ({"step": "3"}, "step", 3, ["number_from_text properties.step"]),
        ({"step": 3.0}, "step", 3, []),
        ({"step": "shipping"}, "step", None, ["number_unreadable properties.step"]),
        ({"rating": 4.5}, "rating", "4.5", []),
        ({"query": {"text": "lamp"}}, "query", '{"text":"lamp"}', ["text_from_json properties.query"]),
        ({"variant": 21841}, "variant", "21841", ["text_from_number properties.variant"]),
        ({"discount": {"code": "A"}}, "discount", None, ["type_mismatch properties.discount"]),
        ({"price": "19 - 29"}, "price", None, ["number_unreadable properties.price"]),
        ({"quantity": 0}, "quantity", Decimal(0), []),
        ({"filters": {"type": "a", "value": 7}}, "filters", [{"type": "a", "value": "7"}], []),
        ({"sorts": "price"}, "sorts", None, ["type_mismatch properties.sorts"]),
        ({"product_id": 2**53 + 1, "sku": "s"}, "product_id", "9007199254740993",
         ["text_from_number properties.product_id", "number_beyond_2_53 properties.product_id"]),
    ],
)  # fmt: skip
def test_properties_with_a_rule_of_their_own(
    properties: Any, column: str, typed: Any, codes: list[str]
) -> None:
    row = main_row(track("Size Guide Opened", properties))

    assert (row.get(column), notes(row)) == (typed, codes)


@pytest.mark.parametrize(
    ("column", "key"),
    [("experiment_id", "experimentId"), ("experiment_name", "experimentName"),
     ("variation_id", "variationId"), ("variation_name", "variationName")],
)  # fmt: skip
def test_experiments(column: str, key: str) -> None:
    assert main_row(track("Experiment Viewed", {column: "x"}))[column] == "x"
    assert main_row(track("Experiment Viewed", {key: "x"}))[column] == "x"


@pytest.mark.parametrize("kind", ["page", "screen"])
def test_a_page_fills_no_product_column(kind: str) -> None:
    everything = {column.name: BY_CODE[column.code][0] for column in SIMPLE} | {"currency": "usd"}

    row = main_row(call(kind, properties=everything))

    assert properties_of(row) == {}
    assert row["event"] == kind
    assert json.loads(row["properties"]) == everything
    assert notes(row) == []


@pytest.mark.parametrize(
    ("sent", "columns", "codes", "kept"),
    [
        ({"name": "Home", "category": "Shop"}, {"page_name": "Home", "page_category": "Shop"}, [], None),
        ({"properties": {"name": "Home"}}, {"page_name": "Home"}, [], None),
        ({"properties": {"category": "Shop"}}, {"page_category": "Shop"}, [], None),
        ({"name": "Home", "properties": {"name": "Other"}}, {"page_name": "Home"}, [], None),
        ({"name": None, "properties": {"name": "Home"}}, {"page_name": "Home"}, [], None),
        ({"name": 404}, {"page_name": "404"}, ["text_from_number name"], {"name": 404}),
        ({"properties": {"name": 404}}, {"page_name": "404"}, ["text_from_number properties.name"], None),
        ({}, {}, [], None),
    ],
)  # fmt: skip
def test_name_and_category_of_a_page(sent: Any, columns: Any, codes: list[str], kept: Any) -> None:
    row = main_row(call("page", **sent))

    assert {key: row[key] for key in ("page_name", "page_category") if key in row} == columns
    assert notes(row) == codes
    assert json.loads(row.get("envelope", "null")) == kept


PAGE_KEYS = ("path", "referrer", "search", "title", "url")


def test_a_page_describes_itself_in_context_or_in_properties() -> None:
    properties = {key: f"p-{key}" for key in PAGE_KEYS}
    context = {"page": {"path": "c-path", "search": ""}}

    row = main_row(call("page", properties=properties, context=context))
    tracked = main_row(track("A", properties, context=context))

    assert {key: row[f"context_page_{key}"] for key in PAGE_KEYS} == {**properties, "path": "c-path"}
    assert {key for key in PAGE_KEYS if f"context_page_{key}" in tracked} == {"path"}


def test_flags_of_a_page_have_one_order() -> None:
    row = main_row(call("page", properties=dict.fromkeys(reversed(PAGE_KEYS), 1)))

    assert notes(row) == [f"text_from_number properties.{key}" for key in PAGE_KEYS]


def test_a_sender_s_own_product_purchased_is_no_line() -> None:
    rows = run(
        track("Product Purchased", {"product_id": "mug", "price": 7.5, "quantity": 2, "currency": "USD"})
    )

    assert len(rows) == 1
    row = rows[0].columns
    assert row["price"] == Decimal("7.5")
    assert not {"line_index", "line_revenue", "line_count"} & row.keys()


def test_promoted_columns_come_from_any_path_and_the_json_keeps_them() -> None:
    table = next(table for table in TABLES if table.name == "events").with_columns(
        [
            Column("gift_note", "S", "", ("properties.gift.note",)),
            Column("weight", "D", "", ("properties.weight",)),
            Column("project", "S", "", ("projectId",)),
        ]
    )
    settings = LakeSettings(tables=(table, *TABLES[1:]))

    row = main_row(
        track("A", {"gift": {"note": "For Ines"}, "weight": "heavy"}, projectId=7), settings=settings
    )

    assert (row["gift_note"], row.get("weight"), row["project"]) == ("For Ines", None, "7")
    assert notes(row) == ["number_unreadable properties.weight", "text_from_number projectId"]
    assert json.loads(row["properties"]) == {"gift": {"note": "For Ines"}, "weight": "heavy"}
    assert json.loads(row["envelope"]) == {"projectId": 7}


def overridden(columns: Any, event: Any) -> dict[str, Any]:
    return main_row(event, "storePurchase", {"columns": columns})


def test_the_mapping_s_columns_take_the_place_of_what_was_read() -> None:
    columns = {
        "brand": {"@path": "$.properties.vendor"},
        "price": {"@path": "$.properties.cost"},
        "affiliation": "Shop",
    }

    row = overridden(columns, track("A", {"vendor": "Halden", "brand": "x", "cost": "12.50", "price": 1}))

    assert [row[key] for key in ("brand", "price", "affiliation")] == ["Halden", Decimal("12.5"), "Shop"]
    assert notes(row) == ["number_from_text columns.price"]


def test_a_column_that_the_mapping_does_not_find_or_cannot_type_keeps_what_was_read() -> None:
    columns = {"brand": {"@path": "$.properties.vendor"}, "price": {"@path": "$.properties.cost"}}

    row = overridden(columns, track("A", {"brand": "x", "price": 1, "cost": "free"}))

    assert (row["brand"], row["price"]) == ("x", 1)
    assert notes(row) == ["number_unreadable columns.price"]


def test_a_column_is_set_by_the_rules_of_that_column() -> None:
    columns = {key: {"@path": f"$.properties.my_{key}"} for key in ("currency", "category", "position")}

    row = overridden(
        columns, track("A", {"my_currency": " usd", "my_category": ["a", "b"], "my_position": "top"})
    )

    assert (row["currency"], row["category"], row["categories"], row["position_text"]) == (
        "USD", "a", ["a", "b"], "top",
    )  # fmt: skip


def test_a_person_that_the_mapping_names_is_the_distinct_one() -> None:
    columns = {"user_id": {"@path": "$.properties.customer"}}

    known = overridden(columns, track("A", {"customer": "c1"}, userId=None, anonymousId="a1"))
    neither = overridden(columns, track("A", {}, userId=None))
    stated = overridden({"distinct_id": "d"}, track("A"))

    assert (known["user_id"], known["distinct_id"], notes(known)) == ("c1", "c1", [])
    assert notes(neither) == ["identity_missing userId"]
    assert (stated["user_id"], stated["distinct_id"]) == ("usr_1", "d")


def test_money_that_the_mapping_sets_counts() -> None:
    net = {"revenue": {"@path": "$.properties.net"}}
    product = {"product_id": {"@path": "$.properties.objectID"}}

    order = overridden(net, track("Order Completed", {"net": 30, "revenue": 40, "currency": "USD"}))
    stated = overridden({"order_revenue": 5}, track("Order Completed", {"revenue": 40, "currency": "USD"}))
    refund = overridden({"total": 9}, track("Order Refunded", {"currency": "USD"}))
    priced = overridden({"value": 3}, track("A"))
    viewed = overridden(product, track("Product Viewed", {"objectID": "o1"}))

    assert (order["order_revenue"], stated["order_revenue"], refund["refund_amount"]) == (30, 5, 9)
    assert notes(priced) == ["currency_missing properties.currency"]
    assert (viewed["product_id"], notes(viewed)) == ("o1", [])


def test_the_event_field_may_name_another_object() -> None:
    inner = {"properties": {"@path": "$.properties.inner"}}
    fields = {"event": {"@merge": {"objects": [{"@path": "$."}, inner], "direction": "right"}}}

    row = main_row(track("A", {"inner": {"brand": "Halden"}, "brand": "x"}), "storeEvent", fields)

    assert (row["brand"], row["properties"]) == ("Halden", '{"brand":"Halden"}')
    assert (row["event"], row["message_id"]) == ("A", "ajs-1")


def test_each_matching_subscription_makes_a_row_with_its_own_id() -> None:
    twice = document("storeEvent")["subscriptions"][0]
    destination = Destination({"subscriptions": [twice, {**twice, "name": "Again"}]}, LakeSettings())

    rows = destination.rows(prepare(track("A"), source="web"))

    assert rows is not None
    assert [row.columns["subscription"] for row in rows] == ["All", "Again"]
    assert len({row.columns["row_id"] for row in rows}) == 2


def test_no_matching_subscription_is_no_row_list() -> None:
    destination = Destination(document("storeProfile"), LakeSettings())

    assert destination.rows(prepare(track("A"), source="web")) is None
