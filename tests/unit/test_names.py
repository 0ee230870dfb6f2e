"""Spelling variants and old names become the spec's names, by whole match only (tables 4, quirks 1 to 5)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.values.names import (
    LEGACY_NAMES,
    ORDER_EVENTS,
    SINGLE_PRODUCT_EVENTS,
    SPEC_NAMES,
    SPELLINGS,
    fold,
    name_reader,
    spec_name,
)

LEGACY = {
    "Viewed Product Category": "Product List Viewed",
    "Viewed Promotion": "Promotion Viewed",
    "Clicked Promotion": "Promotion Clicked",
    "Clicked Product": "Product Clicked",
    "Viewed Product": "Product Viewed",
    "Added Product": "Product Added",
    "Removed Product": "Product Removed",
    "Started Order": "Checkout Started",
    "Viewed Checkout Step": "Checkout Step Viewed",
    "Completed Checkout Step": "Checkout Step Completed",
    "Updated Order": "Order Updated",
    "Completed Order": "Order Completed",
}
"""The twelve names that Segment's ecommerce pages call older ones (segment-docs 747b35d)."""
ALIASES = {
    "Product Added to Cart from Wishlist": "Wishlist Product Added to Cart",
    "Product Added from Wishlist to Cart": "Wishlist Product Added to Cart",
    "Product Category Viewed": "Product List Viewed",
}


def test_the_list_is_closed_and_without_clash() -> None:
    assert len(SPEC_NAMES) == len(set(SPEC_NAMES)) == 28
    assert {**LEGACY, **ALIASES} == LEGACY_NAMES
    assert len(SPELLINGS) == 117
    assert set(SPELLINGS.values()) == set(SPEC_NAMES)


@pytest.mark.parametrize(("legacy", "name"), sorted({**LEGACY, **ALIASES}.items()))
def test_an_old_name_in_any_spelling(legacy: str, name: str) -> None:
    spellings = (legacy, legacy.lower(), legacy.upper(), legacy.replace(" ", "_"), legacy.replace(" ", "-"))

    assert {spec_name(spelling) for spelling in spellings} == {name}


@pytest.mark.parametrize("name", SPEC_NAMES)
def test_a_spec_name_in_any_spelling(name: str) -> None:
    words = name.split()
    pascal = "".join(word.capitalize() for word in words)
    together = ["".join(words).lower(), pascal, pascal[0].lower() + pascal[1:]]
    apart = [mark.join(words) for mark in (" ", "_", "-", "  ")]
    spellings = [*together, *apart, *map(str.lower, apart), *map(str.upper, apart), f" {name}\n"]

    assert {spec_name(spelling) for spelling in spellings} == {name}


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("Added Product to Wishlist", "Product Added to Wishlist"),
        ("removed_product_from_wishlist", "Product Removed from Wishlist"),
        ("AddedWishlistProductToCart", "Wishlist Product Added to Cart"),
        ("Filtered Product List", "Product List Filtered"),
        ("reviewedproduct", "Product Reviewed"),
        ("cancelled order", "Order Cancelled"),
    ],
)
def test_the_verb_may_come_first(sent: str, name: str) -> None:
    assert spec_name(sent) == name


@pytest.mark.parametrize(
    "sent",
    [
        "Completed Order Email Sent",
        "Order Completed Email Sent",
        "Product List Viewed Again",
        "Viewed Products",
        "Checkout Completed",
        "Order Canceled",
        "Product Added to Cart",
        "Added to Cart",
        "Product Purchased",
        "Thank you Page Viewed",
        "Size Guide Opened",
        "order.completed",
        "",
        " ",
        " Newsletter Joined ",
        "Order Completed" + " " * 100,
    ],
)
def test_other_names_are_left_as_they_are(sent: str) -> None:
    assert spec_name(sent) == sent


@pytest.mark.parametrize(
    ("sent", "folded"),
    [
        ("orderCompleted", "order completed"),
        ("order_completed", "order completed"),
        (" Order-Completed ", "order completed"),
        ("ORDER__COMPLETED", "order completed"),
        ("orderCOMPLETED", "order completed"),
    ],
)
def test_folding(sent: str, folded: str) -> None:
    assert fold(sent) == folded


def test_events_of_an_order_and_of_one_product() -> None:
    assert {"Order Updated", "Order Completed", "Order Refunded", "Order Cancelled"} == ORDER_EVENTS
    assert len(SINGLE_PRODUCT_EVENTS) == 9
    assert set(SPEC_NAMES) >= SINGLE_PRODUCT_EVENTS


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(), max_size=120))
def test_a_name_is_a_spec_name_or_itself_and_stays_so(sent: str) -> None:
    name = spec_name(sent)

    assert name == sent or name in SPEC_NAMES
    assert spec_name(name) == name


OF_A_SHOP = {
    "Bestellung abgeschlossen": "Order Completed",
    "Purchased an Item": "completed order",
    "Product Added": "Sample Requested",
    "Abo verlängert": "Subscription Renewed",
}


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("Bestellung abgeschlossen", "Order Completed"),
        ("bestellung_abgeschlossen", "Order Completed"),
        ("Purchased an Item", "Order Completed"),
        ("Product Added", "Sample Requested"),
        ("product_added", "Sample Requested"),
        ("Abo verlängert", "Subscription Renewed"),
        ("completed order", "Order Completed"),
        ("Bestellung abgeschlossen!", "Bestellung abgeschlossen!"),
        ("Purchased an Item Twice", "Purchased an Item Twice"),
        ("Purchased an Item" + " " * 100, "Purchased an Item" + " " * 100),
    ],
)
def test_the_aliases_of_a_source_come_before_the_spellings_of_the_spec(sent: str, name: str) -> None:
    assert name_reader(OF_A_SHOP)(sent) == name


def test_a_name_of_the_spec_to_the_letter_is_taken_away_by_its_own_alias_only() -> None:
    names = name_reader({"order_completed": "Subscription Renewed"})

    assert names("order_completed") == "Subscription Renewed"
    assert names("Order Completed") == "Order Completed"


def test_the_order_of_the_aliases_does_not_matter() -> None:
    aliases = {"SOLD": "Order Completed", "sold": "Order Updated"}
    backwards = dict(reversed(aliases.items()))

    assert name_reader(aliases)("_Sold_") == name_reader(backwards)("_Sold_") == "Order Completed"


def test_without_aliases_there_is_nothing_to_look_up() -> None:
    assert name_reader({}) is spec_name
