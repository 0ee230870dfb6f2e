"""Traps in subscriptions: what is read otherwise than it looks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import MappingError
from connector.mapping import compile_subscription
from connector.mapping.fql_lexer import LexerError, lex, lex_placed
from connector.mapping.fql_parser import parse
from connector.mapping.lint import lint_query
from connector.mapping.query_text import CALL_TYPES, query_text
from connector.mapping.query_traps import QUERY_TRAPS

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/fql.json").read_text(encoding="utf-8"))

SOUND = [
    'type = "track"',
    'type = "track" and event != "Order Completed"',
    'type = "page" or type = "screen"',
    'type = "track" and (event = "A" or event = "B")',
    'type = "track" and (event = "A" or contains(event, "B"))',
    '(!match(event, "Order*")) and type = "track"',
    '!contains(properties.name, "test") and match(event, "*ed")',
    'match(event, "*")',
    "properties.total >= 10 and properties.gift = true and context.ip != null",
    'properties.plan != "free" and properties.plan != null',
    "properties.count != 5",
    r'properties.items\[0\].sku = "a"',
    "userId = null and traits.email != null",
]

TRAPS: dict[str, list[tuple[str, int]]] = {
    'type = "a" and event = "b" or type = "c"': [("mixed-connectives", 28)],
    'type = "track" or event = "b" and event = "c"': [("mixed-connectives", 31), ("never-matches", 1)],
    'type = "track" and (contains(event,"z") or event = "y")': [("function-not-last", 21)],
    'type = "track" and (!match(event,"z*") or event = "y") and userId != null': [("function-not-last", 22)],
    'type = "track" and (event = "a" or (event = "b" or event = "c"))': [("nested-group", 36)],
    "type = 'track'": [("single-quotes", 8)],
    "contains(event, 'lo')": [("single-quotes", 17)],
    'type = "track" AND event = "z"': [("connective-ignored", 16)],
    'type = "track" Or event = "z"': [("connective-ignored", 16)],
    'type = "track" or(event = "z")': [("connective-ignored", 16)],
    'type = "track" event = "z"': [("connective-missing", 16)],
    '!type = "track"': [("negation-ignored", 1)],
    '!(type = "track")': [("negation-ignored", 1)],
    'not contains(event, "a")': [("negation-ignored", 1)],
    'and type = "track"': [("ignored", 1)],
    'type = "track" and': [("ignored", 16)],
    'type = "track" and or event = "A"': [("ignored", 16), ("ignored", 20), ("mixed-connectives", 20)],
    'type = "track")': [("ignored", 15)],
    'type = "track" "a" , 5 and event = "b"': [("ignored", 16)],
    'type == "track"': [("operator-unknown", 6)],
    'type <> "x"': [("operator-unknown", 6)],
    'type in ["a", "b"]': [("operator-unknown", 6)],
    "properties.and = 1": [("operator-unknown", 11)],
    "type =": [("value-missing", 6)],
    'length(event) > "3"': [("function-unknown", 1)],
    'contains [event, "x"]': [("function-shape", 1)],
    'contains(type, "tr") and event = "a"': [("root-unknown", 10)],
    'anonymousId = "a" and type = "track"': [("root-unknown", 1)],
    'propertes.x in ["a"] and type = "track"': [("root-unknown", 1)],
    "event = null": [("event-null", 9)],
    'properties.x != "a"': [("not-equal-missing", 14)],
    'properties.x != "a" or properties.x != null': [("not-equal-missing", 14)],
    "properties.gift != true": [("not-equal-boolean", 17)],
    'match(event, "Or*ed")': [("glob", 14)],
    'match(event, "Order Completed")': [("glob", 14)],
    'match(event, "*der*")': [("glob", 14)],
    'match(event, "Order?*")': [("glob", 14)],
    "properties.price>5": [("unreadable", 16)],
    "properties.$x = 1": [("unreadable", 12)],
    'type = "Track"': [("never-matches", 1)],
    'type = "track" and type = "page"': [("never-matches", 1)],
    'event = "A" and event != "A"': [("never-matches", 1)],
    "properties.a = 5 and properties.a = null": [("never-matches", 1)],
    "properties.a = null and properties.a != null": [("never-matches", 1)],
    "properties.a > abc": [("never-matches", 1)],
    "event > 5": [("never-matches", 1)],
    'type = "track" and ()': [("never-matches", 1)],
}


def places(query: str) -> list[tuple[str, int]]:
    return [(trap.code, trap.column or 0) for trap in lint_query(query)]


@pytest.mark.parametrize("query", SOUND)
def test_a_sound_query_has_no_traps(query: str) -> None:
    assert places(query) == []


@pytest.mark.parametrize("query", TRAPS)
def test_a_trap_in_a_query_is_told_with_its_column(query: str) -> None:
    assert sorted(places(query)) == sorted(TRAPS[query])


def test_every_trap_of_queries_is_in_the_table() -> None:
    assert {code for traps in TRAPS.values() for code, _ in traps} == QUERY_TRAPS.keys()


def test_how_a_query_is_read_is_shown() -> None:
    (trap,) = lint_query('type = "track" and event = "A" or event = "B"')

    assert 'it is read as: type = "track" or event = "A" or event = "B".' in trap.text


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ('propertes.x = "a"', "Did you mean properties?"),
        ('user_id = "a"', "Did you mean userId?"),
        ('Event = "a"', "Did you mean event?"),
        ('zzz = "a"', "There are type, event, name, userId, properties, traits, context."),
    ],
)
def test_a_root_that_is_none_is_answered_with_the_nearest(query: str, hint: str) -> None:
    assert [trap.fix for trap in lint_query(query)] == [hint]


def test_a_trap_is_one_line_with_its_code() -> None:
    (trap,) = lint_query("type = 'track'")

    assert str(trap.below("/subscriptions/0/subscribe")) == (
        "/subscriptions/0/subscribe, column 8: Single quotes are part of the value: 'track' with its quotes "
        "is looked for. Write double quotes. [single-quotes]"
    )


_CONDITIONS = st.sampled_from(
    ['type = "track"', 'event = "A"', "properties.n > 5", "context.ip = null", 'userId = "u"',
     "traits.vip = true", "properties.n != 3"]
)  # fmt: skip


@st.composite
def plain_queries(draw: st.DrawFn) -> str:
    """What the language was made for: one connective a level, groups one deep, a function at the end."""
    group = draw(st.lists(_CONDITIONS, min_size=2, max_size=3))
    group += draw(st.sampled_from([[], ['contains(event, "A")'], ['!match(name, "B*")']]))
    outer = draw(st.lists(_CONDITIONS, max_size=3, unique=True))
    inner = draw(st.sampled_from([" and ", " or "]))
    joined = draw(st.sampled_from([" and ", " or "]))
    return joined.join([*outer, f"({inner.join(group)})"])


@settings(max_examples=80, deadline=None)
@given(plain_queries())
def test_what_the_language_was_made_for_has_no_traps_and_reads_back_as_it_is(query: str) -> None:
    assert {code for code, _ in places(query)} <= {"never-matches"}
    assert parse(query_text(parse(query))) == parse(query)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["type", "event", "properties.x", "foo", "contains", "match", "(", ")", "and", "or", "AND", "!",
             "=", "!=", "<", '"a"', "'a'", "5", "null", "true", ",", ".", "[", "]", "$", "not", "in"]
        ),
        max_size=12,
    ),
    st.sampled_from([" ", ""]),
)  # fmt: skip
def test_any_text_is_looked_at_to_its_end(words: list[str], joint: str) -> None:
    query = joint.join(words)

    for trap in lint_query(query):
        assert trap.column is not None
        assert 1 <= trap.column <= len(query) + 1


@pytest.mark.parametrize("vector", [each for each in VECTORS if isinstance(each["query"], str)],
                         ids=lambda vector: vector["description"])  # fmt: skip
def test_tokens_with_their_places_are_the_tokens_that_are_parsed(vector: Any) -> None:
    query = vector["query"]
    try:
        placed = lex_placed(query)
    except LexerError:
        with pytest.raises(LexerError):
            lex(query)
        return

    assert [token for _, token in placed] == lex(query)
    for position, token in placed[:-1]:
        assert query[position] in (token.value[0], "\\")


@pytest.mark.parametrize(
    "vector", [each for each in VECTORS if "expected" in each and "event" in each],
    ids=lambda vector: vector["description"],
)  # fmt: skip
def test_a_query_that_is_said_to_never_match_does_not(vector: Any) -> None:
    codes = {code for code, _ in places(vector["query"])}
    sent = isinstance(vector["event"], dict) and vector["event"].get("type", "track") in CALL_TYPES

    assert not (sent and vector["expected"] and "never-matches" in codes)


def test_a_query_with_a_trap_is_compiled_all_the_same() -> None:
    """Traps are advice: what the table holds is valid, or refused by the compiler in its own words."""
    refused = set()
    for query in TRAPS:
        try:
            compile_subscription(query)
        except MappingError:
            refused.add(query)

    assert {code for query in refused for code, _ in TRAPS[query]} == {
        "nested-group", "unreadable", "function-unknown"
    }  # fmt: skip
