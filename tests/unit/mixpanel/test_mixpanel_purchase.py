"""trackPurchase and the settings that change its product events (mixpanel-actions 5, decision 0014)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from mixpanel_samples import NOON_MS, document, order, run, track

from connector.actions import compile_destination
from connector.actions.call import LakeSettings
from connector.actions.destination import Destination
from connector.actions.prepare import prepare
from connector.mixpanel.purchase import ORDER_ONLY

TWO = [{"product_id": "p1", "size": "L", "id": 7}, {"product_id": "p2", "currency": "USD"}]
ALL_KEYS = {"products": {"@path": "$.properties.products"}}


def lines(event: Any, **options: Any) -> list[dict[str, Any]]:
    """Properties of the product events."""
    return [record["row"]["properties"] for record in run("trackPurchase", event, **options)[1:]]


def test_products_are_behind_their_order_each_a_millisecond_earlier() -> None:
    records = run("trackPurchase", order(TWO))

    assert [record["row"]["event"] for record in records] == [
        "Order Completed", "Product Purchased", "Product Purchased",
    ]  # fmt: skip
    sent = [record["row"]["properties"] for record in records]
    assert [(each["time"], each["$insert_id"]) for each in sent] == [
        (NOON_MS, "m1"), (NOON_MS - 1, "0m1"), (NOON_MS - 2, "1m1"),
    ]  # fmt: skip


def test_the_order_keeps_its_list_as_it_was_sent() -> None:
    assert run("trackPurchase", order(TWO))[0]["row"]["properties"]["products"] == TWO


def test_any_event_with_products_gives_product_events() -> None:
    assert len(lines(order(TWO, event="Order Refunded"))) == 2


def test_product_events_can_be_switched_off() -> None:
    assert lines(order(TWO), generatePurchaseEventPerProduct=False) == []
    assert lines(order(TWO), generatePurchaseEventPerProduct=None) == []


def test_a_mapping_that_passes_products_on_lets_them_overwrite_everything() -> None:
    (line,) = lines(order([{"time": 1, "$insert_id": "x", "distinct_id": "d"}]), **ALL_KEYS)

    assert (line["time"], line["$insert_id"], line["distinct_id"]) == (1, "x", "d")


@given(st.dictionaries(st.sampled_from(sorted(ORDER_ONLY | {"order_id", "gift", "a"})), st.integers()))
@settings(max_examples=40, deadline=None)
def test_a_product_event_has_all_of_its_order_but_what_is_the_orders_alone(said: dict[str, int]) -> None:
    event = track("Order Completed", {**said, "products": [{"sku": "s1"}]})
    whole = run("trackPurchase", event)[0]["row"]["properties"]

    (line,) = lines(event)

    own = {"time": NOON_MS - 1, "$insert_id": "0m1", "sku": "s1"}
    assert line == {**{key: value for key, value in whole.items() if key not in ORDER_ONLY}, **own}


class TestBetterByName:
    def test_ids_are_the_lakes_row_ids(self) -> None:
        event = order(TWO)
        item = {"name": "A", "subscribe": 'type = "track"', "partnerAction": "storePurchase"}
        lake = Destination({"subscriptions": [item]}, LakeSettings())
        rows = lake.rows(prepare(event, source="web")) or []

        sent = run("trackPurchase", event, settings={"deterministicIds": True})

        assert [record["row"]["properties"]["$insert_id"] for record in sent] == [
            row.columns["row_id"] for row in rows
        ]

    def test_a_second_subscription_has_ids_of_its_own(self) -> None:

        twice = document("trackEvent", settings={"deterministicIds": True})
        twice["subscriptions"].append({**twice["subscriptions"][0], "name": "Again"})

        first, second = compile_destination(twice)(track())

        assert first["row"]["properties"]["$insert_id"] != second["row"]["properties"]["$insert_id"]

    def test_an_event_that_the_lake_cannot_identify_has_no_lake_id(self) -> None:
        (item,) = run("trackEvent", track(""), settings={"deterministicIds": True, "batch": True})

        assert item["rejected"]["code"] == "event_missing"

    def test_products_keep_their_keys_and_the_orders_currency(self) -> None:
        first, second = lines(order(TWO), settings={"keepProductKeys": True})

        assert (first["size"], first["currency"], second["currency"]) == ("L", "EUR", "USD")
        assert first["id"] == "u1", "a product's id is no person"

    def test_without_it_they_do_not(self) -> None:
        first, second = lines(order(TWO))

        assert not {"size", "currency"} & (first.keys() | second.keys())

    def test_products_that_are_no_objects_have_no_keys_to_keep(self) -> None:
        changed = {"products": {"@arrayPath": ["$.properties.others", {"sku": {"@path": "sku"}}]}}

        (one,) = lines(order(["x"]), settings={"keepProductKeys": True})
        (other,) = lines(order(TWO, others=[{"sku": "s1"}]), settings={"keepProductKeys": True}, **changed)

        assert "size" not in one
        assert (other["sku"], "size" in other) == ("s1", False)

    def test_names_are_folded_when_that_is_set(self) -> None:
        event = order(TWO, event="order_completed")

        folded = run("trackPurchase", event, settings={"foldEventNames": True})

        assert folded[0]["row"]["event"] == "Order Completed"
        assert run("trackPurchase", event)[0]["row"]["event"] == "order_completed"

    def test_folding_leaves_derived_ids_alone(self) -> None:
        event = {"type": "track", "event": "order_completed"}
        ids = [
            run("trackEvent", event, settings={"foldEventNames": fold})[0]["row"]["properties"]["$insert_id"]
            for fold in (True, False)
        ]

        assert ids[0] == ids[1]

    def test_only_orders_give_product_events_when_that_is_set(self) -> None:
        only = {"purchasesOnlyOnOrders": True}

        assert lines(order(TWO, event="Order Refunded"), settings=only) == []
        assert len(lines(order(TWO), settings=only)) == 2
        assert lines(order(TWO, event="order completed"), settings=only) == []
        assert len(lines(order(TWO, event="order completed"), settings={**only, "foldEventNames": True})) == 2
