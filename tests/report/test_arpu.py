"""Revenue, refunds and ARPU: each pinned rule by example, all of them against a plain reading."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from connector.errors import ConfigError
from connector.report.asking import Asking
from connector.report.desks.text import TextDesk
from connector.report.kinds import arpu
from connector.report.kinds.arpu import Asked
from tests.report.stores import NOW, ask, at, desk, lake, row

JANUARY = date(2026, 1, 1)
_MONTH = {"from": "2026-01-01", "to": "2026-01-31", "unit": "range"}


def order(time, user, order_id, revenue, currency="USD", **more):
    amount = None if revenue is None else Decimal(str(revenue))
    return row(
        "Order Completed", time, user, order_id=order_id, order_revenue=amount, currency=currency, **more
    )


def refund(time, order_id, amount=None, event="Order Refunded", currency="USD", **more):
    amount = None if amount is None else Decimal(str(amount))
    return row(event, time, None, order_id=order_id, refund_amount=amount, currency=currency, **more)


def figures(rows, *names, **asked):
    found = ask(Asked(**{**_MONTH, **asked}), desk(rows)).rows
    return [tuple(one[name] for name in names) for one in found]


def test_arpu_divides_by_everyone_active_and_arppu_by_the_buyers():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 60),
        order("2026-01-06 10:00", "ann", "o2", 40),
        row("Product Viewed", "2026-01-07 10:00", "ben"),
        row("page", "2026-01-07 11:00", None, "phone"),
        row("page", "2026-01-07 12:00", None, None),
    ]

    names = ("net", "orders", "buyers", "active_users", "aov", "arpu", "arppu")
    assert figures(rows, *names) == [(Decimal(100), 2, 1, 3, 50.0, pytest.approx(100 / 3), 100.0)]


def test_the_arpu_of_a_month_is_not_the_mean_of_its_weeks():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100),
        row("page", "2026-01-12 10:00", "ann"),
        row("page", "2026-01-12 10:00", "ben"),
    ]
    weeks = [arpu for (arpu,) in figures(rows, "arpu", unit="week") if arpu is not None]

    assert weeks == [100.0, 0.0]
    assert figures(rows, "arpu", unit="month") == [(50.0,)]


def test_the_earliest_order_completed_of_an_order_id_counts_and_retries_do_not():
    rows = [
        order("2026-01-06 10:00", "ann", "o1", 90),
        order("2026-01-05 10:00", "ann", "o1", 100),
        order("2026-01-05 10:00", "ann", "o1", 70, source="app"),
        order("2026-01-05 10:00", "ann", None, 1),
        order("2026-01-05 10:00", "ann", None, 2),
    ]

    assert figures(rows, "gross", "orders") == [(Decimal(173), 4)]


def test_a_sale_before_the_range_makes_a_retry_within_it_count_nowhere():
    rows = [order("2025-12-31 10:00", "ann", "o1", 100), order("2026-01-05 10:00", "ann", "o1", 100)]

    assert figures(rows, "gross", "orders") == [(Decimal(0), 0)]


def test_of_orders_at_the_same_moment_the_smaller_row_id_counts():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 90, row_id="b"),
        order("2026-01-05 10:00", "ann", "o1", 100, row_id="a"),
    ]

    assert figures(rows, "gross") == [(Decimal(100),)]


def test_refunds_never_exceed_the_order():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100),
        refund("2026-01-06 10:00", "o1", 70),
        refund("2026-01-07 10:00", "o1", 70),
        refund("2026-01-08 10:00", "o1", 70),
    ]

    days = figures(rows, "period", "refunds", unit="day")
    assert [(str(day), amount) for day, amount in days if amount] == [
        ("2026-01-06", Decimal(70)),
        ("2026-01-07", Decimal(30)),
    ]


@pytest.mark.parametrize(
    "rest",
    [
        refund("2026-01-07 10:00", "o1", None),
        refund("2026-01-07 10:00", "o1", 5, event="Order Cancelled"),
        refund("2026-01-07 10:00", "o1", None, event="Order Cancelled"),
    ],
    ids=["refund without an amount", "cancellation", "cancellation without an amount"],
)
def test_a_refund_without_an_amount_and_a_cancellation_take_the_rest(rest):
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100),
        refund("2026-01-06 10:00", "o1", 30),
        rest,
        refund("2026-01-08 10:00", "o1", 10),
    ]

    days = figures(rows, "refunds", unit="day")
    assert [amount for (amount,) in days if amount] == [Decimal(30), Decimal(70)]


def test_a_refund_counts_on_its_own_date_or_if_asked_on_that_of_its_order():
    rows = [order("2026-01-05 10:00", "ann", "o1", 100), refund("2026-02-06 10:00", "o1", 30)]
    months = {"from": "2026-01-01", "to": "2026-02-28", "unit": "month"}

    assert figures(rows, "net", **months) == [(Decimal(100),), (Decimal(-30),)]
    assert figures(rows, "net", **months, refunds="cohort") == [(Decimal(70),), (Decimal(0),)]
    assert figures(rows, "net", refunds="cohort") == [(Decimal(70),)], "a refund after the range still counts"


def test_a_refund_belongs_to_the_buyer_of_its_order():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100),
        refund("2026-01-06 10:00", "o1", 30),
        row(
            "Order Refunded",
            "2026-01-07 10:00",
            "ben",
            order_id="o1",
            refund_amount=Decimal(5),
            currency="USD",
        ),
    ]

    answer = ask(Asked(**_MONTH, cohort=("ann only",)), desk(rows), {"ann only": ["ann"]})

    assert [(r["cohort"], r["net"], r["active_users"]) for r in answer.rows] == [
        ("all", Decimal(65), 2),
        ("ann only", Decimal(65), 1),
    ]


def test_a_refund_of_an_unknown_order_is_reported_and_not_subtracted():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100),
        order("2026-01-05 10:00", "ben", None, 50, row_id="o3"),
        refund("2026-01-06 10:00", "o2", 30),
        refund("2026-01-06 11:00", "o3", 3),
        refund("2026-01-06 12:00", None, None, event="Order Cancelled"),
        refund("2026-01-06 12:00", "o1", 8, source="app", currency="EUR"),
        refund("2026-03-06 12:00", "o2", 8),
    ]

    answer = ask(Asked(**_MONTH), desk(rows))

    assert [r["net"] for r in answer.rows] == [Decimal(150)]
    assert answer.extra["unmatched_refunds"] == [
        {"currency": "EUR", "refunds": 1, "amount": Decimal(8), "without_amount": 0},
        {"currency": "USD", "refunds": 3, "amount": Decimal(33), "without_amount": 1},
    ]
    assert any("4 refunds" in note for note in answer.notes)


def test_currencies_are_never_added():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100),
        order("2026-01-05 10:00", "ann", "o2", 50, "EUR"),
        order("2026-01-05 10:00", "ben", "o3", 7, None),
    ]

    assert figures(rows, "currency", "gross", "active_users", "arpu") == [
        ("EUR", Decimal(50), 2, 25.0),
        ("USD", Decimal(100), 2, 50.0),
        (None, Decimal(7), 2, 3.5),
    ]


def test_amounts_are_converted_at_the_rate_of_the_day_of_each_event():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", "10.01", "EUR"),
        refund("2026-01-20 10:00", "o1", "10.01", currency="EUR"),
        order("2026-01-05 10:00", "ann", "o2", 100),
        order("2026-01-05 10:00", "ben", "o3", 5000, "JPY"),
        order("2026-01-05 10:00", "ben", "o4", 1, None),
    ]
    asked = {"convert_to": "usd", "rates": ("eur=1.1", "EUR@2026-01-20=1.25", "JPY@2026-02-01=0.0067")}

    answer = ask(Asked(**_MONTH, **asked), desk(rows))

    (only,) = answer.rows
    assert tuple(only[name] for name in ("currency", "converted_to", "orders", "buyers")) == (
        "USD",
        "USD",
        2,
        1,
    )
    assert (only["gross"], only["refunds"]) == (Decimal("111.011"), Decimal("12.5125"))
    listed = " ".join(answer.notes)
    assert "Left out for want of a rate: JPY, 1 sales" in listed
    assert "Left out for want of a rate: no currency, 1 sales" in listed


@pytest.mark.parametrize(
    ("rates", "convert_to", "rule"),
    [
        (("EUR=1.1",), None, "together"),
        ((), "USD", "together"),
        (("EUR 1.1",), "USD", "written as"),
        (("EUR=1,1",), "USD", "written as"),
        (("EUR=-1",), "USD", "written as"),
        (("EUR=0",), "USD", "above 0"),
        (("EUR@2026-02-30=1",), "USD", "2026-01-31"),
        (("EUR=1.1", "eur=1.2"), "USD", "two rates"),
        (("USD=1.1",), "USD", "worth 1"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(rates, convert_to, rule):
    with pytest.raises(ValidationError, match=rule):
        Asked(rates=rates, convert_to=convert_to)


def test_doubtful_amounts_are_said():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", None),
        order("2026-01-05 10:00", "ann", "o2", 100, order_revenue_from="items"),
        order("2026-01-05 10:00", "ann", "o3", 100, order_revenue_from="revenue"),
        refund("2026-01-06 10:00", "o2", 10, currency="EUR"),
        refund("2026-01-06 10:00", "o3", None, currency="EUR"),
    ]

    answer = ask(Asked(**_MONTH), desk(rows))

    assert [(r["gross"], r["refunds"], r["orders"]) for r in answer.rows] == [(Decimal(200), Decimal(110), 3)]
    assert len(answer.notes) == 3
    assert all(note.startswith("1 ") for note in answer.notes)


def test_periods_without_rows_are_there_with_zeros():
    rows = [order("2026-01-05 10:00", "ann", "o1", 100), row("page", "2026-01-20 10:00", "ann")]

    assert figures(rows, "period", "net", "active_users", "arpu", unit="week") == [
        (date(2025, 12, 29), Decimal(0), 0, None),
        (date(2026, 1, 5), Decimal(100), 1, 100.0),
        (date(2026, 1, 12), Decimal(0), 0, None),
        (date(2026, 1, 19), Decimal(0), 1, 0.0),
        (date(2026, 1, 26), Decimal(0), 0, None),
    ]


def test_a_period_that_the_range_cuts_or_that_is_not_over_is_not_complete():
    rows = [order("2026-01-07 10:00", "ann", "o1", 100), row("page", "2026-01-29 10:00", "ann")]
    cut = {"from": "2026-01-07", "to": "2026-01-29", "unit": "week"}
    open_ = {"from": None, "to": None, "unit": "week"}

    assert [c for (c,) in figures(rows, "complete", **cut)] == [False, True, True, False]
    assert [c for (c,) in figures(rows, "complete", **open_)] == [True, True, True, True]
    now = datetime(2026, 1, 30, tzinfo=UTC)
    answer = arpu.answer(Asking(Asked(unit="week"), desk(rows), now))
    assert [one["complete"] for one in answer.rows] == [True, True, True, False]


def test_what_was_received_later_does_not_count_as_of_a_moment():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100, received_ms=at("2026-01-09 00:00")),
        order("2026-01-06 10:00", "ann", "o1", 90),
        refund("2026-01-07 10:00", "o1", None, received_ms=at("2026-01-08 00:00")),
    ]

    assert figures(rows, "gross", "refunds", as_of="2026-01-07T00:00:00Z") == [(Decimal(90), Decimal(0))]
    assert figures(rows, "gross", "refunds", as_of="2026-01-10T00:00:00Z") == [(Decimal(100), Decimal(100))]


def test_only_the_asked_source_counts():
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100),
        order("2026-01-05 10:00", "ben", "o1", 70, source="app"),
        refund("2026-01-06 10:00", "o1", 1, source="app"),
    ]

    assert figures(rows, "net", "active_users", source="app") == [(Decimal(69), 1)]


def test_a_cohort_cannot_be_called_all():
    with pytest.raises(ConfigError, match="cohort all"):
        ask(Asked(cohort=("all",)), desk(), {"all": ["ann"]})


def test_an_empty_store_has_nobody_and_no_money():
    assert figures([], "currency", "gross", "active_users", "arpu") == [(None, Decimal(0), 0, None)]


@pytest.mark.parametrize("engine", ["athena", "spark"])
def test_its_statements_are_written_for_other_engines(engine):
    text = TextDesk(engine)
    asked = Asked(**_MONTH, cohort=("vip",), convert_to="USD", rates=("EUR=1.1",), timezone="Europe/Berlin")

    arpu.answer(Asking(asked, text, NOW, lambda name: ["ann"]))

    assert len(text.texts) == 6
    assert all("events_raw" in statement for statement in text.texts)


def test_the_orders_view_of_the_lake_says_the_same():
    """Its query is written on its own, for people who ask in SQL."""
    rows = [
        order("2026-01-05 10:00", "ann", "o1", 100),
        order("2026-01-06 10:00", "ann", "o1", 90),
        order("2026-01-06 10:00", "ben", "o2", 40),
        order("2026-01-06 10:00", "ben", None, 3),
        refund("2026-01-07 10:00", "o1", 70),
        refund("2026-01-08 10:00", "o1", 70),
        refund("2026-01-08 10:00", "o2", 9),
        refund("2026-01-08 10:00", "o3", 9),
    ]
    from importlib.resources import files

    text = (files("connector.lake") / "orders.sql").read_text(encoding="utf-8")
    connection = lake(rows)
    connection.execute("CREATE VIEW events AS SELECT * FROM events_raw")
    said = connection.execute(f"SELECT sum(gross), sum(refunded), count(*) FROM ({text})").fetchall()

    assert figures(rows, "gross", "refunds", "orders") == said
