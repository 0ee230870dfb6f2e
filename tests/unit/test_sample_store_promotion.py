"""The days after the sample store's sixty: an experiment whose answer is known."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from schema_samples import SCHEMAS
from store_reading import WEEK, Reading, time_of
from store_shops import HOME

from connector.sample import store_events

END, LAST = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
SEEDS = range(20, 24)


@pytest.fixture(scope="module")
def before():
    return list(store_events(people=1_000))


@pytest.fixture(scope="module")
def after(before):
    return list(store_events(people=1_000, promotion=True))[len(before) :]


@pytest.fixture(scope="module")
def reading(before, after):
    return Reading([*before, *after])


def variations(reading):
    """Person to variation."""
    return {
        reading.person[each["messageId"]]: each["properties"]["variation_name"]
        for each in reading.events("Experiment Viewed")
    }


def test_the_days_before_are_the_same_with_and_without(before):
    with_promotion = store_events(people=1_000, promotion=True)

    assert [next(with_promotion) for _ in before] == before
    assert time_of(next(with_promotion)) >= END


def test_thirty_days_follow_in_the_order_of_arrival_and_no_window_is_cut(after):
    assert all(time_of(each) >= END and time_of(each, "receivedAt") < LAST for each in after)
    assert all(first["receivedAt"] <= second["receivedAt"] for first, second in pairwise(after))
    views = [each for each in after if each.get("event") == "Product Viewed"]
    assert all(time_of(view) + WEEK < LAST for view in views)


def test_everybody_who_dropped_off_is_in_one_variation_and_nobody_else(before, reading):
    assert variations(reading).keys() == Reading(before).dropped(HOME)
    assert len(reading.events("Experiment Viewed")) == 265
    assert {frozenset(each["properties"]) for each in reading.events("Experiment Viewed")} == {
        frozenset(["experiment_id", "experiment_name", "variation_id", "variation_name"])
    }
    assert len({each["properties"]["experiment_id"] for each in reading.events("Experiment Viewed")}) == 1


def test_the_treated_alone_see_the_offer_and_some_click_it(reading):
    seen, clicked = (
        {
            reading.person[each["messageId"]]
            for each in reading.events(event)
            if each["properties"]["promotion_id"] == "promo_home_supplies"
        }
        for event in ("Promotion Viewed", "Promotion Clicked")
    )

    assert seen == {person for person, variation in variations(reading).items() if variation == "treatment"}
    assert clicked < seen
    assert len(clicked) > len(seen) / 4


def test_in_the_experiment_home_supplies_are_bought_after_the_exposure_and_after_a_look(reading):
    exposed = {
        reading.person[each["messageId"]]: time_of(each) for each in reading.events("Experiment Viewed")
    }
    looked = {
        view.person: view.at
        for view in reading.views
        if view.person in exposed and view.at >= END and view.category == HOME
    }
    taking_part = [row for row in reading.purchases if row.person in exposed and row.at >= END]
    bought = [row for row in taking_part if row.category == HOME]

    assert len(bought) < len(taking_part), "in the other departments they go on buying"
    assert all(
        exposed[row.person] < looked[row.person] < row.at < looked[row.person] + WEEK for row in bought
    )
    assert len({row.person for row in bought}) == len(bought) < len(looked) < len(exposed)


def test_over_several_seeds_a_tenth_of_the_controls_and_a_quarter_of_the_treated_buy():
    exposed, buyers = Counter(), Counter()
    for seed in SEEDS:
        reading = Reading(list(store_events(people=1_000, seed=seed, promotion=True)))
        bought = {row.person for row in reading.purchases if row.at >= END and row.category == HOME}
        for person, variation in variations(reading).items():
            exposed[variation] += 1
            buyers[variation] += person in bought

    assert sum(exposed.values()) == 265 * len(SEEDS)
    assert 0.46 < exposed["treatment"] / sum(exposed.values()) < 0.54
    assert 0.07 < buyers["control"] / exposed["control"] < 0.13
    assert 0.21 < buyers["treatment"] / exposed["treatment"] < 0.29


def test_everybody_goes_on_looking_and_buying_in_every_week(reading):
    weeks = [
        {(row.at - END) // WEEK for row in rows if row.at >= END and row.category != HOME}
        for rows in (reading.views, reading.purchases)
    ]

    assert all({0, 1, 2} <= found for found in weeks)


def test_no_id_of_a_person_changes_after_the_sixty_days(before, after):
    known = Reading(before).person
    later = Reading([*before, *after]).person

    assert {later[message_id] for message_id in known} == set(known.values()) == set(later.values())
    assert any(each["userId"] is None for each in after if each.get("event") == "Order Completed")


def test_every_message_keeps_the_schemas(after):
    for message in after:
        assert not SCHEMAS.check(message, message.get("event"), message["type"]).violations
