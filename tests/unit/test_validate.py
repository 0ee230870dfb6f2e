"""What a schema check finds in an event, what it costs, and what it never tells."""

from __future__ import annotations

from typing import Any

import pytest
from schema_samples import ABSENT, CALLS, EVENT_FILES, SCHEMAS, SECRET, changed, check, one

from connector.events import Violation
from connector.validate import MAX_VIOLATIONS, VALID, compile_schemas

# What is right


@pytest.mark.parametrize("name", CALLS)
def test_every_example_is_valid_by_both_validators(name: str) -> None:
    event = CALLS[name]

    assert SCHEMAS.check(event, event.get("event"), event["type"]) is VALID
    assert SCHEMAS.explain(event, event.get("event"), event["type"]) == []


def test_the_28_ecommerce_events_and_the_six_call_types_have_a_schema_of_their_own() -> None:
    assert SCHEMAS.event_names == tuple(sorted(CALLS[path.stem]["event"] for path in EVENT_FILES))
    assert len(SCHEMAS.event_names) == 28
    assert SCHEMAS.call_types == ("alias", "group", "identify", "page", "screen", "track")


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("order_completed", "context", None),
        ("order_completed", "context", []),
        ("order_completed", "integrations", []),
        ("order_completed", "anonymousId", None),
        ("order_completed", "properties/coupon", None),
        ("order_completed", "properties/currency", "usd"),
        ("order_completed", "properties/gift_note", {"to": "Tomas"}),
        ("order_completed", "properties/products/0/price", 0),
        ("order_completed", "properties/products/0/quantity", 0.35),
        ("order_completed", "properties/products/0/product_id", ABSENT),
        ("order_completed", "sentAt", "2026-03-14T17:10:29.824123+00:00"),
        ("order_completed", "version", "1.1"),
        ("order_refunded", "properties/total", -47.14),
        ("order_refunded", "properties/products", []),
        ("product_list_viewed", "properties/products", []),
        ("product_viewed", "properties/sku", ""),
        ("order_cancelled", "properties/products", ABSENT),
        ("product_list_filtered", "properties/filters", None),
        ("product_list_filtered", "properties/products", []),
        ("products_searched", "properties/query", {"text": "lamp"}),
        ("promotion_viewed", "properties/promotion_id", ABSENT),
        ("promotion_viewed", "properties/position", 2),
        ("coupon_denied", "properties/coupon_id", ABSENT),
        ("payment_info_entered", "properties/step", ABSENT),
        ("cart_viewed", "properties/products", []),
        ("product_reviewed", "properties/rating", 4.5),
        ("page", "category", None),
        ("page", "properties", None),
        ("page", "properties/keywords", ["lamp", "brass"]),
        ("screen", "name", ABSENT),
        ("identify", "traits", None),
        ("identify", "traits/birthday", "1984-06-02"),
        ("identify", "traits/shoe_size", 39),
        ("identify", "userId", None),
        ("group", "traits/employees", "10-50"),
        ("group", "userId", None),
        ("delete", "context", []),
    ],
)
def test_what_the_spec_leaves_open_is_no_violation(name: str, place: str, value: Any) -> None:
    assert check(changed(name, place, value)) == []


def test_an_event_without_a_schema_is_held_to_the_envelope_alone() -> None:
    custom = changed("track_custom", "properties/order_id", 7)

    assert check(custom) == []
    assert check(custom | {"sentAt": "yesterday"}) == [("/sentAt", "format", "string")]


# What deviates


@pytest.mark.parametrize(
    ("name", "path", "value", "rule", "got_type"),
    [
        ("order_completed", "/properties/revenue", "112.50", "type", "string"),
        ("order_completed", "/properties/revenue", ABSENT, "required", "missing"),
        ("order_completed", "/properties/order_id", 88207, "type", "integer"),
        ("order_completed", "/properties/order_id", "", "minLength", "string"),
        ("order_completed", "/properties/order_id", ABSENT, "required", "missing"),
        ("order_completed", "/properties/products", "Coupon", "type", "string"),
        ("order_completed", "/properties/products", [], "minItems", "array"),
        ("order_completed", "/properties/products/1", None, "type", "null"),
        ("order_completed", "/properties/products/0", {"price": 64, "quantity": 1}, "anyOf", "object"),
        ("order_completed", "/properties/products/0/price", "64.00", "type", "string"),
        ("order_completed", "/properties/products/0/price", None, "not", "null"),
        ("order_completed", "/properties/products/2/quantity", ABSENT, "required", "missing"),
        ("order_completed", "/properties/products/2/quantity", -2, "minimum", "integer"),
        ("order_completed", "/properties/currency", "$", "pattern", "string"),
        ("order_completed", "/properties/currency", ABSENT, "dependentRequired", "missing"),
        ("order_completed", "/properties/tax", -9.5, "minimum", "number"),
        ("checkout_started", "/properties/products", ABSENT, "required", "missing"),
        ("checkout_started", "/properties/value", "126.50", "type", "string"),
        ("order_refunded", "/properties/order_id", ABSENT, "required", "missing"),
        ("order_refunded", "/properties/currency", 840, "type", "integer"),
        ("product_list_viewed", "/properties/products", ABSENT, "required", "missing"),
        ("product_list_viewed", "/properties/products/1/category", ["Lamps"], "type", "array"),
        ("product_added", "/properties/quantity", True, "type", "boolean"),
        ("product_added", "/properties/cart_id", 901, "type", "integer"),
        ("product_viewed", "/properties", {"name": "Brass Reading Lamp"}, "anyOf", "object"),
        ("product_viewed", "/properties", ABSENT, "required", "missing"),
        ("page", "/timestamp", 1773507602, "type", "integer"),
        ("delete", "/originalTimestamp", "2026-06-30 10:47:15.3 +0000 UTC", "format", "string"),
        ("identify", "/userId", 48213, "type", "integer"),
        ("identify", "/type", "idenfity", "enum", "string"),
        ("identify", "/context", ["web"], "maxItems", "array"),
        ("identify", "/context/page", "/account", "type", "string"),
        ("order_updated", "/properties/order_id", ABSENT, "required", "missing"),
        ("order_updated", "/properties/products/0/price", ABSENT, "required", "missing"),
        ("order_cancelled", "/properties/currency", ABSENT, "dependentRequired", "missing"),
        ("products_searched", "/properties/query", ABSENT, "required", "missing"),
        ("product_list_filtered", "/properties/sorts", "price", "type", "string"),
        ("product_list_filtered", "/properties/filters/0/value", 75, "type", "integer"),
        ("promotion_clicked", "/properties", {"creative": "banner_brass_01"}, "anyOf", "object"),
        ("product_clicked", "/properties/position", "2", "type", "string"),
        ("cart_viewed", "/properties/products", ABSENT, "required", "missing"),
        ("checkout_step_viewed", "/properties/step", "1", "type", "string"),
        ("checkout_step_completed", "/properties/step", ABSENT, "required", "missing"),
        ("coupon_entered", "/properties", {"cart_id": "crt_90d1"}, "anyOf", "object"),
        ("coupon_applied", "/properties/discount", "12.50", "type", "string"),
        ("product_added_to_wishlist", "/properties/wishlist_id", 3307, "type", "integer"),
        ("product_shared", "/properties/recipient", ["a@example.com"], "type", "array"),
        ("cart_shared", "/properties/products", "prd_2041", "type", "string"),
        ("track_custom", "/event", ABSENT, "required", "missing"),
        ("track_custom", "/event", "", "minLength", "string"),
        ("track_custom", "/event", None, "type", "null"),
        ("track_custom", "/event", 7, "type", "integer"),
        ("track_custom", "/properties/revenue", "12.50", "type", "string"),
        ("identify", "/userId", ["usr_48213"], "type", "array"),
        ("identify", "/traits/email", ["ines.okafor@example.com"], "type", "array"),
        ("identify", "/traits/age", "41", "type", "string"),
        ("identify", "/traits/address/postalCode", 97205, "type", "integer"),
        ("identify", "/traits/createdAt", "yesterday", "pattern", "string"),
        ("identify", "/traits/company", "Fernhill", "type", "string"),
        ("group", "/groupId", ABSENT, "required", "missing"),
        ("group", "/traits/name", 12, "type", "integer"),
        ("alias", "/previousId", "", "minLength", "string"),
        ("alias", "/userId", 48213, "type", "integer"),
        ("page", "/properties/url", {"href": "/"}, "type", "object"),
        ("page", "/properties/keywords", "lamp", "type", "string"),
        ("screen", "/properties/name", 1, "type", "integer"),
    ],
)
def test_a_believable_deviation_is_one_violation_at_its_place(
    name: str, path: str, value: Any, rule: str, got_type: str
) -> None:
    event = changed(name, path.removeprefix("/"), value)

    [violation] = SCHEMAS.check(event, CALLS[name].get("event"), CALLS[name]["type"]).violations

    assert (violation.path, violation.rule, violation.got_type) == (path, rule, got_type)


def test_a_call_about_nobody_is_one_violation_of_the_whole_event() -> None:
    assert check(changed("delete", "userId", ABSENT)) == [("", "anyOf", "object")]


@pytest.mark.parametrize("name", ["identify", "page", "screen", "group", "track_custom", "order_completed"])
def test_a_call_needs_a_userid_or_an_anonymousid(name: str) -> None:
    event = changed(name, "userId", None) | {"anonymousId": ""}

    assert check(event) == [("", "anyOf", "object")]


def test_a_type_is_held_to_its_own_document_and_to_no_other() -> None:
    loose = {"userId": "usr_48213", "traits": {"email": 7}, "properties": {"url": 7}}

    assert [violation.path for violation in SCHEMAS.check(loose, None, "identify").violations] == [
        "/traits/email"
    ]
    assert [violation.path for violation in SCHEMAS.check(loose, None, "page").violations] == [
        "/properties/url"
    ]
    for nothing_of_its_own in ("delete", "screen", "idenfity", None):
        assert SCHEMAS.check(loose, None, nothing_of_its_own) is VALID


def test_a_name_alone_says_that_it_is_a_track_call() -> None:
    nameless = changed("track_custom", "event", ABSENT)

    assert SCHEMAS.check(nameless, "Size Guide Opened") == SCHEMAS.check(nameless, None, "track")
    assert SCHEMAS.check(nameless, "Size Guide Opened").violations != ()


def test_what_several_documents_say_of_a_place_is_said_once_by_the_nearest() -> None:
    own = {"x-call": "track", "properties": {"event": {"type": "string"}, "userId": {"minLength": 3}}}
    named = {"title": "Own", "properties": {"event": {"type": "string", "enum": ["Own"], "x-policy": "flag"}}}
    envelope = {"properties": {"event": {"type": ["string", "null"], "x-policy": "reject"}}}
    schemas = compile_schemas({"envelope.json": envelope, "track.json": own, "own.json": named})

    checked = schemas.check({"event": 7, "userId": "u"}, "Own")

    assert checked.violations == (
        Violation("/event", "enum", '["Own"]', "integer"),
        Violation("/event", "type", '"string"', "integer"),
        Violation("/userId", "minLength", "3", "string"),
    )
    assert checked.rejects is True, "the policy of the other document still counts"


def test_a_violation_quotes_the_schema() -> None:
    text_price = changed("order_completed", "properties/products/0/price", "64.00")
    no_key = changed("product_viewed", "properties", {"name": "Lamp"})

    assert SCHEMAS.check(text_price, "Order Completed").violations == (
        Violation("/properties/products/0/price", "type", '["number","null"]', "string"),
    )
    assert SCHEMAS.check(no_key, "Product Viewed").violations == (
        Violation(
            "/properties",
            "anyOf",
            '[{"$ref":"#/$defs/with_product_id"},{"$ref":"#/$defs/with_sku"}]',
            "object",
        ),
    )


def test_a_long_schema_text_is_cut_at_200_characters() -> None:
    schemas = one({"enum": [f"variant {number}" for number in range(100)]})

    [violation] = schemas.check({}, "Own").violations

    assert len(violation.expected) == 200
    assert violation.expected.startswith('["variant 0","variant 1",')


def test_violations_are_sorted_by_path_and_rule_whatever_the_order_of_keys() -> None:
    event = changed("order_completed", "properties/products", [{}, None])
    reordered = dict(reversed(event.items()))

    found = check(event)

    assert found == sorted(found)
    assert found == check(reordered)
    assert found[0] == ("/properties/products/0", "anyOf", "object")


def test_at_most_100_violations_are_listed() -> None:
    event = changed("order_completed", "properties/products", [None] * 500)

    assert len(SCHEMAS.check(event, "Order Completed").violations) == MAX_VIOLATIONS == 100


# What is never told


def test_a_key_that_no_schema_names_is_a_star_in_the_path() -> None:
    schemas = one({"additionalProperties": {"type": "string"}, "properties": {"a/b": {"type": "string"}}})

    checked = schemas.check({SECRET: 1, "a/b": 1}, "Own")

    assert [violation.path for violation in checked.violations] == ["/*", "/a~1b"]


@pytest.mark.parametrize("keyword", ["additionalProperties", "unevaluatedProperties"])
def test_a_refused_extra_key_is_not_named(keyword: str) -> None:
    schemas = one({keyword: False})

    assert schemas.check({SECRET: 1}, "Own").violations == (Violation("", keyword, "false", "object"),)


# What a person is told


def test_an_explanation_says_what_each_alternative_lacked() -> None:
    event = changed("product_viewed", "properties", {"name": "Lamp", "sku": None})

    assert SCHEMAS.explain(event, "Product Viewed") == [
        "/properties: anyOf: expected "
        '[{"$ref":"#/$defs/with_product_id"},{"$ref":"#/$defs/with_sku"}], found object',
        '  /properties/product_id: required: expected ["product_id"], found missing',
        '  /properties/sku: not: expected {"enum":[null,""]}, found null',
    ]
