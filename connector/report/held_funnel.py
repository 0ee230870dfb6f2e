"""The funnel from view to purchase that holds the category: parameters that reports over it share."""

from __future__ import annotations

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlglot import exp

from connector.report.compose import Value
from connector.report.question import Duration, Question

GRACE_MS = 2_000
"""A purchase so much before the view still follows it."""


class FunnelQuestion(Question):
    """Which views and purchases count, and how far apart they may be."""

    window: Duration = Field(
        604_800_000, ge=0, le=366 * 86_400_000, description="From first view to purchase."
    )
    category: tuple[str, ...] = Field((), description="Of this category only; repeatable.")
    view_event: str = Field("Product Viewed", description="Event that counts as a view.")
    purchase_event: str = Field("Product Purchased", description="Event that counts as a purchase.")

    @model_validator(mode="after")
    def _two_events(self) -> FunnelQuestion:
        if self.view_event == self.purchase_event:
            raise PydanticCustomError("events", "the view event and the purchase event are different ones")
        return self


def funnel_parameters(asked: FunnelQuestion) -> dict[str, Value]:
    """Parameters of the funnel's views but ``period``."""
    categories = exp.column("category").isin(*asked.category) if asked.category else exp.true()
    return {
        "view_event": asked.view_event,
        "purchase_event": asked.purchase_event,
        "window_ms": asked.window,
        "wanted": categories,
    }
