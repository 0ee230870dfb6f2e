"""People behind a category's conversion, against a plain reading of the definitions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.report.asking import Asking
from connector.report.kinds import categories
from connector.report.kinds.dropped import Asked, dropped_people
from tests.report import messy, oracle
from tests.report.stores import NOW, ask, desk, row
from tests.report.test_people import identify

WEEK_MS = 604_800_000


def viewed(day, user, category="Toys", **more):
    return row("Product Viewed", f"2026-01-{day:02} 10:00", user, category=category, **more)


def bought(day, user, category="Toys"):
    return row("Product Purchased", f"2026-01-{day:02} 10:00", user, category=category, price=10.0)


def test_who_viewed_and_did_not_buy_within_a_week_dropped_and_who_did_converted():
    store = desk(
        [
            viewed(1, "ann", name="Kite", product_id="p1"),
            viewed(3, "ann", product_id="p2"),
            viewed(1, "ben"),
            bought(8, "ben"),
            viewed(1, "cleo", "Books"),
        ]
    )

    (ann,) = ask(Asked(category="Toys"), store).rows
    (ben,) = ask(Asked(category="Toys", state="converted"), store).rows

    assert (ann["uid"], ann["views"], ann["last_product"], ben["uid"]) == ("ann", 2, "p2", "ben")
    assert (ann["first_view"].day, ann["last_view"].day, ann["bought_outside"]) == (1, 3, None)


def test_a_purchase_outside_the_window_is_said_and_leaves_the_person_dropped():
    store = desk([bought(1, "ann"), viewed(5, "ann"), bought(13, "ann"), viewed(5, "ben")])

    answer = ask(Asked(category="Toys", from_day=date(2026, 1, 2), to_day=date(2026, 1, 6)), store)

    assert [r["uid"] for r in answer.rows] == ["ann", "ben"]
    assert answer.rows[0]["bought_outside"] == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert any(note.startswith("1 of 2 bought in the category outside the window") for note in answer.notes)


def test_what_was_bought_two_seconds_before_the_view_converts_and_is_not_outside():
    purchase = row("Product Purchased", "2026-01-05 09:59:58", "ann", category="Toys", price=10.0)

    (ann,) = ask(Asked(category="Toys", state="converted"), desk([purchase, viewed(5, "ann")])).rows

    assert (ann["uid"], ann["bought_outside"]) == ("ann", None)


def test_of_views_of_one_moment_the_last_by_message_and_row_names_the_product():
    views = [
        viewed(1, "ann", name=name, message_id=message, row_id=id_)
        for name, message, id_ in (("Kite", "m1", "r9"), ("Ball", "m2", "r2"), ("Drum", "m2", "r1"))
    ]

    (ann,) = ask(Asked(category="Toys"), desk(views)).rows

    assert (ann["views"], ann["last_product"]) == (3, "Ball")


def test_without_a_category_the_one_with_the_highest_opportunity_is_taken_and_named():
    store = desk(
        [
            *(viewed(1, user) for user in ("ann", "ben", "cleo")),
            bought(2, "ann"),
            viewed(1, "ann", "Books"),
            bought(2, "ann", "Books"),
        ]
    )

    answer = ask(Asked(), store)

    assert [r["uid"] for r in answer.rows] == ["ben", "cleo"]
    assert (answer.extra["category"], answer.notes[0].split(":")[0]) == ("Toys", "Category Toys")
    assert ask(Asked(), desk()).rows == []


@pytest.mark.parametrize("wanted", [False, True])
def test_addresses_are_current_and_shown_only_when_asked_for(wanted):
    store = desk(
        [viewed(5, "ann", anonymous_id="d1"), viewed(5, "ben")],
        [
            identify("2026-01-06 10:00", "ann", email="new@shop.example"),
            identify("2026-01-01 10:00", device="d1", email="old@shop.example", phone="+49123"),
        ],
    )

    answer = ask(Asked(category="Toys", with_contacts=wanted), store)

    shown = {r["uid"]: (r["email"], r["phone"]) for r in answer.rows}
    expected = ("new@shop.example", "+49123") if wanted else (None, None)
    assert shown == {"ann": expected, "ben": (None, None)}
    assert any("left out" in note for note in answer.notes) is not wanted


@settings(max_examples=12, deadline=None)
@given(
    messy.stores(),
    st.sampled_from(messy.ZONES),
    st.sampled_from(("dropped", "converted")),
    st.integers(0, 6),
    st.integers(0, 9),
)
def test_equals_a_plain_reading_of_the_definitions(store, zone, state, skipped, days):
    first = date(2026, 3, 25 + skipped)
    asked = Asked(
        timezone=zone, category="Toys", state=state, from_day=first, to_day=first + timedelta(days=days)
    )
    lake = desk(**store)
    answer = ask(asked, lake)

    people = [r for r in oracle.resolved(**store) if r["uid"] and r.get("category") == "Toys"]
    expected = {}
    for uid in {r["uid"] for r in people}:
        own = [r for r in people if r["uid"] == uid]
        views = [
            r
            for r in own
            if r["event"] == "Product Viewed" and first <= oracle.local_day(r, zone) <= asked.to_day
        ]
        if not views:
            continue
        start = views[0]["time_ms"]
        times = [
            r["time_ms"] for r in own if r["event"] == "Product Purchased" and r.get("line_index") is not None
        ]
        inside = [t for t in times if start - 2_000 <= t <= start + WEEK_MS]
        outside = sorted(set(times) - set(inside))
        if bool(inside) == (state == "converted"):
            expected[uid] = (
                start, views[-1]["time_ms"], len(views), views[-1]["product_id"], next(iter(outside), None),
            )  # fmt: skip
    found = {
        r["uid"]: (
            ms(r["first_view"]), ms(r["last_view"]), r["views"], r["last_product"], ms(r["bought_outside"]),
        )
        for r in answer.rows
    }  # fmt: skip
    assert found == expected
    asking = Asking(asked, lake, NOW)
    assert dropped_people(asking, "Toys", state) == sorted(expected)


@settings(max_examples=4, deadline=None)
@given(messy.stores())
def test_they_are_as_many_as_the_categories_report_counts(store):
    lake = desk(**store)
    for counted in ask(categories.Asked(), lake).rows:
        if counted["viewers"]:
            asking = Asking(Asked(), lake, NOW)
            assert len(dropped_people(asking, counted["category"])) == counted["dropped"]
            assert len(dropped_people(asking, counted["category"], "converted")) == counted["converted"]


def ms(moment):
    return None if moment is None else round(moment.timestamp() * 1_000)
