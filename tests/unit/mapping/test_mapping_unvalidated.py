"""Inside a list Segment's validator does not look: what is wrong there fails when the directive runs."""

from __future__ import annotations

from typing import Any

import pytest

from connector.mapping import MappingError, compile_mapping

FAILS_WHEN_IT_RUNS = [
    ({"@if": "x"}, '@if requires an object with an "exists" key'),
    ({"@case": []}, '@case requires an object with a "operator" key'),
    ({"@replace": 5}, '@replace requires an object with a "pattern" key'),
    ({"@replace": {"value": "a"}}, '@replace requires a "pattern" key'),
    ({"@arrayPath": "$.a"}, "@arrayPath expected array, got string"),
    ({"@flatten": None}, '@flatten requires an object with a "separator" key'),
    ({"@flatten": {"separator": 5, "value": {}}}, "@flatten requires a string separator"),
    ({"@json": "x"}, '@json requires an object with a "value" key'),
    ({"@json": {"value": 1}}, '@json requires a "mode" key'),
    ({"@merge": "x"}, '@merge requires an object with an "objects" key and a "direction" key'),
    ({"@merge": {"direction": "left"}}, '@merge requires a "objects" key'),
    ({"@merge": {"direction": "left", "objects": {"a": 1}}}, "@merge: expected opts.array, got object"),
    ({"@merge": {"direction": "left", "objects": "ab"}}, "@merge: expected opts.array, got string"),
    ({"@transform": 1}, '@transform requires an object with an "apply" key and a "mapping" key'),
    ({"@transform": {"apply": {}}}, '@transform requires a "mapping" key'),
    ({"@transform": {"mapping": {}}}, '@transform requires a "apply" key'),
    ({"@transform": {"apply": "x", "mapping": {}}}, '@transform "apply" key should be an object'),
    ({"@path": 5}, "@path: expected string, got number"),
]


@pytest.mark.parametrize(("directive", "message"), FAILS_WHEN_IT_RUNS)
def test_a_wrong_option_fails_when_the_directive_runs(directive: Any, message: str) -> None:
    run = compile_mapping({"list": [directive]})

    with pytest.raises(MappingError) as failed:
        run({})

    assert message == str(failed.value)


def test_it_does_not_fail_where_it_does_not_run() -> None:
    unused = {"@if": {"exists": {"@path": "$.no"}, "then": [{"@bogus": 1}], "else": "fine"}}

    assert compile_mapping({"r": unused})({}) == {"r": "fine"}


def test_options_of_types_nobody_understands_replace_nothing() -> None:
    for options in ({"pattern": 5}, {"pattern": "a", "global": "yes"}, {"pattern": "a", "replacement": []}):
        run = compile_mapping([{"r": [{"@replace": {"value": "abc", **options}}]}])

        assert run({}) == {"0": {"r": [""]}}


def test_a_directive_may_give_the_separator_and_the_direction() -> None:
    run = compile_mapping(
        {"l": [
            {"@flatten": {"separator": {"@path": "$.s"}, "value": {"a": {"b": 1}}}},
            {"@merge": {"direction": {"@path": "$.d"}, "objects": [{"a": 1}, {"a": 2}]}},
        ]}
    )  # fmt: skip

    assert run({"s": "-", "d": "left"}) == {"l": [{"a-b": 1}, {"a": 1}]}


def test_a_transform_of_an_item_needs_an_object() -> None:
    shape = {"@transform": {"apply": {"i": {"@path": "$.id"}}, "mapping": {"j": {"@path": "$.i"}}}}
    run = compile_mapping({"r": {"@arrayPath": ["$.items", shape]}})

    assert run({"items": [{"id": 1}]}) == {"r": [{"j": 1}]}
    with pytest.raises(MappingError, match="data must be an object, got string"):
        run({"items": ["x"]})


def test_a_transform_of_an_undefined_item_sees_an_empty_object() -> None:
    shape = {"@transform": {"apply": {"k": 1}, "mapping": {"@path": "$."}}}
    run = compile_mapping({"r": {"@arrayPath": [{"@literal": [{"@path": "$.no"}]}, shape]}})

    assert run({}) == {"r": [{"k": 1}]}
