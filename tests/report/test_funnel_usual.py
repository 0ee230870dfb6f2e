"""Funnels of different events, from each person's first entry: they are counted without numbered rows."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings

from connector.report.asking import Asking
from connector.report.funnels.usual import is_usual
from connector.report.kinds.funnel import Asked, plan_of
from tests.report import funnel_oracle, messy
from tests.report.funnel_cases import crowd, found, funnels, sort_key
from tests.report.funnel_rows import ADD, BUY, VIEW
from tests.report.stores import NOW, desk

USUAL = {
    "order": "specific",
    "counting": "uniques",
    "hold": (),
    "breakdown": None,
    "excluding": False,
    "where": None,
}
ZONES = ("UTC", "Europe/Berlin", "America/New_York")


@pytest.fixture(scope="module")
def busy():
    """A few hundred people who do a few things again and again, and their desk."""
    store = crowd(300)
    return store, desk(**store)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(funnels(zones=ZONES, **USUAL))
def test_the_attempts_that_count_are_those_of_a_plain_reading(busy, asked):
    store, here = busy
    question, plain = asked
    assume(usual(question, here))

    assert sorted(found(question, here), key=sort_key) == read(plain, store)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(messy.stores(), funnels(zones=messy.ZONES, **USUAL))
def test_also_where_ids_times_and_copies_are_messy(store, asked):
    question, plain = asked
    here = desk(**store)
    assume(usual(question, here))

    assert sorted(found(question, here), key=sort_key) == read(plain, store)


@pytest.mark.parametrize(
    ("other", "is_one"),
    [
        ({}, True),
        ({"trend": "week"}, True),
        ({"split": "day"}, True),
        ({"step": (VIEW, ADD, f"{VIEW} where price > 5")}, False),
        ({"order": "any"}, False),
        ({"counting": "totals"}, False),
        ({"hold": ("category",)}, False),
        ({"breakdown": "category"}, False),
        ({"exclude": ("Order Cancelled",)}, False),
        ({"where": "category = 'Toys'"}, False),
    ],
)
def test_usual_is_what_needs_nothing_of_a_row_but_its_event_and_time(busy, other, is_one):
    question = Asked.model_validate({"step": (VIEW, ADD, BUY), **other})

    assert usual(question, busy[1]) is is_one


def usual(question, here) -> bool:
    return is_usual(plan_of(Asking(question, here, NOW), question))


def read(plain, store):
    return sorted(funnel_oracle.counted(plain, store), key=sort_key)
