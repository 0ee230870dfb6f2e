"""The people of the sample store: what each of them does, and the traps for whoever counts them."""

import re
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from store_reading import links, money, time_of
from store_shops import HOME, SHOPS, messages_of, name_of, reading_of

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
A_MOMENT = timedelta(seconds=1)
"""The network takes up to 240 ms, and the timestamp counts them in."""


@pytest.fixture(params=SHOPS, ids=name_of)
def shop(request):
    return request.param


@pytest.fixture
def messages(shop):
    return messages_of(*shop)


@pytest.fixture
def reading(shop):
    return reading_of(*shop)


def by_person(reading, *events):
    """Each person's messages of these kinds in the order of time."""
    found = defaultdict(list)
    for message in sorted(reading.messages, key=time_of):
        if message.get("event", message["type"]) in events:
            found[reading.person[message["messageId"]]].append(message)
    return found


# The traps


def test_about_one_message_in_a_hundred_is_sent_again_and_arrives_later(messages):
    copies = defaultdict(list)
    for message in messages:
        copies[message["messageId"]].append(message)
    repeated = [pair for pair in copies.values() if len(pair) > 1]

    assert 0.008 < len(repeated) / len(copies) < 0.012
    for first, second in repeated:
        assert first["receivedAt"] < second["receivedAt"]
        assert second == {**first, "sentAt": second["sentAt"], "receivedAt": second["receivedAt"]}


def test_six_in_ten_browse_before_they_are_known_and_are_linked_by_an_identify_call(reading):
    people = by_person(reading, "page", "identify")
    unknown = [calls for calls in people.values() if calls[0]["userId"] is None]
    identified = [calls for calls in unknown if len(calls) > 1]

    assert 0.55 < len(unknown) / len(people) < 0.65
    assert len(identified) > len(unknown) / 2
    assert {calls[1]["type"] for calls in identified} == {"identify"}
    assert len(set(links(reading.messages).values())) == len(links(reading.messages))


def test_who_buys_late_looks_again_an_hour_before_on_the_eighth_day(reading, shop):
    looked = defaultdict(list)
    for view in reading.views:
        looked[view.person, view.category].append(view.at)
    again = {key: times for key, times in looked.items() if len(times) > 1}
    orders = defaultdict(set)
    for row in reading.purchases:
        orders[row.person, row.category].add(row.at)

    assert len(again) == 65 * shop[1] // 1_000
    assert Counter(category for _, category in again)[HOME] == 10 * shop[1] // 1_000
    for key, (first, second) in again.items():
        (bought,) = orders[key]
        assert 8 * DAY - HOUR < bought - first < 9 * DAY
        assert MINUTE * 55 < bought - second < MINUTE * 65


def test_some_buy_what_they_never_looked_at(reading, shop):
    looked = {(view.person, view.category) for view in reading.views}
    bought = {(row.person, row.category) for row in reading.purchases}

    assert Counter(category for _, category in bought - looked)[HOME] == 15 * shop[1] // 1_000
    assert len(bought - looked) == 110 * shop[1] // 1_000


def test_orders_mix_categories_and_quantities_are_one_to_three(reading):
    orders = [each["properties"]["products"] for each in reading.events("Order Completed")]

    assert sum(len({line["category"] for line in lines}) > 1 for lines in orders) > len(orders) / 5
    assert all(len({line["product_id"] for line in lines}) == len(lines) for lines in orders)
    quantities = Counter(line["quantity"] for lines in orders for line in lines)
    assert set(quantities) == {1, 2, 3}
    assert max(quantities.values()) < 1.2 * min(quantities.values())


# What one person does


def test_everybody_opens_one_page_and_every_third_sees_a_promotion_that_half_of_them_click(reading, shop):
    count = Counter(each.get("event", each["type"]) for each in reading.messages)
    sees = -(-shop[1] // 3)

    assert (count["page"], len(by_person(reading, "page"))) == (shop[1], shop[1])
    assert (count["Promotion Viewed"], count["Promotion Clicked"]) == (sees, -(-sees // 2))


def test_a_list_comes_before_every_first_look(reading):
    lists = {
        (reading.person[each["messageId"]], each["properties"]["category"]): time_of(each)
        for each in reading.events("Product List Viewed")
    }

    assert lists.keys() == reading.entries().keys()
    assert all(lists[key] < entry for key, (entry,) in reading.entries().items())


def test_every_buyer_and_half_of_the_others_identify_twenty_minutes_after_the_start(reading):
    arrived, identified = by_person(reading, "page"), by_person(reading, "identify")
    buyers = {row.person for row in reading.purchases}
    others = arrived.keys() - buyers

    assert buyers <= identified.keys()
    assert 0.38 < len(others & identified.keys()) / len(others) < 0.62
    for person, (identify,) in identified.items():
        assert abs(time_of(identify) - time_of(arrived[person][0]) - 20 * MINUTE) < A_MOMENT


def test_an_order_follows_its_cart_and_its_checkout(reading):
    for events in by_person(reading, "Product Added", "Checkout Started", "Order Completed").values():
        while events:
            size = next(place for place, each in enumerate(events) if each["event"] == "Order Completed")
            *added, checkout, order = (each["properties"] for each in events[: size + 1])
            lines = [{key: line[key] for key in line if key != "cart_id"} for line in added]
            assert lines == order["products"] == checkout["products"]
            assert (checkout["order_id"], checkout["value"]) == (order["order_id"], order["total"])
            del events[: size + 1]


def test_first_orders_come_within_three_days_and_others_on_set_days_after(reading):
    arrived = by_person(reading, "page")
    days_after = Counter()
    for person, orders in by_person(reading, "Order Completed").items():
        first, *others = (time_of(order) for order in orders)
        after = first - time_of(arrived[person][0])
        assert 30 * MINUTE - A_MOMENT < after < 3 * DAY + A_MOMENT or 8 * DAY <= after < 9 * DAY + A_MOMENT
        days_after.update((at - first).days for at in others if (at - first).days > 9)

    assert set(days_after) == {11, 14, 17, 20}


def test_the_money_of_an_order_is_dollars_and_adds_up(reading):
    for order in (each["properties"] for each in reading.events("Order Completed")):
        items = sum(money(line["price"]) * line["quantity"] for line in order["products"])
        assert money(order["revenue"]) == money(order["subtotal"]) == items
        assert money(order["total"]) == items + money(order["tax"]) + money(order["shipping"])
        assert order["currency"] == "USD"


def test_one_order_in_twenty_gets_the_price_of_its_first_item_back_after_two_days(reading):
    orders = {each["properties"]["order_id"]: each for each in reading.events("Order Completed")}
    refunds = reading.events("Order Refunded")

    assert 0.03 < len(refunds) / len(orders) < 0.07
    for refund in refunds:
        order = orders.pop(refund["properties"]["order_id"])
        first = order["properties"]["products"][0]
        assert refund["properties"]["total"] == first["price"]
        assert refund["properties"]["products"] == [{**first, "quantity": 1}]
        assert abs(time_of(refund) - time_of(order) - 2 * DAY) < A_MOMENT


def test_who_identifies_can_be_reached_by_an_address_and_a_number_kept_for_documentation(reading, shop):
    traits = [each["traits"] for each in reading.messages if each["type"] == "identify"]

    assert all(
        each["email"].endswith("@example.com") and each["firstName"] and each["lastName"] for each in traits
    )
    for each in traits:
        assert re.fullmatch(r"\+1[2-9][0-9]{2}55501[0-9]{2}", each["phone"])
    for key in ("email", "phone"):
        assert len({each[key] for each in traits}) == len(traits)
    for key in ("smsConsent", "emailConsent"):
        assert 0.4 < sum(each[key] is True for each in traits) / len(traits) < 0.9
        assert {each[key] for each in traits} == {True, False}
