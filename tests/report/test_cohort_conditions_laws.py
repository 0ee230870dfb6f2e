"""Conditions of cohorts equal a plain reading of them, on stores as messy as they come."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.cohorts.compile import ROOT, When, compose
from connector.report.clock import Clock
from tests.report import messy, oracle
from tests.report.cohort_asking import defined
from tests.report.stores import desk

DAY_MS = 86_400_000
FILTERS: dict[str, Callable[[Any], bool]] = {
    "category = 'Toys'": lambda one: one.get("category") == "Toys",
    "price > 9": lambda one: one.get("price") is not None and one["price"] > 9,
    "source = 'app' OR category IS NULL": lambda one: one["source"] == "app" or one.get("category") is None,
}
BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "at_least": lambda found, bound: found >= bound,
    "at_most": lambda found, bound: found <= bound,
    "more_than": lambda found, bound: found > bound,
    "less_than": lambda found, bound: found < bound,
    "exactly": lambda found, bound: found == bound,
}
_events = st.sampled_from(("Product Viewed", "Product Purchased", "Order Completed", "page"))


@st.composite
def did(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {"did": draw(_events)}
    if draw(st.booleans()):
        found["where"] = draw(st.sampled_from(list(FILTERS)))
    if draw(st.booleans()):
        found[draw(st.sampled_from(list(BOUNDS)))] = draw(st.integers(1, 3))
    when = draw(st.sampled_from(("always", "always", "within", "days")))
    if when == "within":
        found["within"] = draw(st.sampled_from(("2d", "36h", "10d")))
    if when == "days":
        found["from"] = draw(st.sampled_from(("2026-03-25", "2026-03-29", "2026-04-02")))
        found["to"] = draw(st.sampled_from(("2026-04-02", "2026-04-10")))
    return found


@st.composite
def spent(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "did": "Order Completed", "where": "currency = 'USD'",
        "measure": {draw(st.sampled_from(("sum", "min", "max"))): "order_revenue"},
        draw(st.sampled_from(list(BOUNDS))): draw(st.sampled_from((0, 9.99, 100, 109.99))),
    }  # fmt: skip


conditions = st.recursive(
    st.one_of(did(), did(), spent(), st.sampled_from(({"in_cohort": "friends"},))),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
FRIENDS = ("ann", "$device:d1", "somebody else")
MOMENT = datetime(2026, 4, 5, 12, tzinfo=UTC)


def meets(condition: dict[str, Any], rows: list[dict[str, Any]], uid: str, zone: str) -> bool:
    """A plain reading of the definitions: the rows of one person."""
    if "all" in condition:
        return all(meets(part, rows, uid, zone) for part in condition["all"])
    if "any" in condition:
        return any(meets(part, rows, uid, zone) for part in condition["any"])
    if "not" in condition:
        return not meets(condition["not"], rows, uid, zone)
    if "in_cohort" in condition:
        return uid in FRIENDS
    own = [one for one in rows if one["event"] == condition["did"] and in_time(condition, one, zone)]
    bound = next((name for name in BOUNDS if name in condition), "at_least")
    if "measure" in condition:
        values = [one["order_revenue"] for one in own if one.get("currency") == "USD"]
        known = [value for value in values if value is not None]
        ((aggregate, _),) = condition["measure"].items()
        figure = {"sum": sum, "min": min, "max": max}[aggregate](known) if known else None
        return figure is not None and BOUNDS[bound](figure, Decimal(str(condition[bound])))
    kept = [one for one in own if "where" not in condition or FILTERS[condition["where"]](one)]
    return BOUNDS[bound](len(kept), condition.get(bound, 1))


def in_time(condition: dict[str, Any], one: dict[str, Any], zone: str) -> bool:
    if "within" in condition:
        window_ms = {"2d": 2 * DAY_MS, "36h": 36 * 3_600_000, "10d": 10 * DAY_MS}[condition["within"]]
        now_ms = round(MOMENT.timestamp() * 1_000)
        return now_ms - window_ms <= one["time_ms"] <= now_ms
    day = oracle.local_day(one, zone).isoformat()
    return condition.get("from", "") <= day <= condition.get("to", "9999")


def everybody(store: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """uid -> rows, also of people who were only identified."""
    found: dict[str, list[dict[str, Any]]] = {}
    users = oracle.links(**store)
    for call in oracle.unique(store["profiles"]):
        device = call.get("anonymous_id") or ""
        uid = call.get("user_id") or (device and users.get(device, f"$device:{device}"))
        if uid:
            found.setdefault(uid, [])
    for one in oracle.resolved(**store):
        if one["uid"]:
            found.setdefault(one["uid"], []).append(one)
    return found


@settings(max_examples=30, deadline=None)
@given(messy.stores(most=18), conditions, st.sampled_from(messy.ZONES))
def test_conditions_equal_a_plain_reading_of_them(store: dict[str, Any], condition: Any, zone: str):
    definition = defined(conditions=condition, timezone=zone)
    friends: Callable[[str], Collection[str]] = lambda _: FRIENDS  # noqa: E731
    of = desk(**store)
    views = compose(definition.conditions, When(round(MOMENT.timestamp() * 1_000), zone), of.given, friends)

    found = sorted(each["uid"] for each in of.rows(views.query(ROOT), Clock(zone)))

    known = everybody(store)
    assert found == sorted(uid for uid, rows in known.items() if meets(condition, rows, uid, zone))
