"""What the vectors cannot say as JSON: identity, undefined itself, YAML's own values, text that attacks."""

from __future__ import annotations

import copy
import datetime
import math
import pickle
from typing import Any

import pytest

from connector.mapping import UNDEFINED, MappingError, compile_mapping
from connector.mapping.jsvalues import is_truthy, number_of, number_text, type_name
from connector.mapping.paths import parse_path


def test_undefined_is_one_falsy_value_of_its_own() -> None:
    assert not UNDEFINED
    assert UNDEFINED is type(UNDEFINED)()
    assert UNDEFINED is copy.deepcopy(UNDEFINED)
    assert UNDEFINED is pickle.loads(pickle.dumps(UNDEFINED))
    assert repr(UNDEFINED) == "UNDEFINED"


def test_a_whole_mapping_may_resolve_to_nothing() -> None:
    assert compile_mapping({"@path": "$.missing"})({}) is UNDEFINED


def test_the_path_of_everything_returns_the_payload_itself() -> None:
    payload = {"a": 1}

    assert compile_mapping({"@path": "$."})(payload) is payload


def test_integers_keep_their_digits_unless_they_become_text() -> None:
    payload = {"n": 9007199254740993}

    assert compile_mapping({"n": {"@path": "$.n"}})(payload) == {"n": 9007199254740993}
    assert compile_mapping({"n": {"@template": "{{n}}"}})(payload) == {"n": "9007199254740992"}


def test_each_call_builds_its_own_containers() -> None:
    run = compile_mapping({"tags": ["a"], "nested": {"b": 1}})
    first = run({})
    first["tags"].append("changed")
    first["nested"]["b"] = 2

    assert run({}) == {"tags": ["a"], "nested": {"b": 1}}


def test_a_mapping_that_changes_later_does_not_change_what_was_compiled() -> None:
    mapping: dict[str, Any] = {"a": {"@path": "$.s"}, "l": [1]}
    run = compile_mapping(mapping)
    mapping["b"] = 1
    mapping["l"].append(2)

    assert run({"s": "v"}) == {"a": "v", "l": [1]}


def test_compiling_does_not_change_the_mapping() -> None:
    mapping = {"__segment_internal_directive": {"@transform": {"apply": {}}}, "y": {"@path": "$.x"}}
    before = copy.deepcopy(mapping)

    compile_mapping(mapping)

    assert before == mapping


def test_null_is_no_mapping() -> None:
    with pytest.raises(MappingError, match="Cannot convert undefined or null to object"):
        compile_mapping(None)


def test_a_list_at_the_root_is_the_object_of_its_items() -> None:
    assert compile_mapping([{"@path": "$.s"}, 5])({"s": "v"}) == {"0": "v", "1": 5}


def test_what_only_yaml_can_write_is_refused_with_its_path() -> None:
    mapping = {"codes": {404: "gone"}, "since": [datetime.date(2024, 1, 1)]}

    with pytest.raises(MappingError) as refused:
        compile_mapping(mapping)

    assert [fault.path for fault in refused.value.faults] == ["/codes", "/since/0"]


def test_faults_have_paths_of_their_own() -> None:
    with pytest.raises(MappingError) as refused:
        compile_mapping({"a": {"@path": 5}, "b": {"@nope": 1}})

    assert [fault.path for fault in refused.value.faults] == ["/a/@path", "/b"]


def test_messages_name_types_and_never_values() -> None:
    with pytest.raises(MappingError) as failed:
        compile_mapping({"@path": {"@path": "$.secret"}})({"secret": ["card 4111"]})

    assert str(failed.value) == "@path: expected string, got array"


def nested_lists(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_a_value_too_deep_to_walk_is_a_mapping_error() -> None:
    with pytest.raises(MappingError, match="nested too deeply"):
        compile_mapping({"@template": "{{l}}"})({"l": nested_lists(100_000)})


def test_the_deepest_event_that_is_accepted_can_be_walked() -> None:
    deep = {"l": nested_lists(256)}

    assert compile_mapping({"r": {"@template": "{{l}}"}})(deep) == {"r": ""}
    assert deep == compile_mapping({"@merge": {"direction": "right", "objects": [{"@path": "$."}]}})(deep)


def test_a_customers_text_full_of_braces_is_scanned_once() -> None:
    hostile = "{" * 200_000 + "}"

    assert {"r": hostile} == compile_mapping({"r": {"@template": "{{{x}}}"}})({"x": hostile})


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("", ()),
        (".", ()),
        ("a.b[0]['c d']", ("a", "b", "0", "c d")),
        ("a[b]", ("a[b]",)),
        ('a["x.y"]', ("a", "x", "y")),
        ("a[0]]]b", ("a", "0", "b")),
    ],
)
def test_a_path_is_cut_once_into_keys(path: str, keys: tuple[str, ...]) -> None:
    assert keys == parse_path(path)


@pytest.mark.parametrize("key", ["01", "-1", "1.5", "+1", "", "4294967295", "9999999999999999999999", "٣"])
def test_only_javascripts_own_index_finds_an_item(key: str) -> None:
    payload = {"l": ["a", "b"], "s": "text"}

    for name in payload:
        assert compile_mapping({"@path": f"$.{name}.['{key}']"})(payload) in (UNDEFINED, payload[name])


@pytest.mark.parametrize("value", [0, 0.0, -0.0, "", None, False, math.nan, UNDEFINED])
def test_javascripts_falsy_values(value: Any) -> None:
    assert not is_truthy(value)


@pytest.mark.parametrize("value", [[], {}, "0", " ", 1, -1, math.inf, True])
def test_javascripts_truthy_values(value: Any) -> None:
    assert is_truthy(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2**53, "9007199254740992"),
        (10**21, "1e+21"),
        (-(10**400), "-Infinity"),
        (1e16, "10000000000000000"),
        (5e-324, "5e-324"),
        (123e-9, "1.23e-7"),
        (math.nan, "NaN"),
    ],
)
def test_a_number_as_javascript_writes_it(number: float, text: str) -> None:
    assert text == number_text(number)


@pytest.mark.parametrize(
    ("text", "number"),
    [("", 0), (" 12 ", 12), ("0x1F", 31), ("0b11", 3), ("0o17", 15), ("1e3", 1000), ("-Infinity", -math.inf)],
)
def test_text_that_javascript_reads_as_a_number(text: str, number: float) -> None:
    assert number == number_of(text)


@pytest.mark.parametrize("text", ["1_0", "١", "0x", "-0x1", "1 2", "nan", "inf", "1e", "."])
def test_text_that_javascript_does_not_read_as_a_number(text: str) -> None:
    assert math.isnan(number_of(text))


def test_type_names_are_those_of_segments_messages() -> None:
    values: list[Any] = [None, True, 1, 1.5, "x", [], {}, UNDEFINED]

    assert [type_name(value) for value in values] == [
        "null", "boolean", "number", "number", "string", "array", "object", "undefined",
    ]  # fmt: skip
