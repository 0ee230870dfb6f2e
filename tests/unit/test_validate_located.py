"""Which rule of which document an event breaks, the best match first."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from schema_samples import CALLS, SCHEMAS, changed, one

from connector.events import Violation
from connector.validate import Located, compile_schemas


def test_a_rule_behind_references_is_found_in_the_document_that_states_it() -> None:
    event = changed("order_completed", "properties/products/0", "p-1")

    [found] = SCHEMAS.located(event, "Order Completed")

    assert found == Located(
        Violation("/properties/products/0", "type", '"object"', "string"),
        "flag", "product.json", ("type",), (),
    )  # fmt: skip


def test_of_alternatives_it_is_told_what_each_one_lacked_the_deepest_first() -> None:
    event = changed("product_viewed", "properties", {"name": "Lamp", "sku": None})

    [found] = SCHEMAS.located(event, "Product Viewed")

    assert (found.violation.rule, found.document, found.place) == ("anyOf", "product.json", ("anyOf",))
    assert [(each.violation.path, each.place[-1]) for each in found.branches] == [
        ("/properties/sku", "not"), ("/properties/product_id", "required")
    ]  # fmt: skip


def test_what_rejects_comes_first_then_what_is_least_deep_and_alternatives_last() -> None:
    schemas = one({
        "properties": {
            "a": {"type": "string"},
            "b": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "c": {"properties": {"d": {"type": "string", "x-policy": "reject"}, "e": {"minimum": 2}}},
        },
        "required": ["f"],
    })  # fmt: skip

    found = schemas.located({"a": 1, "b": 1, "c": {"d": 1, "e": 1}}, "Own")

    assert [each.violation.path for each in found] == ["/c/d", "/f", "/a", "/b", "/c/e"]
    assert [each.policy for each in found] == ["reject", "flag", "flag", "flag", "flag"]


def test_keys_with_slashes_and_signs_are_tokens_of_the_place() -> None:
    schemas = one({"properties": {"Größe % a/b~c": {"type": "string"}}})

    [found] = schemas.located({"Größe % a/b~c": 1}, "Own")

    assert found.place == ("properties", "Größe % a/b~c", "type")


def test_two_documents_that_ask_for_the_same_are_one_violation_of_the_nearest() -> None:
    schemas = compile_schemas({
        "envelope.json": {"required": ["userId"]},
        "own.json": {"title": "Own", "required": ["userId", "event"]},
    })  # fmt: skip

    assert [(each.violation.path, each.document) for each in schemas.located({}, "Own")] == [
        ("/event", "own.json"), ("/userId", "own.json")
    ]  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_it_finds_what_a_check_finds(data: st.DataObject) -> None:
    event: Any = dict(CALLS[data.draw(st.sampled_from(sorted(CALLS)))])
    name, call = event.get("event"), event["type"]
    for key in data.draw(st.sets(st.sampled_from(sorted(event)), min_size=1)):
        event[key] = data.draw(st.sampled_from([None, 3, "text", [], {}, {"products": [{}], "revenue": "x"}]))

    found = SCHEMAS.located(event, name, call)

    checked = SCHEMAS.check(event, name, call)
    assert {each.violation for each in found} == set(checked.violations)
    assert any(each.policy == "reject" for each in found) == checked.rejects
    assert all(each.document.endswith(".json") for each in found)
