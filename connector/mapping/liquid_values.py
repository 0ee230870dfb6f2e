"""Values as LiquidJS 10.27.2 sees them: text, truth, comparison and members. Source: mapping-kit 4."""

from __future__ import annotations

import math
from typing import Any

from liquid.builtin.expressions.primitive import Blank, Empty

from connector.errors import MappingError
from connector.mapping.jsvalues import (
    JS_WHITESPACE,
    UNDEFINED,
    array_index,
    is_missing,
    is_number,
    number_of,
    text_of,
    utf16_length,
    utf16_units,
)

MAX_CHARACTERS = 10_000_000
"""Characters and list items that one rendering may make, so that a template cannot fill the memory."""

NIL = object()
"""The word ``nil`` in a condition, which null and undefined both equal though they differ."""

MEMORY_EXCEEDED = "memory alloc limit exceeded"


def plain(value: Any) -> Any:
    """Return the JSON value behind a range or a keyword of the language."""
    if isinstance(value, range):
        if len(value) > MAX_CHARACTERS // 10:
            raise MappingError(MEMORY_EXCEEDED)
        return list(value)
    if value is NIL:
        return None
    return "" if isinstance(value, Empty | Blank) else value


def text(value: Any) -> str:
    """Return a value as it is put out: lists without separators, nothing for null and undefined."""
    value = plain(value)
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(text, value))
    return "" if is_missing(value) else text_of(value)


def is_true(value: Any) -> bool:
    """Return True unless the value is false, null or undefined: ``""``, 0 and ``[]`` are true."""
    return value is not False and value is not NIL and not is_missing(value)


def number(value: Any) -> float:
    """Return ``Number(value)``, NaN where JavaScript has it."""
    value = plain(value)
    if value is None:
        return 0.0
    if isinstance(value, list | dict):
        value = text_of(value)
    return math.nan if value is UNDEFINED else number_of(value)


def equals(left: Any, right: Any) -> bool:
    """Compare by type and value; what is missing equals ``nil``, ``empty`` and ``blank`` what they say."""
    for keyword, other in ((left, right), (right, left)):
        if isinstance(keyword, Blank):
            return other is False or is_missing(other) or _is_blank(other)
        if isinstance(keyword, Empty):
            return isinstance(other, str | list | dict) and not other
        if keyword is NIL:
            return other is NIL or is_missing(other)
    left, right = plain(left), plain(right)
    if is_missing(left) or is_missing(right):
        return left is right
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(equals, left, right))
    if isinstance(left, dict):
        return left is right
    if is_number(left) and is_number(right):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def _is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip(JS_WHITESPACE)
    return isinstance(value, list | dict) and not value


def is_less(left: Any, right: Any) -> bool:
    """Compare two texts by UTF-16 units, anything else as numbers; keywords such as ``nil`` have no order."""
    if _is_keyword(left) or _is_keyword(right):
        return False
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return utf16_units(left) < utf16_units(right)
    return number(left) < number(right)


def is_less_or_equal(left: Any, right: Any) -> bool:
    if _is_keyword(left) or _is_keyword(right):
        return False
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return utf16_units(left) <= utf16_units(right)
    return number(left) <= number(right)


def _is_keyword(value: Any) -> bool:
    return value is NIL or isinstance(value, Blank | Empty)


def _primitive(value: Any) -> Any:
    value = plain(value)
    return text_of(value) if isinstance(value, list | dict) else value


def contains(left: Any, right: Any) -> bool:
    left = plain(left)
    if isinstance(left, list):
        return any(equals(item, right) for item in left)
    return isinstance(left, str) and text_of(_primitive(right)) in left


def member(value: Any, key: Any) -> Any:
    """Return a member: own keys, ``size``, ``first``, ``last``; items of lists also from the end."""
    value = plain(value)
    if is_missing(value):
        return value
    name = text_of(key) if not isinstance(key, str) else key
    if isinstance(value, dict):
        return value.get(name, len(value) if name == "size" else UNDEFINED)
    if isinstance(value, str):
        return _text_member(value, name)
    return _item(value, key, name) if isinstance(value, list) else UNDEFINED


def _text_member(value: str, name: str) -> Any:
    if name in ("size", "length"):
        return utf16_length(value)
    units, index = utf16_units(value), array_index(name)
    return UNDEFINED if index is None or index >= len(units) else units[index]


def _item(items: list[Any], key: Any, name: str) -> Any:
    if name in ("size", "length"):
        return len(items)
    named = {"first": 0, "last": -1}.get(name)
    if named is None and is_number(key):
        named = int(key) if key == int(key) else None
    if named is None:
        named = array_index(name)
    return UNDEFINED if named is None or not -len(items) <= named < len(items) else items[named]
