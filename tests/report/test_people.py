"""People with their current traits, against operations folded in plain Python."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ConfigError
from connector.report.asking import Asking
from connector.report.kinds.people import Asked
from connector.report.people import people_view
from connector.report.profiles import Operation, fold
from tests.report import messy, oracle
from tests.report.stores import NOW, ask, at, desk, row

KEYS = {
    "email": ("email",), "phone": ("phone",), "first_name": ("first_name", "firstName"),
    "last_name": ("last_name", "lastName"), "address_country": ("address",), "address_city": ("address",),
}  # fmt: skip


def identify(time, user=None, device=None, received=None, file="file", **traits):
    """One row of ``profiles`` as the tables hold it."""
    one = {**row("", time, user, device), "type": "identify", "traits": json.dumps(traits)}
    one |= {"captured_file": file, **({"received_ms": at(received)} if received else {})}
    one.pop("event")
    for column, keys in KEYS.items():
        found = [traits[key] for key in keys if traits.get(key) not in (None, "")]
        one[column] = found[0] if found else None
    address = traits.get("address") or {}
    return one | {
        "address_country": address.get("country") or None,
        "address_city": address.get("city") or None,
    }


def people(store, traits=(), **asked):
    asking = Asking(Asked(**asked), store, NOW)
    composition = asking.composition()
    columns = people_view(composition, traits)
    return {one["uid"]: one for one in asking.rows(composition, "people")}, columns


def test_the_last_call_that_states_a_trait_decides_whatever_came_last():
    found, _ = people(
        desk(
            profiles=[
                identify("2026-01-03 10:00", "ann", email="ann@new.example", received="2026-01-03 10:00"),
                identify(
                    "2026-01-01 10:00",
                    "ann",
                    email="ann@old.example",
                    firstName="Ann",
                    received="2026-01-09 10:00",
                ),
                identify("2026-01-04 10:00", "ann", lastName="Lee"),
            ]
        )
    )

    assert tuple(found["ann"][n] for n in ("email", "first_name", "last_name")) == (
        "ann@new.example",
        "Ann",
        "Lee",
    )


def test_of_calls_of_one_moment_the_one_that_arrived_last_decides():
    calls = [
        identify("2026-01-01 10:00", "ann", phone=phone, received=received, file=file)
        for phone, received, file in (
            ("1", "2026-01-01 10:05", "b"),
            ("2", "2026-01-01 10:09", "a"),
            ("3", "2026-01-01 10:07", "c"),
        )
    ]

    assert people(desk(profiles=calls))[0]["ann"]["phone"] == "2"


def test_a_trait_set_to_null_is_gone_one_that_is_not_said_stays():
    found, _ = people(
        desk(
            profiles=[
                identify("2026-01-01 10:00", "ann", email="ann@shop.example", phone="+4912345"),
                identify("2026-01-02 10:00", "ann", email=None),
            ]
        )
    )

    assert (found["ann"]["email"], found["ann"]["phone"]) == (None, "+4912345")


def test_what_a_device_said_belongs_to_its_user_in_the_order_it_was_said():
    found, _ = people(
        desk(
            events=[row("page", "2026-01-02 10:00", "ann", "d1")],
            profiles=[
                identify("2026-01-03 10:00", device="d1", email="device@shop.example"),
                identify("2026-01-01 10:00", "ann", email="ann@shop.example", phone="1"),
                identify("2026-01-01 10:00", device="d9", phone="2"),
            ],
        )
    )

    assert {"ann", "$device:d9"} == set(found)
    assert tuple(found["ann"][n] for n in ("user_id", "email", "phone")) == (
        "ann",
        "device@shop.example",
        "1",
    )
    assert (found["$device:d9"]["user_id"], found["$device:d9"]["phone"]) == (None, "2")


def test_any_trait_can_be_had_by_its_key():
    found, columns = people(
        desk(
            profiles=[
                identify("2026-01-01 10:00", "ann", smsConsent=True, prefs={"mail list": "a", "sms": "b"}),
                identify("2026-01-02 10:00", "ann", prefs={"mail list": "c"}),
                identify("2026-01-01 10:00", "ben", smsConsent=True, age=7),
                identify("2026-01-02 10:00", "ben", smsConsent=None),
            ]
        ),
        ("smsConsent", "prefs.mail list", "prefs.sms", "firstName", "age"),
    )

    assert tuple(columns[n] for n in ("firstName", "age", "email")) == ("first_name", "age", "email")
    assert tuple(found["ann"][columns[n]] for n in ("smsConsent", "prefs.mail list", "prefs.sms")) == (
        "true",
        "c",
        None,
    )
    assert (found["ben"][columns["smsConsent"]], found["ben"][columns["prefs.sms"]]) == (None, None)


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a[0]", "", "a..b", "a\\b"])
def test_a_trait_with_an_odd_name_is_refused(name):
    with pytest.raises(ConfigError, match="trait: a name has no quotes"):
        people(desk(), (name,))


def test_first_and_last_seen_are_of_all_time_events_and_orders_of_the_range():
    store = desk(
        [
            row("page", "2025-12-01 10:00", device="d1"),
            row("page", "2026-01-02 10:00", "ann", "d1", received_ms=at("2026-03-01 10:00")),
            row(
                "Order Completed",
                "2026-01-03 10:00",
                "ann",
                order_id="o1",
                order_revenue=10.5,
                currency="USD",
            ),
            row(
                "Order Completed",
                "2026-01-04 10:00",
                "ann",
                order_id="o1",
                order_revenue=10.5,
                currency="USD",
            ),
            row("page", "2026-02-01 10:00", "ann"),
            row("page", "2026-02-02 10:00", "ben"),
        ]
    )

    (ann,) = ask(Asked(from_day=date(2026, 1, 1), to_day=date(2026, 1, 31)), store).rows

    assert ("ann", 3, 1, Decimal("10.5")) == tuple(ann[n] for n in ("uid", "events", "orders", "gross"))
    assert datetime(2025, 12, 1, 10, tzinfo=UTC) == ann["first_seen"]
    assert datetime(2026, 2, 1, 10, tzinfo=UTC) == ann["last_seen"]


def test_names_and_addresses_are_shown_only_when_asked_for():
    store = desk(
        profiles=[
            identify(
                "2026-01-01 10:00", "ann", email="a@b.example", first_name="Ann", address={"country": "DE"}
            )
        ]
    )

    hidden, shown = ask(Asked(), store), ask(Asked(with_contacts=True), store)

    assert tuple(hidden.rows[0][n] for n in ("email", "first_name", "country")) == (None, None, "DE")
    assert tuple(shown.rows[0][n] for n in ("email", "first_name")) == ("a@b.example", "Ann")
    assert list(hidden.notes) == ["Names and addresses are left out; ask for them with contacts."]
    assert list(shown.notes) == []


def test_several_currencies_are_not_added():
    store = desk(
        [
            row(
                "Order Completed", "2026-01-03 10:00", "ann", order_id="o1", order_revenue=10, currency="USD"
            ),
            row(
                "Order Completed", "2026-01-03 10:00", "ann", order_id="o2", order_revenue=20, currency="EUR"
            ),
        ]
    )

    mixed, euros = ask(Asked(), store), ask(Asked(currency="EUR"), store)

    assert (mixed.rows[0]["orders"], mixed.rows[0]["gross"]) == (2, None)
    assert (2, Decimal(20)) == (euros.rows[0]["orders"], euros.rows[0]["gross"])
    assert any("several currencies (EUR, USD)" in note for note in mixed.notes)


said = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(("a@x.example", "b@x.example", None, "")),
        "first_name": st.sampled_from(("Ann", None)),
        "firstName": st.sampled_from(("Anna", None)),
        "address": st.sampled_from(({"country": "DE"}, {"city": "Bonn"}, {}, None)),
        "plan": st.sampled_from(("gold", None)),
    },
)


@st.composite
def identified(draw):
    """A messy store whose identify calls say something, some of them twice."""
    store = draw(messy.stores(most=15))
    calls = draw(st.lists(st.tuples(messy._call(0, "profile"), said), max_size=10))
    profiles = []
    for number, (call, traits) in enumerate(calls):
        time_ms = at("2026-03-28 10:00") + draw(st.integers(0, 3)) * 1_000
        times = {"time_ms": time_ms, "received_ms": time_ms + draw(st.integers(0, 5)) * 1_000}
        known = identify(time_ms, **traits)
        profiles.append({**known, **call, **times, "row_id": f"p{number % 8}", "captured_index": number})
    return {**store, "profiles": profiles}


@settings(max_examples=12, deadline=None)
@given(identified())
def test_current_traits_equal_operations_folded_one_by_one(store):
    users = oracle.links(**store)
    calls = defaultdict(list)
    for call in oracle.unique(store["profiles"]):
        if uid := oracle._uid(call, users):
            traits = json.loads(call["traits"])
            stated = {c: call[c] for c, keys in KEYS.items() if set(keys) & set(traits)}
            stated |= {key: traits[key] for key in ("plan",) if key in traits}
            arrival = (call["received_ms"], call["captured_file"], call["captured_index"])
            calls[uid].append(Operation("set", stated, call["time_ms"], arrival))
    rows = defaultdict(list)
    for one in oracle.resolved(**store):
        if one["uid"]:
            rows[one["uid"]].append(one)

    found, columns = people(desk(**store), ("plan",))

    assert calls.keys() | rows.keys() == found.keys()
    for uid, person in found.items():
        current = fold(calls[uid])
        assert current == {
            name: person[columns.get(name, name)]
            for name in (*KEYS, "plan")
            if person[columns.get(name, name)] is not None
        }
        times = [one["time_ms"] for one in rows[uid]]
        assert len(times) == person["events"]
        assert (min(times, default=None), max(times, default=None)) == (
            person["first_seen_ms"], person["last_seen_ms"],
        )  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(messy.stores(), st.sampled_from(messy.ZONES), st.integers(0, 15), st.integers(0, 8))
def test_the_report_equals_a_plain_reading(store, zone, skipped, days):
    first = date(2026, 3, 25 + min(skipped, 6))
    last = date.fromordinal(first.toordinal() + days)
    answer = ask(Asked(timezone=zone, from_day=first, to_day=last, currency="USD"), desk(**store))

    everything = oracle.resolved(**store)
    inside = [r for r in everything if first <= oracle.local_day(r, zone) <= last]
    sales = {}
    for one in sorted(everything, key=lambda one: (one["time_ms"], one["row_id"])):
        if one["event"] == "Order Completed":
            sales.setdefault((one["source"], one["order_id"] or one["row_id"]), one)
    counted = [one for one in sales.values() if one in inside]
    assert sorted({r["uid"] for r in inside if r["uid"]}) == [r["uid"] for r in answer.rows]
    for found in answer.rows:
        own = [r for r in counted if r["uid"] == found["uid"]]
        assert sum(r["uid"] == found["uid"] for r in inside) == found["events"]
        assert len(own) == found["orders"]
        dollars = [r["order_revenue"] or Decimal(0) for r in own if r["currency"] == "USD"]
        assert sum(dollars) == found["gross"]
