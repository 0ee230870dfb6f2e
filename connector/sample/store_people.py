"""Who visits the sample store, and what each of them looks at and buys in its sixty days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from connector.sample import shop
from connector.sample.clock import DAY_MS, MINUTE_MS, moment_ms
from connector.sample.dice import Dice
from connector.sample.people import US, Person, person_of
from connector.sample.store_catalogue import DEPARTMENTS, Department, scaled

MAIN = 0
"""The first order: half an hour to three days after the start."""
LATE = 8
"""The order of the eighth day after the start, which comes too late for a window of seven days."""
REPEATS = (11, 14, 17, 20)
"""Orders so many days after the first."""
ANONYMOUS_FIRST = 0.6
SMS_CONSENT = 0.55
EMAIL_CONSENT = 0.8

_LATE_NEEDS_DAYS = 12
_REPEAT_NEEDS_DAYS = 3
"""After the day of the repeat: some hours, then two days until a refund."""
_AREA_CODES = (
    "201 202 206 212 213 214 215 216 303 305 312 313 314 404 406 412 415 502 503 504 "
    "505 512 513 602 603 612 614 615 616 617 619 702 703 704 713 801 802 804 813 816"
).split()
_FRACTION = 1 << 53


class View(NamedTuple):
    shelf: shop.Category
    product: shop.Product


@dataclass(frozen=True, slots=True)
class Shopper:
    """
    One person and a plan.

    ``start_ms`` counts from the first day's midnight. ``baskets``: ``MAIN``, ``LATE`` or one of ``REPEATS``
    to what is ordered then. ``knows_us``: has signed in before the first day, so that every message names the
    user.
    """

    number: int
    dice: Dice
    start_ms: int
    knows_us: bool
    views: list[View] = field(default_factory=list)
    baskets: dict[int, list[shop.Line]] = field(default_factory=dict)

    @property
    def first_order_ms(self) -> int:
        """Counts from the first day's midnight too."""
        return self.start_ms + self.dice.between(30 * MINUTE_MS, 3 * DAY_MS, "first order")

    @property
    def identifies(self) -> bool:
        """Says who it is during the first visit: every buyer does, and half of the others."""
        return bool(self.baskets) or self.dice.chance(0.5, "identifies")

    @property
    def signed_in_later(self) -> bool:
        """Whether messages after the first visit name the user."""
        return self.knows_us or self.identifies

    def dropped(self, department: Department) -> bool:
        """Looked, and did not buy within seven days."""
        looked = any(view.shelf is department.shelf for view in self.views)
        bought = any(line.product in department.shelf.products for line in self.baskets.get(MAIN, ()))
        return looked and not bought


def shoppers(seed: int, people: int, days: int) -> list[Shopper]:
    """
    Everybody, by number from 0.

    Args:
        people: a multiple of ``GROUP``.
        days: at least 30; starts leave room for all that follows them.
    """
    everybody = [_shopper(seed, number, days) for number in range(people)]
    for department in DEPARTMENTS:
        _fill(everybody, department, Dice(seed, "store", department.name), days)
    for shopper in everybody:
        shopper.views.sort(key=lambda view: shopper.dice.number(f"turn of {view.shelf.name}"))
    return everybody


def identity_of(shopper: Shopper) -> Person:
    """Names, addresses and device. Like the address, the telephone number is one kept for fiction."""
    dice = shopper.dice
    person = person_of(dice, dice.one_of(US, "region"), None)
    area = _AREA_CODES[shopper.number // 100 % len(_AREA_CODES)]
    traits = {
        **person.traits,
        "phone": f"+1{area}55501{shopper.number % 100:02}",
        "emailConsent": dice.chance(EMAIL_CONSENT, "email consent"),
        "smsConsent": dice.chance(SMS_CONSENT, "sms consent"),
    }
    return replace(person, traits=traits)


def _shopper(seed: int, number: int, days: int) -> Shopper:
    dice = Dice(seed, "shopper", number)
    progress = (dice.number("start") >> 11) / _FRACTION
    start_ms = moment_ms(progress, days - _LATE_NEEDS_DAYS)
    return Shopper(number, dice, start_ms, not dice.chance(ANONYMOUS_FIRST, "anonymous first"))


def _fill(everybody: list[Shopper], department: Department, dice: Dice, days: int) -> None:
    """Give one department its viewers and its buyers; its articles go round among all purchases."""
    people, products = len(everybody), department.shelf.products
    viewers, others = _viewers(dice, department, people)
    for turn, (number, occasion) in enumerate(_purchases(dice, department, everybody, viewers, others, days)):
        line = shop.Line(products[turn % len(products)], dice.between(1, 3, "quantity", turn))
        everybody[number].baskets.setdefault(occasion, []).append(line)
    for number in viewers:
        shopper = everybody[number]
        chosen = [*shopper.baskets.get(MAIN, ()), *shopper.baskets.get(LATE, ())]
        bought = [line.product for line in chosen if line.product in products]
        seen = bought[0] if bought else dice.one_of(products, "seen", number)
        shopper.views.append(View(department.shelf, seen))


def _viewers(dice: Dice, department: Department, people: int) -> tuple[list[int], list[int]]:
    """The first by one hash look; the others follow in the same order."""
    ranked = sorted(range(people), key=lambda number: dice.number("viewer", number))
    count = scaled(department.viewers, people)
    return ranked[:count], ranked[count:]


def _purchases(
    dice: Dice,
    department: Department,
    everybody: list[Shopper],
    viewers: list[int],
    others: list[int],
    days: int,
) -> Iterator[tuple[int, int]]:
    """Yield (person, occasion) once for each product row of a department."""
    people = len(everybody)
    converted, late, unviewed, rows = (scaled(count, people) for count in department[2:])
    ranked = sorted(viewers, key=lambda number: dice.number("converter", number))
    yield from ((number, MAIN) for number in ranked[:converted])
    yield from ((number, LATE) for number in ranked[converted : converted + late])
    yield from ((number, MAIN) for number in others[:unviewed])
    again = _repeats(dice, [everybody[number] for number in ranked[:converted]], days)
    yield from again[: rows - converted - late - unviewed]


def _repeats(dice: Dice, converted: list[Shopper], days: int) -> list[tuple[int, int]]:
    """Every (person, days after) for which time is left, in the order of a hash."""
    fitting = [
        (shopper.number, after)
        for shopper in converted
        for after in REPEATS
        if shopper.first_order_ms + (after + _REPEAT_NEEDS_DAYS) * DAY_MS <= days * DAY_MS
    ]
    return sorted(fitting, key=lambda pair: dice.number(f"again after {pair[1]}", pair[0]))
