"""The sample store: its figures by an independent reading, other readings, and its messages."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from itertools import pairwise

import orjson
import pytest
from schema_samples import SCHEMAS
from store_reading import WEEK, Reading, Step, not_held, price_per_unit, rows_by_rows, time_of, unordered
from store_shops import FUN, HOME, PER_1000, SHOPS, messages_of, name_of, reading_of

from connector.sample import store_events

DAY = timedelta(days=1)
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(params=SHOPS, ids=name_of)
def shop(request):
    return request.param


@pytest.fixture
def messages(shop):
    return messages_of(*shop)


@pytest.fixture
def reading(shop):
    return reading_of(*shop)


def rate(step):
    return round(100 * step.converted / step.viewers, 2)


# The figures


def test_every_category_has_its_viewers_and_converts_exactly_its_people(reading, shop):
    scale = shop[1] // 1_000
    expected = {name: Step(c * scale, v * scale) for name, (c, v, *_) in PER_1000.items()}
    expected["Toys"] = Step(265 * scale // 2, 300 * scale)

    assert reading.funnel() == expected
    assert (rate(reading.funnel()[HOME]), rate(reading.funnel()[FUN])) == (40.45, 39.71)


def test_the_mean_price_of_every_category_is_exact_and_so_is_its_rank(reading, shop):
    for name, (*_, rows, mean) in PER_1000.items():
        assert len(reading.of(name)) == rows * shop[1] // 1_000
        assert reading.average_price(name) == Decimal(mean)
    assert reading.ranks() == {name: rank for rank, name in enumerate(PER_1000, 1)}


def test_the_drop_off_cohort_is_who_looked_at_home_supplies_and_did_not_convert(reading, shop):
    assert len(reading.dropped(HOME)) == 265 * shop[1] // 1_000


def test_the_default_store_has_the_figures_that_are_quoted():
    reading = Reading(list(store_events()))

    assert reading.funnel()[HOME] == (360, 890)
    assert reading.funnel()[FUN] == (270, 680)
    assert len(reading.dropped(HOME)) == 530
    assert (len(reading.of(HOME)), len(reading.of(FUN))) == (640, 560)


@pytest.mark.parametrize(("seed", "days"), [(-7, 30), (2**70, 41), (4, 120)])
def test_the_figures_are_the_same_for_any_seed_and_enough_days(seed, days):
    reading = Reading(list(store_events(people=1, seed=seed, days=days)))

    assert {name: (*step, len(reading.of(name))) for name, step in reading.funnel().items()} == {
        name: (converted, viewers, rows) for name, (converted, viewers, rows, _) in PER_1000.items()
    }


# Other readings give other figures


def test_following_every_entry_counts_those_who_looked_again(reading, shop):
    scale = shop[1] // 1_000

    assert reading.funnel(every=True)[HOME] == (190 * scale, 445 * scale)
    assert reading.funnel(every=True)[FUN] == (145 * scale, 340 * scale)


def test_a_window_of_thirty_days_counts_those_who_bought_late(reading, shop):
    scale = shop[1] // 1_000

    assert reading.funnel(30 * DAY)[HOME] == (190 * scale, 445 * scale)
    assert reading.funnel(30 * DAY)[FUN] == (145 * scale, 340 * scale)


def test_a_window_of_one_day_loses_most(reading):
    assert all(5 < rate(reading.funnel(DAY)[name]) < 20 for name in (HOME, FUN))


def test_buyers_by_viewers_counts_those_who_never_looked(reading):
    assert unordered(reading, HOME) == Fraction(205, 445)
    assert unordered(reading, FUN) == Fraction(160, 340)


def test_without_the_category_held_most_convert(reading):
    assert all(0.7 < not_held(reading, name) < 0.95 for name in (HOME, FUN))


def test_rows_by_rows_is_no_conversion(reading):
    assert rows_by_rows(reading, HOME) == Fraction(320, 455)
    assert rows_by_rows(reading, FUN) == Fraction(280, 350)


def test_without_stitching_more_than_half_of_the_converted_are_lost(messages, shop):
    torn = Reading(messages, stitched=False).funnel()

    assert all(torn[name].viewers > PER_1000[name][1] * shop[1] // 1_000 for name in (HOME, FUN))
    assert all(12 < rate(torn[name]) < 23 for name in (HOME, FUN))


def test_the_price_of_a_unit_is_not_the_price_of_a_row(reading):
    for name in (HOME, FUN):
        assert round(price_per_unit(reading, name), 2) != Decimal(PER_1000[name][3])


def test_with_duplicates_there_are_more_rows_and_another_average(messages, shop):
    counted_again = Reading(messages, once=False)

    for name in (HOME, FUN):
        assert len(counted_again.of(name)) > PER_1000[name][2] * shop[1] // 1_000
        assert round(counted_again.average_price(name), 2) != Decimal(PER_1000[name][3])


# The messages


def test_everything_happens_and_arrives_within_the_days_and_no_window_is_cut(messages, reading):
    assert all(time_of(each) >= START and time_of(each, "receivedAt") < END for each in messages)
    assert all(entry + WEEK < END for (entry,) in reading.entries().values())
    assert all(first["receivedAt"] <= second["receivedAt"] for first, second in pairwise(messages))


def test_every_message_keeps_the_schemas(messages):
    for message in messages:
        assert not SCHEMAS.check(message, message.get("event"), message["type"]).violations


def test_every_message_has_the_whole_envelope_and_its_four_times_agree(messages):
    for message in messages:
        assert message["type"] in {"page", "track", "identify"}
        assert message["anonymousId"]
        assert message["context"]["library"].keys() == {"name", "version"}
        assert {"userId", "integrations", "version", "channel", "projectId", "_metadata"} <= message.keys()
        waited = time_of(message, "sentAt") - time_of(message, "originalTimestamp")
        assert time_of(message) == time_of(message, "receivedAt") - waited


def test_the_store_is_the_same_on_every_machine_and_in_every_release():
    """Figures are quoted from it: whoever changes this digest changes them."""
    lines = b"\n".join(map(orjson.dumps, store_events(people=1_000)))

    assert blake2b(lines, digest_size=16).hexdigest() == "42e5e5a7098d309a72a258d717856c70"


def test_another_seed_is_other_people():
    ids = [{message["anonymousId"] for message in messages_of(seed, 1_000)} for seed in (20, 21)]

    assert ids[0].isdisjoint(ids[1])


def test_people_are_rounded_up_to_a_thousand_and_the_first_day_is_free():
    moved = list(store_events(people=3, first_day=date(2024, 2, 1)))

    assert len({message["anonymousId"] for message in moved}) == 1_000
    assert [message.get("event") for message in moved] == [
        message.get("event") for message in messages_of(20, 1_000)
    ]
    assert min(map(time_of, moved)) - datetime(2024, 2, 1, tzinfo=UTC) < DAY


@pytest.mark.parametrize("wrong", [{"people": 0}, {"days": 29}])
def test_too_few_people_or_days_are_refused_before_the_first_message(wrong):
    with pytest.raises(ValueError, match="people >= 1 and days >= 30"):
        store_events(**wrong)
