"""Events over time and by segment: examples that read as the definitions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from connector.errors import ConfigError
from connector.report.desks.text import TextDesk
from connector.report.kinds.insights import Asked
from tests.report.stores import ask, at, desk, row

JANUARY = {"from_day": date(2026, 1, 5), "to_day": date(2026, 1, 7)}


def values(store, *events, **asked):
    """``{(day or segment): value}``, or of both where there is a breakdown and more than one period."""
    answer = ask(Asked(event=events or ("page",), **asked), store)
    if asked.get("unit") == "range":
        return {one["segment"]: one["value"] for one in answer.rows}
    return [one["value"] for one in answer.rows]


def page(day, user=None, hour=10, **more):
    return row("page", f"2026-01-{day:02} {hour:02}:00", user, **more)


def test_every_period_of_the_range_has_a_row_also_where_nothing_happened():
    answer = ask(Asked(event=("page",), **JANUARY), desk([page(4), page(5, "ann"), page(5), page(7, "ann")]))

    shown = [(r["period"].day, r["totals"], r["uniques"], r["value"]) for r in answer.rows]
    assert shown == [(5, 2, 1, 2), (6, 0, 0, 0), (7, 1, 1, 1)]


def test_a_condition_follows_the_event_and_a_star_is_any_event():
    store = desk(
        [row("Product Viewed", at("2026-01-05 10:00"), "ann", price=p) for p in (10.0, 30.0)] + [page(5)]
    )

    assert values(store, "Product Viewed where price > 20", unit="range") == {"$overall": 1}
    assert values(store, "*", unit="range") == {"$overall": 3}
    assert values(store, "* where price > 5", unit="range") == {"$overall": 2}


def test_uniques_do_not_add_up():
    store = desk([page(5, "ann", source="web"), page(6, "ann", source="app"), page(6, "ben", source="app")])

    assert values(store, measure=("uniques",), breakdown="source", unit="range") == {
        "$overall": 2, "app": 2, "web": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("credit", "expected"), [("all", (2, 1)), ("first", (1, 1)), ("last", (2, 0))])
def test_a_person_can_be_credited_to_one_segment_of_an_interval(credit, expected):
    store = desk(
        [page(5, "ann", source="web"), page(5, "ann", 11, source="app"), page(6, "ben", source="app")]
    )

    found = values(store, measure=("uniques",), breakdown="source", unit="range", credit=credit)

    assert (found["app"], found["web"], found["$overall"]) == (*expected, 2)


@pytest.mark.parametrize(("credit", "segment"), [("first", "early"), ("last", "late")])
def test_rows_of_one_moment_follow_each_other_by_message_line_and_row(credit, segment):
    order = [("m1", None, "r9"), ("m2", None, "r8"), ("m2", 0, "r7"), ("m2", 1, "r5"), ("m2", 1, "r6")]
    store = desk(
        [
            page(5, "ann", message_id=message, line_index=line, row_id=id_, source=source)
            for (message, line, id_), source in zip(order, ("early", "x", "x", "x", "late"), strict=True)
        ]
    )

    found = values(store, measure=("uniques",), breakdown="source", unit="range", credit=credit)

    assert {name for name, people in found.items() if people} == {"$overall", segment}


def test_what_is_per_user_is_over_people_who_did_the_event():
    store = desk(
        [
            *(row("Order Completed", at("2026-01-05 10:00"), "ann", order_revenue=r) for r in (10.0, 20.0)),
            row("Order Completed", at("2026-01-05 10:00"), "ben"),
            row("Order Completed", at("2026-01-05 10:00"), None, order_revenue=100.0),
            page(5, "cleo"),
        ]
    )

    def one(measure):
        return values(store, "Order Completed", measure=(measure,), unit="range")["$overall"]

    assert one("avg per user") == 1.5
    assert one("max per user") == 2
    assert one("avg per user of sum of order_revenue") == 15.0
    assert one("max per user of avg of order_revenue") == 15.0
    assert one("min per user of avg of order_revenue") == 15.0
    assert (one("sum of order_revenue"), one("avg of order_revenue")) == (
        Decimal(130),
        pytest.approx(130 / 3),
    )


def test_half_an_hour_without_a_row_and_midnight_end_a_session():
    times = ["05 23:20", "05 23:49", "06 00:01", "06 00:30:59", "06 01:00:59", "06 01:30:58"]
    store = desk(
        [row("page", f"2026-01-{time}", "ann") for time in times]
        + [row("click", "2026-01-06 00:02", "ann"), page(6)]
    )

    assert values(store, measure=("sessions",), **JANUARY) == [1, 2, 0]
    assert values(store, measure=("sessions",), unit="range") == {"$overall": 3}
    assert values(store, "click", measure=("sessions",), **JANUARY) == [0, 1, 0]
    assert values(store, measure=("sessions",), unit="hour", **JANUARY)[23:27] == [1, 1, 1, 0]


def test_an_order_counts_once_under_each_category_of_its_products():
    products = [{"category": "Toys"}, {"category": "Books"}, {"category": "Toys"}]
    store = desk(
        [
            row("Order Completed", at("2026-01-05 10:00"), "ann", products=products, order_revenue=10.0),
            row(
                "Order Completed",
                at("2026-01-05 11:00"),
                "ben",
                products=[{"category": None}, {"category": "Toys"}],
            ),
            row("Order Completed", at("2026-01-05 12:00"), "ann", products=[]),
        ]
    )

    found = values(store, "Order Completed", breakdown="products.category", unit="range")

    assert found == {"$overall": 3, "Toys": 2, "Books": 1, None: 2}


def test_text_in_a_list_is_a_segment_of_its_own():
    store = desk([page(5, categories=["a", "b"]), page(5, categories=["b"]), page(5)])

    assert values(store, breakdown="categories", unit="range") == {"$overall": 3, "a": 1, "b": 2, None: 1}


def test_a_rolling_average_reaches_back_before_the_range_but_not_before_the_first_row():
    store = desk([page(1), *(page(4) for _ in range(4)), page(5), page(7), page(7)])

    assert values(store, rolling=2, **JANUARY) == [2.5, 0.5, 1.0]
    assert values(store, rolling=10, **JANUARY) == [pytest.approx(6 / 5), 1.0, pytest.approx(8 / 7)]


def test_a_cumulative_line_begins_with_the_range():
    assert values(desk([page(4), page(5), page(7), page(7)]), cumulative=True, **JANUARY) == [1, 1, 3]


def test_a_formula_is_computed_per_point_and_segment_and_is_empty_where_nothing_can_be_divided():
    store = desk(
        [
            *(
                page(5, user, source=source)
                for user, source in (("ann", "web"), ("ann", "web"), ("ben", "app"))
            ),
            row("click", "2026-01-05 11:00", "ann", source="web"),
            row("click", "2026-01-06 11:00", "ann", source="web"),
        ]
    )
    answer = ask(Asked(event=("click", "page"), formula="A / B * 100", breakdown="source", **JANUARY), store)

    found = {(r["period"].day, r["segment"]): r["value"] for r in answer.rows}
    assert found[5, "$overall"] == pytest.approx(100 / 3)
    assert (found[5, "web"], found[5, "app"], found[6, "web"]) == (50.0, 0.0, None)
    assert {(r["metric"], r["totals"], r["uniques"]) for r in answer.rows} == {("A / B * 100", None, None)}


def test_each_event_can_have_its_own_measurement():
    store = desk([page(5, "ann"), page(5, "ann"), row("click", "2026-01-05 11:00", "ann")])
    answer = ask(Asked(event=("page", "click"), measure=("uniques", "totals"), unit="range"), store)

    assert [(r["metric"], r["totals"], r["value"]) for r in answer.rows] == [("A", 2, 1), ("B", 1, 1)]


def test_money_of_several_currencies_is_never_added():
    orders = [
        row("Order Completed", f"2026-01-{day:02} 10:00", "ann", order_revenue=10.0, currency=currency)
        for day, currency in ((5, "USD"), (6, "EUR"), (7, "EUR"))
    ]
    asked = {"event": ("Order Completed",), "measure": ("sum of order_revenue",), **JANUARY}

    mixed = ask(Asked(**asked), desk(orders))
    apart = ask(Asked(**asked, breakdown="currency", unit="range"), desk(orders))

    assert [r["value"] for r in mixed.rows] == [None, None, None]
    assert [r["totals"] for r in mixed.rows] == [1, 1, 1]
    assert "several currencies (EUR, USD)" in mixed.notes[0]
    assert {r["segment"]: r["value"] for r in apart.rows} == {"$overall": None, "EUR": 20, "USD": 10}


def test_a_formula_does_not_add_currencies_either():
    store = desk(
        [
            row("Order Completed", "2026-01-05 10:00", "ann", order_revenue=10.0, currency="USD"),
            row("Order Refunded", "2026-01-05 10:00", "ann", refund_amount=4.0, currency="EUR"),
        ]
    )
    asked = {
        "event": ("Order Completed", "Order Refunded"), "unit": "range", "formula": "A - B",
        "measure": ("sum of order_revenue", "sum of refund_amount"),
    }  # fmt: skip

    assert [r["value"] for r in ask(Asked(**asked), store).rows] == [None]


def test_the_hour_that_the_clock_repeats_is_two_hours():
    store = desk([row("page", f"2026-10-25 {time}", "ann") for time in ("00:10", "01:10", "01:20")])
    day = date(2026, 10, 25)

    answer = ask(
        Asked(event=("page",), unit="hour", timezone="Europe/Berlin", from_day=day, to_day=day), store
    )

    assert len(answer.rows) == 25
    assert [(r["period"].hour, r["value"]) for r in answer.rows if r["value"]] == [(0, 1), (1, 2)]


def test_only_the_largest_segments_are_shown_when_asked_and_the_rest_is_named():
    store = desk([page(5, source=source) for source in ("a", "b", "b", "c")])
    answer = ask(Asked(event=("page",), breakdown="source", unit="range", top=1), store)

    assert [(r["segment"], r["value"]) for r in answer.rows] == [("$overall", 4), ("b", 2)]
    assert answer.notes == ("2 more segments, with fewer rows, are left out.",)


def test_segments_are_the_text_of_their_values():
    store = desk(
        [
            row("x", "2026-01-05 10:00", price=9.5, properties='{"colour": "red"}'),
            row("x", "2026-01-05 10:00", price=10.0, properties='{"colour": null}'),
        ]
    )

    assert values(store, "x", breakdown="price", unit="range") == {"$overall": 2, "10": 1, "9.5": 1}
    assert values(store, "x", breakdown="properties ->> '$.colour'", unit="range") == {
        "$overall": 2, "red": 1, None: 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ({"event": ("page where colour = 'red'",)}, "event.1: events has no column colour"),
        ({"measure": ("mean of price",)}, "measure.1: a measurement is totals"),
        ({"measure": ("sum of category",)}, "measure.1: sum needs a column of numbers"),
        ({"measure": ("distinct per user",)}, "measure.1: distinct stands before"),
        ({"measure": ("totals", "totals")}, "measure: there is one for all events"),
        ({"formula": "A / B"}, "formula: there is no metric B"),
        ({"formula": "__import__('os')"}, "formula: it holds metrics"),
        ({"formula": "A **"}, "formula: it is written as"),
        ({"formula": "1 + 1"}, "formula: it names no metric"),
        ({"breakdown": "timestamp"}, "breakdown: a moment is no segment"),
        ({"breakdown": "products.price"}, "breakdown: products has no text price"),
        ({"breakdown": "products"}, "breakdown: products is a list"),
        ({"rolling": 3, "cumulative": True}, "cumulative: it does not go with rolling"),
        ({"rolling": 3, "unit": "range"}, "unit: rolling and cumulative need periods"),
        ({"rolling": 53, "unit": "week"}, "rolling: at most a year, 52 periods"),
        ({"credit": "first"}, "breakdown: top and credit need one"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_place_and_rule(asked, rule):
    with pytest.raises(ConfigError) as refused:
        Asked(**{"event": ("page",), **asked})

    assert str(refused.value).startswith(rule)


@pytest.mark.parametrize("breakdown", [None, "source", "products.category", "categories"])
@pytest.mark.parametrize("measure", ["sessions", "p90 per user of sum of price", "avg of price"])
def test_every_engine_has_a_text_for_it(breakdown, measure):
    for engine in ("duckdb", "spark", "athena"):
        text = TextDesk(engine)
        asked = Asked(
            event=("*",), measure=(measure,), breakdown=breakdown, timezone="Europe/Berlin", **JANUARY
        )
        answer = ask(asked, text)
        assert len(answer.rows) == 3
        assert all(rendered.startswith("WITH") for rendered in text.texts)
