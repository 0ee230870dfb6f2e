"""One store that never changes: a few hundred rows with everything that engines may see differently.

Copies, ties in time, days on which clocks change, chains from device to user, refunds beyond an order,
amounts with many digits, null properties; texts with quotes, backslashes, patterns, letters of many bytes.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from tests.report.stores import at

Row = dict[str, Any]
USERS = ("ann", "ben", "cleo", "d'Arc", "é́ve", "fay", "gus", "")
DEVICES = tuple(f"device-{number}" for number in range(16))
CATEGORIES = ("Toys", "toys", "Bücher & Co", "50% off", "a\\b", "it's ${x}", "\U0001f6cd", "", None)
CURRENCIES = ("USD", "USD", "EUR", None)
AMOUNTS = (None, "0", "9.99", "100", "0.000001", "45.000001", "123456.654321", "19.9")
START = at("2026-03-20 00:00")
DAY_MS = 86_400_000
DAYS = 24
"""Europe leaves winter time within them, on 2026-03-29."""
MEMBERS = {"promo": ["ann", "ben", "$device:device-3", "nobody"], "control": ["cleo", "d'Arc"]}
"""Cohort -> its people."""

_MESSAGES = 150
"""So few ids of messages that some events share one."""
_EVENTS = (
    ("Product Viewed", 9), ("Product Added", 3), ("Product Purchased", 5), ("Order Completed", 5),
    ("Order Refunded", 2), ("Order Cancelled", 1), ("Checkout Started", 2), ("Cart Viewed", 2),
    ("Experiment Viewed", 3), ("Signed Up", 1), ("page", 3), ("it's \\ \U0001f6cd", 1),
)  # fmt: skip


def store(count: int = 420) -> dict[str, list[Row]]:
    """``events``, ``profiles`` and ``aliases``; the same ones every time."""
    dice = Random(20_260_329)
    events = [_event(dice, number) for number in range(count)]
    for number, copied in enumerate(dice.sample(events, count // 12)):
        delay_ms = dice.choice((-5_000, 0, 60_000, 3 * DAY_MS))
        events.append(
            {**copied, "received_ms": copied["received_ms"] + delay_ms, "captured_file": "late",
             "captured_index": count + number}
        )  # fmt: skip
    dice.shuffle(events)
    return {
        "events": events,
        "profiles": [_profile(dice, number) for number in range(30)],
        "aliases": [_alias(dice, number) for number in range(8)],
    }


def _event(dice: Random, number: int) -> Row:
    event = dice.choices([name for name, _ in _EVENTS], [weight for _, weight in _EVENTS])[0]
    row = {
        "row_id": f"row-{number:04}", "message_id": f"m{dice.randrange(_MESSAGES):03}",
        "source": dice.choice(("web", "web", "app")), "type": "page" if event == "page" else "track",
        "event": event, **_person(dice), **_times(dice), "captured_file": "first", "captured_index": number,
        "currency": dice.choice(CURRENCIES), "category": dice.choice(CATEGORIES),
        "context_campaign_source": dice.choice((None, "news", "50%_off")),
        "context_screen_width": dice.choice((None, 0, 1920)),
        "properties": dice.choice(_PROPERTIES),
    }  # fmt: skip
    return {**row, **_own(dice, event)}


def _own(dice: Random, event: str) -> Row:
    """What rows of an event have beside."""
    if event in ("Product Viewed", "Product Added", "Product Purchased"):
        own = {
            "product_id": dice.choice(("p1", "p2", None)), "price": _amount(dice),
            "name": dice.choice(("Ball", None)),
            "quantity": dice.choice((None, Decimal(1), Decimal("2.5"), Decimal("0.001"))),
        }  # fmt: skip
        if event == "Product Purchased":
            own |= {
                "order_id": _order(dice),
                "line_index": dice.choice((0, 1, 2, None)),
                "line_revenue": _amount(dice),
            }
        return own
    if event == "Order Completed":
        items = [
            {"product_id": dice.choice(("p1", None)), "category": dice.choice(CATEGORIES),
             "price": _amount(dice), "quantity": Decimal(1)}
            for _ in range(dice.randrange(3))
        ]  # fmt: skip
        return {
            "order_id": _order(dice), "order_revenue": _amount(dice), "discount": _amount(dice),
            "order_revenue_from": dice.choice(("revenue", "subtotal")),
            "products": dice.choice((None, items)), "line_count": len(items),
        }  # fmt: skip
    if event in ("Order Refunded", "Order Cancelled"):
        return {"order_id": _order(dice), "refund_amount": _amount(dice)}
    if event == "Experiment Viewed":
        return {
            "experiment_name": dice.choice(("promo", "promo", None)), "experiment_id": "promo",
            "variation_name": dice.choice(("control", "treatment")),
        }  # fmt: skip
    return {}


_PROPERTIES = (
    None, "{}", '{"plan":"free","seats":3}', '{"plan":null,"seats":2.50}',
    '{"plan":"d\'Or \\\\ \\u00e9","vip":true}', '{"plan":"","nested":{"plan":"x"},"a b":7}',
)  # fmt: skip
_TRAITS = (
    "{}", '{"email":"ann@example.com","plan":"free"}', '{"email":null}',
    '{"plan":"pro","address":{"city":"Köln"}}', '{"address":null,"name":"É. O\'Neil"}',
)  # fmt: skip


def _person(dice: Random) -> Row:
    device = dice.choice((None, "", *DEVICES))
    user = dice.choice((None, None, *USERS)) if device is None or dice.random() < 0.4 else None
    return {
        "user_id": user,
        "anonymous_id": device,
        "distinct_id": user or device or dice.choice((None, "lost")),
    }


def _times(dice: Random) -> Row:
    time_ms = dice.choice(
        (
            START + dice.randrange(DAYS * DAY_MS),
            START + dice.randrange(DAYS) * DAY_MS,
            at("2026-03-29 00:59:59") + 1_000 * dice.randrange(60),
            START + 500 * dice.randrange(200),
        )
    )
    return {"time_ms": time_ms, "received_ms": time_ms + dice.randrange(3 * DAY_MS)}


def _amount(dice: Random) -> Decimal | None:
    text = dice.choice(AMOUNTS)
    return None if text is None else Decimal(text)


def _order(dice: Random) -> str | None:
    return dice.choice((None, *(f"o{number}" for number in range(14))))


def _call(dice: Random, number: int, kind: str) -> Row:
    return {
        "row_id": f"{kind}-{number}", "message_id": f"m{dice.randrange(_MESSAGES):03}", "source": "web",
        "type": kind, **_person(dice), **_times(dice), "captured_file": "first",
        "captured_index": 10_000 + number,
    }  # fmt: skip


def _profile(dice: Random, number: int) -> Row:
    traits = dice.choice(_TRAITS)
    email = "ann@example.com" if "@" in traits else None
    return {**_call(dice, number, "identify"), "traits": traits, "email": email}


def _alias(dice: Random, number: int) -> Row:
    return {**_call(dice, number, "alias"), "previous_id": dice.choice((None, "", *DEVICES))}
