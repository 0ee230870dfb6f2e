"""Laws of the schema check, tried on examples that are spoilt in every way."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.schemas import read_schemas
from connector.schemas.resolve import resolve
from connector.validate import Schemas, compile_schemas

EXAMPLES = Path(__file__).parents[2] / "examples"
CALLS = {path.stem: json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*/*.json"))}
SHIPPED = read_schemas()
SCHEMAS = compile_schemas(SHIPPED)
ALONE = compile_schemas({name: resolve(name, SHIPPED) for name in SHIPPED})
"""The shipped documents, none of which refers to another."""
NOSY = compile_schemas(
    {
        "envelope.json": {
            "type": ["object", "array", "boolean"],
            "propertyNames": {"maxLength": 3},
            "additionalProperties": {"$ref": "#"},
            "items": {"$ref": "#"},
            "not": {"minProperties": 2, "maxProperties": 2},
        }
    }
)
"""Finds something to say about every key and nearly every value."""


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of every value inside a JSON value."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in steps:
        yield (*path, key)
        yield from places(item, (*path, key))


SECRET = "mira.delgado@example.com"
SECRETS = st.sampled_from(
    [
        SECRET,
        987654321.125,
        [SECRET],
        {SECRET: SECRET},
        {SECRET: [987654321.125, None]},
        [{SECRET: SECRET}, {}],
    ]
)
ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(
        ["", "39.95", "USD", "2026-02-30T00:00:00Z", "2026-02-03T00:00:00Z", 0.5, [], {}, [None], [{}]]
    ),
)


@st.composite
def spoilt(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> tuple[Any, str | None, str]:
    """An example with some of its places replaced or taken out, its event name and its type."""
    example = CALLS[draw(st.sampled_from(sorted(CALLS)))]
    event = copy.deepcopy(example)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(sorted(places(event), key=str)))
        holder = event
        for token in place[:-1]:
            holder = holder[token]
        if isinstance(holder, dict) and draw(st.booleans()):
            holder.pop(place[-1], None)
        else:
            holder[place[-1]] = copy.deepcopy(draw(values))
    return event, example.get("event"), example["type"]


@settings(deadline=None, max_examples=150)
@given(spoilt(SECRETS))
def test_neither_a_violation_nor_an_explanation_holds_a_value_or_a_key_of_the_sender(
    case: tuple[Any, str | None, str],
) -> None:
    said = "\n".join(
        text for schemas in (SCHEMAS, NOSY) for text in [repr(schemas.check(*case)), *schemas.explain(*case)]
    )

    assert "violations=(Violation(" in said
    assert "mira" not in said
    assert "987654321" not in said


def top_places(lines: list[str]) -> set[tuple[str, str]]:
    """Path and rule of the lines of an explanation, less the branches below an anyOf."""
    parts = [line.split(": ") for line in lines if not line.startswith(" ")]
    return {("" if path == "the event" else path, rule) for path, rule, *_ in parts}


@settings(deadline=None, max_examples=150)
@given(spoilt(ODD_VALUES))
def test_the_two_validators_find_the_same_places_and_rules(case: tuple[Any, str | None, str]) -> None:
    checked = SCHEMAS.check(*case)

    assert {(violation.path, violation.rule) for violation in checked.violations} == top_places(
        SCHEMAS.explain(*case)
    )


@settings(deadline=None, max_examples=150)
@given(spoilt(ODD_VALUES))
def test_a_document_that_stands_alone_finds_the_same_places_and_rules(
    case: tuple[Any, str | None, str],
) -> None:
    def places_and_rules(schemas: Schemas) -> set[tuple[str, str, str]]:
        return {(each.path, each.rule, each.got_type) for each in schemas.check(*case).violations}

    assert places_and_rules(ALONE) == places_and_rules(SCHEMAS)
