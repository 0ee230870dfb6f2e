"""Funnels against a plain reading of the definitions, on stores and questions drawn at random."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.report.kinds import categories
from connector.report.kinds.funnel import Asked
from tests.report import funnel_oracle, messy
from tests.report.funnel_cases import crowd, found, funnels, sort_key, visits
from tests.report.stores import ask, desk

BUY = "Product Purchased where line_index IS NOT NULL"


@pytest.fixture(scope="module")
def busy():
    """A few hundred people who do a few things again and again, and their desk."""
    store = crowd(300)
    return store, desk(**store)


@settings(max_examples=25, deadline=None)
@given(funnels(zones=("UTC", "Europe/Berlin", "America/New_York")))
def test_the_attempts_that_count_are_those_of_a_plain_reading(busy, asked):
    store, here = busy
    question, plain = asked

    assert sorted(found(question, here), key=sort_key) == read(plain, store)


@settings(max_examples=10, deadline=None)
@given(messy.stores(), st.lists(funnels(zones=messy.ZONES), min_size=2, max_size=3))
def test_also_where_ids_times_and_copies_are_messy(store, asked):
    here = desk(**store)

    for question, plain in asked:
        assert sorted(found(question, here), key=sort_key) == read(plain, store)


@settings(max_examples=10, deadline=None)
@given(visits(), funnels(zones=("America/New_York",)))
def test_rows_are_the_attempts_counted_and_their_times(store, asked):
    question, plain = asked
    steps = len(plain.steps)

    rows = ask(question, desk(**store)).rows

    series = defaultdict(list)
    for attempt in read(plain, store):
        series[attempt.period, attempt.segment].append(attempt)
    told = {(row.get("period"), row["segment"], row["step"]): row for row in rows}
    assert {key for key, row in told.items() if row["count"]} <= {
        (*key, n) for key in series for n in range(1, steps + 1)
    }
    for key, attempts in series.items():
        counts = [sum(one.reached >= number for one in attempts) for number in range(1, steps + 1)]
        assert [told[*key, number]["count"] for number in range(1, steps + 1)] == counts
        times = [one.convert_ms for one in attempts if one.convert_ms is not None]
        last = told[*key, steps]
        if not times:
            assert last["ttc_mean"] is None
            continue
        assert last["ttc_mean"] == pytest.approx(sum(times) / len(times))
        for name, share in (("median", 0.5), ("p25", 0.25), ("p75", 0.75), ("p90", 0.9)):
            assert last[f"ttc_{name}"] == pytest.approx(funnel_oracle.percentile(times, share))


@settings(max_examples=10, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES))
def test_categories_are_the_funnel_that_holds_and_is_broken_down_by_category(store, zone):
    here = desk(**store)

    held = ask(
        Asked(step=("Product Viewed", BUY), hold=("category",), breakdown="category", timezone=zone), here
    )
    known = ask(categories.Asked(timezone=zone), here)

    counted = defaultdict(list)
    for row in held.rows:
        counted[row["segment"]].append(row["count"])
    assert dict(counted) == {
        row["category"]: [row["viewers"], row["converted"]] for row in known.rows if row["viewers"]
    }
    chances = {row["segment"]: row["p_value"] for row in held.rows if row["step"] == 2}
    assert chances == {row["category"]: row["p_value"] for row in known.rows if row["viewers"]}


def read(plain, store):
    return sorted(funnel_oracle.counted(plain, store), key=sort_key)
