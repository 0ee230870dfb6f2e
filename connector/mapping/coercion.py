"""How a value becomes one of the types that a schema wants. Source: mapping-kit 9 (ajv 8.18.0, coerceTypes
"array")."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from connector.events import Json
from connector.mapping.jsvalues import UNDEFINED, is_number, number_of, number_text, text_of

_LARGEST_POSITIONAL = 1e21


class Coerced(NamedTuple):
    """A value after coercion; when it did not fit, what the messages are about (the only item of a list)."""

    value: Json
    fits: bool


def _is_finite_number(value: Json) -> bool:
    return is_number(value) and (isinstance(value, int) or math.isfinite(value))


def _is_integer(value: Json) -> bool:
    return _is_finite_number(value) and (isinstance(value, int) or value.is_integer())


IS_OF_TYPE: Mapping[str, Callable[[Json], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_finite_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _to_string(value: Json) -> Json:
    if value is None:
        return ""
    return text_of(value) if isinstance(value, int | float) else UNDEFINED


def _to_number(value: Json) -> Json:
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if not isinstance(value, str) or not value:
        return UNDEFINED
    number = number_of(value)
    return UNDEFINED if math.isnan(number) else _shortest(number)


def _shortest(number: float) -> int | float:
    """Return a double as the integer that JavaScript would print, when it prints one."""
    if math.isfinite(number) and number.is_integer() and abs(number) < _LARGEST_POSITIONAL:
        return int(number_text(number))
    return number


def _to_integer(value: Json) -> Json:
    number = _to_number(value)
    return UNDEFINED if isinstance(number, float) and number % 1 > 0 else number


def _to_boolean(value: Json) -> Json:
    if value is None or value == "false" or (is_number(value) and value == 0):
        return False
    return True if value == "true" or (is_number(value) and value == 1) else UNDEFINED


def _to_null(value: Json) -> Json:
    return None if value in ("", 0, False) else UNDEFINED


def _to_list(value: Json) -> Json:
    return [value] if value is None or isinstance(value, str | int | float) else UNDEFINED


_COERCIONS: Mapping[str, Callable[[Json], Json]] = {
    "string": _to_string,
    "number": _to_number,
    "integer": _to_integer,
    "boolean": _to_boolean,
    "null": _to_null,
    "array": _to_list,
}


def compile_coercion(types: Sequence[str]) -> Callable[[Json], Coerced]:
    """
    Return the coercion of a value into the first of some JSON types that it can be read as.

    A list with one item is read as the item. When several types are allowed the item must be coerced even if
    it has one of them already: ``[1]`` as text or number is ``"1"``, while ``["a"]`` is refused.
    """
    tests = [IS_OF_TYPE[name] for name in types]
    steps = [_COERCIONS[name] for name in types if name in _COERCIONS]

    def coerce(value: Json) -> Coerced:
        if any(test(value) for test in tests):
            return Coerced(value, True)
        if steps and isinstance(value, list) and len(value) == 1:
            value = value[0]
            if len(tests) == 1 and tests[0](value):
                return Coerced(value, True)
        for step in steps:
            coerced = step(value)
            if coerced is not UNDEFINED:
                return Coerced(coerced, True)
        return Coerced(value, False)

    return coerce
