"""The same people before and after, and how sure the change is."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.report.asking import Asking
from connector.report.desks.text import TextDesk
from connector.report.kinds import before_after, categories
from connector.report.kinds.before_after import Asked
from connector.report.paired import alike, paired_change
from tests.report import messy, money_oracle, oracle
from tests.report.stores import NOW, ask, desk, row

START = date(2026, 1, 15)


def order(time, user, revenue, currency="USD"):
    return row("Order Completed", time, user, order_revenue=Decimal(str(revenue)), currency=currency)


def viewed(time, user, category="Toys"):
    return row("Product Viewed", time, user, category=category)


def bought(time, user, category="Toys"):
    return row("Product Purchased", time, user, category=category)


_STORE = [
    row("page", "2026-01-07 23:59", "ann"),
    viewed("2026-01-08 00:00", "ann"),
    viewed("2026-01-14 10:00", "ben"),
    bought("2026-01-14 11:00", "ben"),
    order("2026-01-14 11:00", "ben", 40),
    viewed("2026-01-15 00:00", "ann"),
    bought("2026-01-16 10:00", "ann"),
    order("2026-01-16 10:00", "ann", 30),
    order("2026-01-17 10:00", "ann", 20),
    viewed("2026-01-16 10:00", "cleo"),
    order("2026-01-21 23:59", "cleo", 500),
    order("2026-01-22 00:00", "ben", 999),
]


def asked(**more):
    return Asked(start=START, days=7, **more)


def figures(answer):
    return {one["metric"]: (one["before"], one["after"], one["change"]) for one in answer.rows}


def test_the_people_active_before_are_followed():
    answer = ask(asked(), desk(_STORE))

    assert figures(answer) == {
        "viewers": (2, 1, -1),
        "conversion": (0.5, 1.0, 0.5),
        "buyers_share": (0.5, 0.5, 0.0),
        "orders_per_person": (0.5, 1.0, 0.5),
        "revenue_per_person": (20.0, 25.0, 5.0),
        "arpu": (20.0, 50.0, 30.0),
    }
    assert answer.extra["people"] == 2
    assert answer.extra["before"] == {"from": date(2026, 1, 8), "to": date(2026, 1, 14)}
    assert answer.extra["after"] == {"from": date(2026, 1, 15), "to": date(2026, 1, 21)}
    assert list(answer.rows[0]) == [name for name in Asked.COLUMNS if name != "converted_to"]


def test_the_members_of_a_cohort_are_followed_also_those_who_did_nothing():
    answer = ask(asked(cohort="vip"), desk(_STORE), {"vip": ["ann", "cleo", "nobody", "nothing"]})

    assert figures(answer)["buyers_share"] == (0.0, 0.5, 0.5)
    assert figures(answer)["revenue_per_person"] == (0.0, 137.5, 137.5)
    assert answer.extra["people"] == 4


def test_regression_to_the_mean_is_said_whoever_is_compared():
    alone, cohort = ask(asked(), desk(_STORE)), ask(asked(cohort="vip"), desk(_STORE), {"vip": ["ann"]})

    for answer in (alone, cohort):
        assert answer.notes[0].startswith("Regression to the mean")
        assert "report experiment" in answer.notes[0]
    assert any("active before" in note for note in alone.notes)


def test_data_that_begin_within_the_time_before_are_said():
    longer = Asked(start=START, days=14)

    assert any("Data begin on 2026-01-07" in note for note in ask(longer, desk(_STORE)).notes)
    assert not any("Data begin" in note for note in ask(asked(), desk(_STORE)).notes)


def test_the_interval_is_that_of_the_paired_difference():
    answer = ask(asked(cohort="three"), desk(_STORE), {"three": ["ann", "ben", "cleo"]})

    (one,) = [one for one in answer.rows if one["metric"] == "revenue_per_person"]
    differences = [50.0, -40.0, 500.0]
    half = 1.96 * statistics.stdev(differences) / math.sqrt(3)
    assert one["change"] == pytest.approx(170.0)
    assert (one["ci_low"], one["ci_high"]) == (pytest.approx(170.0 - half), pytest.approx(170.0 + half))


def test_of_one_person_there_is_no_interval_and_of_nobody_no_figure():
    one = ask(asked(cohort="one"), desk(_STORE), {"one": ["ann"]})
    none = ask(asked(cohort="none"), desk(_STORE), {"none": []})

    assert {(row["ci_low"], row["ci_high"]) for row in one.rows} == {(None, None)}
    assert figures(none)["buyers_share"] == (None, None, None)
    assert figures(none)["viewers"] == (0, 0, 0)


def test_the_conversion_of_one_category_is_that_of_the_categories_report():
    store = desk(
        [
            *_STORE,
            viewed("2026-01-09 10:00", "dan", "Books"),
            viewed("2026-01-09 10:00", "ann", "Books"),
            bought("2026-01-10 10:00", "ann", "Books"),
            viewed("2026-01-17 10:00", "dan", "Books"),
        ]
    )
    everyone = {"all of them": ["ann", "ben", "cleo", "dan"]}

    answer = ask(asked(cohort="all of them", category=("Books",)), store, everyone)

    before = ask(categories.Asked(**{"from": "2026-01-08", "to": "2026-01-14"}), store)
    (books,) = [one for one in before.rows if one["category"] == "Books"]
    assert figures(answer)["viewers"][0] == books["viewers"] == 2
    assert figures(answer)["conversion"] == (books["conversion"], 0.0, -0.5)


def test_currencies_stand_alone_or_are_converted():
    store = desk([*_STORE, order("2026-01-15 12:00", "ben", 8, "EUR")])

    alone = ask(asked(), store)
    together = ask(asked(convert_to="USD", rates=("EUR=1.25",)), store)

    money = {(one["metric"], one["currency"]): one["after"] for one in alone.rows if one["currency"]}
    assert money["revenue_per_person", "EUR"] == 4.0
    assert money["revenue_per_person", "USD"] == 25.0
    assert figures(alone)["orders_per_person"] == figures(together)["orders_per_person"] == (0.5, 1.5, 1.0)
    assert figures(together)["revenue_per_person"] == (20.0, 30.0, 10.0)
    assert [one["converted_to"] for one in together.rows if one["metric"] == "arpu"] == ["USD"]


def test_the_range_follows_from_start_and_days():
    with pytest.raises(ValidationError, match="start and days"):
        asked(**{"from": "2026-01-01"})
    assert ask(asked(), desk(_STORE)).range == {"from": "2026-01-08", "to": "2026-01-21", "timezone": "UTC"}


def test_its_statements_are_written_for_other_engines():
    for engine in ("athena", "spark"):
        text = TextDesk(engine)
        before_after.answer(Asking(asked(timezone="Europe/Berlin"), text, NOW))
        assert any("before_squared" in statement for statement in text.texts)


_sides = st.tuples(st.integers(0, 3), st.integers(0, 1))


@given(st.lists(st.tuples(_sides, _sides), min_size=2, max_size=12))
def test_grouped_people_change_as_the_same_people_one_by_one(people):
    """The interval from sums over groups is that of the list of everyone's parts."""
    groups = [alike(number, *values) for values, number in Counter(people).items()]

    found = paired_change(groups)

    assert found == _one_by_one([(b[0], b[1], a[0], a[1]) for b, a in people])


def _one_by_one(people):
    """The change of people given as (value, divisor) before and after; exact until the last step."""
    values = [[Fraction(number) for number in one] for one in people]
    totals = [sum(column) for column in zip(*values, strict=True)]
    before = totals[0] / totals[1] if totals[1] else None
    after = totals[2] / totals[3] if totals[3] else None
    if before is None or after is None:
        return (_about(before), _about(after), None, None, None)
    count, change = len(values), after - before
    if count < 2:
        return (_about(before), _about(after), _about(change), None, None)
    parts = [
        (x1 - after * y1) * count / totals[3] - (x0 - before * y0) * count / totals[1]
        for x0, y0, x1, y1 in values
    ]
    half = 1.96 * math.sqrt(statistics.variance(parts) / count)
    return tuple(_about(one) for one in (before, after, change, change - half, change + half))


def _about(figure):
    return None if figure is None else pytest.approx(float(figure), rel=1e-9, abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    messy.stores(), st.sampled_from(messy.ZONES), st.sampled_from((None, ["ann", "ben", "$device:d2", "eve"]))
)
def test_equals_a_plain_reading_of_the_definitions(store, zone, members):
    start, days = date(2026, 4, 3), 6
    cohort = None if members is None else "some"

    answer = ask(
        Asked(timezone=zone, start=start, days=days, cohort=cohort), desk(**store), {"some": members or ()}
    )

    rows = oracle.resolved(**store)
    sides = (start - timedelta(days=days), start), (start, start + timedelta(days=days))

    def within(row_or_ms, side):
        first, end = sides[side]
        return first <= oracle.local_day(row_or_ms, zone) < end

    active = [{one["uid"] for one in rows if one["uid"] and within(one, side)} for side in (0, 1)]
    people = sorted(members or active[0])
    funnels = [defaultdict(bool), defaultdict(bool)]
    for side in (0, 1):
        views = [one for one in rows if within(one, side)]
        for (uid, _), converted in money_oracle.held(rows, views, 604_800_000).items():
            funnels[side][uid] |= converted
    booked, _ = money_oracle.money(rows)
    mine = [[one for one in booked if one.uid in people and within(one.booked_ms, side)] for side in (0, 1)]

    def compared(value, divisor):
        return _one_by_one([(value(u, 0), divisor(u, 0), value(u, 1), divisor(u, 1)) for u in people])

    def orders(uid, side):
        return sum(one.is_order for one in mine[side] if one.uid == uid)

    found = {(one["metric"], one["currency"]): tuple(one.values())[2:] for one in answer.rows}
    assert answer.extra["people"] == len(people)
    if not people:
        return
    each = lambda uid, side: 1  # noqa: E731
    assert found["viewers", None][:2] == tuple(sum(u in funnels[side] for u in people) for side in (0, 1))
    assert found["conversion", None] == compared(
        lambda u, s: funnels[s].get(u, False), lambda u, s: u in funnels[s]
    )
    assert found["buyers_share", None] == compared(lambda u, s: min(orders(u, s), 1), each)
    assert found["orders_per_person", None] == compared(orders, each)
    for currency in {one.currency for side in mine for one in side}:

        def net(uid, side, currency=currency):
            own = (one for one in mine[side] if (one.uid, one.currency) == (uid, currency))
            return money_oracle.total(one.gross - one.refunded for one in own)

        assert found["revenue_per_person", currency] == compared(net, each)
        assert found["arpu", currency] == compared(net, lambda u, s: u in active[s])
