"""Declared fields: the schema they are, and what vectors cannot say."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ConfigError
from connector.mapping.fields import ActionField, PayloadInvalid, compile_fields, json_schema

ORDER = (
    ActionField("event", "Event", required=True, description="Name of the event."),
    ActionField("time", "Time", "datetime", allow_null=True),
    ActionField("region", "Region", choices=("US", "EU"), allow_null=True, default="US"),
    ActionField("score", "Score", "number", minimum=1, maximum=5),
    ActionField("tags", "Tags", multiple=True, choices=("a", "b")),
    ActionField(
        "products", "Products", "object", multiple=True, additional_properties=True,
        properties=(ActionField("price", "Price", "number", required=True), ActionField("note", type="text")),
    ),
    ActionField("utm", "UTM", "object", allow_null=True, properties=(ActionField("source", "Source"),)),
)  # fmt: skip

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-9, 9)
    | st.sampled_from(["", "a", "5", "true"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "price"]), inner, max_size=2)
    ),
    max_leaves=6,
)
PAYLOADS = st.dictionaries(st.sampled_from([field.key for field in ORDER] + ["other"]), JSON)


def outcome(payload: Any, *, is_batch: bool = False) -> Any:
    try:
        return compile_fields(ORDER)(payload, is_batch)
    except PayloadInvalid as refused:
        return refused.messages


def test_the_schema_of_an_actions_fields() -> None:
    draft = "http://json-schema.org/schema#"

    assert json_schema(ORDER) == {
        "$schema": draft,
        "type": "object",
        "additionalProperties": False,
        "required": ["event"],
        "properties": {
            "event": {"title": "Event", "description": "Name of the event.", "type": "string"},
            "time": {"title": "Time", "type": ["string", "number", "null"], "format": "date-like"},
            "region": {
                "title": "Region", "type": ["string", "null"], "enum": ["US", "EU", None], "default": "US",
            },
            "score": {"title": "Score", "type": "number", "minimum": 1, "maximum": 5},
            "tags": {"title": "Tags", "type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
            "products": {
                "title": "Products",
                "type": "array",
                "items": {
                    "$schema": draft,
                    "type": "object",
                    "additionalProperties": True,
                    "required": ["price"],
                    "properties": {
                        "price": {"title": "Price", "type": "number"},
                        "note": {"type": "string", "format": "text"},
                    },
                },
            },
            "utm": {
                "$schema": draft,
                "title": "UTM",
                "type": "object",
                "additionalProperties": False,
                "required": [],
                "properties": {"source": {"title": "Source", "type": "string"}},
            },
        },
    }  # fmt: skip


def test_a_default_is_for_new_mappings_and_never_for_missing_values() -> None:
    assert outcome({"event": "e"}) == {"event": "e"}


def test_the_one_payload_goes_through_alone_but_not_in_a_batch_and_the_other_way_round() -> None:
    assert outcome({"event": "e", "time": ""}) == {"event": "e"}
    assert outcome({"event": "e", "time": ""}, is_batch=True) == (
        "Time must be a valid date-like string but it was not.",
    )
    assert outcome({"event": ""}) == ("The root value is missing the required field 'event'.",)
    assert outcome({"event": ""}, is_batch=True) == {"event": ""}


@settings(deadline=None, max_examples=150)
@given(PAYLOADS, st.booleans())
def test_the_resolved_mapping_is_not_modified(payload: Any, is_batch: bool) -> None:
    before = copy.deepcopy(payload)

    outcome(payload, is_batch=is_batch)

    assert before == payload


@settings(deadline=None, max_examples=150)
@given(PAYLOADS)
def test_what_was_checked_is_valid_as_it_is(payload: Any) -> None:
    checked = outcome(payload, is_batch=True)
    if isinstance(checked, dict):
        assert checked == outcome(checked, is_batch=True)


def test_values_that_fit_are_passed_on_and_not_copied() -> None:
    fields = (ActionField("traits", "Traits", "object"),)
    traits = {"a": [1, 2]}

    assert compile_fields(fields)({"traits": traits}, False)["traits"] is traits


def test_an_integer_keeps_its_digits_until_it_becomes_text() -> None:
    fields = (ActionField("n", type="number"), ActionField("s"))

    checked = compile_fields(fields)({"n": 9007199254740993, "s": 9007199254740993}, False)

    assert checked == {"n": 9007199254740993, "s": "9007199254740992"}


def test_an_infinity_is_a_number_in_text_only() -> None:
    check = compile_fields((ActionField("n", "N", "number"),))

    assert check({"n": "-Infinity"}, False) == {"n": None}
    with pytest.raises(PayloadInvalid, match="N must be a number but it was a number"):
        check({"n": float("inf")}, False)


def test_findings_name_fields_and_types_and_never_values() -> None:
    messages = outcome({"event": {"card": "4111"}, "score": "4111", "region": "4111"})

    assert "4111" not in " ".join(messages)


def test_a_refusal_is_a_mapping_error_that_crosses_processes() -> None:
    refused = PayloadInvalid(["A must be one of: 1.", "B is wrong."])
    again = pickle.loads(pickle.dumps(refused))

    assert isinstance(again, PayloadInvalid)
    assert (again.messages, str(again)) == (refused.messages, "A must be one of: 1. B is wrong.")


def test_a_format_nobody_knows_is_found_when_the_fields_are_compiled() -> None:
    with pytest.raises(ConfigError, match="'regex'"):
        compile_fields((ActionField("f", format="regex"),))
