"""Segment's subscription language, phrased as data: ``tests/vectors/fql.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.mapping import MappingError, compile_subscription
from connector.mapping.fql_lexer import lex
from connector.mapping.fql_parser import Condition, Group, parse

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "fql.json").read_text("utf-8"))


def having(key: str) -> list[dict[str, Any]]:
    return [vector for vector in VECTORS if key in vector]


def named(vector: dict[str, Any]) -> str:
    return f"{vector['source']}: {vector['description']}"


def drawn(tree: Group | Condition | None) -> dict[str, Any] | None:
    """The tree in Segment's own shape."""
    if tree is None:
        return None
    if isinstance(tree, Group):
        return {"type": "group", "operator": tree.operator, "children": [drawn(c) for c in tree.children]}
    return {key: value for key, value in tree._asdict().items() if value is not None}


def test_every_vector_says_what_is_expected() -> None:
    kinds = ("expected", "error", "tree", "tokens")

    assert len(VECTORS) == sum(len(having(kind)) for kind in kinds) > 250


@pytest.mark.parametrize("vector", having("tokens"), ids=named)
def test_a_text_is_cut_into_segments_tokens(vector: dict[str, Any]) -> None:
    assert vector["tokens"] == [list(token) for token in lex(vector["query"])]


@pytest.mark.parametrize("vector", having("tree"), ids=named)
def test_a_query_gives_segments_tree(vector: dict[str, Any]) -> None:
    assert vector["tree"] == drawn(parse(vector["query"]))


@pytest.mark.parametrize("vector", having("error"), ids=named)
def test_an_invalid_query_is_refused_in_segments_words(vector: dict[str, Any]) -> None:
    with pytest.raises(MappingError) as refused:
        compile_subscription(vector["query"])

    assert vector["error"] == str(refused.value)


@pytest.mark.parametrize("vector", having("expected"), ids=named)
def test_an_event_matches_where_segment_says_so(vector: dict[str, Any]) -> None:
    assert compile_subscription(vector["query"])(vector["event"]) is vector["expected"]
