"""Funnels drawn at random, as text for the report and as functions for the plain reading; and stores."""

from __future__ import annotations

from datetime import date
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
WINDOWS = (0, 1_500, 4_000, 4_000, HOUR_MS, HOUR_MS, 86_400_000, 604_800_000)


@st.composite
def funnels(draw: st.DrawFn, zones: tuple[str, ...] = ("UTC",), **pinned: Any) -> tuple[Asked, Funnel]:
    """The same question twice. ``pinned``: options that are not drawn."""

    def option(name: str, *values: Any) -> Any:
        return pinned[name] if name in pinned else draw(st.sampled_from(values))

    steps = draw(st.lists(st.sampled_from([*list(STEPS)[:3] * 4, *STEPS]), min_size=2, max_size=4))
    rare = (None,) * 5
    order = option("order", "specific", "specific", "any")
    anchored = tuple(draw(st.sets(st.integers(1, len(steps)), max_size=2))) if order == "any" else ()
    excluded = draw(st.lists(st.sampled_from(list(EXCLUSIONS)), max_size=option("exclusions", 0, 0, 1, 2)))
    gaps = [_gaps(draw, len(steps), order) for _ in excluded]
    attribution = option("attribution", "first", "last", *(f"step {n}" for n in range(1, len(steps) + 1)))
    where = option("where", *rare, *rare, *WHERES)
    zone = draw(st.sampled_from(zones))
    trend = option("trend", *rare, "day", "week", "month")
    split = None if trend else option("split", *rare, "day", "week", "month")
    first_day, last_day = draw(
        st.sampled_from(((None, None), (None, None), (date(2026, 3, 28), date(2026, 4, 2))))
    )
    same = {
        "counting": option("counting", "uniques", "reentry", "totals", "sessions"),
        "hold": option("hold", (), (), (), (), ("category",), ("category", "product_id")),
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
_TIMES = st.one_of(
    st.integers(0, 24).map(lambda step: _START + step * 500),
    st.integers(0, 24).map(lambda step: _START + step * 500),
    st.integers(0, 60).map(lambda step: _START + step * HOUR_MS // 2),
)
EVENTS = ("Product Viewed", "Product Viewed", "Product Added", "Product Purchased", "Order Cancelled", "page")


@st.composite
def visits(draw: st.DrawFn) -> Store:
    """One or two people who do a few things again and again within seconds, hours and days."""
    rows = []
    for number in range(draw(st.integers(5, 25))):
        event = draw(st.sampled_from(EVENTS))
        more: dict[str, Any] = {"category": draw(st.sampled_from(("Toys", "Toys", "Toys", "Books", None)))}
        more |= {
            "product_id": draw(st.sampled_from(("p1", "p1", "p1", "p2", None))),
            "message_id": f"m{draw(st.integers(0, 9))}",
        }
        user = draw(st.sampled_from(("ann", "ann", "ann", "ann", "ann", "ben")))
        rows.append(row(event, draw(_TIMES), user, row_id=f"row-{number:02}", line_index=None, **more))
    return {"events": rows}


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
