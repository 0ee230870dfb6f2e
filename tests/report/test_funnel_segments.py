"""Funnels by held property, segment and period: one rule of the definitions a test."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from connector.errors import ConfigError
from connector.report.kinds.funnel import Asked
from tests.report.funnel_rows import ADD, BUY, VIEW, by_segment, counts, days, seconds
from tests.report.stores import ask, desk, row


class TestHold:
    ROWS = (
        *days(("V", 1), category="Toys"),
        *days(("V", 2), ("B", 3), category="Books"),
    )

    def test_uniques_try_the_value_of_the_first_entry_only(self):
        assert counts(self.ROWS, hold=("category",)) == [1, 0]

    def test_broken_down_by_it_uniques_have_an_entry_per_value(self):
        assert by_segment(self.ROWS, hold=("category",), breakdown="category") == {
            "Books": [1, 1],
            "Toys": [1, 0],
        }

    def test_totals_run_the_values_side_by_side(self):
        assert counts(self.ROWS, hold=("category",), counting="totals") == [2, 1]

    def test_reentry_tries_every_value(self):
        assert counts(self.ROWS, hold=("category",), counting="reentry") == [1, 1]

    def test_a_missing_value_cannot_enter_and_is_no_step(self):
        rows = [
            *days(("V", 1), category=None),
            *days(("V", 2), category="Toys"),
            *days(("B", 3), category=None),
        ]

        assert counts(rows, hold=("category",)) == [1, 0]

    def test_three_properties_may_be_held(self):
        same = {"category": "Toys", "product_id": "p1", "currency": "EUR"}
        rows = [*days(("V", 1), **same), *days(("B", 2), **same), *days(("V", 1), user="ben", **same),
                *days(("B", 2), user="ben", **same | {"currency": "USD"})]  # fmt: skip

        assert counts(rows, hold=("category", "product_id", "currency")) == [2, 1]
        with pytest.raises(ValidationError, match="at most 3"):
            Asked(step=(VIEW, BUY), hold=("category", "product_id", "currency", "brand"))

    def test_an_exclusion_ends_attempts_of_its_own_value(self):
        rows = [*days(("V", 1), ("B", 3), category="Toys"), *days(("X", 2), category="Books")]

        assert counts(rows, hold=("category",), exclude=("Order Cancelled",)) == [1, 1]
        assert counts(rows, exclude=("Order Cancelled",)) == [1, 0]


class TestBreakdown:
    ROWS = (
        *days(("V", 1), category=None), *days(("A", 2), category="Toys"), *days(("B", 3), category="Books"),
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("attribution", "segment"),
        [("first", "Toys"), ("last", "Books"), ("step 1", None), ("2", "Toys"), ("step 3", "Books")],
    )
    def test_the_segment_is_the_first_the_last_or_that_of_a_step(self, attribution, segment):
        counted = by_segment(self.ROWS, VIEW, ADD, BUY, breakdown="category", attribution=attribution)

        assert counted == {segment: [1, 1, 1]}

    def test_in_any_order_first_and_last_are_those_of_the_rows(self):
        rows = [*days(("B", 1), category="Books"), *days(("V", 2), category="Toys")]

        assert by_segment(rows, order="any", breakdown="category") == {"Books": [1, 1]}
        assert by_segment(rows, order="any", breakdown="category", attribution="last") == {"Toys": [1, 1]}
        assert by_segment(rows, order="any", breakdown="category", attribution="step 1") == {"Toys": [1, 1]}

    def test_only_matched_rows_are_asked_for_it(self):
        counted = by_segment(self.ROWS, VIEW, BUY, breakdown="category")

        assert counted == {"Books": [1, 1]}

    def test_a_person_enters_once_per_segment_after_leaving_the_attempt_before(self):
        rows = [*days(("V", 1), category="Toys"), *days(("V", 2), category="Books"), *days(("B", 3)),
                *days(("V", 4), category="Garden"), *days(("V", 12), ("B", 13), category="Toys")]  # fmt: skip

        assert by_segment(rows, breakdown="category") == {"Garden": [1, 0], "Toys": [1, 1]}
        assert by_segment(rows, breakdown="category", counting="totals") == {"Garden": [1, 0], "Toys": [2, 2]}

    def test_a_key_of_the_properties_may_be_it(self):
        rows = days(("V", 1), ("B", 2), properties='{"size": "XL"}')

        assert by_segment(rows, breakdown="properties ->> '$.size'") == {"XL": [1, 1]}

    def test_a_segment_of_30_entries_has_a_chance_on_its_last_step(self):
        rows = [one for n in range(60) for one in days(("V", 1), *([("B", 2)] if n % 2 else []), user=f"u{n}",
                                                       category="Toys" if n % 2 else "Books")]  # fmt: skip

        answer = ask(Asked(step=(VIEW, BUY), breakdown="category"), desk(rows))

        assert [r["p_value"] for r in answer.rows if r["step"] == 1] == [None, None]
        assert all(r["p_value"] < 0.001 for r in answer.rows if r["step"] == 2)

    def test_a_step_that_there_is_not_is_refused(self):
        with pytest.raises(ConfigError, match="attribution: first, last or a step"):
            counts([], breakdown="category", attribution="step 3")


class TestWhere:
    def test_it_removes_whole_attempts_by_the_value_they_have(self):
        rows = [*days(("V", 1), category="Toys"), *days(("B", 2), category="Books"),
                *days(("V", 1), ("B", 2), category="Books", user="ben")]  # fmt: skip

        assert counts(rows, where="category = 'Toys'") == [1, 1]
        assert counts(rows, where="category = 'Toys'", attribution="last") == [0, 0]
        assert counts(
            rows, where="category IN ('Toys', 'Books')", breakdown="category", attribution="last"
        ) == [2, 2]

    def test_a_removed_attempt_leaves_no_place_for_another(self):
        rows = [*days(("V", 1), category="Books"), *days(("V", 2), category="Toys")]

        assert counts(rows, where="category = 'Toys'") == [0, 0]


class TestTimeToConvert:
    def test_it_is_of_converted_attempts_and_percentiles_lie_between_ranks(self):
        rows = [one for n, day in enumerate((2, 3, 4, 7)) for one in days(("V", 1), ("B", day), user=f"u{n}")]
        rows += days(("V", 1), user="never")

        last = ask(Asked(step=(VIEW, BUY)), desk(rows)).rows[-1]

        day_ms = 86_400_000.0
        assert [
            last[f"ttc_{name}"] / day_ms for name in ("mean", "median", "p25", "p75", "p90")
        ] == pytest.approx([3.0, 2.5, 1.75, 3.75, 5.1])

    def test_it_is_never_below_zero(self):
        assert ask(Asked(step=(VIEW, BUY)), desk(seconds(("B", -1), ("V", 0)))).rows[-1]["ttc_mean"] == 0


class TestCut:
    ROWS = tuple(days(("V", 1), ("V", 2), ("B", 3), ("V", 9)))

    def test_a_trend_is_a_funnel_per_interval_so_a_person_counts_in_several(self):
        answer = ask(Asked(step=(VIEW, BUY), trend="week", timezone="UTC"), desk(self.ROWS))

        assert [(r["period"], r["count"]) for r in answer.rows] == [
            (date(2026, 2, 23), 1), (date(2026, 2, 23), 1), (date(2026, 3, 2), 1), (date(2026, 3, 2), 1),
            (date(2026, 3, 9), 1), (date(2026, 3, 9), 0),
        ]  # fmt: skip

    def test_a_split_is_one_funnel_by_the_day_of_entry(self):
        answer = ask(Asked(step=(VIEW, BUY), split="day"), desk(self.ROWS))

        assert [(r["period"].day, r["count"]) for r in answer.rows if r["count"]] == [(1, 1), (1, 1)]
        assert len(answer.rows) == 2 * 9

    def test_periods_whose_window_is_not_over_are_flagged(self):
        rows = [row(VIEW, "2026-10-23 10:00", "ann"), row(VIEW, "2026-10-27 10:00", "ben")]

        answer = ask(Asked(step=(VIEW, BUY), trend="day", to_day=date(2026, 10, 27)), desk(rows))

        assert {r["period"].day: r["complete"] for r in answer.rows} == {
            23: True,
            24: True,
            25: False,
            26: False,
            27: False,
        }
        assert not answer.complete

    def test_trend_and_split_exclude_each_other(self):
        with pytest.raises(ValidationError, match="choose one"):
            Asked(step=(VIEW, BUY), trend="day", split="day")


def test_only_the_people_of_a_cohort_are_followed():
    rows = [*days(("V", 1), ("B", 2)), *days(("V", 1), user="ben")]

    answer = ask(Asked(step=(VIEW, BUY), cohort="regulars"), desk(rows), {"regulars": ["ben", "zoe"]})
    nobody = ask(Asked(step=(VIEW, BUY), cohort="regulars"), desk(rows), {"regulars": []})

    assert [r["count"] for r in answer.rows] == [1, 0]
    assert [r["count"] for r in nobody.rows] == [0, 0]
