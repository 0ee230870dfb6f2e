"""Experiments: who counts, for how long, and every figure per exposed person."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import fmean, variance
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from connector.errors import ConfigError
from connector.report.kinds.experiment import Asked
from tests.report import messy, oracle
from tests.report.experiment_oracle import Plain
from tests.report.stores import ask, desk, row

DAY_MS = 86_400_000


def exposed(user: str, variant: str, time: str = "2026-01-05 10:00", **more: Any):
    return row(
        "Experiment Viewed", time, user, **{"experiment_name": "offer", "variation_name": variant, **more}
    )


def order(user: str, time: str, revenue: float = 10.0, **more: Any):
    filled = {"order_id": f"{user}-{time}", "order_revenue": revenue, "currency": "USD", **more}
    return row("Order Completed", time, user, **filled)


def by_metric(answer, variant: str = "treatment"):
    return {r["metric"]: r for r in answer.rows if r["variant"] == variant}


def ten_a_side():
    """Five of ten in the control buy, six of ten of the treated."""
    people = [
        (f"{name}{n}", name, n < buyers)
        for name, buyers in (("control", 5), ("treatment", 6))
        for n in range(10)
    ]
    bought = [order(user, "2026-01-06 10:00") for user, _, buys in people if buys]
    return [*(exposed(user, variant) for user, variant, _ in people), *bought]


def test_the_documented_example_has_z_0_45_and_p_0_65():
    found = by_metric(ask(Asked(metric=("conversion",)), desk(ten_a_side())))["conversion"]

    assert (found["exposed"], found["value"], found["rate"]) == (10, 6, 0.6)
    assert found["lift"] == pytest.approx(0.2)
    assert (found["z"], found["p"]) == pytest.approx((0.45, 0.65), abs=0.005)
    assert (found["diff_ci_low"], found["diff_ci_high"]) == pytest.approx(
        (0.1 - 0.434, 0.1 + 0.434), abs=0.001
    )
    assert (found["significant"], found["n_enough"]) == (False, False)


def test_the_control_comes_first_and_is_compared_with_nothing():
    rows = ask(Asked(), desk(ten_a_side())).rows

    assert [(r["metric"], r["variant"]) for r in rows[:2]] == [
        ("conversion", "control"), ("conversion", "treatment"),
    ]  # fmt: skip
    assert {r[name] for r in rows if r["variant"] == "control" for name in ("lift", "p", "significant")} == {
        None
    }


def test_whoever_saw_two_variants_is_left_out_and_counted():
    store = [*ten_a_side(), exposed("control0", "treatment", "2026-01-07 10:00")]

    answer = ask(Asked(metric=("conversion",)), desk(store))

    assert answer.extra["crossover"] == 1
    assert answer.extra["exposed"] == {"control": 9, "treatment": 10}
    assert by_metric(answer, "control")["conversion"]["value"] == 4
    assert any("several variants" in note for note in answer.notes)


def test_behaviour_counts_from_the_moment_of_exposure_for_90_days():
    store = [
        exposed("ann", "control"),
        *(exposed(name, "treatment") for name in ("ben", "cleo", "dora", "emil")),
        order("ben", "2026-01-05 09:59:59"),
        order("cleo", "2026-01-05 10:00"),
        order("dora", "2026-04-05 10:00"),
        order("emil", "2026-04-05 10:00:01"),
    ]

    found = by_metric(ask(Asked(), desk(store)))

    assert (found["conversion"]["value"], found["orders"]["value"]) == (2, 2)
    assert found["revenue"]["value"] == 20
    week = by_metric(ask(Asked(window="7d"), desk(store)))
    assert week["conversion"]["value"] == 1


def test_the_first_exposure_starts_the_clock():
    store = [
        exposed("ann", "control"),
        exposed("ben", "treatment", "2026-01-20 10:00"),
        exposed("ben", "treatment", "2026-01-05 10:00"),
        order("ben", "2026-01-10 10:00"),
    ]

    assert by_metric(ask(Asked(), desk(store)))["conversion"]["value"] == 1


def test_a_category_narrows_conversion_to_what_was_bought_in_it():
    bought = {"time": "2026-01-06 10:00", "price": 5.0}
    store = [
        *(exposed(name, "control") for name in ("ann", "ben")),
        *(exposed(name, "treatment") for name in ("cleo", "dora")),
        row("Product Purchased", user="ann", category="Toys", **bought),
        row("Product Purchased", user="cleo", category="Books", **bought),
        row("Product Purchased", user="dora", category="Toys", **bought),
    ]

    found = ask(Asked(metric=("conversion",), category="Toys"), desk(store))

    assert [r["value"] for r in found.rows] == [1, 1]


def test_each_conversion_event_is_a_metric_of_its_own():
    dear = "Order Completed where order_revenue > 5"
    asked = Asked(metric=("conversion",), conversion_event=("Experiment Viewed", dear))

    found = by_metric(ask(asked, desk(ten_a_side())))

    assert {name: r["value"] for name, r in found.items()} == {
        "conversion: Experiment Viewed": 10,
        f"conversion: {dear}": 6,
    }
    with pytest.raises(ConfigError, match="conversion-event"):
        ask(Asked(conversion_event=("Order Completed where nothing > 5",)), desk(ten_a_side()))


def test_revenue_is_per_exposed_person_and_currency_and_buyers_of_nothing_count():
    store = [
        *(exposed(name, "control") for name in ("ann", "ben")),
        *(exposed(name, "treatment") for name in ("cleo", "dora", "emil")),
        order("ann", "2026-01-06 10:00", 30.0),
        order("cleo", "2026-01-06 10:00", 12.5),
        order("cleo", "2026-01-07 10:00", 2.5),
        order("dora", "2026-01-07 10:00", 8.0, currency="EUR"),
    ]

    rows = [r for r in ask(Asked(metric=("revenue",)), desk(store)).rows if r["variant"] == "treatment"]

    assert [(r["currency"], r["value"], r["rate"]) for r in rows] == [
        ("EUR", Decimal("8"), pytest.approx(8 / 3)), ("USD", Decimal("15"), pytest.approx(5.0)),
    ]  # fmt: skip
    se = math.sqrt(variance([30, 0]) / 2 + variance([15, 0, 0]) / 3)
    assert rows[1]["z"] == pytest.approx((5 - 15) / se)
    assert rows[0]["lift"] is None, "nobody of the control paid in euros"


def test_net_revenue_takes_back_what_was_refunded_since():
    store = [
        exposed("ann", "control"),
        exposed("ben", "treatment"),
        order("ann", "2026-01-06 10:00", 30.0, order_id="o1"),
        order("ben", "2026-01-06 10:00", 30.0, order_id="o2"),
        row("Order Refunded", "2026-09-01 10:00", "ben", order_id="o2", refund_amount=12.0),
    ]

    found = ask(Asked(metric=("revenue",), revenue="net"), desk(store)).rows

    assert [r["value"] for r in found] == [30, 18]


def test_sessions_are_cut_by_half_an_hour_and_by_midnight():
    moments = ["05 10:29", "05 10:59", "05 23:50", "06 00:05"]
    store = [
        exposed("ann", "control"),
        exposed("ben", "treatment"),
        *(row("page", f"2026-01-{moment}", "ben", type="page") for moment in moments),
    ]

    found = by_metric(ask(Asked(metric=("sessions",)), desk(store)))["sessions"]

    assert found["value"] == 4
    assert found["z"] == pytest.approx((4 - 1) / math.sqrt(4 + 1))


def test_winsorizing_cuts_a_giant_order_at_a_percentile_of_those_who_bought():
    store = [exposed(f"{name}{n}", name) for name in ("control", "treatment") for n in range(20)]
    store += [order(f"control{n}", "2026-01-06 10:00", 10.0) for n in range(10)]
    store += [order(f"treatment{n}", "2026-01-06 10:00", 10.0) for n in range(9)]
    store += [order("treatment9", "2026-01-06 10:00", 5_000.0)]

    plain = by_metric(ask(Asked(metric=("revenue",)), desk(store)))["revenue"]
    cut = by_metric(ask(Asked(metric=("revenue",), winsorize=0.9), desk(store)))["revenue"]

    assert (plain["rate"], cut["rate"]) == (254.5, 5.0)
    assert (plain["value"], cut["value"]) == (5_090, 5_090)


def test_free_orders_do_not_draw_the_percentile_down():
    store = [exposed(f"{name}{n}", name) for name in ("control", "treatment") for n in range(4)]
    store += [order(f"control{n}", "2026-01-06 10:00", 0.0) for n in range(4)]
    store += [order(f"treatment{n}", "2026-01-06 10:00", 10.0) for n in range(2)]

    found = by_metric(ask(Asked(metric=("revenue",), winsorize=0.5), desk(store)))["revenue"]

    assert found["rate"] == 5.0


def test_a_sample_ratio_that_is_not_the_planned_one_raises_the_alarm():
    store = [exposed(f"c{n}", "control") for n in range(30)] + [
        exposed(f"t{n}", "treatment") for n in range(80)
    ]

    equal = ask(Asked(metric=("conversion",)), desk(store))
    planned = ask(Asked(metric=("conversion",), split=("control=30,treatment=80",)), desk(store))

    assert equal.extra["srm_p"] == pytest.approx(stats.chisquare([30, 80]).pvalue)
    assert {r["srm_p"] for r in equal.rows} == {equal.extra["srm_p"]}
    assert (equal.extra["srm_alarm"], planned.extra["srm_alarm"]) == (True, False)
    assert planned.extra["srm_p"] == pytest.approx(1.0)
    assert any("mismatch" in note for note in equal.notes)


def test_a_variant_that_was_planned_and_never_seen_counts_in_the_sample_ratio():
    store = [exposed(f"c{n}", "control") for n in range(30)]

    answer = ask(Asked(metric=("conversion",), split=("control=1", "treatment=1")), desk(store))

    assert answer.extra["srm_p"] == pytest.approx(stats.chisquare([30, 0]).pvalue)


def test_p_values_are_corrected_over_metrics_and_variants():
    store = [*ten_a_side(), *(exposed(f"b{n}", "blue") for n in range(10))]
    asked = Asked(metric=("conversion", "orders"))

    rows = ask(asked, desk(store)).rows

    p = [r["p"] for r in rows if r["p"] is not None]
    assert len(p) == 4
    assert [r["p_adjusted"] for r in rows if r["p"] is not None] == pytest.approx(
        list(stats.false_discovery_control(p))
    )
    bonferroni = ask(asked.model_copy(update={"correction": "bonferroni"}), desk(store)).rows
    assert [r["p_adjusted"] for r in bonferroni if r["p"] is not None] == [min(1.0, 4 * own) for own in p]


def test_the_sequential_test_is_slower_to_believe():
    store = [exposed(f"{name}{n}", name) for name in ("control", "treatment") for n in range(200)]
    store += [order(f"control{n}", "2026-01-06 10:00") for n in range(40)]
    store += [order(f"treatment{n}", "2026-01-06 10:00") for n in range(58)]

    fixed = by_metric(ask(Asked(metric=("conversion",)), desk(store)))["conversion"]
    looked = by_metric(ask(Asked(metric=("conversion",), sequential=True), desk(store)))["conversion"]

    assert fixed["p"] < 0.05 < looked["p"]
    assert looked["ci_low"] < fixed["ci_low"] < fixed["ci_high"] < looked["ci_high"]
    assert looked["z"] == fixed["z"]


def test_enough_people_are_those_who_would_show_the_lift_that_is_worth_finding():
    store = [exposed(f"{name}{n}", name) for name in ("control", "treatment") for n in range(100)]
    store += [order(f"{name}{n}", "2026-01-06 10:00") for name in ("control", "treatment") for n in range(50)]

    small = by_metric(ask(Asked(metric=("conversion",)), desk(store)))["conversion"]
    large = by_metric(ask(Asked(metric=("conversion",), minimum_lift=0.4), desk(store)))["conversion"]

    assert small["detectable_lift"] == pytest.approx(0.39, abs=0.01)
    assert (small["n_enough"], large["n_enough"]) == (False, True)


def test_mixpanels_own_exposure_counts_with_its_own_names():
    store = [
        exposed("ann", "control"),
        row(
            "$experiment_started", "2026-01-05 10:00", "ben",
            properties='{"Experiment name": "offer", "Variant name": "treatment"}',
        ),
    ]  # fmt: skip

    assert ask(Asked(), desk(store)).extra["exposed"] == {"control": 1, "treatment": 1}


def test_one_of_several_experiments_must_be_named():
    store = desk([*ten_a_side(), exposed("zoe", "control", experiment_name="colours")])

    with pytest.raises(ConfigError, match="experiment: there are 2"):
        ask(Asked(), store)
    assert ask(Asked(experiment="offer"), store).extra["exposed"] == {"control": 10, "treatment": 10}


def test_a_control_that_nobody_saw_is_refused():
    store = desk([exposed("ann", "blue"), exposed("ben", "green")])

    with pytest.raises(ConfigError, match="control"):
        ask(Asked(), store)
    assert ask(Asked(control="blue"), store).extra["control"] == "blue"


@pytest.mark.parametrize(
    "more",
    [
        {"split": ("control",)},
        {"split": ("a=1", "a=2")},
        {"split": ("a=-1",)},
        {"window": "91d"},
        {"winsorize": 1.0},
    ],
)
def test_what_cannot_be_meant_is_refused(more):
    with pytest.raises(ValidationError):
        Asked.model_validate(more)


def test_without_exposures_there_is_nothing_to_say():
    answer = ask(Asked(), desk([order("ann", "2026-01-06 10:00")]))

    assert (list(answer.rows), answer.extra["crossover"]) == ([], 0)


def test_an_experiment_whose_windows_are_open_says_so():
    early = Asked(as_of=datetime(2026, 2, 1, tzinfo=UTC))

    answer = ask(early, desk(ten_a_side()))

    assert not answer.complete
    assert any("looked at again" in note for note in answer.notes)


def spread(events: list[dict[str, Any]]) -> None:
    """Let more rows be exposures, most of them to one variant a person."""
    for one in events:
        if one["event"] in ("page", "Product Added", "Experiment Viewed"):
            name = one["user_id"] or one["anonymous_id"] or ""
            steady = "treatment" if name in ("ben", "d1", "d2") else "control"
            variant = steady if one["captured_index"] % 5 else one.get("variation_name", "control")
            one |= {"event": "Experiment Viewed", "experiment_name": "promo", "variation_name": variant}


@settings(max_examples=10, deadline=None)
@given(messy.stores(most=60), st.sampled_from(messy.ZONES), st.sampled_from((2, 90)))
def test_equals_a_plain_reading_of_the_definitions(store, zone, days):
    spread(store["events"])
    range_ = {"from": date(2026, 3, 24), "to": date(2026, 4, 5)}
    asked = Asked.model_validate({**range_, "timezone": zone, "window": days * DAY_MS})
    plain = Plain(oracle.resolved(**store), asked)
    if plain.people and "control" not in plain.variants:
        with pytest.raises(ConfigError):
            ask(asked, desk(**store))
        return

    answer = ask(asked, desk(**store))

    assert answer.extra["crossover"] == plain.crossover
    assert {r["variant"] for r in answer.rows} == plain.variants
    for found in answer.rows:
        values = plain.values(found["metric"], found["variant"], found["currency"])
        assert (found["exposed"], found["value"]) == (len(values), sum(values))
        assert found["rate"] == pytest.approx(fmean(map(float, values)))
        if found["z"] is not None and found["metric"] in ("orders", "revenue"):
            arms = [
                [float(value) for value in plain.values(found["metric"], variant, found["currency"])]
                for variant in ("control", found["variant"])
            ]
            se = math.sqrt(sum(variance(arm) / len(arm) for arm in arms))
            assert found["z"] == pytest.approx((fmean(arms[1]) - fmean(arms[0])) / se)
