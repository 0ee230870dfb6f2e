"""Who comes back, against a plain reading of the definitions."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.errors import ConfigError
from connector.report.asking import Asking
from connector.report.clock import number_of
from connector.report.compose import Composition, expression
from connector.report.kinds.retention import Asked
from connector.report.spans import Span
from tests.report import messy, oracle
from tests.report import retention_oracle as plain
from tests.report.stores import NOW, ask, at, desk, row


def cells(answer, bucket: date = date(2026, 1, 1)):
    return {row["k"]: row["retained"] for row in answer.rows if row["bucket"] == bucket}


def averages(answer, kind: str):
    return {row["k"]: row for row in answer.extra["averages"] if row["kind"] == kind}


def story(*returns: str, user: str = "ann", born: str = "2026-01-01 10:00"):
    return [
        row("Product Viewed", born, user),
        *(row("Order Completed", moment, user, order_id=f"{user}-{moment}") for moment in returns),
    ]


def asked(**more: Any) -> Asked:
    return Asked.model_validate({"birth_event": "Product Viewed", "return_event": "Order Completed", **more})


def test_a_day_is_24_hours_from_birth_unless_the_calendar_is_asked_for():
    store = desk(story("2026-01-02 09:00"))

    assert cells(ask(asked(counting="on", intervals=3), store)) == {0: 1, 1: 0, 2: 0}
    assert cells(ask(asked(counting="on", intervals=3, mode="calendar"), store)) == {0: 0, 1: 1, 2: 0}


def test_whoever_comes_back_later_counts_on_every_day_before_by_default():
    store = desk(story("2026-01-04 11:00") + story("2026-09-01 10:00", user="ben"))

    assert cells(ask(asked(intervals=5), store)) == {0: 2, 1: 2, 2: 2, 3: 2, 4: 1}


def test_on_or_before_grows_and_a_streak_ends_at_the_first_gap():
    store = desk(story("2026-01-01 11:00", "2026-01-02 11:00", "2026-01-04 11:00"))

    assert cells(ask(asked(counting="on", intervals=4), store)) == {0: 1, 1: 1, 2: 0, 3: 1}
    assert cells(ask(asked(counting="on-or-before", intervals=4), store)) == {0: 1, 1: 1, 2: 1, 3: 1}
    assert cells(ask(asked(counting="streak", intervals=4), store)) == {0: 1, 1: 1, 2: 0, 3: 0}


def test_a_return_in_the_moment_of_birth_is_none():
    store = desk(story("2026-01-01 10:00") + story("2026-01-01 10:00:01", user="ben"))

    assert cells(ask(asked(intervals=1), store)) == {0: 1}


def test_a_person_is_born_anew_in_every_period_with_a_birth_event():
    store = desk(story("2026-01-03 10:00") + story(born="2026-01-02 23:00") + story(born="2026-01-02 08:00"))

    answer = ask(asked(counting="on", intervals=3), store)

    assert {(r["bucket"], r["size"]) for r in answer.rows} == {
        (date(2026, 1, 1), 1),
        (date(2026, 1, 2), 1),
    }
    assert cells(answer, date(2026, 1, 2)) == {0: 0, 1: 1, 2: 0}, "born at 08:00, not at 23:00"


def test_brackets_of_1_3_4_and_7_days_end_before_1_4_8_and_15():
    store = desk(
        [
            one
            for day, user in (
                (1, "a"),
                (2, "b"),
                (4, "c"),
                (5, "d"),
                (8, "e"),
                (9, "f"),
                (15, "g"),
                (16, "h"),
            )
            for one in story(f"2026-01-{day:02} 10:00:01", user=user)
        ]
    )

    answer = ask(asked(brackets=(1, 3, 4, 7)), store)

    assert [(r["k"], r["k_last"], r["retained"]) for r in answer.rows] == [
        (0, 0, 1), (1, 3, 2), (4, 7, 2), (8, 14, 2),
    ]  # fmt: skip


def test_a_filter_narrows_birth_and_return():
    store = desk(
        [
            row("Product Viewed", "2026-01-01 10:00", "ann", category="Toys"),
            row("Product Viewed", "2026-01-01 10:00", "ben", category="Books"),
            row("Order Completed", "2026-01-01 11:00", "ann", order_id="o1", order_revenue=5.0),
        ]
    )

    toys = asked(birth_event="Product Viewed where category = 'Toys'", intervals=1)
    dear = asked(return_event="Order Completed where order_revenue > 5", intervals=1)

    assert [(r["size"], r["retained"]) for r in ask(toys, store).rows] == [(1, 1)]
    assert [(r["size"], r["retained"]) for r in ask(dear, store).rows] == [(2, 0)]
    with pytest.raises(ConfigError, match="return-event"):
        ask(asked(return_event=" where price > 1"), store)


def test_what_people_brought_until_a_day_is_summed_per_currency():
    store = desk(
        [
            *story(),
            *story(user="ben"),
            row(
                "Order Completed", "2026-01-01 11:00", "ann", order_id="1", order_revenue=10.1, currency="EUR"
            ),
            row(
                "Order Completed", "2026-01-01 12:00", "ann", order_id="1", order_revenue=10.1, currency="EUR"
            ),
            row(
                "Order Completed", "2026-01-03 11:00", "ben", order_id="2", order_revenue=5.2, currency="EUR"
            ),
            row(
                "Order Completed", "2026-01-02 11:00", "ben", order_id="3", order_revenue=7.0, currency="USD"
            ),
        ]
    )

    answer = ask(asked(sum_of="order_revenue", intervals=3), store)

    found = {(r["currency"], r["k"]): (r["value"], r["value_per_person"]) for r in answer.rows}
    assert found["EUR", 0] == (Decimal("10.1"), 5.05), "the second report of an order adds nothing"
    assert found["EUR", 2] == (Decimal("15.3"), 7.65)
    assert [found["USD", k][0] for k in range(3)] == [0, 7, 7]
    assert [r["value"] for r in answer.extra["value_averages"] if r["currency"] == "EUR"] == [
        Decimal("10.1"), Decimal("10.1"), Decimal("15.3"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["currency", "price > 1", "no_such_column", "properties ->> '$.points'"])
def test_only_a_numeric_column_is_added_up(name):
    with pytest.raises(ConfigError, match="sum-of"):
        ask(asked(sum_of=name), desk(story()))


@pytest.mark.parametrize(
    "more",
    [
        {"intervals": 367},
        {"unit": "month", "intervals": 13},
        {"brackets": (1, 0)},
        {"brackets": (200, 200)},
        {"sum_of": "order_revenue", "counting": "on"},
    ],
)
def test_what_cannot_be_counted_is_refused(more):
    with pytest.raises(ValidationError):
        asked(**more)


def test_the_documented_example_averages_56_percent_weighted_and_60_pooled():
    store = desk(
        [
            one
            for day, size, returning in ((1, 10, 5), (2, 5, 4))
            for number in range(size)
            for one in story(
                *[f"2026-01-{day:02} 11:00"] * (number < returning),
                user=f"{day}-{number}",
                born=f"2026-01-{day:02} 10:00",
            )
        ]
    )

    answer = ask(asked(intervals=1), store)

    weighted, pooled = averages(answer, "mixpanel_weighted")[0], averages(answer, "pooled")[0]
    assert weighted["rate"] == pytest.approx(0.56)
    assert (pooled["rate"], pooled["size"], pooled["retained"]) == (0.6, 15, 9)


def test_a_cell_is_complete_k_and_1_units_after_the_end_of_its_bucket():
    store = desk(story("2026-01-01 11:00") + story(born="2026-01-02 01:00", user="ben"))

    answer = ask(asked(counting="on", intervals=3, as_of="2026-01-04T00:00:00Z"), store)

    assert [(r["bucket"].day, r["k"]) for r in answer.rows if r["complete"]] == [(1, 0), (1, 1), (2, 0)]
    assert [averages(answer, "pooled")[k]["size"] for k in range(3)] == [2, 1, 0]
    assert averages(answer, "pooled")[2]["rate"] is None
    assert not answer.complete


def test_amplitudes_average_divides_by_everybody_who_has_reached_the_day():
    store = desk(story("2026-01-03 11:00") + story("2026-01-03 11:30", born="2026-01-02 11:00", user="ben"))

    answer = ask(asked(counting="on", intervals=3, as_of="2026-01-03T12:00:00Z"), store)

    assert [averages(answer, "reached")[k]["size"] for k in range(3)] == [2, 2, 1]
    assert [averages(answer, "reached")[k]["retained"] for k in range(3)] == [0, 1, 1]


def test_amplitudes_average_counts_nobody_for_a_day_they_have_not_reached():
    clock_ahead = row("Product Viewed", "2026-01-03 13:00", "ben", received_ms=at("2026-01-03 11:00"))
    late = story("2026-01-01 14:00", born="2026-01-01 13:00", user="cleo")
    question = asked(counting="on-or-before", intervals=4, as_of="2026-01-03T12:00:00Z")

    answer = ask(question, desk([*story("2026-01-01 11:00"), *late, clock_ahead]))

    assert [averages(answer, "reached")[k]["size"] for k in range(4)] == [2, 2, 1, 0]
    assert [averages(answer, "reached")[k]["retained"] for k in range(4)] == [2, 2, 1, 0]


def test_an_empty_store_has_no_buckets():
    answer = ask(asked(), desk())

    assert list(answer.rows) == []
    assert {row["rate"] for row in answer.extra["averages"]} == {None}


@pytest.mark.parametrize("zone", messy.ZONES)
def test_sql_and_python_number_the_units_alike(zone):
    question = Asked.model_validate({"from": date(2010, 12, 1), "to": date(2012, 4, 1), "timezone": zone})
    asking, units = Asking(question, desk(), NOW), ("hour", "day", "week", "month")
    days = [date(2011, 1, 1) + timedelta(days=7 * n) for n in range(64)]
    midnights = [oracle.midnight_ms(day.replace(day=1 + number % 2), zone) for number, day in enumerate(days)]
    moments = sorted({ms + shift for ms in midnights for shift in (-1, 0, 9_000_000)})
    spans = {unit: Span(unit, "calendar") for unit in units}
    composition = Composition({unit: span.point() for unit, span in spans.items()})
    composition.define_rows("moments", {"time_ms": "bigint"}, [(ms,) for ms in moments])
    columns = ", ".join(f"${unit} AS {unit}_number" for unit in units)
    composition.define("numbers", expression(f"SELECT time_ms, {columns} FROM moments"))

    found = asking.rows(composition, "numbers", "time_ms")

    assert [
        {
            "time_ms": ms,
            **{f"{unit}_number": span.point_of(ms, asking.clock) for unit, span in spans.items()},
        }
        for ms in moments
    ] == found


def test_months_are_numbered_without_a_calendar_until_2100():
    firsts = [
        (date(year, month, 1), year * 12 + month - 1) for year in range(1970, 2101) for month in range(1, 13)
    ]

    numbers = [(number_of(first) + 15) * 1_000 // 30_437 for first, _ in firsts]

    assert [number - 1970 * 12 for _, number in firsts] == numbers


events = st.sampled_from((None, "Product Viewed", "Order Completed"))
questions = st.builds(
    lambda birth, back, unit, mode, counting, brackets, zone, as_of_ms: Asked(
        birth_event=birth,
        return_event=back,
        unit=unit,
        mode=mode,
        counting=counting,
        brackets=brackets,
        intervals=5,
        timezone=zone,
        as_of=datetime.fromtimestamp(as_of_ms // 1_000, UTC) if as_of_ms else None,
    ),
    events,
    events,
    st.sampled_from(("hour", "day", "day", "week", "month")),
    st.sampled_from(("rolling", "calendar")),
    st.sampled_from((None, "on", "on-or-after", "on-or-before", "streak")),
    st.sampled_from(((), (), (1, 3, 4), (2, 1))),
    st.sampled_from(messy.ZONES),
    st.one_of(st.none(), st.integers(at("2026-03-27 00:00"), at("2026-04-20 00:00"))),
)


@settings(max_examples=20, deadline=None)
@given(messy.stores(), questions)
def test_equals_a_plain_reading_of_the_definitions(store, question):
    answer = ask(question, desk(**store))

    as_of_ms = round((question.as_of or NOW).timestamp() * 1_000)
    rows = oracle.resolved(**plain.received(store, as_of_ms))
    sizes: dict[Any, int] = defaultdict(int)
    retained: dict[Any, int] = defaultdict(int)
    far: dict[Any, list[bool]] = defaultdict(list)
    for bucket, first, last, came, reached in plain.cells(rows, question, as_of_ms):
        sizes[bucket, first, last] += 1
        retained[bucket, first, last] += came
        far[first] += [came] * reached
    assert {(r["bucket"], r["k"], r["k_last"]): r["size"] for r in answer.rows} == sizes
    assert {(r["bucket"], r["k"], r["k_last"]): r["retained"] for r in answer.rows} == retained
    for found in answer.rows:
        assert found["complete"] == (plain.end_ms(found["bucket"], found["k_last"] + 1, question) <= as_of_ms)
    for k, found in averages(answer, "reached").items():
        assert (found["size"], found["retained"]) == (len(far[k]), sum(far[k]))
    for k, found in averages(answer, "pooled").items():
        over = [r for r in answer.rows if r["k"] == k and r["complete"]]
        assert (found["buckets"], found["size"]) == (len(over), sum(r["size"] for r in over))
        assert found["retained"] == sum(r["retained"] for r in over)


@settings(max_examples=8, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES), st.sampled_from(("rolling", "calendar")))
def test_amounts_equal_the_first_reports_of_orders_until_each_day(store, zone, mode):
    question = Asked(
        return_event="Order Completed", sum_of="order_revenue", timezone=zone, mode=mode, intervals=6
    )

    answer = ask(question, desk(**store))

    rows = oracle.resolved(**store)
    sales: dict[Any, dict[str, Any]] = {}
    for one in sorted(rows, key=lambda r: (r["time_ms"], r["row_id"])):
        if one["event"] == "Order Completed":
            sales.setdefault((one["source"], one.get("order_id") or one["row_id"]), one)
    expected: dict[Any, Decimal] = defaultdict(Decimal)
    for (bucket, uid), birth_ms in plain.births(rows, question).items():
        for sale in sales.values():
            if sale["uid"] == uid and sale["time_ms"] > birth_ms and sale["order_revenue"] is not None:
                k = plain.units(birth_ms, sale["time_ms"], "day", mode, zone)
                for later in range(k, 6):
                    expected[bucket, sale["currency"], later] += sale["order_revenue"]
    found = {(r["bucket"], r["currency"], r["k"]): r["value"] for r in answer.rows}
    assert {key: value for key, value in expected.items() if value} == {
        key: value for key, value in found.items() if value
    }
