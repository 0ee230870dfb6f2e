"""Laws of mappings and subscriptions that hold for any JSON."""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.mapping import UNDEFINED, MappingError, compile_mapping, compile_subscription
from connector.mapping.jsjson import parse, stringify

LAW = settings(deadline=None, max_examples=150)

KEYS = st.sampled_from(["a", "b", "0", "1", "s", "length", "x y"]) | st.text(max_size=4)
PLAIN_KEYS = KEYS.filter(lambda key: not key.startswith("@") and key != "__segment_internal_directive")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)


def json_values(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=8,
    )


JSON = json_values(KEYS)
OBJECTS = st.dictionaries(KEYS, JSON, max_size=5)
PLAIN_OBJECTS = st.dictionaries(PLAIN_KEYS, json_values(PLAIN_KEYS), max_size=5)
PATHS = st.lists(st.sampled_from(["$", "a", "b", "0", "s", "length", "[0]", "['a']", ""]), max_size=4).map(
    ".".join
)
TEMPLATES = st.lists(st.sampled_from(["{{a}}", "{{{s}}}", "{{ b.0 }}", "-", "{", "}}"]), max_size=5).map(
    "".join
)


def directives(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    text = st.builds(lambda path: {"@path": path}, PATHS)
    return st.one_of(
        st.builds(lambda value: {"@literal": value}, inner),
        st.builds(lambda test, a, b: {"@if": {"exists": test, "then": a, "else": b}}, text, inner, inner),
        st.builds(lambda test, a, b: {"@if": {"blank": test, "then": a, "else": b}}, text, inner, inner),
        st.builds(lambda value: {"@case": {"operator": "upper", "value": value}}, text),
        st.builds(lambda value: {"@replace": {"pattern": "a", "replacement": "$&$'", "value": value}}, text),
        st.builds(lambda path, shape: {"@arrayPath": [path, shape]}, PATHS, inner),
        st.builds(lambda value: {"@flatten": {"separator": ".", "value": value}}, inner),
        st.builds(lambda value: {"@json": {"mode": "encode", "value": value}}, inner),
        st.builds(lambda value: {"@json": {"mode": "decode", "value": value}}, text),
        st.builds(lambda a, b: {"@merge": {"direction": "left", "objects": [a, {"k": b}]}}, text, inner),
        st.builds(
            lambda a, b: {"@transform": {"apply": {"a": a, "s": b}, "mapping": {"m": a}}}, inner, inner
        ),
        st.builds(lambda value: {"@excludeWhenNull": value}, inner),
    )


MAPPED_VALUES = st.recursive(
    st.builds(lambda path: {"@path": path}, PATHS)
    | st.builds(lambda text: {"@template": text}, TEMPLATES)
    | SCALARS,
    lambda inner: (
        directives(inner) | st.lists(inner, max_size=3) | st.dictionaries(PLAIN_KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)
MAPPINGS = st.dictionaries(PLAIN_KEYS, MAPPED_VALUES, max_size=3)

WORDS = st.sampled_from(
    'type event name userId properties.a traits.b context.a.0 = != < > and or ( ) ! "a" "a*" null true 1 -'
    " contains( match( , !contains(event, properties.items\\[0\\].a ' x".split()
)
QUERIES = st.lists(WORDS, max_size=9).map(" ".join)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("type", "event", "name", "userId"), SCALARS),
        **dict.fromkeys(("properties", "traits", "context"), JSON),
    },
)


def holds_undefined(value: Any) -> bool:
    if isinstance(value, dict):
        return any(holds_undefined(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_undefined(item) for item in value)
    return value is UNDEFINED


@LAW
@given(MAPPINGS, OBJECTS)
def test_a_mapping_changes_neither_itself_nor_the_payload(mapping: Any, payload: Any) -> None:
    mapping_before, payload_before = copy.deepcopy(mapping), copy.deepcopy(payload)

    with suppress(MappingError):
        compile_mapping(mapping)(payload)

    assert mapping_before == mapping
    assert payload_before == payload


@LAW
@given(MAPPINGS, OBJECTS)
def test_a_mapping_gives_the_same_result_each_time_and_never_undefined_inside(
    mapping: Any, payload: Any
) -> None:
    try:
        run = compile_mapping(mapping)
        result = run(payload)
    except MappingError:
        return

    assert not holds_undefined(result)
    assert result == run(payload)


@LAW
@given(PLAIN_OBJECTS, OBJECTS)
def test_plain_data_is_itself(mapping: Any, payload: Any) -> None:
    assert mapping == compile_mapping(mapping)(payload)


@LAW
@given(OBJECTS)
def test_everything_in_the_payload_is_kept_by_encoding_and_decoding_it(payload: Any) -> None:
    text = stringify(payload)

    assert text == stringify(parse(text))


@LAW
@given(st.text(alphabet="aA{}.$ ", max_size=20), OBJECTS)
def test_a_template_of_any_text_gives_text(template: str, payload: Any) -> None:
    assert isinstance(compile_mapping({"@template": template})(payload), str)


@LAW
@given(QUERIES, EVENTS | JSON)
def test_a_subscription_answers_for_any_event(query: str, event: Any) -> None:
    try:
        matches = compile_subscription(query)
    except MappingError:
        return

    assert matches(event) in (True, False)


@LAW
@given(st.text(max_size=30))
def test_any_text_is_a_subscription_or_refused(query: str) -> None:
    with suppress(MappingError):
        assert compile_subscription(query)({}) in (True, False)


@LAW
@given(st.sampled_from(["track", "page", None, 1]), st.sampled_from(["a", "b", None]))
def test_and_and_or_are_all_and_any(kind: Any, name: Any) -> None:
    event = {"type": kind, "event": name}
    conditions = ['type = "track"', 'event = "a"']
    answers = [compile_subscription(condition)(event) for condition in conditions]

    assert all(answers) is compile_subscription(" and ".join(conditions))(event)
    assert any(answers) is compile_subscription(" or ".join(conditions))(event)
