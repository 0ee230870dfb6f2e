"""The sample store: made-up messages whose figures are known before anybody counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from connector.sample.clock import DAY_MS, start_of
from connector.sample.envelope import Pending, deliveries, message
from connector.sample.store_catalogue import GROUP
from connector.sample.store_people import identity_of, shoppers
from connector.sample.store_promotion import DAYS as PROMOTION_DAYS
from connector.sample.store_promotion import promotion_visits
from connector.sample.store_visits import Visit, visits_of

LEAST_DAYS = 30
"""Fewer leave too little time for repeat orders, which come up to twenty days after the first."""
DUPLICATES = 0.01
"""Share of the messages that are sent a second time."""


def store_events(
    *,
    people: int = 2_000,
    days: int = 60,
    seed: int = 20,
    first_day: date = date(2026, 1, 1),
    promotion: bool = False,
) -> Iterator[dict[str, Any]]:
    """
    Make the Segment messages of a store with known figures, for reports and for tests of reports.

    Of every 1,000 people 445 look at Home Supplies, and 180 of them buy there within seven days of their
    first look: 40.45 %. In Entertainment it is 135 of 340, 39.71 %. Each category's products are bought
    equally often, so the mean price over purchased products is exact as well: 461.20 and 460.50. The other
    six categories are as definite; ``store_catalogue`` lists them.

    Whoever counts otherwise gets other figures. Six people in ten browse anonymously before they are known;
    one message in a hundred is sent twice; some look, and buy a week too late after looking once more;
    some buy without looking; orders mix categories; quantities are 1 to 3. Money is USD.

    Args:
        people: rounded up to a multiple of 1,000, for which alone all counts are whole. In an odd number of
            thousands the half person that Toys converts falls away.
        days: every ``timestamp`` and ``receivedAt`` of the store lies within this many days, and so does
            every window of seven days from a first look; at least 30.
        seed: another seed is another set of people and choices with the same figures.
        first_day: UTC day of the first messages.
        promotion: another 30 days follow, with an offer by experiment to the people who looked at Home
            Supplies and did not buy: 265 of every 1,000. About half of them, the variation ``treatment``,
            see it and buy Home Supplies with a probability of 0.25; ``control`` has 0.10. The true effect is
            an extra probability of 0.15. The messages of the days before are the same as without.

    Returns:
        Decoded messages, ``receivedAt`` never falling, each with the whole envelope and ``timestamp =
        receivedAt - (sentAt - originalTimestamp)``; about 14 a person. A message shares inner values with
        others: copy before changing one. All of them are held in memory, not yet put together.

    Raises:
        ValueError: ``people`` is below 1, or ``days`` below 30.

    The same arguments give the same messages, everywhere: all choices are hashes of (seed, purpose, ids).
    """
    if people < 1 or days < LEAST_DAYS:
        raise ValueError(f"store_events needs people >= 1 and days >= {LEAST_DAYS}")
    return _messages(-(-people // GROUP) * GROUP, days, seed, start_of(first_day), promotion)


def _messages(people: int, days: int, seed: int, begin_ms: int, promotion: bool) -> Iterator[dict[str, Any]]:
    everybody = [(shopper, identity_of(shopper)) for shopper in shoppers(seed, people, days)]
    end_ms = days * DAY_MS
    visits = (visit for who in everybody for visit in visits_of(*who))
    yield from _delivered(visits, begin_ms, end_ms)
    if promotion:
        visits = (visit for who in everybody for visit in promotion_visits(*who, end_ms))
        yield from _delivered(visits, begin_ms, end_ms + PROMOTION_DAYS * DAY_MS)


def _delivered(visits: Iterable[Visit], begin_ms: int, end_ms: int) -> Iterator[dict[str, Any]]:
    """The messages of visits in the order they arrive."""
    on_the_way: list[Pending] = []
    for start_ms, visitor, steps in visits:
        serial = len(on_the_way)
        on_the_way += deliveries(visitor, steps, begin_ms + start_ms, begin_ms + end_ms, DUPLICATES, serial)
    yield from map(message, sorted(on_the_way))
