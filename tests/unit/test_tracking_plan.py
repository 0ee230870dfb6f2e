"""Segment's tracking plans become schema documents and back; a round trip changes nothing."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from connector.errors import ConfigError
from connector.schemas import read_schemas
from connector.schemas.draft07 import from_07, to_07
from connector.tracking_plan import Imported, from_plan, to_plan
from connector.validate import compile_schemas

SHIPPED = read_schemas()

DRAFT_07 = "http://json-schema.org/draft-07/schema#"

GIFT = {
    "$schema": DRAFT_07,
    "type": "object",
    "description": "A present was wrapped.",
    "labels": {"team": "checkout"},
    "properties": {
        "context": {},
        "traits": {},
        "properties": {
            "type": "object",
            "properties": {"paper": {"type": "string"}, "ribbons": {"type": ["integer", "null"]}},
            "required": ["paper"],
        },
    },
    "required": ["properties"],
}


def rule(schema: Any = GIFT, **members: Any) -> dict[str, Any]:
    return {"type": "TRACK", "key": "Gift Wrapped", "version": 1, "jsonSchema": schema, **members}


def imported(*rules: Any, documents: Any = SHIPPED) -> Imported:
    return from_plan({"rules": list(rules)}, documents, "plan.json")


def refused(*rules: Any) -> list[str]:
    with pytest.raises(ConfigError) as error:
        imported(*rules)
    return error.value.message.splitlines()


# Documents to a plan


def test_the_shipped_documents_are_a_plan_of_33_rules_and_two_have_no_rule() -> None:
    exported = to_plan(SHIPPED)
    rules = exported.plan["rules"]

    assert [each["type"] for each in rules] == [
        "COMMON", "IDENTIFY", "GROUP", "PAGE", "SCREEN", *["TRACK"] * 28
    ]  # fmt: skip
    assert [each["key"] for each in rules if "key" in each] == sorted(each["key"] for each in rules[5:])
    assert exported.left_out == ("alias.json", "track.json")


def test_every_exported_rule_is_draft_07_that_stands_alone_and_says_nothing_of_ours() -> None:
    for each in to_plan(SHIPPED).plan["rules"]:
        jsonschema.Draft7Validator.check_schema(each["jsonSchema"])
        assert each["jsonSchema"]["$schema"] == DRAFT_07
        assert each["version"] == 1
        text = json.dumps(each)
        assert not any(f'"{key}"' in text for key in ("$ref", "$defs", "$id", "x-policy", "x-call"))


def test_an_exported_rule_finds_what_the_document_finds() -> None:
    [exported] = to_plan(SHIPPED, ["order_completed.json"]).plan["rules"]
    validator = jsonschema.Draft7Validator(exported["jsonSchema"])
    line = {"sku": "LMP-BRASS-28", "price": 64.0, "quantity": 1}
    order = {"order_id": "ord_88207", "revenue": 64.0, "currency": "USD", "products": [line]}

    def places(**changes: Any) -> list[list[Any]]:
        event = {"properties": {**order, **changes}}
        return [list(error.absolute_path)[1:] for error in validator.iter_errors(event)]

    assert places() == []
    assert places(tax="9") == [["tax"]]
    assert places(products=[{**line, "price": None}]) == [["products", 0, "price"]]
    assert places(products=[{**line, "sku": None}]) == [["products", 0]]


def test_what_draft_07_cannot_say_is_refused_with_its_place() -> None:
    own = {
        "own.json": {
            "title": "Own",
            "unevaluatedProperties": False,
            "properties": {"lines": {"minContains": 2, "contains": {}, "prefixItems": [{"maxContains": 1}]}},
        }
    }

    with pytest.raises(ConfigError) as error:
        to_plan(own)

    assert error.value.message.splitlines() == [
        "own.json#/unevaluatedProperties cannot be said in draft-07",
        "own.json#/properties/lines/minContains cannot be said in draft-07",
        "own.json#/properties/lines/prefixItems/0/maxContains cannot be said in draft-07",
    ]


# A plan to documents


def test_a_rule_becomes_a_document_for_the_event_that_it_names() -> None:
    assert imported(rule()).documents == {
        "gift_wrapped.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Gift Wrapped",
            "x-labels": {"team": "checkout"},
            "type": "object",
            "description": "A present was wrapped.",
            "properties": {"properties": GIFT["properties"]["properties"]},
            "required": ["properties"],
        }
    }


def test_the_documents_of_a_plan_check_events() -> None:
    schemas = compile_schemas(SHIPPED | imported(rule()).documents)
    event = {"type": "track", "event": "Gift Wrapped", "userId": "usr_48213", "properties": {"ribbons": "2"}}

    assert [(each.path, each.rule) for each in schemas.check(event, "Gift Wrapped", "track").violations] == [
        ("/properties/paper", "required"),
        ("/properties/ribbons", "type"),
    ]


@pytest.mark.parametrize(
    "plan",
    [
        {"rules": [rule()]},
        {"data": {"rules": [rule(createdAt="2026-01-01T00:00:00Z", updatedAt=None, deprecatedAt=None)]}},
        [rule()],
        rule(),
        {"data": rule()},
        {"rules": [rule({**GIFT, "title": "Gift Wrapped"}, version=1.0)]},
        {"rules": [rule({key: value for key, value in GIFT.items() if key != "$schema"})]},
    ],
    ids=["rules", "answer of the API", "list", "single", "single answer", "with title", "without $schema"],
)
def test_a_plan_may_be_a_list_an_answer_or_a_single_rule(plan: Any) -> None:
    assert from_plan(plan, SHIPPED, "plan.json").documents == imported(rule()).documents


@pytest.mark.parametrize(
    ("type_", "key", "file", "about"),
    [
        ("COMMON", None, "envelope.json", {}),
        ("IDENTIFY", None, "identify.json", {"x-call": "identify"}),
        ("GROUP", "", "group.json", {"x-call": "group"}),
        ("PAGE", None, "page.json", {"x-call": "page"}),
        ("SCREEN", None, "screen.json", {"x-call": "screen"}),
        ("TRACK", "Order Completed", "order_completed.json", {"title": "Order Completed"}),
        ("TRACK", "Page", "page_2.json", {"title": "Page"}),
        ("TRACK", "Größe: gewählt!", "größe_gewählt.json", {"title": "Größe: gewählt!"}),
        ("TRACK", "../../etc/passwd", "etc_passwd.json", {"title": "../../etc/passwd"}),
        ("TRACK", "!?", "event.json", {"title": "!?"}),
    ],
)
def test_a_rule_takes_the_file_of_what_it_is_about_or_a_free_one(
    type_: str, key: str | None, file: str, about: dict[str, str]
) -> None:
    documents = imported(rule(type=type_, key=key)).documents

    assert [*documents] == [file]
    assert {word: documents[file][word] for word in ("title", "x-call") if word in documents[file]} == about


def test_two_names_never_share_a_file_and_a_users_file_keeps_its_name() -> None:
    there = {**SHIPPED, "presents.json": {"title": "gift wrapped"}}

    assert [*imported(rule(key="Gift-Wrapped"), rule(key="gift wrapped"), documents=there).documents] == [
        "gift_wrapped.json",
        "presents.json",
    ]


def test_of_several_versions_the_highest_is_taken_and_deprecated_rules_are_passed_over() -> None:
    newer = {**GIFT, "description": "newer"}

    found = imported(
        rule(),
        rule(newer, version=2),
        rule(version=3, deprecatedAt="2026-02-01T00:00:00Z"),
        rule(key="Gift Returned", deprecatedAt="2026-02-01T00:00:00Z"),
    )

    assert [*found.documents] == ["gift_wrapped.json"]
    assert found.documents["gift_wrapped.json"]["description"] == "newer"
    assert found.documents["gift_wrapped.json"]["x-version"] == 2
    assert found.notes == (
        "Gift Wrapped, version 1: passed over, there is a newer one",
        "Gift Wrapped, version 3: passed over, deprecated",
        "Gift Returned, version 1: passed over, deprecated",
    )


def test_an_answer_of_several_pages_is_told() -> None:
    answer = {"data": {"rules": [rule()], "pagination": {"current": "MA==", "next": "MjA="}}}

    assert from_plan(answer, SHIPPED, "plan.json").notes == (
        "plan.json: holds one page of the answer, and there is a next one",
    )


def test_every_fault_of_a_plan_is_told_with_its_place() -> None:
    misspelt = {
        "type": "object",
        "properties": {"paper": {"typ": "string"}, "n": {"minimum": "0"}, "context": {}, "typ": {}},
        "items": [{"colour": 1}],
        "dependencies": {"a": {"b": 1}, "c": ["d"]},
    }

    assert refused(
        rule(misspelt),
        rule({"$schema": "http://json-schema.org/draft-04/schema#"}, key="Old"),
        rule(7, key="Seven"),
        rule(type="ALIAS", colour="red"),
        rule(key=None),
        rule(version="newest"),
        rule(version=float("inf")),
        "no rule",
    ) == [
        "plan.json#/rules/0/jsonSchema/properties/n/minimum '0' is not of type 'number'",
        "plan.json#/rules/0/jsonSchema/properties/paper/typ typ is no keyword of draft-07",
        "plan.json#/rules/0/jsonSchema/items/0/colour colour is no keyword of draft-07",
        "plan.json#/rules/0/jsonSchema/dependencies/a/b b is no keyword of draft-07",
        "plan.json#/rules/1/jsonSchema/$schema http://json-schema.org/draft-04/schema# cannot be read, only "
        "draft-07",
        "plan.json#/rules/2/jsonSchema must be a JSON Schema, an object",
        "plan.json#/rules/3/colour a rule has no colour",
        "plan.json#/rules/3/type must be one of COMMON, IDENTIFY, GROUP, PAGE, SCREEN, TRACK",
        "plan.json#/rules/4/key must be the name of the event",
        "plan.json#/rules/5/version must be a whole number",
        "plan.json#/rules/6/version must be a whole number",
        "plan.json#/rules/7 must be a rule, an object",
    ]


def test_the_same_version_twice_is_a_fault() -> None:
    assert refused(rule(), rule()) == ["plan.json Gift Wrapped, version 1 is there twice"]


@pytest.mark.parametrize("plan", [{}, [], 7, None, {"rules": {}}, {"data": {"trackingPlan": {"id": "tp_1"}}}])
def test_what_is_no_plan_is_refused(plan: Any) -> None:
    with pytest.raises(ConfigError, match=r"^plan\.json: is no tracking plan"):
        from_plan(plan, SHIPPED, "plan.json")


# Drafts


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"items": [{"type": "string"}], "additionalItems": False},
         {"prefixItems": [{"type": "string"}], "items": False}),
        ({"dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
         {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}}),
        ({"properties": {"items": {"type": "array"}, "dependencies": True}},
         {"properties": {"items": {"type": "array"}, "dependencies": True}}),
        ({"enum": [{"dependencies": {"a": []}}]}, {"enum": [{"dependencies": {"a": []}}]}),
    ],
)  # fmt: skip
def test_what_changed_its_name_between_the_drafts_is_translated_both_ways(older: Any, newer: Any) -> None:
    assert from_07(older) == newer
    assert to_07(newer) == older


def test_a_reference_of_draft_07_stands_alone_and_its_definitions_move() -> None:
    older = {
        "definitions": {"word": {"type": "string"}},
        "items": {"$ref": "#/definitions/word", "maxLength": 1, "description": "a word"},
    }

    assert from_07(older) == {
        "$defs": {"word": {"type": "string"}},
        "items": {"$ref": "#/$defs/word", "description": "a word"},
    }


def test_items_beyond_a_list_that_is_none_mean_nothing() -> None:
    assert from_07({"items": {}, "additionalItems": False}) == {"items": {}}


def test_a_property_may_need_others_and_a_schema_at_the_same_time() -> None:
    newer = {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"a": {"required": ["c"]}}, "allOf": [{}]}

    assert to_07(newer) == {
        "dependencies": {"a": ["b"]},
        "allOf": [{}, {"dependencies": {"a": {"required": ["c"]}}}],
    }
