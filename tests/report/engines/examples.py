"""Questions of every kind of report, asked of one store on every engine.

The parts of ``recipe`` ask what other examples ask too: a statement that was answered is not run again.
"""

from __future__ import annotations

from typing import Any

from connector.report.kinds import kind_of
from connector.report.question import Question

_SPRING = {"from": "2026-03-22", "to": "2026-04-10"}
_TOYS = {"category": "Toys", "window": "2d", **_SPRING}
_PROMOTED = {"start": "2026-03-30", "days": 6, "cohort": "promo", "category": ["Toys"], "window": "2d"}
EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "recipe": [{**_TOYS, "promotion": "2026-03-30", "days": 6, "cohort": "promo"}],
    "categories": [
        {"window": "2d", **_SPRING},
        {"timezone": "America/New_York", "source": "web", "as_of": "2026-04-06T12:00:00Z"},
    ],
    "readings": [{**_TOYS, "currency": "USD"}],
    "funnel": [
        {
            "step": ["Product Viewed where price > 5", "Product Added", "Product Purchased"],
            "hold": ["category"], "trend": "week", "exclude": ["1-2: Cart Viewed"], **_SPRING,
        },
        {
            "step": ["Cart Viewed", "page"], "order": "any", "counting": "totals", "cohort": "promo",
            "window": "36h", "breakdown": "context_campaign_source", "from": "2026-03-27", "to": "2026-04-01",
        },
    ],
    "dropped": [{**_TOYS}, {**_TOYS, "window": "14d", "state": "converted", "with_contacts": True}],
    "insights": [
        {
            "event": ["Product Viewed"], "measure": ["uniques"], "unit": "week",
            "breakdown": "properties ->> '$.plan'",
        },
        {
            "event": ["Order Completed", "it's \\ \U0001f6cd"],
            "measure": ["avg per user of sum of order_revenue", "sessions"], "unit": "hour",
            "formula": "A / B", "from": "2026-03-28", "to": "2026-03-30",
        },
        {
            "event": ["* where category like '50\\%%' or category like 'T_ys'"], "measure": ["p90 of price"],
            "unit": "month", "breakdown": "products.category", "top": 3,
        },
    ],
    "people": [{"currency": "EUR", "with_contacts": True, **_SPRING}],
    "arpu": [
        {"cohort": ["promo"]},
        {
            "unit": "day", "convert_to": "USD", "rates": ["EUR=1.08", "EUR@2026-04-01=1.1"],
            "refunds": "cohort", **_SPRING,
        },
    ],
    "conversion": [{"cohort": ["promo"], "category": ["Toys"], "window": "2d"}],
    "before-after": [_PROMOTED],
    "reconcile": [_SPRING],
    "retention": [
        {"birth_event": "Product Viewed", "unit": "day", "mode": "calendar", "intervals": 5},
        {"return_event": "Order Completed", "unit": "week", "intervals": 3, "sum_of": "order_revenue"},
    ],
    "engagement": [{"unit": "week", "event": "Product Viewed"}],
    "frequency": [{"unit": "week"}],
    "experiment": [{"experiment": "promo", "category": "Toys"}],
}  # fmt: skip
"""Kind -> parameters of each question; the zone is Europe/Berlin unless it is named."""


def examples(kind: str) -> list[Question]:
    """The questions of a kind. Raises ``LookupError``: there is none yet."""
    if not EXAMPLES.get(kind):
        raise LookupError(f"no example of the report {kind}: add one to tests/report/engines/examples.py")
    question = kind_of(kind).question
    return [question.model_validate({"timezone": "Europe/Berlin", **one}) for one in EXAMPLES[kind]]
