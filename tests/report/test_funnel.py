"""Funnels: one rule of the definitions a test."""

from __future__ import annotations

from datetime import date

import pytest

from connector.errors import ConfigError
from connector.report.kinds.funnel import Asked
from tests.report.funnel_cases import found
from tests.report.funnel_rows import ADD, BUY, VIEW, by_segment, counts, days, seconds
from tests.report.stores import ask, at, desk, row


def test_a_row_a_step_with_count_conversion_dropped_and_time_to_convert():
    rows = [
        *days(("V", 1), ("A", 2), ("B", 3)),
        *days(("V", 1), ("A", 3), user="ben"),
        *days(("V", 1), user="cleo"),
    ]

    answer = ask(Asked(step=(VIEW, ADD, BUY)), desk(rows))

    assert [(r["step"], r["event"], r["count"], r["dropped"]) for r in answer.rows] == [
        (1, VIEW, 3, 0), (2, ADD, 2, 1), (3, BUY, 1, 1),
    ]  # fmt: skip
    assert [r["step_conversion"] for r in answer.rows] == [1.0, pytest.approx(2 / 3), 0.5]
    assert [r["overall_conversion"] for r in answer.rows] == [1.0, pytest.approx(2 / 3), pytest.approx(1 / 3)]
    assert [r["ttc_mean"] for r in answer.rows] == [None, None, 2 * 86_400_000.0]
    assert list(answer.rows[0]) == [name for name in Asked.COLUMNS if name != "period"]
    assert answer.complete


def test_nobody_entered():
    answer = ask(Asked(step=(VIEW, BUY)), desk([row("page", "2026-03-01", "ann")]))

    assert [(r["count"], r["step_conversion"], r["ttc_mean"]) for r in answer.rows] == [(0, None, None)] * 2


class TestWindow:
    def test_its_end_is_included(self):
        assert counts(seconds(("V", 0), ("B", 60)), window="1m") == [1, 1]
        assert counts(seconds(("V", 0), ("B", 60.001)), window="1m") == [1, 0]

    def test_it_runs_from_the_entry_to_the_last_step_not_from_step_to_step(self):
        assert counts(days(("V", 1), ("A", 5), ("B", 10)), VIEW, ADD, BUY) == [1, 1, 0]

    def test_a_repeated_first_step_does_not_start_it_again(self):
        assert counts(days(("V", 1), ("V", 5), ("B", 10))) == [1, 0]

    def test_it_is_elapsed_time_also_when_the_clock_changes(self):
        rows = [row(VIEW, "2026-03-28 12:00", "ann"), row(BUY, "2026-03-29 12:00", "ann")]

        assert counts(rows, window="24h", timezone="Europe/Berlin") == [1, 1]


class TestRange:
    def test_the_first_step_lies_in_it_and_later_ones_may_lie_after_it(self):
        rows = [
            *days(("V", 2), ("B", 6)),
            *days(("V", 1), ("B", 3), user="ben"),
            *days(("V", 3), user="cleo"),
        ]

        assert counts(rows, from_day=date(2026, 3, 2), to_day=date(2026, 3, 2)) == [1, 1]

    def test_its_days_are_those_of_the_time_zone(self):
        rows = [row(VIEW, "2026-03-01 23:30", "ann"), row(VIEW, "2026-03-02 23:30", "ben")]

        berlin = {"timezone": "Europe/Berlin", "from_day": date(2026, 3, 2), "to_day": date(2026, 3, 2)}
        assert counts(rows, **berlin) == [1, 0]

    def test_an_answer_is_complete_when_the_window_after_it_is_over(self):
        rows = days(("V", 1), ("B", 2))

        early = ask(Asked(step=(VIEW, BUY), to_day=date(2026, 10, 28)), desk(rows))
        late = ask(Asked(step=(VIEW, BUY), to_day=date(2026, 10, 24)), desk(rows))

        assert (early.complete, late.complete) == (False, True)
        assert {r["complete"] for r in early.rows} == {False}


class TestMatching:
    def test_other_events_in_between_do_not_matter(self):
        assert counts(days(("V", 1), ("X", 2), ("B", 3))) == [1, 1]

    def test_a_step_may_lie_two_seconds_before_the_one_before_it(self):
        assert counts(seconds(("B", -2), ("V", 0))) == [1, 1]
        assert counts(seconds(("B", -2.001), ("V", 0))) == [1, 0]

    def test_the_two_seconds_count_from_the_latest_time_matched_so_far(self):
        assert counts(seconds(("B", -1.5), ("A", -1), ("V", 0)), VIEW, ADD, BUY) == [1, 1, 1]
        assert counts(seconds(("V", 0), ("B", 7.9), ("A", 10)), VIEW, ADD, BUY) == [1, 1, 0]
        assert counts(seconds(("V", 0), ("B", 8), ("A", 10)), VIEW, ADD, BUY) == [1, 1, 1]

    def test_a_row_before_the_range_may_be_a_later_step_but_not_the_entry(self):
        rows = [row(BUY, "2026-03-01 23:59:59", "ann"), row(VIEW, "2026-03-02 00:00", "ann")]

        assert counts(rows, from_day=date(2026, 3, 2)) == [1, 1]
        assert counts(rows, BUY, VIEW, from_day=date(2026, 3, 2)) == [0, 0]

    def test_no_row_is_two_steps(self):
        assert counts(days(("V", 1)), VIEW, VIEW) == [1, 0]
        assert counts(days(("V", 1), ("V", 2)), VIEW, VIEW, VIEW) == [1, 1, 0]

    def test_steps_of_one_event_may_have_filters_that_overlap(self):
        dear = f"{VIEW} where price > 10"
        rows = [row(VIEW, "2026-03-01", "ann", price=20.0), row(VIEW, "2026-03-02", "ann", price=5.0)]

        assert counts(rows, dear, VIEW) == [1, 1]
        assert counts(rows, VIEW, dear) == [1, 0]

    def test_rows_of_one_moment_are_taken_by_message_id(self):
        rows = [row(VIEW, "2026-03-01", "ann", message_id=f"m{n}", row_id=f"r{9 - n}", category=c)
                for n, c in enumerate(("first", "second"))]  # fmt: skip

        assert by_segment(rows, VIEW, VIEW, breakdown="category") == {"first": [1, 1]}

    def test_a_person_is_who_the_device_belongs_to(self):
        rows = [
            row(VIEW, "2026-03-01", device="d"),
            row(BUY, "2026-03-02", "ann", device="d"),
            row(VIEW, "2026-03-01"),
        ]

        assert counts(rows) == [1, 1]


class TestCounting:
    def test_uniques_follow_the_first_entry_only(self):
        assert counts(days(("V", 1), ("V", 9), ("B", 10))) == [1, 0]

    def test_reentry_follows_every_entry_and_counts_the_deepest(self):
        assert counts(days(("V", 1), ("V", 9), ("B", 10)), counting="reentry") == [1, 1]

    def test_reentry_counts_among_equals_the_one_that_ended_first_and_of_its_entries_the_latest(self):
        rows = days(("V", 1), ("V", 2), ("B", 4), ("V", 5), ("B", 5))

        (counted,) = found(Asked(step=(VIEW, BUY), counting="reentry"), desk(rows))

        assert counted.entry_ms == at("2026-03-02 10:00")
        assert counted.convert_ms == 2 * 86_400_000

    def test_totals_begin_again_after_a_conversion(self):
        assert counts(days(("V", 1), ("V", 2), ("B", 3), ("V", 4), ("B", 5)), counting="totals") == [2, 2]

    def test_totals_begin_again_when_the_window_is_over(self):
        assert counts(days(("V", 1), ("V", 8), ("V", 9)), counting="totals", window="7d") == [2, 0]

    def test_totals_begin_again_after_an_exclusion(self):
        rows = days(("V", 1), ("X", 2), ("V", 3), ("B", 4))

        assert counts(rows, counting="totals", exclude=("Order Cancelled",)) == [2, 1]
        assert counts(rows, counting="uniques", exclude=("Order Cancelled",)) == [1, 0]

    def test_the_row_that_ended_an_attempt_does_not_begin_one(self):
        cancelled = f"{VIEW} where category = 'Toys'"
        rows = [*days(("V", 1)), *days(("V", 2), category="Toys"), *days(("B", 3))]

        assert counts(rows, counting="totals", exclude=(cancelled,)) == [1, 0]

    def test_a_row_counts_in_one_attempt_of_totals_also_within_the_two_seconds(self):
        assert counts(seconds(("V", 0), ("B", 1), ("V", 1.5)), counting="totals") == [2, 1]
        assert counts(seconds(("V", 0), ("V", 1), ("V", 2), ("V", 3)), VIEW, VIEW, counting="totals") == [
            2,
            2,
        ]

    def test_what_the_attempt_before_left_may_still_be_taken_within_the_two_seconds(self):
        rows = seconds(("V", 0), ("B", 1), ("B", 1.2), ("V", 1.5))

        assert counts(rows, counting="totals") == [2, 2]

    def test_sessions_follow_the_first_entry_of_each(self):
        rows = seconds(("V", 0), ("V", 60), ("V", 1_860), ("B", 1_900))

        assert counts(rows, counting="sessions") == [2, 2]

    def test_any_row_keeps_a_session_alive_and_midnight_ends_it(self):
        rows = [row(VIEW, "2026-03-01 23:00", "ann"), row("page", "2026-03-01 23:20", "ann"),
                row(VIEW, "2026-03-01 23:40", "ann"), row(VIEW, "2026-03-02 00:00", "ann")]  # fmt: skip

        assert counts(rows, counting="sessions") == [2, 0]
        assert counts(rows, counting="sessions", timezone="Europe/Berlin") == [1, 0]


class TestExclusions:
    def test_one_between_the_steps_ends_the_attempt_and_what_was_reached_counts(self):
        rows = days(("V", 1), ("A", 2), ("X", 3), ("B", 4))

        assert counts(rows, VIEW, ADD, BUY, exclude=("Order Cancelled",)) == [1, 1, 0]
        assert counts(rows, VIEW, ADD, BUY, exclude=("1-2: Order Cancelled",)) == [1, 1, 1]
        assert counts(rows, VIEW, ADD, BUY, exclude=("2-3: Order Cancelled",)) == [1, 1, 0]
        assert counts(rows, VIEW, ADD, BUY, exclude=("1-3: Order Cancelled",)) == [1, 1, 0]

    def test_one_within_two_seconds_of_a_step_does_nothing(self):
        late, later, early, earlier = (seconds(("V", 0), ("X", x), ("B", 60)) for x in (2, 2.001, 58, 57.999))

        assert [counts(rows, exclude=("Order Cancelled",))[1] for rows in (late, later, early, earlier)] == [
            1,
            0,
            1,
            0,
        ]

    def test_it_may_have_a_filter(self):
        rows = [*days(("V", 1), ("B", 4)), *days(("X", 2), reason="late")]

        assert counts(rows, exclude=("Order Cancelled where reason = 'late'",)) == [1, 0]
        assert counts(rows, exclude=("Order Cancelled where reason = 'broken'",)) == [1, 1]

    @pytest.mark.parametrize("text", ["0-1: page", "2-2: page", "2-3: page", "2-1: page"])
    def test_a_gap_that_there_is_not_is_refused(self, text):
        with pytest.raises(ConfigError, match=r"exclude 1: gaps lie between steps, from 1-2 to 1-2"):
            counts([], exclude=(text,))

    def test_in_any_order_gaps_have_no_place(self):
        with pytest.raises(ConfigError, match="exclude 1: in any order an exclusion is for all gaps"):
            counts([], exclude=("1-2: page",), order="any")
        assert counts(days(("B", 1), ("X", 2), ("V", 3)), exclude=("Order Cancelled",), order="any") == [1, 0]


class TestAnyOrder:
    def test_steps_come_in_any_sequence_within_the_window_of_the_earliest(self):
        assert counts(days(("B", 1), ("A", 2), ("V", 8)), VIEW, ADD, BUY, order="any") == [1, 1, 1]
        assert counts(days(("B", 1), ("A", 2), ("V", 9)), VIEW, ADD, BUY, order="any") == [1, 1, 0]

    def test_an_anchored_step_keeps_its_place(self):
        rows = days(("A", 1), ("V", 2), ("B", 3), ("A", 4))

        assert counts(rows[:3], VIEW, ADD, BUY, order="any", anchored=(1,)) == [1, 1, 0]
        assert counts(rows, VIEW, ADD, BUY, order="any", anchored=(1,)) == [1, 1, 1]
        assert counts(rows[:3], VIEW, ADD, BUY, order="any", anchored=(3,)) == [1, 1, 1]

    def test_a_place_is_called_by_the_events_that_can_stand_there(self):
        answer = ask(Asked(step=(VIEW, ADD, BUY), order="any", anchored=(3,)), desk([]))

        assert [r["event"] for r in answer.rows] == [f"{VIEW} or {ADD}", f"{VIEW} or {ADD}", BUY]

    def test_anchors_belong_to_any_order_and_to_steps(self):
        with pytest.raises(ConfigError, match="in a specific order every step keeps its place"):
            counts([], anchored=(1,))
        with pytest.raises(ConfigError, match="anchored: there is no step 3; steps are 1 to 2"):
            counts([], anchored=(3,), order="any")


def test_a_bad_step_is_named():
    with pytest.raises(ConfigError, match=r"step 2: events has no column prise"):
        counts([], VIEW, f"{BUY} where prise > 3")
