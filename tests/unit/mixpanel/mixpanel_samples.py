"""Documents with one action under its default mapping, and the one way the tests run them."""

from __future__ import annotations

from typing import Any

from connector.actions import compile_destination
from connector.mixpanel.fields import MIXPANEL_ACTIONS

SETTINGS = {"projectToken": "token", "apiSecret": "secret"}
NOON = "2026-03-14T12:00:00.000Z"
NOON_MS = 1_773_489_600_000


def document(action: str, *, settings: Any = None, mapping: Any = None, **changes: Any) -> dict[str, Any]:
    """One subscription to everything; ``changes`` are fields of the mapping, None takes a field out."""
    default = MIXPANEL_ACTIONS[action].default_mapping() if mapping is None else mapping
    mapped = {key: value for key, value in {**default, **changes}.items() if value is not None}
    item = {"name": "All", "subscribe": 'type != ""', "partnerAction": action, "mapping": mapped}
    return {"settings": {**SETTINGS, **(settings or {})}, "subscriptions": [item]}


def run(action: str, event: Any, **options: Any) -> list[dict[str, Any]]:
    """What one event becomes."""
    return compile_destination(document(action, **options))(event)


def track(event: Any = "Product Viewed", properties: Any = None, **more: Any) -> dict[str, Any]:
    """A track call at noon by a known person."""
    call = {"type": "track", "event": event, "messageId": "m1", "userId": "u1", "timestamp": NOON, **more}
    return call if properties is None else {**call, "properties": properties}


def order(products: Any, event: str = "Order Completed", **properties: Any) -> dict[str, Any]:
    return track(event, {"order_id": "o1", "currency": "EUR", "products": products, **properties})


def properties(event: Any, action: str = "trackEvent", **options: Any) -> dict[str, Any]:
    """Properties of the first record."""
    found: dict[str, Any] = run(action, event, **options)[0]["row"]["properties"]
    return found


def refusal(action: str, event: Any, **options: Any) -> str:
    """The words with which an event is refused."""
    (item,) = run(action, event, **options)
    assert item["rejected"]["code"] == "mapping_failed"
    message: str = item["rejected"]["message"]
    return message
