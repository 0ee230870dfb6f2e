"""Subscriptions: from the grammar, some with a piece deleted, doubled or replaced; and events for them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.oracle.strategies.values import scalars, values

_FIELDS = (
    *(
        "type",
        "event",
        "name",
        "userId",
        "properties.a",
        "properties.b",
        "properties.a.b",
        "traits.a",
        "context.a",
    ),
    *(
        "properties",
        "traits",
        "anonymousId",
        "properties.list.length",
        r"properties.list\[0\].a",
        r"properties.q\ r",
    ),
    *(
        "properties.and",
        "properties.null.x",
        r"properties.\0",
        "Type",
        "properties.x-y",
        r"properties.\$x",
        "typ",
    ),
)
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "==", "<>", "in", "~")
_VALUES = (
    *(
        '"track"',
        '"Order Completed"',
        "'track'",
        "track",
        "10",
        "-1",
        "5.5",
        "0",
        "true",
        "false",
        "null",
        '"10"',
        '""',
    ),
    *(
        '"a*"',
        '"*a"',
        '"*"',
        "1e1",
        ".5",
        "5.",
        "+",
        "an",
        "or",
        "nu",
        "n",
        '"true"',
        '"ñ😀"',
        "'a\"",
        '"x\ny"',
        "é",
        "eos",
    ),
)
_PATTERNS = (
    '"a*"',
    '"*a"',
    '"O*d"',
    '"*"',
    '""',
    '"Order*"',
    "'a*'",
    "10",
    "true",
    "null",
    '"*der*"',
    "a",
    '"lo"',
)
_JUNK = (
    *(
        "and",
        "or",
        "AND",
        "not",
        "!",
        "(",
        ")",
        ",",
        "[",
        "]",
        ".",
        "=",
        '"',
        "'",
        "\\",
        "\r",
        "\t",
        "\n",
        "null",
        " ",
    ),
    *("$", "|", "&", "type", "contains", "match", "or(", "!(", "1", "-", "+", "😀", "_", "\ud83d", "\u00a0"),
)

_blanks = st.sampled_from((" ",) * 15 + ("", "\n"))
_comparisons = st.tuples(
    st.sampled_from(_FIELDS[:9] * 4 + _FIELDS),
    _blanks,
    st.sampled_from(_OPERATORS[:6] * 6 + _OPERATORS),
    _blanks,
    st.sampled_from(_VALUES[:13] * 3 + _VALUES),
).map("".join)
_functions = st.tuples(
    st.sampled_from(("", "", "", "!", "!", "!", "! ", "not ")),
    st.sampled_from(("contains", "match")),
    st.sampled_from(("(", "(", " ( ")),
    st.sampled_from(_FIELDS[:9] * 3 + _FIELDS),
    st.sampled_from((", ", ",", " ")),
    st.sampled_from(_PATTERNS + _VALUES),
    st.sampled_from((")",) * 9 + ("",)),
).map("".join)
_joints = st.sampled_from((" and ", " or ", " and ", " or ", " AND ", " ", "\tand\n", " and or "))


def _chained(of: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(of, _joints), min_size=1, max_size=3).map(
        lambda parts: "".join(text + joint for text, joint in parts[:-1]) + parts[-1][0]
    )


_conditions = _comparisons | _comparisons | _functions
_groups = _chained(_conditions).map("({})".format) | _chained(_conditions).map("!({})".format)
_grammatical = _chained(_conditions | _conditions | _groups)


@st.composite
def _mutated(draw: st.DrawFn) -> str:
    text = draw(_grammatical)
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 3)))
        text = text[:start] + draw(st.sampled_from(_JUNK)) + text[end:]
    return text


_noise = st.lists(st.sampled_from(_JUNK), max_size=5).map("".join)
queries = st.integers(0, 15).flatmap(
    lambda dice: _noise if dice == 0 else _mutated() if dice < 4 else _grammatical
)

_words = st.sampled_from(
    ("track", "Order Completed", "a", "10", "ab", "Order X", "hello", "", "true", "null", "der", "eos")
)
_actual = st.one_of(_words, st.sampled_from((10, -1, 5.5, 0, True, False, None, "10")), values)
_members = st.dictionaries(
    st.sampled_from(("a", "b", "list", "q r", "and", "null", "0", "x-y", "$x", "properties")),
    _actual
    | st.fixed_dictionaries({"b": _actual})
    | st.lists(st.fixed_dictionaries({"a": _actual}), max_size=2),
    max_size=4,
)
events: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(("track", "page", "identify")) | _actual,
        "event": _actual,
        "name": _actual,
        "userId": _actual,
        "properties": _members | scalars,
        "traits": _members | scalars,
        "context": _members | scalars,
    },
)
