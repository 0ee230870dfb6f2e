"""What a person of the sample store does, visit by visit, and what each visit sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from connector.sample import shop
from connector.sample.calls import Step
from connector.sample.clock import DAY_MS, HOUR_MS, MINUTE_MS
from connector.sample.context import Landing, browser_of, landing_of, visit_context
from connector.sample.envelope import Visitor
from connector.sample.people import Person
from connector.sample.store_people import LATE, MAIN, REPEATS, Shopper
from connector.sample.store_steps import (
    ITEM_MS,
    home_step,
    identify_step,
    list_step,
    order_steps,
    promotion_steps,
    view_step,
)

CART_MS = 5 * MINUTE_MS
"""From the start of a visit that only buys to its Order Completed."""

_IDENTIFY_MS = 20 * MINUTE_MS
_FIRST_LIST_MS = MINUTE_MS
_PER_CATEGORY_MS = 130_000


class Visit(NamedTuple):
    """``start_ms`` counts from the first day's midnight, as ``Shopper.start_ms`` does."""

    start_ms: int
    visitor: Visitor
    steps: list[Step]


def visits_of(shopper: Shopper, person: Person) -> Iterator[Visit]:
    """Everything somebody does within the store's days, not in the order of time."""
    dice, signed_in, first_ms = shopper.dice, shopper.signed_in_later, shopper.first_order_ms
    late_ms = shopper.start_ms + LATE * DAY_MS + dice.below(DAY_MS, "late order")
    yield _first_visit(shopper, person)
    if lines := shopper.baskets.get(MAIN):
        yield buying_visit(shopper, person, "first order", first_ms, lines)
    if lines := shopper.baskets.get(LATE):
        visitor, _ = visitor_of(shopper, person, "late order")
        looks = [view for view in shopper.views if view.product in [line.product for line in lines]]
        steps = [view_step(view, turn * ITEM_MS, signed_in) for turn, view in enumerate(looks)]
        steps += order_steps(visitor.dice, person, lines, HOUR_MS, signed_in)
        yield Visit(late_ms - HOUR_MS, visitor, steps)
    for after in REPEATS:
        if lines := shopper.baskets.get(after):
            order_ms = first_ms + after * DAY_MS + dice.below(2 * HOUR_MS, "again", after)
            yield buying_visit(shopper, person, f"again after {after}", order_ms, lines)


def buying_visit(
    shopper: Shopper, person: Person, purpose: str, order_ms: int, lines: list[shop.Line]
) -> Visit:
    """A visit that ends with an order at ``order_ms``."""
    visitor, _ = visitor_of(shopper, person, purpose)
    steps = order_steps(visitor.dice, person, lines, CART_MS, shopper.signed_in_later)
    return Visit(order_ms - CART_MS, visitor, steps)


def visitor_of(shopper: Shopper, person: Person, purpose: str) -> tuple[Visitor, Landing]:
    """Who sends one visit's messages, and where the visit came from; ``purpose``: one of a kind."""
    dice = shopper.dice.part(purpose)
    device, landing = browser_of(person), landing_of(dice)
    return Visitor(dice, person, device, visit_context(person, device, landing, carrier=dice)), landing


def _first_visit(shopper: Shopper, person: Person) -> Visit:
    visitor, landing = visitor_of(shopper, person, "first visit")
    signed_in = shopper.knows_us
    steps = [home_step(landing, signed_in)]
    if shopper.number % 3 == 0:
        banner = visitor.dice.one_of(shop.PROMOTIONS, "promotion")._asdict()
        del banner["category"]
        steps += promotion_steps(banner, 10_000, signed_in, clicked=shopper.number % 6 == 0)
    for turn, view in enumerate(shopper.views):
        list_ms = _FIRST_LIST_MS + turn * _PER_CATEGORY_MS + visitor.dice.below(30_000, "list", turn)
        look_ms = list_ms + visitor.dice.between(10_000, 60_000, "look", turn)
        steps += [list_step(view, list_ms, signed_in), view_step(view, look_ms, signed_in)]
    if shopper.identifies:
        steps.append(identify_step(person, _IDENTIFY_MS))
    return Visit(shopper.start_ms, visitor, steps)
