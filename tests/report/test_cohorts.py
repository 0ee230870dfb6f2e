"""Who is in a cohort: conditions, reports, snapshots, what is typed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from object_stores import MemoryStore

from connector.cohorts.catalogue import Cohorts, Snapshot, hash_of
from connector.cohorts.compile import ROOT, When, compose
from connector.cohorts.contacts import contacts_of
from connector.cohorts.definition import definition_of
from connector.cohorts.language import conditions_of
from connector.cohorts.people import Members
from connector.errors import ConfigError
from connector.report.clock import Clock
from connector.report.desks.duck import RAW, DuckDesk
from connector.report.render import render
from tests.report.cohort_asking import defined
from tests.report.stores import NOW, at, desk, row

DAY_MS = 86_400_000


def people(where: str, of: DuckDesk, now: datetime = NOW, cohorts: Cohorts | None = None) -> list[str]:
    """Who meets conditions as they are typed."""
    members = Members(cohorts or Cohorts(MemoryStore()), of, now)
    return members.of(defined(conditions=conditions_of(where)), "asked")


SHOP = (
    row("Product Viewed", "2026-01-01 10:00", "ann", category="Toys"),
    row("Product Viewed", "2026-01-20 10:00", "ann", category="Toys"),
    row("Order Completed", "2026-01-20 11:00", "ann", currency="USD", order_revenue=20.5),
    row("Order Completed", "2026-01-21 11:00", "ann", currency="USD", order_revenue=79.5),
    row("Product Viewed", "2026-01-02 10:00", "ben", category="Books"),
    row("Order Completed", "2026-01-03 10:00", "cleo", currency="EUR", order_revenue=500.0),
    row("Product Viewed", "2026-01-04 10:00", None, "phone-1", category="Toys"),
)


def identified(user: str, time: str, **traits: Any) -> dict[str, Any]:
    typed = {name: traits[name] for name in ("email", "phone", "age") if name in traits}
    return row("identify", time, user, traits=json.dumps(traits), **typed)


class TestConditions:
    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            ("did 'Product Viewed'", ["$device:phone-1", "ann", "ben"]),
            ("did 'Product Viewed' at least 2", ["ann"]),
            ("did 'Product Viewed' exactly 1 times", ["$device:phone-1", "ben"]),
            ("did 'Product Viewed' at most 1", ["$device:phone-1", "ben", "cleo"]),
            ("did 'Product Viewed' exactly 0", ["cleo"]),
            ("not did 'Order Completed'", ["$device:phone-1", "ben"]),
            ("did 'Product Viewed' and not did 'Order Completed'", ["$device:phone-1", "ben"]),
            ("did 'Product Viewed' where (category = 'Toys')", ["$device:phone-1", "ann"]),
            ("did 'Order Completed' where (currency = 'USD') with sum(order_revenue) at least 100", ["ann"]),
            ("did 'Order Completed' where (currency = 'USD') with sum(order_revenue) more than 100", []),
            ("did 'Order Completed' where (currency = 'USD') with avg(order_revenue) exactly 50", ["ann"]),
            ("did 'Order Completed' with distinct(currency) exactly 1", ["ann", "cleo"]),
            ("did 'Product Viewed' from 2026-01-02 to 2026-01-04", ["$device:phone-1", "ben"]),
            ("did 'Product Viewed' to 2026-01-01", ["ann"]),
            ("(did 'Page' or did 'Order Completed') and not did 'Product Viewed'", ["cleo"]),
        ],
    )
    def test_say_who_is_in(self, where: str, expected: list[str]):
        assert people(where, desk(SHOP)) == expected

    def test_a_relative_time_ends_now_and_both_ends_count(self):
        store = desk([row("Cart Viewed", "2026-03-01 12:00", "ann")])
        now = datetime(2026, 3, 31, 12, tzinfo=UTC)

        assert people("did 'Cart Viewed' in 30d", store, now) == ["ann"]
        assert people("did 'Cart Viewed' in 30d", store, now + timedelta(milliseconds=1)) == []
        assert people("did 'Cart Viewed' in 30d", store, datetime(2026, 3, 1, 12, tzinfo=UTC)) == ["ann"]
        assert people("did 'Cart Viewed' in 30d", store, datetime(2026, 3, 1, 11, tzinfo=UTC)) == []

    def test_days_are_those_of_the_zone(self):
        store = desk([row("Cart Viewed", "2026-03-01 23:30", "ann")])
        members = Members(Cohorts(MemoryStore()), store, NOW)
        on_the_second = conditions_of("did 'Cart Viewed' from 2026-03-02 to 2026-03-02")

        assert members.of(defined(conditions=on_the_second), "t") == []
        assert members.of(defined(conditions=on_the_second, timezone="Europe/Berlin"), "t") == ["ann"]

    def test_profiles_are_compared_as_they_are_now(self):
        store = desk(
            SHOP,
            [
                identified("ann", "2026-01-01 10:00", email="ann@example.com", plan="gold", age=17),
                identified("ann", "2026-02-01 10:00", plan="silver", age=18),
                identified("ben", "2026-01-01 10:00", email="ben@example.com", newsletter=True),
                identified("ben", "2026-02-01 10:00", email=None),
                identified("dora", "2026-02-01 10:00", plan="gold"),
            ],
        )

        assert people("profile email is set", store) == ["ann"]
        assert people("profile traits.plan = 'silver'", store) == ["ann"]
        assert people("profile traits.plan in ('gold', 'silver')", store) == ["ann", "dora"]
        assert people("profile age >= 18", store) == ["ann"]
        assert people("profile traits.newsletter = 'true'", store) == ["ben"]
        assert people("profile email contains '@example'", store) == ["ann"]
        assert people("not profile traits.plan = 'gold' and did 'Product Viewed'", store) == [
            "$device:phone-1", "ann", "ben"
        ]  # fmt: skip

    def test_another_cohort_and_its_snapshots_can_be_asked_for(self):
        cohorts, store = Cohorts(MemoryStore()), desk(SHOP)
        viewers = cohorts.save(defined(conditions={"did": "Product Viewed"}), NOW)
        cohorts.take(viewers, ["ben"], NOW, "first")

        assert people("did 'Order Completed' and in cohort test", store, cohorts=cohorts) == ["ann"]
        assert people("in cohort 'test@first'", store, cohorts=cohorts) == ["ben"]
        assert people("not in cohort test", store, cohorts=cohorts) == ["cleo"]

    @pytest.mark.parametrize(
        ("where", "told"),
        [
            ("did", "character 4: expected the name of an event"),
            ("did 'x' and", "character 12: expected did, profile, in cohort, not or"),
            ("(did 'x'", "character 9: expected )"),
            ("did 'x' at least", "character 17: expected a number"),
            ("did 'x' at least 2.5", "whole and not negative"),
            ("did 'x' where category = 'a'", "character 15: expected a condition in brackets"),
            ("did 'x' where (category = 'a'", "character 15: this bracket is not closed"),
            ("did 'x' where (nonsense = 1)", "events has no column nonsense"),
            ("did 'x' where (1 = 1) 'y'", "expected and, or, or the end"),
            ("did 'x' ; drop table x", "character 9: cannot be read"),
            ("did 'x' with sum(order_revenue) at least 1", "currencies are never added"),
            ("did 'x' with sum(event) at least 1", "sum is for columns of numbers"),
            ("did 'x' with sum(quantity)", "an aggregate needs a bound"),
            ("did 'x' at least 0", "true of everybody"),
            ("did 'x' from 2026-02-01 to 2026-01-01", "from lies after to"),
            ("profile nonsense = 'a'", "profiles has no such column"),
            ("profile age = 'a'", "the value is of another type"),
            ("profile email > 'a'", "> is for numbers"),
            ("profile email contains '50%'", "cannot look for % and _"),
            ("not " * 60 + "did 'x'", "fewer negations"),
            ("(" * 60 + "did 'x'" + ")" * 60, "no more than 50 brackets"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, where: str, told: str):
        with pytest.raises(ConfigError) as refused:
            people(where, desk(SHOP))
        assert told in str(refused.value)

    def test_conditions_that_stand_too_deep_in_each_other_are_refused(self):
        condition: dict[str, Any] = {"did": "x"}
        for _ in range(100):
            condition = {"not": condition}

        with pytest.raises(ConfigError, match="more than 60 deep"):
            Members(Cohorts(MemoryStore()), desk(SHOP), NOW).of(defined(conditions=condition), "t")

    def test_quotes_in_texts_change_nothing_of_the_question(self):
        store = desk([row("It's; DROP", "2026-01-01 10:00", "o'neil", category="a')--")])

        assert people("did 'It''s; DROP' where (category = 'a'')--')", store) == ["o'neil"]
        assert people('did "It\'s; DROP"', store) == ["o'neil"]

    def test_a_definition_comes_back_from_its_file(self):
        where = "did 'A' where (price > 2) at least 2 in 30d and not (profile age < 3 or in cohort b)"
        definition = defined(conditions=conditions_of(where), timezone="Europe/Berlin", description="Who?")

        assert definition_of(json.loads(json.dumps(definition.stated())), "file") == definition

    @pytest.mark.parametrize("engine", ["spark", "athena"])
    def test_the_statement_can_be_written_for_every_engine(self, engine: Any):
        spent = "did 'A' where (currency = 'USD') with avg(price) at least 2 in 30d"
        definition = defined(conditions=conditions_of(f"{spent} and not profile traits.a = 'b'"))
        assert definition.conditions is not None
        views = compose(definition.conditions, When(at("2026-03-01 10:00"), "UTC"), RAW, lambda _: ["ann"])

        text = render(views.query(ROOT), engine, Clock())

        assert "1769767200000" in text, "thirty days before, in ms"


class TestReports:
    def test_the_people_of_a_report(self):
        store = desk(
            [
                *SHOP,
                row("Product Purchased", "2026-01-02 10:00", "ann", category="Toys"),
            ]
        )
        members = Members(Cohorts(MemoryStore()), store, NOW)
        report = {"kind": "dropped", "parameters": {"category": "Toys"}}

        assert members.of(defined(report=report), "t") == ["$device:phone-1"]
        bought = {"kind": "dropped", "parameters": {"category": "Toys", "state": "converted"}}
        assert members.of(defined(report=bought), "t") == ["ann"]

    def test_the_people_of_a_step_of_a_funnel(self):
        store = desk(SHOP)
        members = Members(Cohorts(MemoryStore()), store, NOW)
        steps = {"step": ["Product Viewed", "Order Completed"], "window": "30d"}

        def of(**more: Any) -> list[str]:
            return members.of(defined(report={"kind": "funnel", "parameters": steps, **more}), "t")

        assert of() == ["$device:phone-1", "ben"]
        assert of(outcome="converted") == ["ann"]
        assert of(outcome="converted", step=1) == ["$device:phone-1", "ann", "ben"]
        with pytest.raises(ConfigError, match="nobody drops before the first"):
            of(step=1)
        with pytest.raises(ConfigError, match="the funnel has 2"):
            of(step=3)

    def test_the_people_of_a_segment_of_a_funnel(self):
        steps = {"step": ["Product Viewed", "Order Completed"], "breakdown": "category"}
        report = {"kind": "funnel", "parameters": steps, "segment": "Books"}

        assert Members(Cohorts(MemoryStore()), desk(SHOP), NOW).of(defined(report=report), "t") == ["ben"]

    def test_a_report_without_people_is_no_cohort(self):
        with pytest.raises(ConfigError, match="the report categories names no people"):
            Members(Cohorts(MemoryStore()), desk(SHOP), NOW).of(defined(report={"kind": "categories"}), "t")

    def test_a_parameter_that_does_not_fit_is_named(self):
        report = {"kind": "dropped", "parameters": {"window": "soon"}}
        with pytest.raises(ConfigError, match="cohort t: report: window: a duration"):
            Members(Cohorts(MemoryStore()), desk(SHOP), NOW).of(defined(report=report), "t")


class TestMembers:
    def test_a_cohort_is_evaluated_as_of_now_and_a_snapshot_stays(self):
        cohorts = Cohorts(MemoryStore())
        cohort = cohorts.save(defined(conditions={"did": "Product Viewed", "within": "7d"}), NOW)
        store = desk([row("Product Viewed", "2026-03-01 10:00", "ann"),
                      row("Product Viewed", "2026-03-09 10:00", "ben")])  # fmt: skip
        first, second = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)
        cohorts.take(cohort, Members(cohorts, store, first)("test"), first)

        later = Members(cohorts, store, second)

        assert (list(later("Test")), list(later("test@latest"))) == (["ben"], ["ann"])
        assert list(later("test@2026-03-02")) == ["ann"]

    def test_a_cohort_that_rests_on_itself_is_refused(self):
        cohorts = Cohorts(MemoryStore())
        for name, other in (("a", "b"), ("b", "a")):
            cohorts.save(defined(conditions={"in_cohort": other}).model_copy(update={"name": name}), NOW)

        with pytest.raises(ConfigError, match="cohort a: rests on itself: a -> b -> a"):
            Members(cohorts, desk(SHOP), NOW)("a")

    def test_a_cohort_that_is_not_there_is_named(self):
        with pytest.raises(ConfigError, match="cohort nobody: there is none"):
            Members(Cohorts(MemoryStore()), desk(SHOP), NOW)("nobody")


class TestSnapshots:
    def test_a_snapshot_has_the_hash_of_its_sorted_ids(self):
        cohorts = Cohorts(MemoryStore())
        cohort = cohorts.save(defined(conditions={"did": "x"}), NOW)

        taken = cohorts.take(cohort, ["zoe", "ann"], NOW)

        assert taken.sha256 == sha256(b"ann\nzoe\n").hexdigest() == hash_of(["ann", "zoe", "ann"])
        assert taken.name == f"2026-11-01T000000000Z-{taken.sha256[:8]}"
        assert cohorts.members(taken) == {
            "ann": "2026-11-01T00:00:00.000Z",
            "zoe": "2026-11-01T00:00:00.000Z",
        }

    def test_who_stays_entered_when_they_did(self):
        cohorts = Cohorts(MemoryStore())
        cohort = cohorts.save(defined(conditions={"did": "x"}), NOW)
        for days, members in enumerate((["ann", "ben"], ["ann"], ["ann", "ben"])):
            newest = cohorts.take(cohort, members, NOW + timedelta(days=days))

        assert cohorts.members(newest) == {
            "ann": "2026-11-01T00:00:00.000Z",
            "ben": "2026-11-03T00:00:00.000Z",
        }

    def test_a_snapshot_is_found_by_label_by_beginning_and_as_the_latest(self):
        cohorts = Cohorts(MemoryStore())
        cohort = cohorts.save(defined(conditions={"did": "x"}), NOW)
        taken = [
            cohorts.take(cohort, [f"person {days}"], NOW + timedelta(days=days), f"day {days}")
            for days in range(3)
        ]

        def found(wanted: str) -> Snapshot:
            return cohorts.snapshot(cohort.id, wanted)

        assert [found("day 1"), found("2026-11-03"), found("latest"), found(taken[0].name)] == [
            taken[1], taken[2], taken[2], taken[0]
        ]  # fmt: skip
        with pytest.raises(ConfigError, match="is not one snapshot"):
            found("2026-11")
        with pytest.raises(ConfigError, match="is no snapshot"):
            found("2025")

    def test_a_cohort_is_replaced_only_when_that_is_said(self):
        cohorts = Cohorts(MemoryStore())
        cohorts.save(defined(conditions={"did": "x"}), NOW)

        with pytest.raises(ConfigError, match="cohort test: there is one already"):
            cohorts.save(defined(conditions={"did": "y"}), NOW)
        assert cohorts.save(defined(conditions={"did": "y"}), NOW, replace=True).version == 2
        assert [each.id for each in cohorts.all()] == ["test"]


def test_contacts_are_current_and_only_of_those_who_are_asked_for():
    store = desk(
        SHOP,
        [
            identified("ann", "2026-01-01 10:00", email="old@example.com", phone="+49 30 1"),
            identified("ann", "2026-02-01 10:00", email="ann@example.com", smsConsent=True, plan={"a": 1}),
            identified("ben", "2026-02-01 10:00", email="ben@example.com"),
        ],
    )

    assert contacts_of(store, ["ann", "nobody"], ["traits.smsConsent", "age"]) == {
        "ann": {"email": "ann@example.com", "phone": "+49 30 1", "smsConsent": "true"},
        "nobody": {},
    }
