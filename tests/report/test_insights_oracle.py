"""The report ``insights`` against a plain reading of the definitions, on messy stores."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.report.kinds.insights import Asked
from tests.report import insights_oracle, messy
from tests.report.stores import ask, desk

EVENTS = ("Product Viewed", "Product Purchased", "*", "* where price > 20", "Order Completed")
MEASURES = (
    "totals", "uniques", "sessions", "avg per user", "p90 per user", "max per user", "sum per user",
    "sum of price", "avg of price", "median of price", "p25 of price", "min of price",
    "distinct of product_id",
    "avg per user of sum of price", "sum per user of sum of quantity", "max per user of distinct of category",
    "median per user of avg of price", "min per user of p90 of quantity", "sum of quantity",
)  # fmt: skip
items = st.lists(st.fixed_dictionaries({"category": st.sampled_from(("Toys", "Books", None))}), max_size=3)


@st.composite
def stores(draw):
    """A messy store in which some orders have products, and mostly one currency is used."""
    store = draw(messy.stores())
    only = draw(st.sampled_from((None, "USD", "USD")))
    lists = draw(st.lists(items, min_size=4, max_size=4))
    events = [
        {
            **row,
            "currency": only or row["currency"],
            **({"products": lists[int(row["row_id"][-1]) % 4]} if row["event"] == "Order Completed" else {}),
        }
        for row in store["events"]
    ]
    return {**store, "events": events}


@st.composite
def questions(draw, units):
    """A question over up to a dozen days of the store."""
    first = date(2026, 3, 24) + timedelta(days=draw(st.integers(0, 10)))
    unit = draw(st.sampled_from(units))
    longest = 1 if unit == "hour" else 12
    breakdown = draw(st.sampled_from((None, "category", "source", "price", "products.category")))
    events = draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=2))
    asked = {
        "event": tuple(events),
        "measure": tuple(draw(st.sampled_from(MEASURES)) for _ in events),
        "unit": unit,
        "timezone": draw(st.sampled_from(messy.ZONES)),
        "from_day": first,
        "to_day": first + timedelta(days=draw(st.integers(0, longest))),
        "breakdown": breakdown,
        "credit": draw(st.sampled_from(("all", "first", "last"))) if breakdown else "all",
    }
    drawn = draw(st.sampled_from(("plain", "plain", "rolling", "cumulative"))) if unit != "range" else "plain"
    if drawn == "rolling":
        asked["rolling"] = draw(st.integers(2, 5))
    return Asked(**asked, cumulative=drawn == "cumulative")


def approximately(value):
    """Whole numbers and money are compared exactly."""
    return pytest.approx(value, rel=1e-12, abs=1e-9) if isinstance(value, float) else value


@settings(max_examples=15, deadline=None)
@given(stores(), questions(("day", "week", "month", "range", "hour")))
def test_equals_a_plain_reading_of_the_definitions(store, asked):
    answer = ask(asked, desk(**store))

    found = {
        (r["period"], r["segment"], r["metric"]): (r["totals"], r["uniques"], r["value"]) for r in answer.rows
    }
    expected = insights_oracle.expected(store, asked)
    assert found == {key: (*counts, approximately(value)) for key, (*counts, value) in expected.items()}
    assert len(found) == len(answer.rows)
    assert all(isinstance(row["period"], datetime) == (asked.unit == "hour") for row in answer.rows)


@settings(max_examples=4, deadline=None)
@given(stores(), questions(("day", "range")))
def test_a_formula_is_the_arithmetic_of_its_metrics_at_every_point(store, asked):
    if asked.rolling or asked.cumulative:
        return
    metrics = asked.model_copy(
        update={"event": (asked.event[0], "*"), "measure": (asked.measure[0], "totals")}
    )
    lake = desk(**store)
    parts = {(r["period"], r["segment"], r["metric"]): r["value"] for r in ask(metrics, lake).rows}

    answer = ask(metrics.model_copy(update={"formula": "(A + 1.5) * 2 - B"}), lake)

    assert len(parts) == 2 * len(answer.rows)
    for row in answer.rows:
        first, second = (parts[row["period"], row["segment"], name] for name in "AB")
        if first is None:
            assert row["value"] is None
        else:
            exact = first if isinstance(first, float) else Decimal(first)
            plus = 1.5 if isinstance(first, float) else Decimal("1.5")
            assert row["value"] == approximately((exact + plus) * 2 - second)


@settings(max_examples=4, deadline=None)
@given(stores(), st.sampled_from(("category", "products.category")), st.sampled_from(("first", "last")))
def test_credited_uniques_add_up_to_the_people_of_the_interval(store, breakdown, credit):
    asked = Asked(event=("*",), measure=("uniques",), unit="week", breakdown=breakdown, credit=credit)

    rows = ask(asked, desk(**store)).rows

    for period in {r["period"] for r in rows}:
        parts = [r for r in rows if r["period"] == period]
        whole = next(r["uniques"] for r in parts if r["segment"] == "$overall")
        assert whole == sum(r["uniques"] for r in parts if r["segment"] != "$overall")
