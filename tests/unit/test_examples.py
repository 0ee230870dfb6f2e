"""The examples are complete, about one person, and consistent in time and money."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

PRODUCT = "product_id sku category name brand variant price quantity coupon position url image_url"
CHECKOUT_STEP = "checkout_id step shipping_method payment_method"
ORDER = "order_id affiliation revenue shipping tax discount coupon currency products"
WISHLIST = "wishlist_id wishlist_name"
DOCUMENTED = {
    "Products Searched": "query",
    "Product List Viewed": "list_id category products",
    "Product List Filtered": "list_id category filters sorts products",
    "Promotion Viewed": "promotion_id creative name position",
    "Promotion Clicked": "promotion_id creative name position",
    "Product Clicked": PRODUCT,
    "Product Viewed": f"{PRODUCT} currency value",
    "Product Added": f"{PRODUCT} cart_id",
    "Product Removed": f"{PRODUCT} cart_id",
    "Cart Viewed": "cart_id products",
    "Checkout Started": f"{ORDER} value",
    "Checkout Step Viewed": CHECKOUT_STEP,
    "Checkout Step Completed": CHECKOUT_STEP,
    "Payment Info Entered": f"{CHECKOUT_STEP} order_id",
    "Order Updated": f"{ORDER} total",
    "Order Completed": f"{ORDER} checkout_id subtotal total",
    "Order Refunded": "order_id total currency products",
    "Order Cancelled": f"{ORDER} total",
    "Coupon Entered": "order_id cart_id coupon_id",
    "Coupon Applied": "order_id cart_id coupon_id coupon_name discount",
    "Coupon Denied": "order_id cart_id coupon coupon_id coupon_name reason",
    "Coupon Removed": "order_id cart_id coupon_id coupon_name discount",
    "Product Added to Wishlist": f"{PRODUCT} {WISHLIST}",
    "Product Removed from Wishlist": f"{PRODUCT} {WISHLIST}",
    "Wishlist Product Added to Cart": f"{PRODUCT} {WISHLIST} cart_id",
    "Product Shared": "share_via share_message recipient "
    "product_id sku category name brand variant price url image_url",
    "Cart Shared": "share_via share_message recipient cart_id products",
    "Product Reviewed": "product_id review_id review_body rating",
}
"""Properties that Segment's ecommerce spec documents in a table or an example (segment-docs 747b35d)."""
LISTED = {
    "Order Refunded": "product_id sku name price quantity category url image_url",
    "Cart Shared": "product_id",
}
"""What an element of ``products`` holds where it is not the whole product."""
CALLS = {"identify", "track_custom", "page", "screen", "group", "alias", "delete"}
FILES = sorted(EXAMPLES.glob("*/*.json"))
CENT = Decimal("0.01")


def read(path: Path) -> Any:
    """Money as it is written: decimals, so that sums are exact."""
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def event(name: str) -> Any:
    return read(EXAMPLES / "events" / f"{name.lower().replace(' ', '_')}.json")


def items(properties: Any) -> Decimal:
    return sum((line["price"] * line["quantity"] for line in properties["products"]), Decimal(0))


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_there_is_one_example_for_each_ecommerce_event_and_each_call_and_nothing_else() -> None:
    events = {f"events/{name.lower().replace(' ', '_')}.json" for name in DOCUMENTED}
    calls = {f"calls/{name}.json" for name in CALLS}

    assert len(DOCUMENTED) == 28
    assert {path.relative_to(EXAMPLES).as_posix() for path in FILES} == events | calls


@pytest.mark.parametrize("name", DOCUMENTED)
def test_an_event_has_its_name_and_every_documented_property(name: str) -> None:
    example = event(name)

    assert (example["type"], example["event"]) == ("track", name)
    assert set(example["properties"]) == set(DOCUMENTED[name].split())


@pytest.mark.parametrize("name", [name for name, keys in DOCUMENTED.items() if "products" in keys.split()])
def test_every_product_in_a_list_has_every_documented_field(name: str) -> None:
    for product in event(name)["properties"]["products"]:
        assert set(product) == set(LISTED.get(name, PRODUCT).split())


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_call_has_the_type_that_its_file_name_says(name: str) -> None:
    assert read(EXAMPLES / "calls" / f"{name}.json")["type"] == name.removesuffix("_custom")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_timestamp_is_the_time_of_receipt_less_the_delay_of_sending(path: Path) -> None:
    call = read(path)
    delay = time(call["sentAt"]) - time(call["originalTimestamp"])
    if call["type"] == "delete":  # Segment does not correct the clock of a notice of its own
        delay *= 0

    assert time(call["timestamp"]) == time(call["receivedAt"]) - delay
    assert time(call["sentAt"]) <= time(call["receivedAt"])


def test_every_message_has_its_own_id() -> None:
    assert len({read(path)["messageId"] for path in FILES}) == len(FILES)


def test_all_examples_are_about_one_person_who_is_unknown_only_before_signing_in() -> None:
    signed_in = time(read(EXAMPLES / "calls" / "identify.json")["timestamp"])
    alias = read(EXAMPLES / "calls" / "alias.json")

    for call in map(read, FILES):
        known = call["userId"] == alias["userId"] or time(call["timestamp"]) < signed_in
        same_browser = call.get("anonymousId", alias["previousId"]) == alias["previousId"]
        assert (known, same_browser) == (True, True)


def test_the_completed_order_adds_up_after_its_discount() -> None:
    order = event("Order Completed")["properties"]

    assert order["subtotal"] == order["revenue"] == items(order) - order["discount"]
    assert order["total"] == order["subtotal"] + order["shipping"] + order["tax"]


@pytest.mark.parametrize(
    ("name", "payable"),
    [("Checkout Started", "value"), ("Order Updated", "total"), ("Order Cancelled", "total")],
)
def test_other_order_events_state_revenue_before_the_discount_and_the_payable_amount_after_it(
    name: str, payable: str
) -> None:
    order = event(name)["properties"]

    assert order["revenue"] == items(order)
    assert order[payable] == order["revenue"] - order["discount"] + order["shipping"] + order["tax"]


def test_the_coupon_takes_off_what_the_order_then_says() -> None:
    order = event("Order Completed")["properties"]
    coupon = event("Coupon Applied")["properties"]

    assert coupon["order_id"] == order["order_id"]
    assert coupon["discount"] == order["discount"] == items(order) / 10


def test_the_refund_gives_back_the_returned_item_with_its_share_of_discount_and_tax() -> None:
    order = event("Order Updated")["properties"]
    refund = event("Order Refunded")["properties"]
    net = items(refund) * (1 - order["discount"] / order["revenue"])
    tax = net * order["tax"] / (order["revenue"] - order["discount"])

    assert refund["order_id"] == order["order_id"]
    assert refund["total"] == (net + tax).quantize(CENT)


def test_the_viewed_product_is_worth_its_price_times_its_quantity() -> None:
    product = event("Product Viewed")["properties"]

    assert product["value"] == product["price"] * product["quantity"]


def test_the_readme_shows_a_command_on_a_file_that_exists() -> None:
    command = next(
        line for line in (EXAMPLES / "README.md").read_text().splitlines() if line.startswith("connector ")
    )

    assert (EXAMPLES.parent / command.split()[-1]).is_file()
