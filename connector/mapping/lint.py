"""The traps of a mapping document: valid, and not what their writer is likely to think.

What a document says about orders can only be judged by somebody who knows the actions: ``ActionFacts``.
Source: fql 7, mapping-kit 3 to 5, mixpanel-actions 2 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connector.errors import MappingError
from connector.events import Json
from connector.mapping.lint_mapping import lint_mapping
from connector.mapping.lint_query import lint_query
from connector.mapping.paths import parse_path
from connector.mapping.subscription import compile_subscription
from connector.mapping.trap import Trap, pointer_step
from connector.mapping.validate_mapping import directive_name

__all__ = ["ActionFacts", "Trap", "lint_document", "lint_mapping", "lint_query"]

_BROWSING = ("Product Viewed", "Product Added", "Cart Viewed", "Checkout Started", "Signed Up")
_PRODUCTS = "products"


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """What of an action its traps depend on."""

    required: frozenset[str] = frozenset()
    """Fields without which an event is refused."""
    prefilled: bool = False
    """A field that the mapping does not name takes its default (the lake); else it is empty (Segment)."""
    makes_purchases: bool = False
    """It makes an event of every product of an order."""
    product_keys: tuple[str, ...] = ()
    """Keys of a product that it keeps."""


def lint_document(document: Json, actions: Mapping[str, ActionFacts]) -> list[Trap]:
    """Return the traps of all enabled subscriptions; what is no document or unknown is passed over.

    Args:
        document: what a mapping file holds, also one with faults.
        actions: partnerAction to what is known of it.
    """
    listed = document.get("subscriptions") if isinstance(document, dict) else None
    return [
        trap.below(f"/subscriptions/{place}")
        for place, item in enumerate(listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and item.get("enabled", True) is not False
        for trap in _lint_subscription(item, actions)
    ]


def _lint_subscription(item: Mapping[str, Json], actions: Mapping[str, ActionFacts]) -> Iterator[Trap]:
    query, mapping, action = item.get("subscribe"), item.get("mapping", {}), item.get("partnerAction")
    facts = actions.get(action) if isinstance(action, str) else None
    if isinstance(query, str):
        yield from (trap.below("/subscribe") for trap in lint_query(query))
        if facts is not None and facts.makes_purchases:
            yield from _other_tracks(query)
    if not isinstance(mapping, dict):
        return
    if facts is not None:
        yield from (trap.below("/mapping") for trap in _empty_fields(mapping, facts))
    yield from (trap.below("/mapping") for trap in lint_mapping(mapping))
    if facts is not None and facts.product_keys:
        yield from (trap.below("/mapping") for trap in _narrowed(mapping, "", facts.product_keys))


def _other_tracks(query: str) -> Iterator[Trap]:
    """Tell when track calls that are no orders come in as well."""
    try:
        matches = compile_subscription(query)
    except MappingError:
        return
    let_in = next((name for name in _BROWSING if matches(_track(name))), None)
    if let_in is not None:
        yield Trap(
            "purchase-not-restricted", "/subscribe",
            f"An action for orders also gets `{let_in}` and the like; Segment's makes purchases of it.",
            'Add: and event = "Order Completed".', 1,
        )  # fmt: skip


def _track(name: str) -> dict[str, Json]:
    product = {"product_id": "1", "price": 1, "quantity": 1}
    return {"type": "track", "event": name, "userId": "u", "properties": {**product, _PRODUCTS: [product]}}


def _empty_fields(mapping: Mapping[str, Json], facts: ActionFacts) -> Iterator[Trap]:
    for key in sorted(facts.required):
        if key not in mapping and facts.prefilled:
            continue
        value = mapping.get(key)
        if value in (None, "", {}, []) and not (value is None and facts.prefilled):
            yield Trap(
                "required-empty", pointer_step(key), f"{key} is required and nothing is mapped to it.",
                'Map it, as in {"@path": "$.…"}: without it every event is refused.',
            )  # fmt: skip


def _narrowed(value: Json, path: str, kept: tuple[str, ...]) -> Iterator[Trap]:
    """Tell which keys of products an ``@arrayPath`` with a shape of its own drops."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _narrowed(item, f"{path}/{index}", kept)
    elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
        options = value.get("@arrayPath") if directive_name(value) == "@arrayPath" else None
        if isinstance(options, list) and len(options) > 1 and _is_products(options[0]):
            yield from _dropped(options[1], f"{path}/@arrayPath/1", kept)
        for key, item in value.items():
            yield from _narrowed(item, path + pointer_step(key), kept)


def _is_products(path: Json) -> bool:
    return isinstance(path, str) and parse_path(path)[-1:] == (_PRODUCTS,)


def _dropped(shape: Json, path: str, kept: tuple[str, ...]) -> Iterator[Trap]:
    is_object = isinstance(shape, dict) and bool(shape) and not any(str(key).startswith("@") for key in shape)
    dropped = [key for key in kept if key not in shape] if is_object else []
    if dropped:
        yield Trap(
            "products-narrowed", path, f"Of every product these keys are dropped: {', '.join(dropped)}.",
            'Name them too, or leave the shape out: {"@path": "$.properties.products"} keeps all.',
        )  # fmt: skip
