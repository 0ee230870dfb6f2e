"""A tracking plan goes there and back unchanged, whatever it says."""

from __future__ import annotations

from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.schemas import read_schemas
from connector.schemas.draft07 import DRAFT_07, from_07, to_07
from connector.tracking_plan import RULE_TYPES, from_plan, to_plan
from connector.validate import compile_schemas

SHIPPED = read_schemas()


def test_a_round_trip_of_all_that_is_shipped_changes_nothing() -> None:
    plan = to_plan(SHIPPED).plan
    documents = SHIPPED | from_plan(plan, SHIPPED, "plan.json").documents

    assert to_plan(documents).plan == plan


NAMES = st.sampled_from(["a", "b", "products", "items", "type", "x-y", "~/"])

TYPES = st.sampled_from(["string", "number", "integer", "object", "array", "null", "boolean"])

ASSERTIONS = st.sampled_from(
    [
        {"type": "string"}, {"type": ["integer", "null"]}, {"type": "object"}, {"type": "array"},
        {"description": "what it means"}, {"enum": [None, 1, "a", {"type": 1}]}, {"minimum": 1},
        {"minLength": 1}, {"pattern": "^a"}, {"required": ["a"]}, {"examples": [{"$ref": 1}]},
        {"const": ["b"]}, {"dependencies": {"a": ["b"]}},
    ]
)  # fmt: skip


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    whole = {keyword: value for part in parts for keyword, value in part.items()}
    if not isinstance(whole.get("items"), list):
        whole.pop("additionalItems", None)  # it means nothing then, so it does not come back
    return whole


def saying(keyword: str, value: Any) -> dict[str, Any]:
    return {keyword: value}


def branching(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(inner, min_size=1, max_size=2)
    named = st.dictionaries(NAMES, inner, min_size=1, max_size=2)
    single = ["items", "additionalProperties", "not", "contains", "propertyNames", "if"]
    parts = st.one_of(
        ASSERTIONS,
        st.builds(saying, st.sampled_from(["properties", "dependencies"]), named),
        st.builds(saying, st.sampled_from(["allOf", "anyOf"]), some),
        st.builds(saying, st.sampled_from(single), inner),
        st.builds(lambda first, rest: {"items": first, "additionalItems": rest}, some, inner),
        st.builds(lambda if_, then: {"if": if_, "then": then}, inner, inner),
        st.builds(lambda schema: {"patternProperties": {"^a": schema}}, inner),
    )  # fmt: skip
    return st.lists(parts, max_size=3).map(merged)


SCHEMAS = st.recursive(st.booleans() | st.lists(ASSERTIONS, max_size=2).map(merged), branching, max_leaves=5)

OBJECTS = SCHEMAS.map(lambda schema: schema if isinstance(schema, dict) else {})


@st.composite
def plans(draw: st.DrawFn) -> Any:
    """Plans as Segment writes them: sorted, one version of each rule, every call with its three parts."""
    rules = []
    for kind in draw(st.lists(st.sampled_from(RULE_TYPES[:-1]), unique=True, max_size=2)):
        rules.append({"type": kind})
    for key in draw(st.lists(st.text("aA -é.", min_size=1, max_size=5), unique=True, min_size=1, max_size=3)):
        rules.append({"type": "TRACK", "key": key})
    rules.sort(key=lambda each: (RULE_TYPES.index(each["type"]), each.get("key", "")))
    for each in rules:
        schema = {"$schema": DRAFT_07, **draw(OBJECTS)}
        if each["type"] != "COMMON":
            parts = draw(
                st.fixed_dictionaries({"context": SCHEMAS, "traits": SCHEMAS, "properties": OBJECTS})
            )
            schema["properties"] = {**schema.get("properties", {}), **parts}
        if draw(st.booleans()):
            schema["labels"] = {"team": "checkout"}
        each |= {"version": draw(st.integers(1, 3)), "jsonSchema": schema}
    return {"rules": rules}


@settings(deadline=None, max_examples=100)
@given(plans())
def test_a_plan_that_is_imported_and_exported_is_the_same_plan(plan: Any) -> None:
    documents = from_plan(plan, {}, "plan.json").documents
    compile_schemas(documents)

    assert to_plan(documents).plan == plan
    assert from_plan(to_plan(documents).plan, documents, "plan.json").documents == documents


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab", "7"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(SCHEMAS, VALUES)
def test_a_translated_schema_accepts_what_the_original_accepts(schema: Any, value: Any) -> None:
    before = jsonschema.Draft7Validator(schema).is_valid(value)

    assert jsonschema.Draft202012Validator(from_07(schema)).is_valid(value) == before
    assert jsonschema.Draft7Validator(to_07(from_07(schema))).is_valid(value) == before
