"""JavaScript's view of decoded JSON: undefined, truthiness, type names, the text and number forms of a value.

The mapping engine and the subscription language are defined by what JavaScript does; what depends on it is
here, so the directives read as their rules. Integers may be larger than 2**53: as values they keep their
digits, and take the form of the nearest double only where text is produced or numbers are compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from connector.events import Json

Resolver = Callable[[Json], Json]
"""A compiled piece of a mapping: payload in, value or ``UNDEFINED`` out."""

JS_WHITESPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What ``String.prototype.trim`` removes; Python's ``strip`` differs at both ends of Unicode."""

_LARGEST_SAFE_INTEGER = 2**53
_MAX_POSITIONAL_DIGITS = 21
_MIN_POSITIONAL_POINT = -6
_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,9})\Z")
_LARGEST_INDEX = 2**32 - 2
_DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\Z")
_RADIX = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)\Z")


class Undefined:
    """The type of ``UNDEFINED``: no value, which is not null. One instance, falsy, equal to itself only."""

    __slots__ = ()
    _only: Undefined | None = None

    def __new__(cls) -> Undefined:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __reduce__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = Undefined()
"""What a mapping evaluates to when there is nothing: a key that is not emitted."""


def is_truthy(value: Json) -> bool:
    """Return True unless JavaScript counts the value as false: undefined, null, false, 0, NaN, ``""``."""
    if isinstance(value, dict | list):
        return True
    return bool(value) and value == value


def is_missing(value: Json) -> bool:
    """Return True for null and undefined."""
    return value is None or value is UNDEFINED


def is_number(value: Json) -> bool:
    """Return True for a number, which a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def type_name(value: Json) -> str:
    """Return the name Segment's messages use: ``null``, ``array``, ``object``, ``undefined`` and so on."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    names = ((str, "string"), (list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__name__.lower())


def text_of(value: Json) -> str:
    """Return ``String(value)``: a list joins its items by commas, null and undefined items being empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list):
        return ",".join("" if is_missing(item) else text_of(item) for item in value)
    if isinstance(value, dict):
        return "[object Object]"
    return type_name(value)


def number_text(number: int | float) -> str:
    """Return a number as JavaScript writes it: ``1``, ``0.1``, ``1e-7``, ``1e+21``; below 1e21 in full."""
    if isinstance(number, int):
        if -_LARGEST_SAFE_INTEGER <= number <= _LARGEST_SAFE_INTEGER:
            return str(number)
        number = double(number)
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    shortest = repr(number)
    return shortest.removesuffix(".0") if "e" not in shortest else _from_scientific(shortest)


def _from_scientific(shortest: str) -> str:
    """Rewrite Python's scientific notation, which begins earlier than JavaScript's."""
    sign = "-" if shortest.startswith("-") else ""
    mantissa, _, exponent = shortest.removeprefix("-").partition("e")
    digits = mantissa.replace(".", "")
    point = int(exponent) + 1
    if len(digits) <= point <= _MAX_POSITIONAL_DIGITS:
        return sign + digits.ljust(point, "0")
    if _MIN_POSITIONAL_POINT < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def double(number: int | float) -> float:
    """Return the nearest double; an integer beyond its range becomes an infinity."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def number_of(value: str | bool | int | float) -> float:
    """Return ``Number(value)``: blank text is 0, text that is no number is NaN."""
    if not isinstance(value, str):
        return double(value)
    text = value.strip(JS_WHITESPACE)
    if not text:
        return 0.0
    if _DECIMAL.match(text):
        return float(text)
    return double(int(text, 0)) if _RADIX.match(text) else math.nan


def array_index(key: str) -> int | None:
    """Return the number when a key is an array index as JavaScript writes it (no sign, no leading zero)."""
    if not _INDEX.match(key):
        return None
    index = int(key)
    return index if index <= _LARGEST_INDEX else None


def in_key_order(keys: Iterable[str]) -> list[str]:
    """Return keys in JavaScript's order: array indexes ascending, then the others as they were inserted."""
    keys = list(keys)
    if not any(map(_INDEX.match, keys)):
        return keys
    indexed = [(key, array_index(key)) for key in keys]
    indexes = sorted((index, key) for key, index in indexed if index is not None)
    return [key for _, key in indexes] + [key for key, index in indexed if index is None]


def utf16_length(text: str) -> int:
    """Return ``text.length``: UTF-16 units."""
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def utf16_units(text: str) -> list[str]:
    """Return the UTF-16 units of a text, each as a character; astral characters give two surrogates."""
    if text.isascii():
        return list(text)
    encoded = text.encode("utf-16-le", "surrogatepass")
    return [chr(encoded[i] | encoded[i + 1] << 8) for i in range(0, len(encoded), 2)]


def drop_undefined(value: Json) -> Json:
    """Return the value without undefined keys, at any depth; undefined list items stay."""
    if isinstance(value, dict):
        return {key: drop_undefined(item) for key, item in value.items() if item is not UNDEFINED}
    if isinstance(value, list):
        return [drop_undefined(item) for item in value]
    return value


def as_json(value: Json) -> Json:
    """Return what JSON keeps of a value: undefined keys go, undefined items and infinities become null."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items() if item is not UNDEFINED}
    if isinstance(value, list):
        return [None if item is UNDEFINED else as_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def constant(value: Any) -> Resolver:
    """Return a resolver that gives the same immutable value for every payload."""
    return lambda _payload: value
