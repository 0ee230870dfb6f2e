"""The sample shop's messages: as many as asked, the same every time, and as Segment would send them."""

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.sample import sample_events
from connector.sample.shop import CATEGORIES

SPEC_EVENTS = {
    *(
        "Products Searched",
        "Product List Viewed",
        "Product List Filtered",
        "Promotion Viewed",
        "Promotion Clicked",
    ),
    *(
        "Product Clicked",
        "Product Viewed",
        "Product Added",
        "Product Removed",
        "Cart Viewed",
        "Checkout Started",
    ),
    *("Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered", "Order Updated"),
    *(
        "Order Completed",
        "Order Refunded",
        "Order Cancelled",
        "Coupon Entered",
        "Coupon Applied",
        "Coupon Denied",
    ),
    *("Coupon Removed", "Product Added to Wishlist", "Product Removed from Wishlist"),
    *("Wishlist Product Added to Cart", "Product Shared", "Cart Shared", "Product Reviewed"),
}
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def messages():
    return list(sample_events(events=5_000))


@pytest.fixture(scope="module")
def orders(messages):
    return [message["properties"] for message in messages if message.get("event") == "Order Completed"]


def compact(message):
    return json.dumps(message, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def time_of(text):
    assert text.endswith("Z")
    assert len("2026-01-01T00:00:00.000Z") == len(text)
    return datetime.fromisoformat(text)


def exact(number):
    return Decimal(str(number))


def by_event(messages, event):
    return [message for message in messages if message.get("event") == event]


@settings(deadline=None, max_examples=25)
@given(
    events=st.integers(0, 300),
    seed=st.integers(-(2**70), 2**70),
    days=st.integers(1, 40),
    duplicates=st.floats(0, 1),
)
def test_any_arguments_give_exactly_the_number_asked_for_within_the_days(events, seed, days, duplicates):
    first_day = date(2024, 2, 27)

    made = list(
        sample_events(events=events, seed=seed, first_day=first_day, days=days, duplicates=duplicates)
    )

    start = datetime(2024, 2, 27, tzinfo=UTC)
    assert events == len(made)
    assert all(start <= time_of(message["timestamp"]) < start + days * DAY for message in made)
    assert all(a["receivedAt"] <= b["receivedAt"] for a, b in pairwise(made))


def test_the_same_arguments_give_the_same_messages(messages):
    again = list(sample_events(events=5_000))

    assert [compact(message) for message in messages] == [compact(message) for message in again]


def test_another_seed_gives_other_people_and_other_messages(messages):
    others = list(sample_events(events=500, seed=21))

    for key in ("messageId", "anonymousId"):
        assert {message[key] for message in messages}.isdisjoint(message[key] for message in others)


def test_the_default_shop_is_the_same_on_every_machine_and_in_every_release():
    """Figures are quoted from the sample: whoever changes this digest changes them all."""
    lines = "\n".join(compact(message) for message in sample_events(events=1_000))

    assert blake2b(lines.encode(), digest_size=16).hexdigest() == "7ca15c8f957417eddca22c9b8edfea74"


@pytest.mark.parametrize(
    "wrong",
    [{"events": -1}, {"days": 0}, {"duplicates": -0.1}, {"duplicates": 1.1}, {"duplicates": float("nan")}],
)
def test_a_number_out_of_range_is_refused_before_the_first_message(wrong):
    with pytest.raises(ValueError, match="events >= 0, days >= 1 and duplicates"):
        sample_events(**{"events": 10, **wrong})


def test_messages_are_json_of_about_two_kilobytes(messages):
    sizes = [len(compact(message).encode()) for message in messages]

    assert all(message == json.loads(compact(message)) for message in messages[:200])
    assert 1_600 < sum(sizes) / len(sizes) < 2_600
    assert max(sizes) < 32_768


def test_without_duplicates_every_message_id_occurs_once(messages):
    ids = [message["messageId"] for message in messages]

    assert len(ids) == len(set(ids))
    assert all(1 <= len(text) <= 100 for text in ids)


def test_a_share_of_the_messages_is_sent_again_later_with_the_same_id_and_time():
    copies = defaultdict(list)
    for message in sample_events(events=6_000, duplicates=0.1):
        copies[message["messageId"]].append(message)

    repeated = [pair for pair in copies.values() if len(pair) > 1]

    assert 0.08 < len(repeated) / len(copies) < 0.12
    for first, second in repeated:
        assert first["sentAt"] < second["sentAt"]
        assert first["receivedAt"] < second["receivedAt"]
        moved = {"sentAt": second["sentAt"], "receivedAt": second["receivedAt"]}
        assert second == {**first, **moved}


def test_every_message_obeys_the_formula_of_the_four_times(messages):
    for message in messages:
        original, sent, received, timestamp = (
            time_of(message[key]) for key in ("originalTimestamp", "sentAt", "receivedAt", "timestamp")
        )
        assert timestamp == received - (sent - original)
        assert original <= sent


def test_some_device_clocks_are_wrong_and_the_timestamp_corrects_them(messages):
    off = [
        message
        for message in messages
        if abs(time_of(message["originalTimestamp"]) - time_of(message["timestamp"])) > timedelta(minutes=5)
    ]

    assert 0.005 < len(off) / len(messages) < 0.08


def test_every_message_has_the_whole_envelope(messages):
    for message in messages:
        assert message["type"] in {"track", "page", "screen", "identify", "group", "alias"}
        assert message["anonymousId"]
        assert message["context"]["library"].keys() == {"name", "version"}
        assert {"userId", "integrations", "version", "channel", "projectId", "_metadata"} <= message.keys()


def test_browsers_have_a_page_and_phones_a_device(messages):
    for message in messages:
        context = message["context"]
        assert ("page" in context) == (message["channel"] == "client")
        assert ({"device", "os", "app", "network"} <= context.keys()) == (message["channel"] == "mobile")
    assert {"page", "screen"} == {m["type"] for m in messages if m["type"] in ("page", "screen")}
    assert any("campaign" in message["context"] for message in messages)
    assert any("userAgentData" in message["context"] for message in messages)


def test_all_six_calls_and_at_least_fifteen_ecommerce_events_occur(messages):
    events = {message["event"] for message in messages if message["type"] == "track"}

    assert {"track", "page", "screen", "identify", "group", "alias"} == {m["type"] for m in messages}
    assert len(events) >= 15
    assert events <= SPEC_EVENTS


def test_about_one_message_in_twelve_is_an_order_of_three_or_four_products(messages, orders):
    lines = [len(order["products"]) for order in orders]

    assert 0.07 < len(orders) / len(messages) < 0.095
    assert set(range(1, 9)) == set(lines)
    assert 3.1 < sum(lines) / len(lines) < 3.7


def test_the_money_of_every_order_adds_up(orders):
    for order in orders:
        items = sum(exact(line["price"]) * line["quantity"] for line in order["products"])
        amounts = {
            key: exact(order[key]) for key in ("subtotal", "revenue", "discount", "tax", "shipping", "total")
        }
        assert amounts["subtotal"] == amounts["revenue"] == items - amounts["discount"]
        assert amounts["total"] == amounts["subtotal"] + amounts["tax"] + amounts["shipping"]
        assert all(amount >= 0 and amount == round(amount, 2) for amount in amounts.values())
        assert (amounts["discount"] > 0) == ("coupon" in order)


def test_most_orders_are_in_dollars_and_a_few_in_euros(orders):
    currencies = Counter(order["currency"] for order in orders)

    assert {"USD", "EUR"} == set(currencies)
    assert 0.01 < currencies["EUR"] / len(orders) < 0.15


def test_orders_hold_different_products_of_several_categories(orders):
    for order in orders:
        ids = [line["product_id"] for line in order["products"]]
        assert len(ids) == len(set(ids))
    assert any(len({line["category"] for line in order["products"]}) >= 3 for order in orders)


def test_an_order_says_what_its_checkout_said(messages, orders):
    checkouts = {m["properties"]["order_id"]: m["properties"] for m in by_event(messages, "Checkout Started")}

    assert len(orders) == len({order["order_id"] for order in orders})
    for order in orders:
        checkout = checkouts[order["order_id"]]
        shared = order.keys() & checkout.keys()
        assert {"revenue", "tax", "shipping", "discount", "currency", "products"} <= shared
        assert {key: order[key] for key in shared} == {key: checkout[key] for key in shared}
        assert order["total"] == checkout["value"]


def test_a_refund_follows_its_order_and_never_exceeds_it(messages, orders):
    completed = {order["order_id"]: order for order in orders}
    refunds = [message["properties"] for message in by_event(messages, "Order Refunded")]

    assert refunds
    for refund in refunds:
        order = completed[refund["order_id"]]
        assert 0 < exact(refund["total"]) <= exact(order["total"])
        assert refund["currency"] == order["currency"]
        assert all(line in order["products"] for line in refund["products"])


def test_the_discount_of_a_coupon_is_the_discount_of_its_order(messages, orders):
    discounts = {
        order["order_id"]: (order["coupon"], order["discount"]) for order in orders if "coupon" in order
    }
    applied = {
        m["properties"]["order_id"]: (m["properties"]["coupon_id"], m["properties"]["discount"])
        for m in by_event(messages, "Coupon Applied")
    }

    assert discounts
    assert discounts.items() <= applied.items()


def test_the_shop_has_two_hundred_products_in_eight_categories_at_fixed_prices(messages):
    cards = [product.card for category in CATEGORIES for product in category.products]
    prices = {card["product_id"]: card["price"] for card in cards}
    seen = [line for m in messages for line in m.get("properties", {}).get("products", [])]

    assert (len(CATEGORIES), len(cards)) == (8, 200)
    for key in ("product_id", "sku", "name", "url", "image_url"):
        assert len(cards) == len({card[key] for card in cards})
    assert all(line["price"] == prices[line["product_id"]] for line in seen)


def test_an_anonymous_id_belongs_to_one_user_and_a_user_to_one_anonymous_id(messages):
    users, devices = defaultdict(set), defaultdict(set)
    for message in messages:
        if message["userId"]:
            users[message["anonymousId"]].add(message["userId"])
            devices[message["userId"]].add(message["anonymousId"])

    assert users
    assert all(len(found) == 1 for found in [*users.values(), *devices.values()])


def test_who_signed_in_once_stays_signed_in(messages):
    known = set()
    for message in sorted(messages, key=lambda message: message["timestamp"]):
        if message["channel"] != "server":
            assert message["userId"] or message["anonymousId"] not in known
        if message["userId"]:
            known.add(message["anonymousId"])


def test_identify_group_and_alias_say_what_they_must(messages):
    companies = defaultdict(list)
    for message in messages:
        if message["type"] in ("identify", "group", "alias"):
            assert message["userId"]
        if message["type"] == "identify":
            assert {"email", "firstName", "lastName"} <= message["traits"].keys()
        if message["type"] == "group":
            companies[message["groupId"]].append(message["traits"])
        if message["type"] == "alias":
            assert message["previousId"] == message["anonymousId"]

    assert all(traits == found[0] for found in companies.values() for traits in found)


def test_people_come_back_and_visits_overlap(messages):
    days = defaultdict(set)
    for message in messages:
        if message["channel"] != "server":
            days[message["anonymousId"]].add(message["timestamp"][:10])
    changes = sum(a["anonymousId"] != b["anonymousId"] for a, b in pairwise(messages))

    assert sum(len(found) > 1 for found in days.values()) > len(days) / 10
    assert changes > len(days)


def test_all_days_get_about_their_share(messages):
    shares = Counter(message["timestamp"][:10] for message in messages)

    assert len(shares) == 10
    assert all(400 < count < 600 for count in shares.values())


def test_the_first_messages_come_before_the_last_are_made():
    """A generator of ten million hands out the first at once."""
    endless = sample_events(events=10_000_000_000)

    assert len([next(endless) for _ in range(100)]) == 100
