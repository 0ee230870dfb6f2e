"""``readings``: the same figures by other usual rules: why another tool may show another number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from pydantic import Field

from connector.errors import ConfigError
from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.compose import Composition
from connector.report.kinds import categories
from connector.report.kinds.categories import composed
from connector.report.question import Duration, Question
from connector.report.statistics import ratio

_DAY_MS = 86_400_000
Change = Callable[[Composition], object]


class Asked(Question):
    KIND: ClassVar[str] = "readings"
    SAYS: ClassVar[str] = (
        "Conversion and average price of one category, by our definition first, then with one rule changed "
        "at a time and the others kept. A figure of another tool that is found here is explained."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "rule": "what is changed; definition: nothing",
        "says": "the rule in words",
        "measure": "conversion or avg_price",
        "value": "conversion: 0 to 1; avg_price: currency units",
        "part": "people or rows that are counted above the line",
        "whole": "people or rows below it",
        "ours": "whether this is our definition",
    }
    SHOWN: ClassVar[tuple[str, ...]] = ("rule", "says", "measure", "value", "part", "whole")

    category: str = Field(description="Which category.")
    currency: str | None = Field(
        None, description="Of the prices; the one with most purchases when not given."
    )
    window: Duration = Field(604_800_000, ge=0, le=366 * _DAY_MS, description="From first view to purchase.")
    view_event: str = Field("Product Viewed", description="Event that counts as a view.")
    purchase_event: str = Field("Product Purchased", description="Event that counts as a purchase.")


def answer(asking: Asking) -> Answer:
    """
    Our definition first.

    Raises:
        ConfigError: nobody viewed or bought anything of the category in the range.
    """
    asked = asking.question
    assert isinstance(asked, Asked)
    same = asked.model_dump(include={"window", "view_event", "purchase_event", "timezone"})
    held = categories.Asked.model_validate(same)
    rows = [*_conversions(asking, held, asked.category), *_prices(asking, held, asked)]
    if asking.desk.runs and not any(row["whole"] for row in rows):
        raise ConfigError("--category: nobody viewed or bought anything of this category in the range")
    return asking.answer(rows, complete=asking.is_over(asking.to_ms + 30 * _DAY_MS))


def _conversions(asking: Asking, asked: categories.Asked, category: str) -> Iterator[Row]:
    def held(question: categories.Asked, change: Change | None = None) -> tuple[int, int]:
        composition = composed(asking, question)
        if change is not None:
            change(composition)
        found = _of(category, asking.rows(composition, "category_conversion"))
        return found.get("converted", 0), found.get("viewers", 0)

    plain = composed(asking, asked)
    people = _of(category, asking.rows(plain, "category_people"))
    every = _of(category, asking.rows(plain, "category_every_entry"))
    converted, viewers = held(asked)
    yield _share(
        "definition", "first view of the category, purchase in it within the window", converted, viewers, True
    )
    yield _share(
        "every view followed",
        "any view may begin, as ClickHouse's windowFunnel and optimized re-entry count",
        every.get("converted", 0),
        viewers,
    )
    for days in (30, 1):
        window = asked.model_copy(update={"window": days * _DAY_MS})
        yield _share(f"window of {days} d", "the same with another window", *held(window))
    yield _share(
        "buyers / viewers", "everybody who bought, in any order, at any time", people.get("buyers", 0),
        people.get("viewers", 0),
    )  # fmt: skip
    yield _share(
        "category not held", "first view of anything, then any purchase", *_unheld(asking, asked, category)
    )
    yield _share(
        "purchase rows / view rows", "events instead of people", people.get("purchase_rows", 0),
        people.get("view_rows", 0),
    )  # fmt: skip
    unstitched = held(asked, lambda views: views.define("resolved", "resolved_unstitched"))
    yield _share("no identity stitching", "a visitor and the same person signed in are two", *unstitched)


def _unheld(asking: Asking, asked: categories.Asked, category: str) -> tuple[int, int]:
    """People whose first view was of the category, and of them who bought anything."""
    composition = composed(asking, asked)
    found = _of(category, asking.rows(composition, "category_first_touch"))
    return found.get("converted", 0), found.get("viewers", 0)


def _prices(asking: Asking, held: categories.Asked, asked: Asked) -> Iterator[Row]:
    def price(change: Change | None = None) -> Row:
        composition = composed(asking, held)
        if change is not None:
            change(composition)
        rows = [
            row for row in asking.rows(composition, "category_prices") if row["category"] == asked.category
        ]
        if asked.currency is not None:
            rows = [row for row in rows if row["currency"] == asked.currency]
        return max(rows, key=lambda row: (row["purchases"], row["currency"] or ""), default={})

    def mean(found: Row, rule: str, says: str, ours: bool = False) -> Row:
        value = ratio(found.get("price_sum"), found.get("priced"))
        return _row(rule, says, "avg_price", value, whole=found.get("priced"), ours=ours)

    ours = price()
    yield mean(ours, "definition", "mean of price over purchase rows", True)
    per_unit = ratio(ours.get("item_revenue"), ours.get("priced_units"))
    yield _row(
        "per unit", "item revenue / units: what is bought in numbers weighs more", "avg_price", per_unit
    )
    copies = price(lambda views: views.define("unique_events", "unique_events_with_copies"))
    yield mean(copies, "duplicates kept", "copies of events that are still in the files count again")


def _of(category: str, rows: list[Row]) -> Row:
    return next((row for row in rows if row["category"] == category), {})


def _share(rule: str, says: str, part: int, whole: int, ours: bool = False) -> Row:
    return _row(rule, says, "conversion", ratio(part, whole), part, whole, ours)


def _row(
    rule: str,
    says: str,
    measure: str,
    value: float | None,
    part: int | None = None,
    whole: int | None = None,
    ours: bool = False,
) -> Row:
    row = {"rule": rule, "says": says, "measure": measure, "value": value}
    return {**row, "part": part, "whole": whole, "ours": ours}
