"""One funnel per period and cohort, in one statement, against a plain reading and against ``categories``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.report.asking import Asking
from connector.report.desks.text import TextDesk
from connector.report.kinds import categories, conversion
from connector.report.kinds.conversion import Asked
from tests.report import messy, money_oracle, oracle
from tests.report.stores import NOW, ask, desk, row

WEEK_MS = 604_800_000


def viewed(time, user, category="Toys"):
    return row("Product Viewed", time, user, category=category)


def bought(time, user, category="Toys"):
    return row("Product Purchased", time, user, category=category)


_STORE = [
    viewed("2026-01-05 10:00", "ann"),
    viewed("2026-01-06 10:00", "ann"),
    viewed("2026-01-13 10:00", "ann"),
    bought("2026-01-13 12:00", "ann"),
    viewed("2026-01-05 10:00", "ben"),
    bought("2026-01-12 10:00", "ben"),
    bought("2026-01-13 12:00", "ben", "Books"),
    viewed("2026-01-13 11:00", "ben", "Books"),
]


def test_every_week_is_a_funnel_of_its_own_that_may_end_in_a_later_week():
    answer = ask(Asked(), desk(_STORE))

    assert [tuple(one.values()) for one in answer.rows] == [
        (date(2026, 1, 5), "all", "Books", 0, 0, None, True),
        (date(2026, 1, 5), "all", "Toys", 2, 1, 0.5, True),
        (date(2026, 1, 12), "all", "Books", 1, 1, 1.0, True),
        (date(2026, 1, 12), "all", "Toys", 1, 1, 1.0, True),
    ]
    assert list(answer.rows[0]) == [name for name in Asked.COLUMNS if name != "period"]


def test_cohorts_have_lines_of_their_own_and_categories_can_be_chosen():
    answer = ask(
        Asked(cohort=("b", "none"), category=("Toys",)), desk(_STORE), {"b": ["ben", "ben"], "none": []}
    )

    assert [(one["cohort"], one["viewers"], one["converted"]) for one in answer.rows] == [
        ("all", 2, 1),
        ("b", 1, 1),
        ("none", 0, 0),
        ("all", 1, 1),
        ("b", 0, 0),
        ("none", 0, 0),
    ]


def test_a_week_is_complete_when_the_window_after_it_is_over():
    now = datetime(2026, 1, 19, 0, 0, tzinfo=UTC)

    answer = conversion.answer(Asking(Asked(category=("Toys",)), desk(_STORE), now))

    assert [one["complete"] for one in answer.rows] == [True, False]
    assert not answer.complete


def test_days_and_months_are_called_periods():
    months = ask(Asked(unit="month", category=("Toys",)), desk(_STORE)).rows
    days = ask(Asked(unit="day", category=("Toys",)), desk(_STORE)).rows

    assert [(one["period"], one["viewers"], one["converted"]) for one in months] == [(date(2026, 1, 1), 2, 1)]
    assert [one["viewers"] for one in days] == [2, 1, 0, 0, 0, 0, 0, 0, 1]


def test_one_statement_answers_all_weeks_on_every_engine():
    for engine in ("athena", "spark"):
        text = TextDesk(engine)
        asked = Asked(
            **{"from": "2026-01-01", "to": "2026-12-31"}, category=("Toys",), timezone="Europe/Berlin"
        )
        conversion.answer(Asking(asked, text, NOW))
        assert len(text.texts) == 1


def test_a_view_cannot_be_its_own_purchase():
    with pytest.raises(ValidationError, match="different"):
        Asked(view_event="page", purchase_event="page")


@settings(max_examples=20, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES), st.sampled_from(("day", "week", "month")))
def test_equals_a_plain_reading_of_the_definitions(store, zone, unit):
    some = ["ann", "$device:d2"]

    answer = ask(Asked(timezone=zone, unit=unit, cohort=("some",)), desk(**store), {"some": some})

    rows = oracle.resolved(**store)
    expected = {}
    for start in {money_oracle.period(one, zone, unit, date.min) for one in rows}:
        views = [one for one in rows if money_oracle.period(one, zone, unit, date.min) == start]
        for (uid, category), converted in money_oracle.held(rows, views, WEEK_MS).items():
            for cohort in ("all", "some") if uid in some else ("all",):
                viewers, buyers = expected.get((start, cohort, category), (0, 0))
                expected[start, cohort, category] = (viewers + 1, buyers + converted)
    start = "week" if unit == "week" else "period"
    found = {
        (one[start], one["cohort"], one["category"]): (one["viewers"], one["converted"])
        for one in answer.rows
    }
    assert {key: counts for key, counts in found.items() if counts[0]} == expected


@settings(max_examples=6, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES))
def test_each_week_says_what_the_categories_of_that_week_say(store, zone):
    store = desk(**store)

    weeks = ask(Asked(timezone=zone), store).rows

    for week in sorted({one["week"] for one in weeks}):
        range_ = {"from": week, "to": week + timedelta(days=6)}
        alone = ask(categories.Asked(timezone=zone, **range_), store).rows
        assert {one["category"]: (one["viewers"], one["converted"]) for one in alone if one["viewers"]} == {
            one["category"]: (one["viewers"], one["converted"])
            for one in weeks
            if one["week"] == week and one["viewers"]
        }
