"""What Segment makes of values and fields, phrased as data: ``tests/vectors/fields.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.mapping.fields import ActionField, PayloadInvalid, compile_fields
from tests.unit.mapping.test_mapping_vectors import same

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "fields.json").read_text("utf-8"))
VALID = [vector for vector in VECTORS if "expected" in vector]
INVALID = [vector for vector in VECTORS if "messages" in vector]


def named(vector: dict[str, Any]) -> str:
    return f"{vector['source']}: {vector['description']}"


def declared(table: Mapping[str, Any]) -> tuple[ActionField, ...]:
    """The fields of a table: key to the attributes that are not as usual."""
    return tuple(
        ActionField(
            key,
            **{
                **attributes,
                "choices": tuple(attributes.get("choices", ())),
                "properties": declared(attributes.get("properties", {})),
            },
        )
        for key, attributes in table.items()
    )


def test_every_vector_says_what_is_expected() -> None:
    assert len(VECTORS) == len(VALID) + len(INVALID)
    assert min(len(VALID), len(INVALID)) > 200


@pytest.mark.parametrize("vector", VALID, ids=named)
def test_a_payload_becomes_what_segment_makes_of_it(vector: dict[str, Any]) -> None:
    payload = compile_fields(declared(vector["fields"]))(vector["payload"], vector.get("batch", False))

    assert same(vector["expected"], payload), payload
    assert list(vector["expected"]) == list(payload)


@pytest.mark.parametrize("vector", INVALID, ids=named)
def test_a_payload_is_refused_in_segments_words_and_order(vector: dict[str, Any]) -> None:
    with pytest.raises(PayloadInvalid) as refused:
        compile_fields(declared(vector["fields"]))(vector["payload"], vector.get("batch", False))

    assert " ".join(vector["messages"]) == " ".join(refused.value.messages) == str(refused.value)
