"""``categories``: which product category has a low view-to-purchase conversion and a high price."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.compose import Composition, Value
from connector.report.question import Duration, Question
from connector.report.statistics import ratio, segment_p_value


class Asked(Question):
    KIND: ClassVar[str] = "categories"
    SAYS: ClassVar[str] = (
        "Of the people who viewed a product of a category, counted once per person and category from the "
        "first view in the range: how many bought a product of the same category within the window. "
        "Beside it the purchase rows of the range: average price is the mean over rows, not over units. "
        "opportunity = "
        "(best conversion - own) x viewers x average price: a hint where to look first, not a forecast."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "category": "product category, as sent",
        "currency": "of the money columns; empty where nothing was bought",
        "viewers": "people with a view in the range",
        "converted": "of them, people with a purchase in the category within the window",
        "conversion": "converted / viewers, 0 to 1",
        "dropped": "viewers - converted, people",
        "p_value": "chance of a conversion this far from that of all categories; empty below 30 viewers",
        "purchases": "purchase rows in the range, one per product of an order",
        "rank_by_purchases": "1 for the most purchases",
        "units": "sum of quantities; a missing one counts as 1",
        "avg_price": "mean of price over purchase rows, currency units",
        "avg_price_per_unit": "item_revenue / units with a price, currency units",
        "item_revenue": "sum of price x quantity, currency units",
        "opportunity": "(best conversion - own) x viewers x avg_price, currency units",
    }
    SHOWN: ClassVar[tuple[str, ...]] = (
        "category", "currency", "viewers", "converted", "conversion", "avg_price", "purchases",
        "rank_by_purchases", "opportunity",
    )  # fmt: skip

    window: Duration = Field(
        604_800_000, ge=0, le=366 * 86_400_000, description="From first view to purchase."
    )
    view_event: str = Field("Product Viewed", description="Event that counts as a view.")
    purchase_event: str = Field("Product Purchased", description="Event that counts as a purchase.")


def composed(asking: Asking, asked: Asked) -> Composition:
    """The views of this report over the range of a question."""
    parameters: dict[str, Value] = {
        "view_event": asked.view_event, "purchase_event": asked.purchase_event, "window_ms": asked.window,
    }  # fmt: skip
    return asking.composition(parameters, before_ms=2_000, after_ms=asked.window)


def answer(asking: Asking) -> Answer:
    """Rows by conversion, the lowest first."""
    asked = asking.question
    assert isinstance(asked, Asked)
    composition = composed(asking, asked)
    conversions = asking.rows(composition, "category_conversion", "category")
    prices = asking.rows(composition, "category_prices", "category, currency")
    rows = sorted(_joined(conversions, prices), key=_by_conversion)
    return asking.answer(rows, complete=asking.is_over(asking.to_ms + asked.window))


def _by_conversion(row: Row) -> tuple[bool, float, str, str]:
    known = row["conversion"] is not None
    return not known, row["conversion"] or 0.0, row["category"] or "", row["currency"] or ""


def _joined(conversions: list[Row], prices: list[Row]) -> list[Row]:
    """One row per category and currency; a category that nobody bought in has one without a currency."""
    funnel = {row["category"]: row for row in conversions}
    entries = sum(row["viewers"] for row in conversions)
    converted = sum(row["converted"] for row in conversions)
    best = max((row["converted"] / row["viewers"] for row in conversions), default=0.0)
    bought = {row["category"] for row in prices}
    pairs = [(funnel.get(row["category"], {}), row) for row in prices]
    pairs += [(row, {}) for row in conversions if row["category"] not in bought]
    rows = [_row(seen, price, entries, converted, best) for seen, price in pairs]
    for row in rows:
        if row["purchases"]:
            rivals = (other["purchases"] for other in rows if other["currency"] == row["currency"])
            row["rank_by_purchases"] = 1 + sum(count > row["purchases"] for count in rivals)
    return rows


def _row(seen: Row, price: Row, entries: int, converted: int, best: float) -> Row:
    viewers, buyers = seen.get("viewers", 0), seen.get("converted", 0)
    conversion = ratio(buyers, viewers)
    average = ratio(price.get("price_sum"), price.get("priced"))
    opportunity = None
    if conversion is not None and average is not None:
        opportunity = (best - conversion) * viewers * average
    return {
        "category": seen.get("category", price.get("category")),
        "currency": price.get("currency"),
        "viewers": viewers,
        "converted": buyers,
        "conversion": conversion,
        "dropped": viewers - buyers,
        "p_value": segment_p_value(viewers, buyers, entries, converted) if viewers else None,
        "purchases": price.get("purchases", 0),
        "rank_by_purchases": None,
        "units": price.get("units"),
        "avg_price": average,
        "avg_price_per_unit": ratio(price.get("item_revenue"), price.get("priced_units")),
        "item_revenue": price.get("item_revenue"),
        "opportunity": opportunity,
    }
