"""Orders: the order's row and a line per product, in every shape of list (tables 2.4, quirks 7 to 18)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from action_samples import NOON_MS, document, line_rows, main_row, notes, order, run, track

from connector.actions.call import LakeSettings
from connector.actions.destination import Destination
from connector.actions.prepare import prepare
from connector.events import Violation
from connector.tables import PRODUCT_FIELDS

PATH = "properties.products"
FULL = {
    "product_id": "prd_2041",
    "sku": "LMP-28",
    "category": "Lamps",
    "name": "Brass Lamp",
    "brand": "Halden",
    "variant": "28 cm",
    "price": 64.0,
    "quantity": 1,
    "coupon": "SPRING10",
    "position": 1,
    "url": "https://lantern.example/p/lamp",
    "image_url": "https://lantern.example/img/lamp.jpg",
}


def products(value: Any, event: str = "Order Completed", **more: Any) -> dict[str, Any]:
    return track(event, {"revenue": 1, "currency": "USD", "products": value, **more})


def test_an_order_and_one_line_per_product() -> None:
    main, mugs, lamp = (row.columns for row in run(order()))

    assert [row["event"] for row in (main, mugs, lamp)] == ["Order Completed"] + ["Product Purchased"] * 2
    assert [row.get("line_index") for row in (main, mugs, lamp)] == [None, 0, 1]
    assert [row["line_count"] for row in (main, mugs, lamp)] == [2, 2, 2]
    assert [row.get("line_revenue") for row in (main, mugs, lamp)] == [None, Decimal(15), Decimal(25)]
    assert [row.get("order_revenue") for row in (main, mugs, lamp)] == [Decimal(40), None, None]
    assert len({row["row_id"] for row in (main, mugs, lamp)}) == 3
    assert [notes(row) for row in (main, mugs, lamp)] == [[], [], []]


def test_a_line_has_the_product_s_columns_and_the_order_s_shared_ones_and_nothing_else() -> None:
    event = order(
        products=[{**FULL, "engraving": "For Ines"}],
        checkout_id="chk_1",
        affiliation="Shop",
        coupon="ORDER-COUPON",
        total=70,
        tax=3,
        shipping=3,
        discount=1,
        subtotal=64,
        payment_method="card",
        value=1,
        cart_id="cart_1",
    )
    event |= {
        "anonymousId": "dev_1",
        "groupId": "acc_1",
        "channel": "client",
        "originalTimestamp": event["timestamp"],
        "sentAt": event["timestamp"],
        "context": {"ip": "::1", "os": {"name": "iOS"}, "consent": {"a": 1}},
        "integrations": {"All": True},
    }

    (line,) = line_rows(event, proven="all", mapping="lake@0", violations=[Violation("/a", "type", "x", "y")])

    del line["row_id"]
    assert line == {
        "message_id": "ajs-1",
        "source": "web",
        "type": "track",
        "event": "Product Purchased",
        "received_event": "Order Completed",
        "user_id": "usr_1",
        "anonymous_id": "dev_1",
        "distinct_id": "usr_1",
        "group_id": "acc_1",
        "channel": "client",
        "timestamp": NOON_MS,
        "original_timestamp": NOON_MS,
        "sent_at": NOON_MS,
        "received_at": NOON_MS,
        **{key: value for key, value in FULL.items() if key not in ("price", "quantity")},
        "price": Decimal(64),
        "quantity": Decimal(1),
        "order_id": "ord_1",
        "checkout_id": "chk_1",
        "affiliation": "Shop",
        "currency": "USD",
        "line_index": 0,
        "line_count": 1,
        "line_revenue": Decimal(64),
        "context_ip": "::1",
        "context_os_name": "iOS",
        "properties": json.dumps({**FULL, "engraving": "For Ines"}, separators=(",", ":")),
        "flags": [],
        "violations": [],
        "proven": "all",
        "mapping": "lake@0",
        "subscription": "All",
    }


def test_a_product_s_own_key_never_overrides_identity_time_or_order() -> None:
    claims = "user_id timestamp row_id order_id source event revenue line_index affiliation".split()
    evil = {"product_id": "p", "price": 1, "quantity": 1, **dict.fromkeys(claims, "x")}

    (line,) = line_rows(order(products=[evil]))

    assert [line[key] for key in ("user_id", "timestamp", "order_id", "source", "event", "line_index")] == [
        "usr_1", NOON_MS, "ord_1", "web", "Product Purchased", 0,
    ]  # fmt: skip
    assert not {"revenue", "affiliation"} & line.keys()
    assert json.loads(line["properties"]) == evil


def test_the_struct_list_has_the_twelve_fields_and_no_other() -> None:
    sent = {
        **FULL,
        "category": ["Lamps", "Sale"],
        "currency": "USD",
        "position": "top",
        "engraving": "For Ines",
    }

    row = main_row(products([FULL, sent, {"product_id": "mug"}]))

    assert row["products"][0] == {**FULL, "price": Decimal(64), "quantity": Decimal(1)}
    assert row["products"][0].keys() == {name for name, _ in PRODUCT_FIELDS}
    assert row["products"][1] == {
        key: value for key, value in row["products"][0].items() if key != "position"
    }
    assert row["products"][2] == {"product_id": "mug"}


@pytest.mark.parametrize("event", ["Cart Viewed", "Product Added", "Products Searched", "Checkout Started"])
def test_only_an_order_completed_has_lines(event: str) -> None:
    rows = run(products([FULL], event, product_id="p"))

    assert len(rows) == 1
    assert rows[0].columns["products"][0]["product_id"] == "prd_2041"
    assert not {"line_count", "order_revenue"} & rows[0].columns.keys()


@pytest.mark.parametrize("name", ["order_completed", "Completed Order", "OrderCompleted"])
def test_another_spelling_of_the_order_has_lines_too(name: str) -> None:
    rows = [row.columns for row in run({**order(), "event": name})]

    assert [(row["event"], row["received_event"]) for row in rows] == [
        ("Order Completed", name), ("Product Purchased", name), ("Product Purchased", name),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["Coupon", "[Lcom.segment.analytics.Properties$Product;@36db3d6", "5", "null", "[1,"]
)
def test_a_text_that_is_no_list_makes_no_line(text: str) -> None:
    (row,) = run(products(text))

    assert not {"products", "line_count"} & row.columns.keys()
    assert notes(row.columns)[0] == f"products_unreadable {PATH}"


@pytest.mark.parametrize("value", [5, True, 2.5])
def test_a_scalar_makes_no_line(value: Any) -> None:
    (row,) = run(products(value))

    assert notes(row.columns)[0] == f"products_unreadable {PATH}"


def test_a_list_as_json_text_is_read() -> None:
    main, line = (row.columns for row in run(products(json.dumps([FULL]))))

    assert notes(main)[0] == f"products_from_text {PATH}"
    assert (main["line_count"], line["product_id"], json.loads(line["properties"])) == (1, "prd_2041", FULL)


def test_one_object_is_a_list_of_one_also_as_text() -> None:
    as_object = [row.columns for row in run(products(FULL))]
    as_text = [row.columns for row in run(products(json.dumps(FULL)))]

    assert [rows[1]["product_id"] for rows in (as_object, as_text)] == ["prd_2041"] * 2
    assert notes(as_object[0])[0] == f"products_from_object {PATH}"
    assert notes(as_text[0])[:2] == [f"products_from_text {PATH}", f"products_from_object {PATH}"]


@pytest.mark.parametrize("element", [None, True, [], ["mug"], ""])
def test_an_element_that_is_no_product_is_skipped_and_the_others_keep_their_numbers(element: Any) -> None:
    main, line = (row.columns for row in run(products([element, FULL])))

    assert main["products"][0] is None
    assert main["products"][1]["product_id"] == "prd_2041"
    assert (main["line_count"], line["line_count"], line["line_index"]) == (2, 2, 1)
    assert notes(main)[0] == f"product_skipped {PATH}[0]"
    assert notes(line) == []


@pytest.mark.parametrize(
    ("element", "product_id", "more"),
    [("mug", "mug", []), (507, "507", [f"text_from_number {PATH}[0]"])],
)
def test_a_bare_id_is_a_line(element: Any, product_id: str, more: list[str]) -> None:
    main, line = (row.columns for row in run(products([element])))

    assert (line["product_id"], "properties" in line, "line_revenue" in line) == (product_id, False, False)
    assert notes(line) == [
        f"product_from_scalar {PATH}[0]", *more,
        f"quantity_assumed {PATH}[0].quantity", f"price_missing {PATH}[0].price",
    ]  # fmt: skip
    assert set(notes(line)) <= set(notes(main))


@pytest.mark.parametrize("more", [{}, {"products": None}, {"products": ""}, {"products": []}])
def test_an_order_without_products_is_one_row(more: Any) -> None:
    (row,) = run(track(properties={"revenue": 5, "currency": "USD", **more}))

    assert notes(row.columns) == [f"products_missing {PATH}"]
    listed = more.get("products") == []
    assert (row.columns.get("products"), row.columns.get("line_count")) == (
        ([], 0) if listed else (None, None)
    )


def test_the_same_product_twice_is_two_lines() -> None:
    lines = line_rows(products([FULL, FULL]))

    assert [line["line_index"] for line in lines] == [0, 1]
    assert lines[0]["row_id"] != lines[1]["row_id"]


@pytest.mark.parametrize(
    ("product", "columns", "codes"),
    [
        ({"id": "a"}, {"product_id": "a"}, ["key_alias id"]),
        ({"productId": "a", "id": "b"}, {"product_id": "a"}, ["key_alias productId", "key_conflict id"]),
        ({"product_id": "a", "id": "b"}, {"product_id": "a"}, ["key_conflict id"]),
        ({"product_id": "", "id": "b"}, {"product_id": "b"}, ["key_alias id"]),
        ({"sku": "s"}, {"sku": "s"}, []),
        ({"imageUrl": "u", "sku": "s"}, {"image_url": "u", "sku": "s"}, ["key_alias imageUrl"]),
        (
            {"product_id": "a", "variant": 3},
            {"product_id": "a", "variant": "3"},
            ["text_from_number variant"],
        ),
        ({"sku": "s", "coupon": ["A", "B"]}, {"sku": "s", "coupon": "A", "coupons": ["A", "B"]}, []),
        ({"sku": "s", "category": ["A", "B"]}, {"sku": "s", "category": "A", "categories": ["A", "B"]}, []),
        ({"sku": "s", "position": "top"}, {"sku": "s", "position_text": "top"}, []),
    ],
)
def test_a_line_reads_its_product_as_tolerantly_as_an_event(
    product: Any, columns: Any, codes: list[str]
) -> None:
    (line,) = line_rows(products([{"price": 2, "quantity": 1, **product}]))

    names = {*columns, "product_id", "sku"}
    assert {name: line[name] for name in names if name in line} == columns
    assert notes(line) == [f"{code} {PATH}[0].{key}" for code, key in map(str.split, codes)]


@pytest.mark.parametrize("product", [{}, {"objectID": "x"}, {"sku": None, "id": ""}])
def test_a_line_without_any_key_is_flagged(product: Any) -> None:
    (line,) = line_rows(products([{"price": 2, "quantity": 1, **product}]))

    assert notes(line) == [f"product_key_missing {PATH}[0]"]


@pytest.mark.parametrize(
    ("price", "quantity", "revenue", "codes"),
    [
        (7.5, 2, "15", []),
        ("7.50", "2", "15", ["number_from_text price", "number_from_text quantity"]),
        (19.99, 0.375, "7.49625", []),
        (0.000001, 0.5, "0", []),
        (0.000003, 0.5, "0.000002", []),
        (7.5, None, "7.5", ["quantity_assumed quantity"]),
        (7.5, "two", "7.5", ["number_unreadable quantity", "quantity_assumed quantity"]),
        (7.5, 0, "0", []),
        (7.5, -1, "-7.5", []),
        (None, 2, None, ["price_missing price"]),
        ("19,99", 2, None, ["number_unreadable price", "price_missing price"]),
        (999_999_999_999, 2, None, ["number_out_of_range price"]),
    ],
)
def test_line_revenue_is_price_times_quantity(
    price: Any, quantity: Any, revenue: Any, codes: list[str]
) -> None:
    (line,) = line_rows(products([{"sku": "s", "price": price, "quantity": quantity}]))

    assert line.get("line_revenue") == (None if revenue is None else Decimal(revenue))
    assert notes(line) == [f"{code} {PATH}[0].{key}" for code, key in map(str.split, codes)]
    assert ("quantity" in line) == (quantity not in (None, "two"))


def test_the_main_row_carries_all_flags_and_a_line_its_own() -> None:
    main, *lines = (row.columns for row in run(products([{"id": 1, "price": 2}, {"sku": "s", "price": "3"}])))

    assert all(
        flag.path.startswith(f"{PATH}[{place}]") for place, line in enumerate(lines) for flag in line["flags"]
    )
    assert {flag for line in lines for flag in line["flags"]} <= set(main["flags"])
    assert notes(lines[0]) == [
        f"key_alias {PATH}[0].id", f"text_from_number {PATH}[0].id", f"quantity_assumed {PATH}[0].quantity",
    ]  # fmt: skip
    assert notes(lines[1]) == [f"number_from_text {PATH}[1].price", f"quantity_assumed {PATH}[1].quantity"]


@pytest.mark.parametrize(
    ("order_s", "product_s", "expected", "codes"),
    [
        ("usd", None, "USD", []),
        ("USD", " eur ", "EUR", []),
        (None, "EUR", "EUR", []),
        (None, None, None, []),
        ("USD", "gold", "GOLD", ["currency_unknown"]),
    ],
)
def test_the_currency_of_a_line(order_s: Any, product_s: Any, expected: Any, codes: list[str]) -> None:
    (line,) = line_rows(
        products([{"sku": "s", "price": 1, "quantity": 1, "currency": product_s}], currency=order_s)
    )

    assert line.get("currency") == expected
    assert notes(line) == [f"{code} {PATH}[0].currency" for code in codes]


@pytest.mark.parametrize(("wanted", "rows"), [(True, 3), ("true", 3), (False, 1), ("false", 1), (None, 3)])
def test_lines_are_made_when_the_field_says_so(wanted: Any, rows: int) -> None:
    made = run(order(), fields={"generatePurchaseEventPerProduct": wanted})

    assert len(made) == rows
    assert made[0].columns["line_count"] == 2
    assert made[0].columns["order_revenue"] == Decimal(40)


def test_a_directive_may_decide_about_lines() -> None:
    fields = {"generatePurchaseEventPerProduct": {"@path": "$.properties.itemised"}}

    assert [len(run(order(itemised=said), fields=fields)) for said in (True, "true", False, "yes", None)] == [
        3, 3, 1, 1, 1,
    ]  # fmt: skip


def test_store_event_makes_no_lines_but_the_order_s_money() -> None:
    (row,) = run(order(), "storeEvent")

    assert (row.columns["order_revenue"], row.columns["line_count"]) == (Decimal(40), 2)


def test_lines_of_a_second_subscription_have_ids_of_their_own() -> None:
    twice = document()["subscriptions"][0]
    destination = Destination({"subscriptions": [twice, {**twice, "name": "Again"}]}, LakeSettings())

    rows = destination.rows(prepare(order(), source="web"))

    assert rows is not None
    assert len({row.columns["row_id"] for row in rows}) == len(rows) == 6


def test_row_ids_of_an_order_are_those_of_the_worked_examples() -> None:
    event = {**order(), "messageId": "ajs-next-1740787200000-0f1c"}

    assert [row.columns["row_id"] for row in run(event)] == [
        "2aac45e6-4dd7-59e8-8545-8e4953b20038",
        "4e0590ca-5e88-5318-9622-3d73d3a38c46",
        "a3890ffb-604b-5acb-9b52-83fff8745fb0",
    ]


def test_columns_that_the_mapping_sets_reach_the_lines_when_lines_share_them() -> None:
    fields = {"columns": {"affiliation": {"@path": "$.properties.shop"}, "coupon": "SET"}}

    rows = [row.columns for row in run(order(shop="Berlin"), fields=fields)]

    assert [row.get("affiliation") for row in rows] == ["Berlin"] * 3
    assert [row.get("coupon") for row in rows] == ["SET", None, None]
