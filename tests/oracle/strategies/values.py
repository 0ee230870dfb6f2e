"""Payloads and the values in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

KEYS = (
    "a",
    "b",
    "c",
    "event",
    "name",
    "list",
    "0",
    "1",
    "length",
    "it's",
    "q r",
    "x.y",
    "ñ",
    "-1",
    "01",
    "10",
    "",
)
"""Few, so that paths meet them."""

_PIECES = (
    *("a", "b", "Hello", "l", ".", "$", "$.", "$&", "{", "}", "{{a}}", "{{{b}}}", "[", "]", "'", '"', "\\"),
    *(
        " ",
        "\n",
        "\t",
        "\u00a0",
        "\u2028",
        "\ufeff",
        "0",
        "5",
        "-",
        "é",
        "É",
        "ß",
        "ẞ",
        "İ",
        "ı",
        "Σ",
        "ς",
        "K",
        "ſ",
    ),
    *("ñ", "😀", "\ud83d", "\ude00", "\x00", "\x1f", "ǅ", "ﬁ", "%"),
)
_TEXTS = (
    *(
        "",
        " ",
        "0",
        "1",
        "5",
        "5.0",
        "5.5",
        "1e3",
        "-5",
        "true",
        "false",
        "null",
        "undefined",
        "NaN",
        "Infinity",
    ),
    *(
        "abc",
        "Order Completed",
        "track",
        "2024",
        "20240101",
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        "2024-13-45",
    ),
    *(
        "2024-01-01T10:00:00+02:00",
        "12:00",
        "nope",
        "1709294400",
        "1709294400000",
        "0x10",
        "-0",
        "+5",
        ".5",
        "5.",
    ),
    *(
        '{"a":1}',
        "[1,2]",
        "[1,]",
        '"text"',
        " 5 ",
        '{"b":1,"10":2,"9":null}',
        "12345678901234567890",
        '{"a":1,"a":2}',
    ),
    *(
        "$.a",
        "a",
        "a.b",
        "list[0].a",
        "hello world",
        "10",
        "USD",
        "a@b.com",
        "http://a.example/x",
        "1_000",
        "٥",
    ),
)
_NUMBERS = (
    *(0, 1, 2, 5, -1, 10, 100, 20240101, 1709294400, 1709294400000, 2**31, 2**53 - 1, 2**53, -(2**53)),
    *(0.5, 5.5, -0.0, 1.0, 0.1, 1e21, 1e-7, 123456789.125, 1e20, 1e300, 5e-324, 2.5, 1.005, -2.5),
)

Values = st.SearchStrategy[Any]

numbers = st.one_of(
    st.sampled_from(_NUMBERS), st.integers(-1000, 1000), st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.sampled_from(_TEXTS) | st.lists(st.sampled_from(_PIECES), max_size=5).map("".join)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, texts)
keys = st.sampled_from(KEYS)

_often = st.sampled_from((True, True, True, False))


@st.composite
def members(draw: st.DrawFn, of: Mapping[str, Values]) -> dict[str, Any]:
    """An object with most of these members."""
    return {key: draw(value) for key, value in of.items() if draw(_often)}


def weighted(*chances: tuple[int, Values]) -> Values:
    """One of the strategies, each as often as its weight says."""
    return st.sampled_from([each for weight, each in chances for _ in range(weight)]).flatmap(lambda it: it)


def mostly(usual: Values, odd: Values, *, odd_in: int) -> Values:
    """The usual thing; the odd thing one time in ``odd_in``, never when that is 0."""
    return weighted((odd_in - 1, usual), (1, odd)) if odd_in else usual


def objects(of: Values, max_size: int = 4) -> Values:
    return st.dictionaries(keys, of, max_size=max_size)


def _deeper(of: Values) -> Values:
    return st.one_of(scalars, st.lists(of, max_size=4), objects(of), objects(of))


values = _deeper(_deeper(scalars))
"""Any JSON value, a few levels deep."""

payloads = members(dict.fromkeys(KEYS[:8], values)) | st.dictionaries(keys, values, max_size=3)


def decoded(value: Any) -> Any:
    """The value as a JSON decoder gives it: two halves of a surrogate pair have become one character."""
    return json.loads(json.dumps(value))
