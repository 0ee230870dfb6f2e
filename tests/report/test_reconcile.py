"""Products of orders against orders, per local day and currency."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.report.asking import Asking
from connector.report.desks.text import TextDesk
from connector.report.kinds import reconcile
from connector.report.kinds.reconcile import Asked
from tests.report import messy, money_oracle, oracle
from tests.report.stores import NOW, ask, desk, row


def order(time, order_id, revenue, *lines, discount=None, **more):
    """An order and its lines, one for each amount."""
    shared = {"order_id": order_id, "currency": "USD", **more}
    main = row(
        "Order Completed", time, "ann", order_revenue=Decimal(str(revenue)), discount=discount, **shared
    )
    return [main] + [
        row("Product Purchased", time, "ann", line_index=at, line_revenue=Decimal(str(amount)), **shared)
        for at, amount in enumerate(lines)
    ]


def test_orders_that_agree_with_their_products_differ_by_nothing():
    rows = order("2026-01-05 10:00", "o1", "27.5", "20", "10", discount=Decimal("2.5"))
    rows += order("2026-01-05 11:00", "o2", 5, 5)

    answer = ask(Asked(), desk(rows))

    assert [tuple(one.values()) for one in answer.rows] == [
        (date(2026, 1, 5), "USD", 2, 3, Decimal(35), Decimal("32.5"), Decimal("2.5"), Decimal(0))
    ]
    assert answer.notes == ()
    assert list(answer.rows[0]) == list(Asked.COLUMNS)


def test_an_order_without_products_differs_by_its_revenue_and_products_without_an_order_by_their_value():
    rows = order("2026-01-05 10:00", "o1", 30) + order("2026-01-06 10:00", "o2", 10, 10, currency="EUR")[1:]

    answer = ask(Asked(), desk(rows))

    assert [(one["currency"], one["difference"]) for one in answer.rows] == [
        ("USD", Decimal(-30)),
        ("EUR", Decimal(10)),
    ]
    assert "2 of 2 rows differ" in answer.notes[0]


def test_copies_count_once_and_repeated_orders_stand_beside_their_products():
    first = order("2026-01-05 10:00", "o1", 30, 30)
    again = order("2026-01-06 10:00", "o1", 30, 30)
    copies = [{**one, "captured_file": "late", "received_ms": one["received_ms"] + 1} for one in first]

    answer = ask(Asked(), desk([*first, *again, *copies]))

    assert [(one["orders"], one["product_rows"], one["difference"]) for one in answer.rows] == [
        (1, 1, 0),
        (1, 1, 0),
    ]
    assert answer.extra["repeated_orders"] == 1
    assert answer.extra["by_currency"] == [
        {
            "currency": "USD", "orders": 2, "product_rows": 2, "item_value": Decimal(60),
            "revenue": Decimal(60), "discount": Decimal(0), "difference": Decimal(0),
        }
    ]  # fmt: skip
    assert "1 orders repeat an order id" in answer.notes[0]


def test_a_purchase_that_a_sender_named_so_and_other_events_are_no_products():
    rows = order("2026-01-05 10:00", "o1", 5, 5)
    rows.append(row("Product Purchased", "2026-01-05 10:00", "ann", line_index=None, currency="USD"))
    rows.append(row("Checkout Started", "2026-01-05 10:00", "ann", discount=Decimal(9), currency="USD"))

    (only,) = ask(Asked(), desk(rows)).rows

    assert (only["orders"], only["product_rows"], only["discount"]) == (1, 1, 0)


def test_its_statement_is_written_for_other_engines():
    for engine in ("athena", "spark"):
        text = TextDesk(engine)
        reconcile.answer(Asking(Asked(timezone="Europe/Berlin", source="web"), text, NOW))
        assert any("line_revenue" in statement for statement in text.texts)


@settings(max_examples=15, deadline=None)
@given(
    messy.stores(), st.sampled_from(messy.ZONES), st.none() | st.dates(date(2026, 3, 26), date(2026, 4, 10))
)
def test_equals_a_plain_reading_of_the_definitions(store, zone, first):
    for one in store["events"]:
        if one["event"] == "Product Purchased" and one["line_index"] is not None and one["price"] is not None:
            one["line_revenue"] = round(one["price"] * (one["quantity"] or Decimal(1)), 6)
        if one["event"] == "Order Completed":
            one["discount"] = one["order_revenue"]

    answer = ask(Asked(timezone=zone, **{"from": first}), desk(**store))

    rows = oracle.resolved(**store)
    known = {one["row_id"] for one in money_oracle.sales(rows)}
    groups, repeated = defaultdict(list), 0
    for one in rows:
        is_line = one["event"] == "Product Purchased" and one["line_index"] is not None
        if (is_line or one["event"] == "Order Completed") and oracle.local_day(one, zone) >= (
            first or date.min
        ):
            groups[oracle.local_day(one, zone), one["currency"]].append(one)
            repeated += not is_line and one["row_id"] not in known
    assert {(one["day"], one["currency"]) for one in answer.rows} == set(groups)
    for found in answer.rows:
        own = groups[found["day"], found["currency"]]

        def added(name, own=own):
            return money_oracle.total(one[name] for one in own if one.get(name) is not None)

        assert found["orders"] == sum(one["event"] == "Order Completed" for one in own)
        assert found["product_rows"] == len(own) - found["orders"]
        sums = added("line_revenue"), added("order_revenue"), added("discount")
        assert (found["item_value"], found["revenue"], found["discount"]) == sums
        assert found["difference"] == sums[0] - sums[1] - sums[2]
    assert answer.extra["repeated_orders"] == repeated
