"""Funnels drawn at random, as text for the report and as functions for the plain reading; and stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from connector.report.asking import Asking
from connector.report.clock import date_of
from connector.report.desks.duck import DuckDesk
from connector.report.kinds.funnel import Asked, attempts
from tests.report.funnel_oracle import Counted, Funnel, Test
from tests.report.stores import NOW, at, row

Store = dict[str, list[dict[str, Any]]]
HOUR_MS = 3_600_000


def _named(event: str) -> Test:
    return lambda row: row["event"] == event


STEPS: dict[str, Test] = {
    "Product Viewed": _named("Product Viewed"),
    "Product Added": _named("Product Added"),
    "Product Purchased": _named("Product Purchased"),
    "Product Viewed where category = 'Toys'": lambda row: (
        row["event"] == "Product Viewed" and row.get("category") == "Toys"
    ),
    "Product Purchased where price > 9.99": lambda row: (
        row["event"] == "Product Purchased" and row.get("price") is not None and row["price"] > 10
    ),
    "page": _named("page"),
    "Order Completed": _named("Order Completed"),
}
EXCLUSIONS: dict[str, Test] = {**STEPS, "Order Cancelled": _named("Order Cancelled")}
WHERES = {
    "category = 'Toys'": ("category", lambda value: value == "Toys"),
    "category IN ('Books', 'Garden')": ("category", lambda value: value in ("Books", "Garden")),
    "price >= 45": ("price", lambda value: value >= 45),
}
WINDOWS = (0, 4_000, 8_000, 20_000, 20_000, HOUR_MS, HOUR_MS, 8 * HOUR_MS, 604_800_000)


@st.composite
def funnels(draw: st.DrawFn, zones: tuple[str, ...] = ("UTC",), **pinned: Any) -> tuple[Asked, Funnel]:
    """The same question twice. ``pinned``: options that are not drawn."""

    def option(name: str, *values: Any) -> Any:
        return pinned[name] if name in pinned else draw(st.sampled_from(values))

    steps = draw(st.lists(st.sampled_from([*list(STEPS)[:3] * 5, *STEPS]), min_size=2, max_size=4))
    rare = (None,) * 8
    order = option("order", "specific", "specific", "any")
    anchored = tuple(draw(st.sets(st.integers(1, len(steps)), max_size=2))) if order == "any" else ()
    excluded = draw(
        st.lists(st.sampled_from([*["Order Cancelled"] * 5, *EXCLUSIONS]), min_size=1, max_size=2)
    )
    excluded = excluded if option("excluding", True, False) else []
    gaps = [_gaps(draw, len(steps), order) for _ in excluded]
    attribution = option("attribution", "first", "last", *(f"step {n}" for n in range(1, len(steps) + 1)))
    where = option("where", *rare, *rare, *WHERES)
    zone = draw(st.sampled_from(zones))
    trend = option("trend", *rare, "day", "week", "month")
    split = None if trend else option("split", *rare, "day", "week", "month")
    first_day, last_day = draw(
        st.sampled_from(((None, None), (None, None), (None, None), (date(2026, 3, 28), date(2026, 4, 2))))
    )
    same = {
        "counting": option("counting", "uniques", "reentry", "totals", "sessions"),
        "hold": option("hold", (), (), (), (), (), ("category",), ("category", "product_id")),
        "breakdown": option("breakdown", None, None, "category", "product_id"), "trend": trend,
        "split": split, "first_day": first_day, "last_day": last_day, "anchored": anchored,
    }  # fmt: skip
    window_ms = draw(st.sampled_from(WINDOWS))
    texts = [f"{gap[0]}-{gap[1]}: {text}" if gap else text for gap, text in zip(gaps, excluded, strict=True)]
    spelt = {name: value for name, value in same.items() if not name.endswith("_day")}
    asked = Asked(
        step=tuple(steps), window=window_ms, order=order, exclude=tuple(texts), attribution=attribution,
        where=where, timezone=zone, from_day=first_day, to_day=last_day, **spelt,
    )  # fmt: skip
    read = Funnel(
        steps=tuple(STEPS[text] for text in steps), window_ms=window_ms, any_order=order == "any",
        exclude=tuple((gap, EXCLUSIONS[text]) for gap, text in zip(gaps, excluded, strict=True)),
        attribution=attribution.removeprefix("step "), where=WHERES[where] if where else None, zone=zone,
        **same,
    )  # fmt: skip
    return asked, read


def _gaps(draw: st.DrawFn, count: int, order: str) -> tuple[int, int] | None:
    if order == "any" or draw(st.booleans()):
        return None
    first = draw(st.integers(1, count - 1))
    return first, draw(st.integers(first + 1, count))


_START = at("2026-03-27 23:59:50")
_SECONDS = tuple(_START + step * 500 for step in range(60))
_HOURS = tuple(_START + step * HOUR_MS // 2 for step in range(30))
_EVENTS = (
    *["Product Viewed"] * 4, *["Product Added"] * 3, *["Product Purchased"] * 3, *["Order Cancelled"] * 2,
    "page", "Order Completed",
)  # fmt: skip


@st.composite
def visits(draw: st.DrawFn) -> Store:
    """One or two people who do a few things again and again within seconds, hours and days."""

    def pick(choices: Sequence[Any]) -> Any:
        return draw(st.sampled_from(choices))

    count = draw(st.integers(5, 25))
    return {"events": [_visit(pick, number, pick(("ann", "ann", "ann", "ben"))) for number in range(count)]}


def crowd(people: int, seed: int = 1) -> Store:
    """Many such people; of a seed always the same."""
    dice = Random(seed)
    return {
        "events": [
            _visit(dice.choice, number, f"person-{person:04}")
            for person in range(people)
            for number in range(dice.randint(3, 30))
        ]
    }


def _visit(pick: Callable[[Sequence[Any]], Any], number: int, user: str) -> dict[str, Any]:
    event, time_ms = pick(_EVENTS), pick(pick((_SECONDS, _SECONDS, _HOURS)))
    more = {
        "category": pick(("Toys", "Toys", "Toys", "Books", None)),
        "product_id": pick(("p1", "p1", "p1", "p2", None)),
        "message_id": f"m{pick(range(10))}", "line_index": None,
        "price": pick((None, Decimal("9.99"), Decimal(45))),
    }  # fmt: skip
    return row(event, time_ms, user, row_id=f"{user}-{number:02}", **more)


def found(asked: Asked, desk: DuckDesk) -> list[Counted]:
    """The attempts that the report counts."""
    asking = Asking(asked, desk, NOW)
    composition, view = attempts(asking, asked)
    return [
        Counted(
            one["uid"],
            one["segment"],
            None if one["period"] is None else date_of(one["period"]),
            one["entry_ms"],
            one["reached"],
            one["last_ms"],
            one["convert_ms"],
        )
        for one in asking.rows(composition, view)
    ]


def sort_key(one: Counted) -> tuple[Any, ...]:
    return (
        one.uid,
        one.entry_ms,
        str(one.segment),
        str(one.period),
        one.reached,
        one.last_ms,
        str(one.convert_ms),
    )
