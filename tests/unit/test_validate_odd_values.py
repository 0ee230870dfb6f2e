"""Values that JSON or Python can hold and that a validator must survive."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from schema_samples import SCHEMAS, changed, check, one

from connector.events import Violation
from connector.validate import VALID, compile_schemas

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
