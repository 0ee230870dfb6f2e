"""What a schema check finds in an event, what it costs, and what it never tells."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.events import Violation
from connector.schemas import read_schemas
from connector.validate import MAX_VIOLATIONS, VALID, Schemas, compile_schemas

EXAMPLES = Path(__file__).parents[2] / "examples"
CALLS = {path.stem: json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*/*.json"))}
EVENT_FILES = sorted(EXAMPLES.glob("events/*.json"))
SHIPPED = read_schemas()
SCHEMAS = compile_schemas(SHIPPED)
ABSENT = object()
SECRET = "mira.delgado@example.com"


def changed(name: str, place: str, value: Any) -> Any:
    """Return an example with one place set to a value, or taken out."""
    event = copy.deepcopy(CALLS[name])
    *outer, last = [int(token) if token.isdigit() else token for token in place.split("/")]
    holder = event
    for token in outer:
        holder = holder[token]
    if value is ABSENT:
        del holder[last]
    else:
        holder[last] = value
    return event


def check(event: Any, schemas: Schemas = SCHEMAS) -> list[tuple[str, str, str]]:
    checked = schemas.check(event, event.get("event"), event.get("type"))
    return [(violation.path, violation.rule, violation.got_type) for violation in checked.violations]


def one(schema: Any) -> Schemas:
    return compile_schemas({"own.json": {"title": "Own", **schema}})


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


# Policy


def test_shipped_schemas_only_flag() -> None:
    worst = {"properties": {"order_id": None, "products": [None], "revenue": "1"}}

    checked = SCHEMAS.check(worst, "Order Completed")

    assert (len(checked.violations) > 3, checked.rejects) == (True, False)


@pytest.mark.parametrize(
    ("policies", "event", "rejects"),
    [
        ({}, {"order": {"id": 1}}, False),
        ({"": "reject"}, {"order": {"id": 1}}, True),
        ({"": "reject", "order": "flag"}, {"order": {"id": 1}}, False),
        ({"": "reject", "order": "flag"}, {"order": "1"}, False),
        ({"": "reject", "order": "flag"}, {}, True),
        ({"order/id": "reject"}, {"order": {"id": 1}}, True),
        ({"order/id": "reject"}, {"order": {}}, False),
        ({"order": {"required": "reject"}}, {"order": {}}, True),
        ({"order": {"required": "reject"}}, {"order": {"id": 1}}, False),
        ({"": {"required": "reject"}}, {"order": {}}, True),
        ({"": {"required": "reject"}, "order": {"required": "flag"}}, {"order": {}}, False),
        ({"": "reject", "order": {"required": "flag"}}, {"order": {"id": 1}}, True),
    ],
)
def test_the_nearest_statement_of_a_policy_decides(
    policies: dict[str, Any], event: Any, rejects: bool
) -> None:
    def stating(place: str, schema: Any) -> Any:
        return {**schema, "x-policy": policies[place]} if place in policies else schema

    order_id = stating("order/id", {"type": "string"})
    order = stating("order", {"type": "object", "required": ["id"], "properties": {"id": order_id}})
    schemas = one(stating("", {"required": ["order"], "properties": {"order": order}}))

    checked = schemas.check(event, "Own")

    assert (len(checked.violations), checked.rejects) == (1, rejects)


def test_a_policy_holds_behind_a_reference_until_something_nearer_says_otherwise() -> None:
    part = {"properties": {"price": {"type": "number"}, "note": {"type": "string", "x-policy": "flag"}}}
    schemas = compile_schemas(
        {
            "part.json": {"$id": "urn:shop:part", **part},
            "own.json": {"title": "Own", "items": {"$ref": "urn:shop:part"}, "x-policy": "reject"},
        }
    )

    assert schemas.check([{"price": "1"}], "Own").rejects is True
    assert schemas.check([{"note": 1}], "Own").rejects is False


def test_one_rejecting_violation_rejects_even_beyond_the_listed_ones() -> None:
    schemas = one(
        {
            "properties": {
                "lines": {"items": {"type": "object"}},
                "zone": {"type": "string", "x-policy": "reject"},
            }
        }
    )

    checked = schemas.check({"lines": [1] * 200, "zone": 1}, "Own")

    assert "/zone" not in [violation.path for violation in checked.violations]
    assert checked.rejects is True


def test_a_user_makes_a_shipped_schema_reject_by_replacing_its_file(tmp_path: Path) -> None:
    own = SHIPPED["order_completed.json"] | {"x-policy": {"required": "reject"}}
    (tmp_path / "order_completed.json").write_text(json.dumps(own))
    schemas = compile_schemas(read_schemas(tmp_path))

    text_revenue = changed("order_completed", "properties/revenue", "112.50")
    without_products = changed("order_completed", "properties/products", ABSENT)

    assert schemas.check(text_revenue, "Order Completed").rejects is False
    assert schemas.check(without_products, "Order Completed").rejects is True


def test_a_folder_adds_an_event_makes_a_shipped_rule_reject_and_says_more_of_a_call_type(
    tmp_path: Path,
) -> None:
    order = copy.deepcopy(SHIPPED["order_completed.json"])
    order["properties"]["properties"]["properties"]["revenue"]["x-policy"] = "reject"
    order["properties"]["properties"]["x-policy"] = {"required": "reject"}
    gift = {"title": "Gift Wrapped", "properties": {"properties": {"required": ["paper"], "type": "object"}}}
    strict = copy.deepcopy(SHIPPED["identify.json"]) | {"required": ["userId"]}
    for name, document in {"order_completed": order, "gift_wrapped": gift, "identify": strict}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    schemas = compile_schemas(read_schemas(tmp_path))

    without_revenue = schemas.check(
        changed("order_completed", "properties/revenue", ABSENT), "Order Completed"
    )
    text_tax = schemas.check(changed("order_completed", "properties/tax", "9"), "Order Completed")
    unwrapped = changed("track_custom", "event", "Gift Wrapped")

    assert ([each.path for each in without_revenue.violations], without_revenue.rejects) == (
        ["/properties/revenue"],
        True,
    )
    assert (len(text_tax.violations), text_tax.rejects) == (1, False)
    assert check(unwrapped, schemas) == [("/properties/paper", "required", "missing")]
    assert check(changed("identify", "userId", ABSENT), schemas) == [("/userId", "required", "missing")]
    assert check(CALLS["page"], schemas) == []


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


# What a decoder or another caller may hand over


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("NaN")])
def test_a_number_that_is_not_finite_counts_as_null(number: Any) -> None:
    assert check(changed("order_completed", "properties/tax", number)) == []
    assert check(changed("order_completed", "properties/revenue", number)) == [
        ("/properties/revenue", "type", "null")
    ]


@pytest.mark.parametrize("number", [Decimal("112.50"), 10**400, -(2**70)])
def test_decimals_and_integers_of_any_size_are_numbers(number: Any) -> None:
    assert check(changed("order_completed", "properties/revenue", number)) == []


def test_a_lone_surrogate_is_text_like_any_other() -> None:
    event = changed("order_completed", "properties/coupon", "SPRING\ud83d")
    event["properties"]["\udc00"] = 1

    assert check(event) == []
    assert check(event | {"sentAt": "\ud83d"}) == [("/sentAt", "format", "string")]


def test_nesting_as_deep_as_an_event_may_have_is_checked() -> None:
    deep: Any = "leaf"
    for _ in range(255):
        deep = [deep]

    assert check({"deep": deep}) == [("", "anyOf", "object")]


@pytest.mark.parametrize("event", [None, "text", 3, [], [{"userId": "usr_1"}]])
def test_what_is_no_object_violates_the_envelope(event: Any) -> None:
    [violation] = SCHEMAS.check(event).violations

    assert (violation.path, violation.rule, violation.expected) == ("", "type", '"object"')


def test_the_event_is_not_modified() -> None:
    event = changed("order_completed", "properties/tax", -1)
    before = copy.deepcopy(event)

    SCHEMAS.check(event, "Order Completed")
    SCHEMAS.explain(event, "Order Completed")

    assert event == before


# What a schema may be


def test_a_document_may_refer_to_itself() -> None:
    schemas = one({"type": "object", "properties": {"parent": {"$ref": "#"}}})

    assert schemas.check({"parent": {"parent": 1}}, "Own").violations == (
        Violation("/parent/parent", "type", '"object"', "integer"),
    )


def test_without_documents_everything_is_valid() -> None:
    assert compile_schemas({}).check({"type": 1}, "Order Completed") is VALID


def test_a_key_that_is_forbidden_altogether_is_named_by_the_schema() -> None:
    schemas = one({"properties": {"card_number": False}})

    assert schemas.check({"card_number": "4000"}, "Own").violations == (
        Violation("/card_number", "properties", "false", "string"),
    )
    assert len(schemas.explain({"card_number": "4000"}, "Own")) == 1
