"""Conversion and price by category, against a plain reading of the definitions."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.report.kinds.categories import Asked
from tests.report import messy, oracle
from tests.report.stores import ask, desk, row

WEEK_MS = 604_800_000


def test_a_purchase_counts_in_the_category_that_was_viewed_within_a_week():
    store = desk(
        [
            row("Product Viewed", "2026-01-01 10:00", "ann", category="Toys"),
            row("Product Purchased", "2026-01-08 10:00", "ann", category="Toys", price=10.0),
            row("Product Viewed", "2026-01-01 10:00", "ben", category="Toys"),
            row("Product Purchased", "2026-01-08 10:00:01", "ben", category="Toys", price=20.0),
            row("Product Viewed", "2026-01-01 10:00", "cleo", category="Toys"),
            row("Product Purchased", "2026-01-02 10:00", "cleo", category="Books", price=5.0),
        ]
    )

    rows = {answer["category"]: answer for answer in ask(Asked(), store).rows}

    assert tuple(rows["Toys"][name] for name in ("viewers", "converted", "dropped")) == (3, 1, 2)
    assert pytest.approx(1 / 3) == rows["Toys"]["conversion"]
    assert tuple(rows["Toys"][n] for n in ("purchases", "rank_by_purchases", "avg_price")) == (2, 1, 15.0)
    assert (rows["Books"]["viewers"], rows["Books"]["conversion"]) == (0, None)


@settings(max_examples=60, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES))
def test_equals_a_plain_reading_of_the_definitions(store, zone):
    answer = ask(Asked(timezone=zone), desk(**store))

    people = [r for r in oracle.resolved(**store) if r["uid"]]
    viewed = defaultdict(list)
    for one in people:
        if one["event"] == "Product Viewed" and one.get("category") is not None:
            viewed[one["category"], one["uid"]].append(one["time_ms"])
    viewers, converted = defaultdict(int), defaultdict(int)
    for (category, uid), times in viewed.items():
        viewers[category] += 1
        converted[category] += any(
            min(times) - 2_000 <= other["time_ms"] <= min(times) + WEEK_MS
            for other in people
            if other["event"] == "Product Purchased" and other.get("line_index") is not None
            if (other["uid"], other.get("category")) == (uid, category)
        )
    lines = [
        r
        for r in oracle.resolved(**store)
        if r["event"] == "Product Purchased" and r["line_index"] is not None
    ]
    assert dict(viewers) == {r["category"]: r["viewers"] for r in answer.rows if r["viewers"]}
    assert dict(converted) == {r["category"]: r["converted"] for r in answer.rows if r["viewers"]}
    for found in answer.rows:
        own = [r for r in lines if (r["category"], r["currency"]) == (found["category"], found["currency"])]
        if not found["purchases"]:
            continue
        assert len(own) == found["purchases"]
        values = [r["price"] * (r["quantity"] or Decimal(1)) for r in own if r["price"] is not None]
        assert (sum(values) if values else None) == found["item_revenue"]
    assert len(lines) == sum(r["purchases"] for r in answer.rows)
