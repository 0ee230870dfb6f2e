"""The thirty days after the sample store's sixty: an offer to half of those who looked and did not buy.

An experiment whose answer is known. Everybody who dropped off in Home Supplies takes part; by the parity of
a hash half are treated, which means that they see the offer. In these days a control buys Home Supplies with
probability ``BASE``, a treated person with ``BASE + EXTRA``; who is treated and who buys are independent
hashes. In the other departments everybody goes on looking and buying, whoever was treated.

Whoever never signed in does not now: such orders are a guest's, so no id of a person changes after the sixty
days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.events import Json
from connector.sample import shop
from connector.sample.clock import DAY_MS, MINUTE_MS, moment_ms
from connector.sample.dice import Dice
from connector.sample.people import Person
from connector.sample.store_catalogue import DEPARTMENTS, HOME_SUPPLIES
from connector.sample.store_people import Shopper, View
from connector.sample.store_steps import experiment_step, home_step, list_step, promotion_steps, view_step
from connector.sample.store_visits import Visit, buying_visit, visitor_of

DAYS = 30
BASE = 0.10
"""Probability that a control buys Home Supplies."""
EXTRA = 0.15
"""What the offer adds to it."""
CLICKED = 0.4
"""Share of those who see the offer that click it."""
LOOKED = 0.5
"""Share that looks at Home Supplies, of those who do not buy."""
ORDINARY = 0.6
"""Probability that an ordinary visit ends with an order."""

_STARTS_WITHIN_DAYS = 22
"""Seven days after the last start all windows have closed."""
_FRACTION = 1 << 53
_EXPERIMENT = {"experiment_id": "exp_home_supplies", "experiment_name": "Home Supplies offer"}
_VARIATIONS = ("treatment", "control")
_OFFER: dict[str, Json] = {
    "promotion_id": "promo_home_supplies",
    "creative": "hero_home_1",
    "name": "Home Supplies: an offer for you",
    "position": "home_hero",
}


def promotion_visits(shopper: Shopper, person: Person, begin_ms: int) -> Iterator[Visit]:
    """
    What somebody does in these days.

    Args:
        begin_ms: when the sixty days end, ms from the first day's midnight; every visit starts later.
    """
    dice = shopper.dice.part("after")
    takes_part = shopper.dropped(HOME_SUPPLIES)
    if takes_part:
        yield from _experiment(shopper, person, begin_ms + _moment_ms(dice, 0), dice)
    shelves = [each.shelf for each in DEPARTMENTS if not (takes_part and each is HOME_SUPPLIES)]
    first = 1 if takes_part else 0
    for turn in range(first, first + dice.between(1, 3, "visits")):
        yield from _ordinary(shopper, person, begin_ms + _moment_ms(dice, turn), dice, turn, shelves)


def _experiment(shopper: Shopper, person: Person, start_ms: int, dice: Dice) -> Iterator[Visit]:
    """One visit that exposes, and for a buyer one that buys, half an hour to three days later."""
    variation = _VARIATIONS[dice.number("variation") % 2]
    treated = variation == "treatment"
    buys = dice.chance(BASE + EXTRA if treated else BASE, "buys")
    visitor, landing = visitor_of(shopper, person, "exposure")
    signed_in = shopper.signed_in_later
    exposure = {**_EXPERIMENT, "variation_id": f"var_{variation}", "variation_name": variation}
    steps = [home_step(landing, signed_in), experiment_step(exposure, 2_000, signed_in)]
    if treated:
        steps += promotion_steps(_OFFER, 8_000, signed_in, clicked=dice.chance(CLICKED, "clicked"))
    wanted = dice.one_of(HOME_SUPPLIES.shelf.products, "wanted")
    if buys or dice.chance(LOOKED, "looked"):
        steps.append(view_step(View(HOME_SUPPLIES.shelf, wanted), MINUTE_MS, signed_in))
    yield Visit(start_ms, visitor, steps)
    if buys:
        yield _order(shopper, person, start_ms, dice, wanted, 0)


def _ordinary(
    shopper: Shopper, person: Person, start_ms: int, dice: Dice, turn: int, shelves: Sequence[shop.Category]
) -> Iterator[Visit]:
    """A look at one department, and now and then an order."""
    visitor, landing = visitor_of(shopper, person, f"ordinary {turn}")
    signed_in = shopper.signed_in_later
    shelf = dice.one_of(shelves, "department", turn)
    view = View(shelf, dice.one_of(shelf.products, "wanted", turn))
    steps = [
        home_step(landing, signed_in),
        list_step(view, MINUTE_MS, signed_in),
        view_step(view, 2 * MINUTE_MS, signed_in),
    ]
    yield Visit(start_ms, visitor, steps)
    if dice.chance(ORDINARY, "buys", turn):
        yield _order(shopper, person, start_ms, dice, view.product, turn)


def _order(
    shopper: Shopper, person: Person, start_ms: int, dice: Dice, product: shop.Product, turn: int
) -> Visit:
    order_ms = start_ms + dice.between(30 * MINUTE_MS, 3 * DAY_MS, "order", turn)
    line = shop.Line(product, dice.between(1, 3, "quantity", turn))
    return buying_visit(shopper, person, f"order after {turn}", order_ms, [line])


def _moment_ms(dice: Dice, turn: int) -> int:
    return moment_ms((dice.number("moment", turn) >> 11) / _FRACTION, _STARTS_WITHIN_DAYS)
