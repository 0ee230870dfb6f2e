"""Active people in 1, 7 and 30 days and days per person, against sets of people."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ConfigError
from connector.report.kinds.engagement import Asked
from connector.report.kinds.frequency import Asked as AskedFrequency
from tests.report import messy, oracle
from tests.report.stores import ask, desk, row

FROM, TO = date(2026, 3, 27), date(2026, 4, 12)


def visits(*days: str, user: str = "ann"):
    return [row("page", f"2026-{day} 12:00", user, type="page") for day in days]


def counts(answer, day):
    found = next(row for row in answer.rows if row["day"] == day)
    return found["dau"], found["wau"], found["mau"]


def test_a_person_counts_for_7_and_30_days_from_the_day_they_came():
    answer = ask(Asked(to="2026-04-30"), desk(visits("03-01")))

    assert counts(answer, date(2026, 3, 1)) == (1, 1, 1)
    assert counts(answer, date(2026, 3, 7)) == (0, 1, 1)
    assert counts(answer, date(2026, 3, 8)) == (0, 0, 1)
    assert counts(answer, date(2026, 3, 30)) == (0, 0, 1)
    assert counts(answer, date(2026, 3, 31)) == (0, 0, 0)


def test_the_days_of_a_point_reach_before_the_range():
    store = desk(visits("03-01") + visits("03-20", user="ben"))

    rows = ask(Asked.model_validate({"from": "2026-03-20", "to": "2026-03-20"}), store).rows

    assert [(r["dau"], r["wau"], r["mau"], r["dau_mau"], r["dau_wau"]) for r in rows] == [(1, 1, 2, 0.5, 1.0)]


def test_the_point_of_a_month_is_the_value_at_its_last_day():
    store = desk(visits("01-01") + visits("01-20", user="ben") + visits("02-10", user="cleo"))

    rows = ask(Asked.model_validate({"from": "2026-01-01", "to": "2026-02-10", "unit": "month"}), store).rows

    assert [(date(2026, 1, 31), 1), (date(2026, 2, 10), 2)] == [(r["day"], r["mau"]) for r in rows]


def test_a_filter_says_what_active_means():
    store = desk([*visits("03-01"), row("Order Completed", "2026-03-01 13:00", "ben", order_revenue=30.0)])

    bought = ask(Asked(event="Order Completed where order_revenue > 20"), store)

    assert counts(bought, date(2026, 3, 1)) == (1, 1, 1)
    with pytest.raises(ConfigError, match="event"):
        ask(Asked(event="Order Completed where nothing > 20"), store)


def test_a_day_without_people_has_no_stickiness_and_today_is_not_complete():
    rows = ask(Asked.model_validate({"to": "2026-11-01"}), desk(visits("03-01"))).rows

    assert (rows[-1]["dau_mau"], rows[-1]["dau_wau"]) == (None, None)
    assert (rows[-2]["complete"], rows[-1]["complete"]) == (True, False)


@settings(max_examples=20, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES))
def test_equals_the_sets_of_people_of_the_days_before_every_day(store, zone):
    asked = Asked.model_validate({"from": FROM, "to": TO, "timezone": zone})

    rows = ask(asked, desk(**store)).rows

    came = {(oracle.local_day(r, zone), r["uid"]) for r in oracle.resolved(**store) if r["uid"]}
    assert [FROM + timedelta(days=n) for n in range((TO - FROM).days + 1)] == [r["day"] for r in rows]
    for found in rows:
        for name, length in (("dau", 1), ("wau", 7), ("mau", 30)):
            first = found["day"] - timedelta(days=length - 1)
            assert len({uid for day, uid in came if first <= day <= found["day"]}) == found[name]


def test_frequency_counts_days_and_not_events():
    store = desk(visits("03-01", "03-01", "03-02") + visits("03-05", user="ben"))

    rows = ask(AskedFrequency(), store).rows

    assert [(r["days"], r["people"], r["at_least"]) for r in rows] == [(1, 1, 2), (2, 1, 1)]
    assert [(r["share"], r["at_least_share"]) for r in rows] == [(0.5, 1.0), (0.5, 0.5)]


@settings(max_examples=12, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES), st.sampled_from(("range", "week", "month")))
def test_frequency_equals_the_days_of_each_person(store, zone, unit):
    asked = AskedFrequency.model_validate({"from": FROM, "to": TO, "timezone": zone, "unit": unit})

    rows = ask(asked, desk(**store)).rows

    days: dict[tuple[date, str], set[date]] = {}
    for one in oracle.resolved(**store):
        day = oracle.local_day(one, zone)
        start = {
            "range": FROM, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1),
        }[unit]  # fmt: skip
        if one["uid"] and FROM <= day <= TO:
            days.setdefault((start, one["uid"]), set()).add(day)
    for found in rows:
        own = [len(seen) for (start, _), seen in days.items() if start == found["period"]]
        assert own.count(found["days"]) == found["people"]
        assert sum(many >= found["days"] for many in own) == found["at_least"]
    assert len(days) == sum(r["people"] for r in rows)
