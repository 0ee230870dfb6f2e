"""Event names: spelling variants and legacy names become the ecommerce spec's name, by exact match.

Source: tables 4; quirks 1 to 5. Never by prefix: ``Completed Order Email Sent`` stays a custom event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

VERBS = frozenset(
    "Searched Viewed Filtered Clicked Added Removed Started Completed Entered Updated Refunded Cancelled "
    "Applied Denied Shared Reviewed".split()
)
SPEC_NAMES: tuple[str, ...] = (
    "Products Searched", "Product List Viewed", "Product List Filtered",
    "Promotion Viewed", "Promotion Clicked",
    "Product Clicked", "Product Viewed", "Product Added", "Product Removed", "Cart Viewed",
    "Checkout Started", "Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered",
    "Order Updated", "Order Completed", "Order Refunded", "Order Cancelled",
    "Coupon Entered", "Coupon Applied", "Coupon Denied", "Coupon Removed",
    "Product Added to Wishlist", "Product Removed from Wishlist", "Wishlist Product Added to Cart",
    "Product Shared", "Cart Shared", "Product Reviewed",
)  # fmt: skip
LEGACY_NAMES: dict[str, str] = {
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
    "Product Added to Cart from Wishlist": "Wishlist Product Added to Cart",
    "Product Added from Wishlist to Cart": "Wishlist Product Added to Cart",
    "Product Category Viewed": "Product List Viewed",
}
ORDER_EVENTS = frozenset(name for name in SPEC_NAMES if name.startswith("Order "))
SINGLE_PRODUCT_EVENTS = frozenset(
    ("Product Clicked", "Product Viewed", "Product Added", "Product Removed", "Product Added to Wishlist",
     "Product Removed from Wishlist", "Wishlist Product Added to Cart", "Product Shared", "Product Reviewed")
)  # fmt: skip

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAPS = re.compile(r"[\s_-]+")
_LONGEST_FOLDED = 100
_MOST_NAMES = 4_096


def fold(name: str) -> str:
    """``orderCompleted``, ``order_completed``, `` Order-Completed `` -> ``order completed``."""
    return _GAPS.sub(" ", _CAMEL.sub(" ", name)).strip().lower()


def _verb_first(name: str) -> str:
    words = name.split()
    verb = next(word for word in words if word in VERBS)
    words.remove(verb)
    return " ".join([verb, *words])


def _spellings() -> dict[str, str]:
    known: dict[str, str] = {}
    for name in SPEC_NAMES:
        for spelling in (fold(name), fold(_verb_first(name))):
            known[spelling] = name
            known[spelling.replace(" ", "")] = name
    for legacy, name in LEGACY_NAMES.items():
        known[fold(legacy)] = name
    return known


SPELLINGS = _spellings()
_EXACT = frozenset(SPEC_NAMES)


def spec_name(name: str) -> str:
    """The ecommerce spec's name for ``name``, or ``name`` itself."""
    return name if name in _EXACT else _lookup(name)


@lru_cache(maxsize=_MOST_NAMES)
def _lookup(name: str) -> str:
    return SPELLINGS.get(fold(name), name) if len(name) <= _LONGEST_FOLDED else name


def name_reader(aliases: Mapping[str, str]) -> Callable[[str], str]:
    """What a source's event names count as: its aliases first, then the spec's spellings (quirks 4, 5).

    Args:
        aliases: name as sent -> name it counts as, which may be any spelling of the spec's or a custom name.
            A name that is no alias as it stands, nor the spec's to the letter, is looked up in its folded
            form too, so that ``Sale Closed`` covers ``sale_closed``.
    """
    if not aliases:
        return spec_name
    exact = {sent: spec_name(meant) for sent, meant in aliases.items()}
    # Sorted: the order of a configuration file must not decide between two of the same folded form.
    folded = {fold(sent): exact[sent] for sent in sorted(exact, reverse=True)}

    @lru_cache(maxsize=_MOST_NAMES)
    def read(name: str) -> str:
        if name in exact:
            return exact[name]
        if name in _EXACT or len(name) > _LONGEST_FOLDED:
            return name
        return folded.get(fold(name)) or spec_name(name)

    return read
