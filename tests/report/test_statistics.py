"""Statistics of experiments and retention against published examples, scipy and simulations by hand."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from statistics import fmean, stdev, variance

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from connector.report.statistics import (
    Arm,
    adjusted,
    always_valid_p_value,
    always_valid_width,
    compare,
    detectable_lift,
    mixpanel_weighted,
    normal_p_value,
    ratio,
    smallest_detectable_lift,
    srm_p_value,
)

values = st.lists(st.floats(-1e4, 1e4).map(lambda value: round(value, 3)), min_size=2, max_size=30)


def test_five_of_ten_against_six_of_ten_is_the_documented_example():
    found = compare(Arm.of_share(10, 5), Arm.of_share(10, 6))

    assert found.lift == pytest.approx(0.2)
    assert (found.se, found.z, found.p) == pytest.approx((0.221, 0.45, 0.65), abs=0.005)


def test_the_interval_of_a_difference_is_1_96_standard_errors_on_either_side():
    found = compare(Arm.of_share(1000, 100), Arm.of_share(1000, 130))

    se = math.sqrt(0.1 * 0.9 / 1000 + 0.13 * 0.87 / 1000)
    assert found.diff_interval() == pytest.approx((0.03 - 1.96 * se, 0.03 + 1.96 * se))


def test_the_interval_of_a_lift_follows_the_delta_method():
    found = compare(Arm.of_share(1000, 100), Arm.of_share(1000, 130))

    error = math.sqrt(0.13 * 0.87 / 1000 / 0.1**2 + 0.13**2 / 0.1**4 * (0.1 * 0.9 / 1000))
    assert found.lift_interval() == pytest.approx((0.3 - 1.96 * error, 0.3 + 1.96 * error))


def test_the_interval_of_a_lift_holds_the_lift_in_95_of_100_experiments():
    dice = random.Random(20)
    held = 0
    for _ in range(400):
        arms = [Arm.of_share(2000, sum(dice.random() < share for _ in range(2000))) for share in (0.2, 0.24)]
        low, high = compare(*arms).lift_interval()
        assert low is not None
        assert high is not None
        held += low <= 0.2 <= high

    assert 0.92 <= held / 400 <= 0.98


@given(values, values)
def test_z_is_that_of_welch(control, treated):
    assume(variance(control) > 1e-3)
    moments = [(fmean(own), stdev(own), len(own)) for own in (control, treated)]

    found = compare(*(Arm.of_values(many, many, mean, spread**2) for mean, spread, many in moments))

    expected = stats.ttest_ind_from_stats(*moments[1], *moments[0], equal_var=False).statistic
    assert found.z == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(expected)), rel=1e-6, abs=1e-12)


@given(values, st.integers(0, 50))
def test_people_without_a_value_count_as_zero_in_mean_and_variance(own, without):
    people = len(own) + without

    arm = Arm.of_values(people, len(own), sum(own) / len(own), variance(own))

    everybody = [*own, *[0.0] * without]
    assert arm.mean == pytest.approx(sum(everybody) / people, abs=1e-9)
    assert arm.variance == pytest.approx(variance(everybody), rel=1e-9, abs=1e-6)


def test_nobody_with_a_value_is_a_mean_of_zero_without_spread():
    assert Arm.of_values(5, 0, 0.0, None) == Arm(5, 0.0, 0.0)


def test_one_person_has_no_variance_and_no_p_value():
    found = compare(Arm.of_values(1, 1, 10.0, None), Arm.of_values(30, 30, 12.0, 4.0))

    assert (found.lift, found.se, found.z, found.p) == (pytest.approx(0.2), None, None, None)
    assert found.lift_interval() == (None, None)


def test_a_control_of_zero_has_a_difference_but_no_lift():
    found = compare(Arm.of_share(100, 0), Arm.of_share(100, 10))

    assert (found.diff, found.lift) == (0.1, None)
    assert found.p == pytest.approx(2 * stats.norm.sf(0.1 / math.sqrt(0.09 / 100)))


def test_arms_without_spread_have_no_z():
    assert compare(Arm.of_share(10, 10), Arm.of_share(20, 20)).z is None


def test_sessions_have_the_variance_of_their_mean():
    assert Arm.of_count(10, 25) == Arm(10, 2.5, 2.5)


@given(st.floats(-8, 8))
def test_the_p_value_is_two_sided(z):
    assert normal_p_value(z) == pytest.approx(2 * stats.norm.sf(abs(z)))


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12))
def test_benjamini_hochberg_is_that_of_scipy(p_values):
    known = [p for p in p_values if p is not None]

    found = adjusted(p_values, "benjamini-hochberg")

    assert [p is None for p in p_values] == [p is None for p in found]
    expected = stats.false_discovery_control(known, method="bh") if known else []
    assert [p for p in found if p is not None] == pytest.approx(list(expected))


def test_bonferroni_multiplies_by_the_number_of_comparisons_that_were_made():
    assert adjusted([0.01, None, 0.04, 0.6], "bonferroni") == [pytest.approx(0.03), None, 0.12, 1.0]
    assert adjusted([0.01, None], "none") == [0.01, None]


def test_a_split_far_from_the_plan_is_unlikely():
    assert srm_p_value([5000, 5300], [1, 1]) == pytest.approx(stats.chisquare([5000, 5300]).pvalue)
    assert srm_p_value([900, 100], [90, 10]) == pytest.approx(1.0)


def test_a_split_by_three_is_compared_with_its_plan():
    expected = stats.chisquare([50, 30, 20], [40, 40, 20]).pvalue
    assert srm_p_value([50, 30, 20], [2, 2, 1]) == pytest.approx(expected)


def test_people_where_none_were_planned_are_a_certain_fault():
    assert srm_p_value([50, 50, 1], [1, 1, 0]) == 0.0


@pytest.mark.parametrize(
    ("people", "weights"), [([], []), ([10], [1]), ([0, 0], [1, 1]), ([3, 0], [1, 0]), ([1, 1], [0, 0])]
)
def test_one_variant_alone_has_no_split(people, weights):
    assert srm_p_value(people, weights) is None


@given(st.integers(50, 10**6), st.integers(50, 10**6), st.floats(0.01, 0.9))
def test_the_smallest_detectable_lift_is_found_four_times_in_five(control, treatment, baseline):
    lift = smallest_detectable_lift(control, treatment, baseline)
    assume(lift is not None)

    treated = baseline * (1 + lift)
    se = math.sqrt(baseline * (1 - baseline) / control + treated * (1 - treated) / treatment)
    assert treated > baseline
    assert stats.norm.sf(stats.norm.isf(0.025) - (treated - baseline) / se) == pytest.approx(0.8, abs=1e-6)


def test_a_cohort_of_265_a_side_shows_a_conversion_of_a_fifth_rising_by_half():
    """Two-sided 5 %, power 80 %, as by the usual table: about 0.20 against 0.304."""
    assert smallest_detectable_lift(265, 265, 0.2) == pytest.approx(0.52, abs=0.02)


@pytest.mark.parametrize(
    ("control", "treatment", "baseline"),
    [(0, 10, 0.5), (10, 0, 0.5), (10, 10, 0.0), (10, 10, 1.0), (3, 3, 0.9)],
)
def test_too_few_people_can_show_no_lift(control, treatment, baseline):
    assert smallest_detectable_lift(control, treatment, baseline) is None


def test_the_detectable_lift_of_an_amount_takes_the_variance_of_the_control():
    found = detectable_lift(400, 100, 20.0, 900.0)

    assert found == pytest.approx((1.959964 + 0.841621) * math.sqrt(900 / 400 + 900 / 100) / 20)
    assert detectable_lift(400, 100, 0.0, 900.0) is None
    assert detectable_lift(400, 100, 20.0, None) is None


def test_an_always_valid_p_is_one_over_the_likelihood_ratio():
    """Written out: the normal density of the difference with the mixture's variance over that without."""
    diff, se, tau = 0.03, 0.01, 0.02

    ratio = stats.norm.pdf(diff, 0, math.hypot(se, tau)) / stats.norm.pdf(diff, 0, se)

    assert always_valid_p_value(diff, se, tau) == pytest.approx(1 / ratio)
    assert always_valid_p_value(0.0, se, tau) == 1.0


@given(st.floats(1e-4, 10), st.floats(1e-4, 10))
def test_the_p_is_the_limit_at_the_ends_of_the_always_valid_interval(se, tau):
    width = always_valid_width(se, tau)

    assert width is not None
    assert always_valid_p_value(width * se, se, tau) == pytest.approx(0.05)
    assert width > 1.96


@pytest.mark.parametrize(("se", "tau"), [(None, 0.1), (0.0, 0.1), (0.1, 0.0)])
def test_without_an_error_or_a_mixture_nothing_is_always_valid(se, tau):
    assert always_valid_p_value(0.1, se, tau) is None
    assert always_valid_width(se, tau) is None


def test_looking_every_day_raises_no_more_alarms_than_the_limit_says():
    dice = random.Random(7)
    alarms, naive = 0, 0
    for _ in range(400):
        total, lows, plain = 0.0, [], []
        for people in range(1, 201):
            total += dice.gauss(0, 1)
            if people >= 10:
                lows.append(always_valid_p_value(total / people, 1 / math.sqrt(people), 0.3))
                plain.append(normal_p_value(total / math.sqrt(people)))
        alarms += min(lows) < 0.05
        naive += min(plain) < 0.05

    assert alarms / 400 <= 0.06
    assert naive / 400 > 0.15


def test_the_documented_buckets_average_56_percent_and_not_the_pooled_60():
    assert mixpanel_weighted([(1000, 500), (500, 400)]) == pytest.approx(0.56)
    assert mixpanel_weighted([]) is None


def test_amounts_are_divided_as_they_are():
    assert ratio(Decimal("1.5"), 3) == 0.5
    assert ratio(1, 0) is None
