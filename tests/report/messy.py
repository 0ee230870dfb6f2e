"""Messy stores for property tests: duplicates, ties, late events, odd ids, refunds, currencies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.report.stores import at

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Santiago", "Pacific/Apia")
CATEGORIES = ("Toys", "Books", "Garden", None)
CURRENCIES = ("USD", "EUR", None)
EVENTS = (
    "Product Viewed", "Product Viewed", "Product Viewed", "Product Added",
    "Product Purchased", "Product Purchased", "Order Completed", "Order Completed",
    "Order Refunded", "Order Cancelled", "Experiment Viewed", "page",
)  # fmt: skip
_START = at("2026-03-25 00:00")
"""Europe leaves winter time on 2026-03-29."""
_SPAN_MS = 21 * 86_400_000


@st.composite
def stores(draw: st.DrawFn, *, most: int = 40) -> dict[str, list[dict[str, Any]]]:
    """``events``, ``profiles`` and ``aliases`` of a few people and devices over three weeks."""
    events = [draw(_event(number)) for number in range(draw(st.integers(0, most)))]
    copies = draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    events += [
        {
            **copy,
            "received_ms": copy["received_ms"] + draw(st.integers(-5_000, 90_000_000)),
            "captured_file": "late",
            "captured_index": 10_000 + number,
        }
        for number, copy in enumerate(copies)
    ]
    profiles = [draw(_call(number, "profile")) for number in range(draw(st.integers(0, 4)))]
    aliases = [draw(_call(number, "alias")) for number in range(draw(st.integers(0, 3)))]
    return {"events": draw(st.permutations(events)), "profiles": profiles, "aliases": aliases}


_users = st.sampled_from((None, None, "ann", "ben", "cleo", ""))
_devices = st.sampled_from((None, "d1", "d2", "d3", "d4", ""))
_times = st.one_of(
    st.integers(_START, _START + _SPAN_MS),
    st.integers(0, 60).map(lambda step: _START + step * 500),
    st.integers(0, 20).map(lambda day: _START + day * 86_400_000),
)


@st.composite
def _event(draw: st.DrawFn, number: int) -> dict[str, Any]:
    event = draw(st.sampled_from(EVENTS))
    user, device, time_ms = draw(_users), draw(_devices), draw(_times)
    row: dict[str, Any] = {
        "row_id": f"row-{draw(st.integers(0, 9))}-{number}",
        "message_id": f"m{draw(st.integers(0, 30)):02}",
        "source": draw(st.sampled_from(("web", "web", "app"))),
        "type": "page" if event == "page" else "track",
        "event": event, "user_id": user, "anonymous_id": device, "distinct_id": user or device or None,
        "time_ms": time_ms, "received_ms": time_ms + draw(st.integers(0, 3 * 86_400_000)),
        "captured_file": "first", "captured_index": number, "currency": draw(st.sampled_from(CURRENCIES)),
    }  # fmt: skip
    if event.startswith("Product"):
        row |= {
            "category": draw(st.sampled_from(CATEGORIES)), "price": draw(_money),
            "product_id": draw(st.sampled_from(("p1", "p2", None))),
            "quantity": draw(st.sampled_from((None, Decimal(1), Decimal("2.5")))),
        }  # fmt: skip
    if event == "Product Purchased":
        row |= {"line_index": draw(st.sampled_from((0, 1, 2, None))), "order_id": draw(_orders)}
    if event == "Order Completed":
        row |= {"order_id": draw(_orders), "order_revenue": draw(_money)}
    if event in ("Order Refunded", "Order Cancelled"):
        row |= {"order_id": draw(_orders), "refund_amount": draw(_money)}
    if event == "Experiment Viewed":
        row |= {
            "experiment_name": draw(st.sampled_from(("promo", None))), "experiment_id": "promo",
            "variation_name": draw(st.sampled_from(("control", "treatment"))),
        }  # fmt: skip
    return row


_money = st.sampled_from(
    (None, Decimal("0"), Decimal("9.99"), Decimal("100"), Decimal("0.1"), Decimal("45.000001"))
)
_orders = st.sampled_from((None, "o1", "o2", "o3", "o4"))


@st.composite
def _call(draw: st.DrawFn, number: int, kind: str) -> dict[str, Any]:
    time_ms = draw(_times)
    user, device = draw(_users), draw(_devices)
    call = {
        "row_id": f"{kind}-{number}", "message_id": f"m{draw(st.integers(0, 30)):02}", "source": "web",
        "type": "identify" if kind == "profile" else "alias", "user_id": user, "anonymous_id": device,
        "distinct_id": user or device or None, "time_ms": time_ms, "received_ms": time_ms + 1_000,
        "captured_file": "first", "captured_index": 20_000 + number,
    }  # fmt: skip
    if kind == "alias":
        call["previous_id"] = draw(_devices)
    return call
