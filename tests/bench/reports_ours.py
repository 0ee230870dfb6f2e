"""The questions of ``tests.bench.reports`` as the connector answers them, and what of an answer rivals must equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from connector.report.answer import Answer
from connector.report.asking import Asking
from connector.report.desks.duck import DuckDesk, duck_desk
from connector.report.kinds import kind_of
from connector.write.data import FolderData
from tests.bench.reports_data import START

CATEGORY = "Home Supplies"
STEPS = ("Product Viewed", "Product Added", "Order Completed")
PROMOTION = (START + timedelta(days=40)).date()
Rows = list[tuple[Any, ...]]


class Question(NamedTuple):
    """What is asked, and the rows of the answer as plain values, in order."""

    kind: str
    parameters: Mapping[str, Any]
    rows: Callable[[Answer], Iterable[tuple[Any, ...]]]


def _of(*names: str) -> Callable[[Answer], Iterable[tuple[Any, ...]]]:
    return lambda answer: (tuple(row[name] for name in names) for row in answer.rows)


def _experiment(answer: Answer) -> Iterable[tuple[Any, ...]]:
    return (
        (row["variant"], row["metric"], row["currency"] or "", row["exposed"], Decimal(row["value"]))
        for row in answer.rows
    )


def _before_after(answer: Answer) -> Iterable[tuple[Any, ...]]:
    return (
        (row["metric"], row["currency"] or "", round(row["before"], 9), round(row["after"], 9))
        for row in answer.rows
    )


QUESTIONS: Mapping[str, Question] = {
    "categories": Question(
        "categories", {},
        _of("category", "currency", "viewers", "converted", "purchases", "units", "item_revenue"),
    ),
    "dropped": Question(
        "dropped", {"category": CATEGORY},
        _of("uid", "first_view", "last_view", "views", "last_product", "bought_outside"),
    ),
    "conversion": Question("conversion", {}, _of("week", "category", "viewers", "converted")),
    "arpu": Question(
        "arpu", {}, _of("period", "currency", "gross", "refunds", "orders", "buyers", "active_users")
    ),
    "funnel": Question("funnel", {"step": STEPS}, _of("step", "count", "ttc_median")),
    "retention": Question(
        "retention", {"birth_event": "Product Viewed", "return_event": "Order Completed", "unit": "week"},
        _of("bucket", "size", "k", "retained"),
    ),
    "engagement": Question("engagement", {}, _of("day", "dau", "wau", "mau")),
    "insights": Question(
        "insights", {"event": ["Product Viewed"], "measure": ["uniques"]},
        _of("period", "totals", "uniques"),
    ),
    "experiment": Question("experiment", {}, _experiment),
    "reconcile": Question(
        "reconcile", {},
        _of("day", "currency", "orders", "product_rows", "item_value", "revenue", "discount"),
    ),
    "before-after": Question("before-after", {"start": PROMOTION.isoformat()}, _before_after),
}  # fmt: skip
MAIN = ("categories", "dropped", "conversion", "arpu")


def opened(root: Path) -> tuple[Any, DuckDesk]:
    """The desk as ``connector report`` opens it, with two threads; and what keeps it open."""
    manager = duck_desk(FolderData(root))
    desk = manager.__enter__()
    desk._lake.execute("SET threads = 2")
    return manager, desk


def answered(desk: DuckDesk, question: Question) -> Answer:
    kind = kind_of(question.kind)
    asked = kind.question.model_validate(question.parameters)
    return kind.answer(Asking(asked, desk, datetime(2026, 11, 1, tzinfo=UTC)))


def ours(root: Path, name: str) -> Callable[[], Answer]:
    """Ask a question of a desk that is open."""
    manager, desk = opened(root)
    question = QUESTIONS[name]

    def ask() -> Answer:
        assert manager
        return answered(desk, question)

    return ask
