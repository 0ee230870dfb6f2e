"""The funnel of views and purchases by category, and readings mistaken for it: messages, brute force."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

GRACE = timedelta(seconds=2)
WEEK = timedelta(days=7)


class View(NamedTuple):
    person: str
    category: str
    at: datetime


class Purchase(NamedTuple):
    """One product row of an order."""

    person: str
    category: str
    at: datetime
    price: Decimal
    quantity: int


class Step(NamedTuple):
    converted: int
    viewers: int


def time_of(message: dict[str, Any], key: str = "timestamp") -> datetime:
    return datetime.fromisoformat(message[key])


def money(number: float) -> Decimal:
    return Decimal(str(number))


def first_received(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each message once, as it was received first; the messages are in order of arrival."""
    kept: dict[str, dict[str, Any]] = {}
    for message in messages:
        kept.setdefault(message["messageId"], message)
    return list(kept.values())


def links(messages: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Device to user, by the first event that holds both."""
    found: dict[str, str] = {}
    for message in sorted(messages, key=lambda each: (each["timestamp"], each["messageId"])):
        if message["anonymousId"] and message["userId"]:
            found.setdefault(message["anonymousId"], message["userId"])
    return found


def person_of(message: dict[str, Any], linked: dict[str, str]) -> str:
    device = message["anonymousId"]
    return message["userId"] or linked.get(device) or f"$device:{device}"


@dataclass
class Reading:
    """
    What some messages say of views, purchases and people.

    The defaults are the definition; ``once`` False keeps duplicates, ``stitched`` False takes every device
    for a person of its own.
    """

    messages: list[dict[str, Any]]
    once: bool = True
    stitched: bool = True

    def __post_init__(self) -> None:
        if self.once:
            self.messages = first_received(self.messages)
        linked = links(self.messages) if self.stitched else {}
        self.person = {each["messageId"]: person_of(each, linked) for each in self.messages}
        self.views = sorted(
            (
                View(self.person[each["messageId"]], each["properties"]["category"], time_of(each))
                for each in self.events("Product Viewed")
            ),
            key=lambda view: view.at,
        )
        self.purchases = [
            Purchase(
                self.person[each["messageId"]],
                line["category"],
                time_of(each),
                money(line["price"]),
                line["quantity"],
            )
            for each in self.events("Order Completed")
            for line in each["properties"]["products"]
        ]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self.messages if each.get("event") == name]

    def of(self, category: str) -> list[Purchase]:
        return [row for row in self.purchases if row.category == category]

    def entries(self, *, every: bool = False) -> dict[tuple[str, str], list[datetime]]:
        """(person, category) to the views that are followed: the first one, or all."""
        found = defaultdict(list)
        for view in self.views:
            if every or not found[view.person, view.category]:
                found[view.person, view.category].append(view.at)
        return found

    def converted(self, window: timedelta = WEEK, *, every: bool = False) -> set[tuple[str, str]]:
        """The (person, category) with a purchase in the window of an entry, its end included."""
        bought = defaultdict(list)
        for row in self.purchases:
            bought[row.person, row.category].append(row.at)
        return {
            key
            for key, starts in self.entries(every=every).items()
            if any(start - GRACE <= at <= start + window for start in starts for at in bought[key])
        }

    def funnel(self, window: timedelta = WEEK, *, every: bool = False) -> dict[str, Step]:
        viewers = Counter(category for _, category in self.entries())
        converted = Counter(category for _, category in self.converted(window, every=every))
        return {category: Step(converted[category], count) for category, count in viewers.items()}

    def dropped(self, category: str) -> set[str]:
        """The people who looked and did not convert."""
        left = self.entries().keys() - self.converted()
        return {person for person, of in left if of == category}

    def average_price(self, category: str) -> Decimal:
        prices = [row.price for row in self.of(category)]
        return sum(prices, Decimal()) / len(prices)

    def ranks(self) -> dict[str, int]:
        """Category to its place by product rows, from 1."""
        counts = Counter(row.category for row in self.purchases)
        return {category: rank for rank, (category, _) in enumerate(counts.most_common(), 1)}


def unordered(reading: Reading, category: str) -> Fraction:
    """Buyers by viewers, whatever came first."""
    buyers = {row.person for row in reading.of(category)}
    return Fraction(len(buyers), reading.funnel()[category].viewers)


def not_held(reading: Reading, category: str) -> Fraction:
    """Whoever looked here first, and bought anything."""
    first: dict[str, View] = {}
    for view in reading.views:
        first.setdefault(view.person, view)
    bought = defaultdict(list)
    for row in reading.purchases:
        bought[row.person].append(row.at)
    entries = [view for view in first.values() if view.category == category]
    converted = [
        view for view in entries if any(view.at - GRACE <= at <= view.at + WEEK for at in bought[view.person])
    ]
    return Fraction(len(converted), len(entries))


def rows_by_rows(reading: Reading, category: str) -> Fraction:
    """Purchases by views."""
    views = [view for view in reading.views if view.category == category]
    return Fraction(len(reading.of(category)), len(views))


def price_per_unit(reading: Reading, category: str) -> Decimal:
    rows = reading.of(category)
    return sum((row.price * row.quantity for row in rows), Decimal()) / sum(row.quantity for row in rows)
