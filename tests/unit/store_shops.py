"""The stores that the tests read, each made once, and the figures they must have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from store_reading import Reading

from connector.sample import store_events

HOME, FUN = "Home Supplies", "Entertainment"
PER_1000 = {
    "Groceries": (264, 550, 450, "458.75"),
    HOME: (180, 445, 320, "461.20"),
    FUN: (135, 340, 280, "460.50"),
    "Fashion": (200, 410, 260, "459.90"),
    "Electronics": (165, 375, 225, "462.90"),
    "Beauty": (160, 350, 215, "457.30"),
    "Sports": (150, 325, 200, "460.10"),
    "Toys": (132, 300, 170, "456.60"),
}
"""Category: converted, viewers, product rows, mean price."""
SHOPS = [(20, 1_000), (21, 1_000), (22, 1_000), (20, 2_000)]
"""Seed and people."""


@cache
def messages_of(seed: int, people: int) -> Sequence[dict[str, Any]]:
    return list(store_events(seed=seed, people=people))


@cache
def reading_of(seed: int, people: int) -> Reading:
    return Reading(messages_of(seed, people))


def name_of(shop: tuple[int, int]) -> str:
    return f"seed {shop[0]}, {shop[1]} people"
