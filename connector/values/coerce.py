"""JSON values to column types, with a note for everything that was not taken as it was sent.

A coercer is ``(value, path, flags) -> typed value or None``: it appends what it noticed to ``flags``. The
caller has passed over null and ``""`` before. Source: tables 2.2; quirks 23, 24, 44, 51, 64. M and Q are read
in ``amounts``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connector.events import Flag, Json
from connector.jsontext import dumps
from connector.tables.model import TypeCode
from connector.values.amounts import MAX_DIGITS, PLAIN, amounts, number_in
from connector.values.times import read_time

Coercer = Callable[[Json, str, list[Flag]], Any]

_BEYOND_53 = 2**53
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_BEYOND_DOUBLE = 2**1023
_SAID_BY_LIST = frozenset(("text_from_number", "text_from_bool"))


def text(value: Json, path: str, flags: list[Flag]) -> str | None:
    """S: text as it is; numbers, booleans, lists and objects become text, flagged."""
    if type(value) is str:
        if value.isascii():
            return value if "\0" not in value else _replaced(value, path, flags)
        return _replaced(value, path, flags) if _UNFIT.search(value) else value
    if value is True or value is False:
        flags.append(Flag("text_from_bool", path))
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value, path, flags)
    if type(value) is list and len(value) == 1 and not isinstance(value[0], list | dict | None):
        inner: list[Flag] = []
        flags.append(Flag("text_from_list", path))
        typed = text(value[0], path, inner) or None
        flags.extend(flag for flag in inner if flag.code not in _SAID_BY_LIST)
        return typed
    flags.append(Flag("text_from_json", path))
    return dumps(value)


def quiet_text(value: Json, path: str, flags: list[Flag]) -> str | None:
    """S where a number is expected as often as text (``rating``): numbers become text without a flag."""
    if type(value) is int or type(value) is float:
        noticed: list[Flag] = []
        typed = text(value, path, noticed)
        flags.extend(flag for flag in noticed if flag.code != "text_from_number")
        return typed
    return text(value, path, flags)


def _replaced(value: str, path: str, flags: list[Flag]) -> str:
    flags.append(Flag("text_replaced", path))
    return _UNFIT.sub("\ufffd", value)


def _number_text(value: float, path: str, flags: list[Flag]) -> str | None:
    if value != value or value in (float("inf"), float("-inf")):
        flags.append(Flag("number_not_finite", path))
        return None
    flags.append(Flag("text_from_number", path))
    if abs(value) > _BEYOND_53:
        flags.append(Flag("number_beyond_2_53", path))
    return plain(Decimal(repr(value))) if type(value) is float else str(value)


def plain(value: Decimal) -> str:
    """A decimal without exponent and without zeros behind: ``1E+3`` -> ``1000``, ``2.50`` -> ``2.5``."""
    digits = format(value, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits in ("-0", "") else digits


money = amounts("M").coerce
quantity = amounts("Q").coerce


def _integer(bits: int) -> Coercer:
    limit = 2 ** (bits - 1)

    def coerce(value: Json, path: str, flags: list[Flag]) -> int | None:
        kind = type(value)
        if kind is int:
            return _in_range(value, path, flags)
        if kind is float:
            return _whole(value, path, flags)
        if kind is str:
            number, codes = number_in(value)
            if number is None or "money_marks_removed" in codes:
                flags.append(Flag("number_unreadable", path))
                return None
            if number != number.to_integral_value():
                flags.append(Flag("number_not_integer", path))
                return None
            flags.append(Flag("number_from_text", path))
            return _in_range(int(number), path, flags)
        flags.append(Flag("number_from_bool" if kind is bool else "type_mismatch", path))
        return None

    def _whole(value: float, path: str, flags: list[Flag]) -> int | None:
        if value != value or value in (float("inf"), float("-inf")):
            flags.append(Flag("number_not_finite", path))
            return None
        if not value.is_integer():
            flags.append(Flag("number_not_integer", path))
            return None
        return _in_range(int(value), path, flags)

    def _in_range(value: int, path: str, flags: list[Flag]) -> int | None:
        if -limit <= value < limit:
            return value
        flags.append(Flag("number_out_of_range", path))
        return None

    return coerce


integer = _integer(32)
long_integer = _integer(64)


def double(value: Json, path: str, flags: list[Flag]) -> float | None:
    """D: a finite 64-bit float."""
    kind = type(value)
    number: float
    if kind is float:
        number = value
    elif kind is int:
        number = float(value) if abs(value) < _BEYOND_DOUBLE else float("inf")
    elif kind is str and len(value) <= MAX_DIGITS and PLAIN.match(value.strip()):
        flags.append(Flag("number_from_text", path))
        number = float(value)
    else:
        code = {str: "number_unreadable", bool: "number_from_bool"}.get(kind, "type_mismatch")
        flags.append(Flag(code, path))
        return None
    if number != number or number in (float("inf"), float("-inf")):
        flags.append(Flag("number_not_finite", path))
        return None
    if kind is int and number != value:
        flags.append(Flag("number_beyond_2_53", path))
    return number


_BOOLEANS: Mapping[Any, bool] = {0: False, 1: True, "true": True, "false": False, "0": False, "1": True}


def boolean(value: Json, path: str, flags: list[Flag]) -> bool | None:
    """B: true and false; 0, 1 and their texts, flagged."""
    if value is True or value is False:
        return bool(value)
    if isinstance(value, int | float | str) and value in _BOOLEANS:
        flags.append(Flag("bool_coerced", path))
        return _BOOLEANS[value]
    flags.append(Flag("type_mismatch", path))
    return None


def instant(value: Json, path: str, flags: list[Flag]) -> int | None:
    """T: milliseconds since the epoch, UTC."""
    read = read_time(value)
    if read.code is not None:
        flags.append(Flag(read.code, path))
    return read.ms


def kinds(value: Json, path: str, flags: list[Flag]) -> list[dict[str, str | None]] | None:
    """K: a list of {type, value}; one object counts as a list of one."""
    elements = [value] if type(value) is dict else value
    if type(elements) is not list:
        flags.append(Flag("type_mismatch", path))
        return None
    pairs = []
    for place, element in enumerate(elements):
        if type(element) is dict:
            pairs.append({key: _quiet(element.get(key)) for key in ("type", "value")})
        elif element is not None and not isinstance(element, list):
            pairs.append({"type": None, "value": _quiet(element)})
        else:
            flags.append(Flag("type_mismatch", f"{path}[{place}]"))
    return pairs


def _quiet(value: Json) -> str | None:
    return None if value is None else text(value, "", [])


COERCERS: Mapping[TypeCode, Coercer] = {
    "S": text,
    "M": money,
    "Q": quantity,
    "I": integer,
    "L": long_integer,
    "D": double,
    "B": boolean,
    "T": instant,
    "K": kinds,
}
