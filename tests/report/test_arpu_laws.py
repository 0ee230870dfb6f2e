"""Revenue per person equals a plain reading of the definitions, on stores as messy as they come."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.report.kinds.arpu import Asked
from tests.report import messy, money_oracle, oracle
from tests.report.stores import ask, desk

_PEOPLE = ["ann", "ben", "$device:d2"]
_units = st.sampled_from(("day", "week", "month", "range"))
_views = st.sampled_from(("cash", "cohort"))
_days = st.none() | st.dates(date(2026, 3, 26), date(2026, 4, 12))


@settings(max_examples=15, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES), _units, _views, _days)
def test_equals_a_plain_reading_of_the_definitions(store, zone, unit, view, first):
    answer = ask(
        Asked(timezone=zone, unit=unit, refunds=view, cohort=("some",), **{"from": first}),
        desk(**store),
        {"some": _PEOPLE},
    )

    rows = oracle.resolved(**store)
    start = date.fromisoformat(answer.range["from"])
    end = date.fromisoformat(answer.range["to"])
    booked, unmatched = money_oracle.money(rows, view)
    booked = [one for one in booked if start <= oracle.local_day(one.booked_ms, zone) <= end]
    active = [one for one in rows if one["uid"] and start <= oracle.local_day(one, zone) <= end]
    assert {one.currency for one in booked} <= {one["currency"] for one in answer.rows}
    for cohort in ("all", "some"):
        known = _PEOPLE if cohort == "some" else None
        for found in (one for one in answer.rows if one["cohort"] == cohort):
            own = [
                one
                for one in booked
                if known is None or one.uid in known
                if money_oracle.period(one.booked_ms, zone, unit, start) == found["period"]
                if one.currency == found["currency"]
            ]
            people = {
                one["uid"]
                for one in active
                if known is None or one["uid"] in known
                if money_oracle.period(one, zone, unit, start) == found["period"]
            }
            assert found["gross"] == money_oracle.total(one.gross for one in own)
            assert found["refunds"] == money_oracle.total(one.refunded for one in own)
            assert found["net"] == found["gross"] - found["refunds"]
            assert found["orders"] == sum(one.is_order for one in own)
            assert found["buyers"] == len({one.uid for one in own if one.is_order and one.uid})
            assert found["active_users"] == len(people)
            assert found["arpu"] == (float(found["net"]) / len(people) if people else None)
    listed = {one["currency"]: one for one in answer.extra["unmatched_refunds"]}
    within = [one for one in unmatched if start <= oracle.local_day(one, zone) <= end]
    assert sum(one["refunds"] for one in listed.values()) == len(within)
    for currency, one in listed.items():
        stated = [r["refund_amount"] or Decimal(0) for r in within if r["currency"] == currency]
        assert one["amount"] == money_oracle.total(stated)
    total = money_oracle.total(one["gross"] for one in answer.rows if one["cohort"] == "all")
    assert total == money_oracle.total(one.gross for one in booked), "periods and currencies lose nothing"


_RATES = {date(1970, 1, 1): Decimal("1.083"), date(2026, 4, 3): Decimal("1.111111111111")}


@settings(max_examples=12, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES), _views)
def test_conversion_is_exact(store, zone, view):
    rates = ("EUR=1.083", "EUR@2026-04-03=1.111111111111")
    asked = Asked(timezone=zone, unit="range", refunds=view, convert_to="USD", rates=rates)
    (found,) = ask(asked, desk(**store)).rows

    def rate(one):
        day = oracle.local_day(one.happened_ms, zone)
        return Decimal(1) if one.currency == "USD" else _RATES[max(d for d in _RATES if d <= day)]

    booked, _ = money_oracle.money(oracle.resolved(**store), view)
    own = [one for one in booked if one.currency]
    assert found["gross"] == round(money_oracle.total(one.gross * rate(one) for one in own), 6)
    assert found["refunds"] == round(money_oracle.total(one.refunded * rate(one) for one in own), 6)
    assert found["orders"] == sum(one.is_order for one in own)
