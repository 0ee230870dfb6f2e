"""trackPurchase: the order, and one ``Product Purchased`` per product.

Source: action-destinations 3.497.0, mixpanel/trackPurchase; mixpanel-actions 5.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.events import Json
from connector.mixpanel.events import RESERVED, event_properties
from connector.mixpanel.ids import lake_id
from connector.mixpanel.records import Arrival, Payload, Perform, Record
from connector.mixpanel.settings import MixpanelSettings

ORDER_ONLY = frozenset(
    "affiliation subtotal total revenue shipping tax discount coupon currency order_number products".split()
)
"""Properties of the order that its product events do not have."""
_ORDER_COMPLETED = "Order Completed"


def track_purchase(settings: MixpanelSettings) -> Perform:
    """
    The action under these settings: the order's record, then one per product.

    Product i (from 0) has the order's time less i + 1 ms, and ``<i><insert id>`` or the lake's id of that
    line; its own keys win over everything.
    """

    def perform(payload: Payload, arrival: Arrival, occurrence: int) -> list[Record]:
        order = event_properties(payload, arrival, settings, occurrence)
        records = [Record("import", {"event": payload["event"], "properties": order})]
        products = _products(payload, arrival, settings)
        if not products:
            return records
        shared = {key: value for key, value in order.items() if key not in ORDER_ONLY}
        if settings.keep_product_keys and "currency" in order:
            shared["currency"] = order["currency"]
        # From the computed values: whatever the order's properties hold, these two are reserved.
        time, insert_id = order["time"], order["$insert_id"]
        for index, product in enumerate(products):
            line_id = f"{index}{insert_id}"
            if settings.deterministic_ids:
                line_id = lake_id(arrival, occurrence, index)
            line = {**shared, "$insert_id": line_id, "time": time - (index + 1), **product}
            records.append(Record("import", {"event": "Product Purchased", "properties": line}))
        return records

    return perform


def _products(payload: Payload, arrival: Arrival, settings: MixpanelSettings) -> Sequence[dict[str, Json]]:
    """The products that become events of their own; none when the switch is off."""
    products: Sequence[dict[str, Json]] = payload.get("products", ())
    if not payload.get("generatePurchaseEventPerProduct"):
        return ()
    if settings.purchases_only_on_orders and arrival.name != _ORDER_COMPLETED:
        return ()
    if settings.keep_product_keys:
        return _with_all_keys(products, payload.get("event_properties", {}).get("products"))
    return products


def _with_all_keys(products: Sequence[dict[str, Json]], sent: Json) -> Sequence[dict[str, Json]]:
    """Each product with the other keys it was sent with, as sent; reserved ones stay out."""
    items = sent if isinstance(sent, list) else [sent]
    if len(items) != len(products):
        return products
    return [
        {**{key: value for key, value in item.items() if key not in RESERVED}, **product}
        if isinstance(item, dict) else product
        for item, product in zip(items, products, strict=True)
    ]  # fmt: skip
