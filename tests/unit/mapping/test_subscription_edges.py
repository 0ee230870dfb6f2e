"""Subscriptions beyond the vectors: sizes, halves of characters, names without a part."""

from __future__ import annotations

import pytest

from connector.mapping import MappingError, compile_subscription


def test_what_is_said_is_prefixed_as_segment_reports_it() -> None:
    with pytest.raises(MappingError, match=r"^Invalid subscription : Value token is missing$"):
        compile_subscription("type")


@pytest.mark.parametrize("query", ['event = "{}"', "event = {}x", "properties.a = 1{}", "properties.{}x = 1"])
def test_a_token_of_unreasonable_length_is_refused(query: str) -> None:
    compile_subscription(query.replace("{}", "7" if "1{}" in query else "b"))

    with pytest.raises(MappingError):
        compile_subscription(query.replace("{}", ("7" if "1{}" in query else "b") * 100_000))


def test_an_escaped_character_beyond_utf16_units_is_refused() -> None:
    with pytest.raises(MappingError):
        compile_subscription("properties.\\😀 = 1")


@pytest.mark.parametrize("query", [r"properties.\. = null", r"properties.\[\] != 1", 'type != "x" and ()'])
def test_a_condition_that_segment_cannot_evaluate_never_matches(query: str) -> None:
    matches = compile_subscription(query)

    assert not matches({})
    assert not matches({"properties": {"": 1, ".": 1}})


def test_a_function_on_a_field_without_a_name_finds_nothing() -> None:
    query = r'contains(properties\., "a") or !contains(properties\., "a")'

    assert not compile_subscription(query)({"properties": {"": "a"}})


def test_many_alternatives() -> None:
    names = [f"Event {number}" for number in range(40)]
    matches = compile_subscription(" or ".join(f'event = "{name}"' for name in names))

    assert all(matches({"event": name}) for name in names)
    assert not matches({"event": "Event 40"})


def test_integers_beyond_doubles_are_compared_as_infinite() -> None:
    assert compile_subscription("properties.a > 1")({"properties": {"a": 10**400}})
