"""The calls of the sample store, one by one; ``at_ms`` counts from the start of the visit."""

from __future__ import annotations

from connector.events import Json
from connector.sample import shop
from connector.sample.calls import Step
from connector.sample.checkout import order_json
from connector.sample.clock import DAY_MS, MINUTE_MS
from connector.sample.context import Landing, page
from connector.sample.dice import Dice
from connector.sample.people import Person
from connector.sample.store_people import View

ITEM_MS = 20_000
"""Between two products looked at or added."""
REFUND_SHARE = 1 / 20

_CART_MS = 4 * MINUTE_MS
_CHECKOUT_MS = MINUTE_MS


def home_step(landing: Landing, signed_in: bool) -> Step:
    """The page call that opens a visit."""
    home = page("/", "Home", referrer=landing.referrer, search=landing.search)
    names = {"name": "Home", "category": "Shop"}
    return Step(0, "page", {**names, "properties": {**home, **names}}, home, signed_in)


def identify_step(person: Person, at_ms: int) -> Step:
    return Step(at_ms, "identify", {"traits": person.traits}, page("/account", "Account"), True)


def promotion_steps(banner: dict[str, Json], at_ms: int, signed_in: bool, *, clicked: bool) -> list[Step]:
    """A promotion is seen and, ``clicked``, clicked 15 seconds later."""
    home = page("/", "Home")
    steps = [_track("Promotion Viewed", banner, at_ms, home, signed_in)]
    if clicked:
        steps.append(_track("Promotion Clicked", banner, at_ms + 15_000, home, signed_in))
    return steps


def experiment_step(properties: dict[str, Json], at_ms: int, signed_in: bool) -> Step:
    return _track("Experiment Viewed", properties, at_ms, page("/", "Home"), signed_in)


def list_step(view: View, at_ms: int, signed_in: bool) -> Step:
    """A department's five articles."""
    shelf = view.shelf
    listed = {"list_id": shelf.list_id, "category": shelf.name, "products": shop.list_json(shelf.products)}
    return _track("Product List Viewed", listed, at_ms, page(shelf.path, shelf.name), signed_in)


def view_step(view: View, at_ms: int, signed_in: bool) -> Step:
    card = view.product.card
    seen = {**card, "quantity": 1, "currency": "USD", "value": card["price"]}
    return _track("Product Viewed", seen, at_ms, _product_page(view.product), signed_in)


def order_steps(
    dice: Dice, person: Person, lines: list[shop.Line], at_ms: int, signed_in: bool
) -> list[Step]:
    """
    An order that is completed ``at_ms`` into a visit, with the five minutes before it.

    One order in twenty is followed two days later by the refund of one piece of its first article, which the
    shop's server reports. There is no coupon, and shipping is free at these prices.
    """
    tax = person.region.tax_basis_points
    amounts = shop.price_order(lines, coupon=None, tax_basis_points=tax, express=False)
    order = order_json(f"AL-{dice.hex(12, 'order').upper()}", lines, amounts, None, person.region.currency)
    total, cart_id = shop.money(amounts.total), f"cart_{dice.hex(16, 'cart')}"
    steps = []
    for turn, line in enumerate(lines):
        added = {"cart_id": cart_id, **line.product.card, "quantity": line.quantity}
        added_ms = at_ms - _CART_MS + turn * ITEM_MS
        steps.append(_track("Product Added", added, added_ms, _product_page(line.product), signed_in))
    started = {**order, "value": total}
    started_ms = at_ms - _CHECKOUT_MS
    steps.append(_track("Checkout Started", started, started_ms, page("/checkout", "Checkout"), signed_in))
    complete = {"checkout_id": f"chk_{dice.hex(16, 'checkout')}", **order}
    complete |= {"subtotal": order["revenue"], "total": total}
    steps.append(_track("Order Completed", complete, at_ms, page("/thank-you", "Thank you"), signed_in))
    if dice.chance(REFUND_SHARE, "refund"):
        steps.append(_refund(order, lines[0].product, at_ms + 2 * DAY_MS, signed_in))
    return steps


def _refund(order: dict[str, Json], product: shop.Product, at_ms: int, signed_in: bool) -> Step:
    refund = {
        "order_id": order["order_id"],
        "total": product.card["price"],
        "currency": order["currency"],
        "products": shop.lines_json([shop.Line(product, 1)]),
    }
    return Step(at_ms, "track", {"event": "Order Refunded", "properties": refund}, None, signed_in, True)


def _track(
    event: str, properties: dict[str, Json], at_ms: int, shown: dict[str, Json], signed_in: bool
) -> Step:
    return Step(at_ms, "track", {"event": event, "properties": properties}, shown, signed_in)


def _product_page(product: shop.Product) -> dict[str, Json]:
    return page(product.path, product.title)
