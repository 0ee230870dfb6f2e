"""Small believable calls, and the one way the tests of ``connector.actions`` run them."""

from __future__ import annotations

from typing import Any

from connector.actions.call import LakeSettings
from connector.actions.destination import Destination
from connector.actions.prepare import prepare
from connector.events import Row

NOON_MS = 1_773_489_600_000
NOON = "2026-03-14T12:00:00.000Z"
ACTIONS = {
    "storeProfile": "identify",
    "storeGroup": "group",
    "storeAlias": "alias",
    "storeDeletion": "delete",
}


def track(event: str = "Order Completed", properties: Any = None, **more: Any) -> dict[str, Any]:
    """A track call of a known person at noon, complete, so that rows of it carry no flag of their own."""
    return {
        "type": "track",
        "event": event,
        "messageId": "ajs-1",
        "userId": "usr_1",
        "timestamp": NOON,
        "receivedAt": NOON,
        "properties": {} if properties is None else properties,
        **more,
    }


def call(kind: str, **more: Any) -> dict[str, Any]:
    """A call of another type by the same person."""
    return {
        "type": kind,
        "messageId": "ajs-1",
        "userId": "usr_1",
        "timestamp": NOON,
        "receivedAt": NOON,
        **more,
    }


def order(**properties: Any) -> dict[str, Any]:
    """An Order Completed that adds up: two mugs and a lamp, 40.00 USD."""
    return track(
        properties={
            "order_id": "ord_1",
            "revenue": 40,
            "currency": "USD",
            "products": [
                {"product_id": "mug", "price": 7.5, "quantity": 2},
                {"product_id": "lamp", "price": 25, "quantity": 1},
            ],
            **properties,
        }
    )


def document(
    action: str = "storePurchase", fields: Any = None, subscribe: str | None = None
) -> dict[str, Any]:
    """A mapping document of one subscription that matches what its action is for."""
    if subscribe is None:
        kind = ACTIONS.get(action)
        subscribe = f'type = "{kind}"' if kind else 'type = "track" or type = "page" or type = "screen"'
    item = {"name": "All", "subscribe": subscribe, "partnerAction": action, "mapping": fields or {}}
    return {"subscriptions": [item]}


def run(
    event: Any,
    action: str = "storePurchase",
    fields: Any = None,
    settings: LakeSettings | None = None,
    source: str = "web",
    **captured: Any,
) -> list[Row]:
    """The rows of one event through one subscription; raises Refusal."""
    lake = settings or LakeSettings()
    destination = Destination(document(action, fields), lake, lake.rules(source))
    rows = destination.rows(prepare(event, source=source, names=destination.names, **captured))
    assert rows is not None
    return rows


def main_row(event: Any, action: str = "storePurchase", *args: Any, **more: Any) -> dict[str, Any]:
    """The columns of the first row."""
    return run(event, action, *args, **more)[0].columns


def line_rows(event: Any, **more: Any) -> list[dict[str, Any]]:
    """The columns of the lines of an order."""
    return [row.columns for row in run(event, **more)[1:]]


def notes(row: dict[str, Any]) -> list[str]:
    """Flags as ``code path``."""
    return [f"{flag.code} {flag.path}" for flag in row["flags"]]
