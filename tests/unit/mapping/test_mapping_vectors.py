"""Segment's mapping semantics, phrased as data: ``tests/vectors/mapping_kit.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.mapping import MappingError, compile_mapping

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "mapping_kit.json").read_text("utf-8"))
WITH_RESULT = [vector for vector in VECTORS if "expected" in vector]
REFUSED = [vector for vector in VECTORS if vector.get("when") == "compile"]
FAILING = [vector for vector in VECTORS if vector.get("when") == "call"]


def named(vector: dict[str, Any]) -> str:
    return f"{vector['source']}: {vector['description']}"


def same(left: Any, right: Any) -> bool:
    """Compare as JSON does: true is not 1, while 1.0 is 1 and the order of keys means nothing."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def test_every_vector_says_what_is_expected() -> None:
    assert len(VECTORS) == len(WITH_RESULT) + len(REFUSED) + len(FAILING) > 250


@pytest.mark.parametrize("vector", WITH_RESULT, ids=named)
def test_a_mapping_gives_what_segment_gives(vector: dict[str, Any]) -> None:
    result = compile_mapping(vector["mapping"])(vector["payload"])

    assert same(vector["expected"], result), result


@pytest.mark.parametrize("vector", REFUSED, ids=named)
def test_a_mapping_is_refused_with_every_fault_and_its_path(vector: dict[str, Any]) -> None:
    with pytest.raises(MappingError) as refused:
        compile_mapping(vector["mapping"])

    assert vector["error"] == str(refused.value)


@pytest.mark.parametrize("vector", FAILING, ids=named)
def test_a_directive_that_fails_says_why_when_it_runs(vector: dict[str, Any]) -> None:
    run = compile_mapping(vector["mapping"])

    with pytest.raises(MappingError) as failed:
        run(vector["payload"])

    assert vector["error"] == str(failed.value)
