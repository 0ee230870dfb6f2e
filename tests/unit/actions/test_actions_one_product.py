"""Events of one product: which product it is, and how many of it (quirks 14, 46)."""

from __future__ import annotations

from typing import Any

import pytest
from action_samples import main_row, notes, run, track

from connector.tables import SPEC_PROPERTIES


def properties_of(row: dict[str, Any]) -> dict[str, Any]:
    return {column.name: row[column.name] for column in SPEC_PROPERTIES if column.name in row}


LAMP = {"product_id": "lamp", "name": "Brass Lamp", "price": 64, "quantity": 1}


@pytest.mark.parametrize(
    ("sent", "columns", "codes"),
    [
        ({"products": [LAMP]}, LAMP, ["key_alias properties.products[0]"]),
        ({"products": LAMP}, LAMP,
         ["products_from_object properties.products", "key_alias properties.products[0]"]),
        ({"products": ["lamp"]}, {"product_id": "lamp"},
         ["product_from_scalar properties.products[0]", "key_alias properties.products[0]"]),
        ({"name": "Lamp", "products": [LAMP]}, {**LAMP, "name": "Lamp"},
         ["key_alias properties.products[0]"]),
        ({"sku": "L", "products": [LAMP]}, {"sku": "L"}, []),
        ({"id": "other", "products": [LAMP]}, {"product_id": "other"}, ["key_alias properties.id"]),
        ({"products": [{"name": "Lamp"}]}, {"name": "Lamp"},
         ["key_alias properties.products[0]", "product_key_missing properties.product_id"]),
        ({"products": [LAMP, LAMP]}, {}, ["product_key_missing properties.product_id"]),
        ({"products": [None, LAMP]}, {},
         ["product_skipped properties.products[0]", "product_key_missing properties.product_id"]),
        ({"products": [None]}, {},
         ["product_skipped properties.products[0]", "product_key_missing properties.product_id"]),
        ({"products": []}, {}, ["product_key_missing properties.product_id"]),
        ({"position": 1, "products": [{"sku": "L", "position": "top"}]}, {"sku": "L", "position": 1},
         ["key_alias properties.products[0]"]),
    ],
)  # fmt: skip
def test_an_only_element_of_products_says_which_product_it_is(
    sent: Any, columns: Any, codes: list[str]
) -> None:
    (made,) = run(track("Product Added", sent))

    row = properties_of(made.columns)
    assert {name: value for name, value in row.items() if name != "products"} == columns
    assert notes(made.columns) == codes
    assert not {"position_text", "line_index", "line_count"} & made.columns.keys()


def test_a_product_that_the_mapping_names_needs_no_list() -> None:
    row = main_row(track("Product Added", {"products": [LAMP]}), fields={"columns": {"product_id": "throw"}})

    assert (row["product_id"], "price" in row, notes(row)) == ("throw", False, [])


def test_only_an_event_of_one_product_is_about_an_only_element() -> None:
    assert "product_id" not in main_row(track("Cart Viewed", {"products": [LAMP]}))


@pytest.mark.parametrize(
    ("event", "quantity", "typed"),
    [("Product Removed", 0, None), ("Product Removed", 0.0, None), ("Product Removed", "0", None),
     ("Product Removed", 1, 1), ("Product Removed", -1, -1), ("Product Added", 0, 0)],
)  # fmt: skip
def test_zero_units_removed_are_an_unknown_number(event: str, quantity: Any, typed: int | None) -> None:
    named = main_row(track(event, {"product_id": "lamp", "quantity": quantity}))
    listed = main_row(track(event, {"products": [{"product_id": "lamp", "quantity": quantity}]}))

    assert [row.get("quantity") for row in (named, listed)] == [typed, typed]
