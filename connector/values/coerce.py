"""JSON values to column types, with a note for everything that was not taken as it was sent.

A coercer is ``(value, path, flags) -> typed value or None``: it appends what it noticed to ``flags``. The
caller has passed over null and ``""`` before. Source: tables 2.2; quirks 23, 28 to 31, 44, 46, 51, 64.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any

from connector.events import Flag, Json
from connector.jsontext import dumps
from connector.tables.model import TypeCode
from connector.values.currencies import CURRENCIES
from connector.values.times import read_time

Coercer = Callable[[Json, str, list[Flag]], Any]

_WIDE = Context(prec=400, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999)
_FLOAT_NOISE = Decimal(2) ** -44
_BEYOND_53 = 2**53
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?\Z", re.ASCII)
_MARKED = re.compile(
    r"(?P<minus>[+-])?(?P<before>[A-Z]{3}|[$€£¥₹₩₽₺₪฿₫₴₦]|[A-Z]{1,2}\$|kr|zł)?\s?(?P<inner>[+-])?"
    r"(?P<number>[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3}){2,}|[0-9]+(?:\.[0-9]+)?)"
    r"\s?(?P<after>[A-Z]{3}|[$€£¥₹₩₽₺₪฿₫₴₦]|kr|zł)?\Z"
)
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_MAX_DIGITS = 350
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
        return text(value, path, [])
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


class Fitted:
    """A number fitted to a scale: the value, or None, and the codes of what was noticed."""

    __slots__ = ("codes", "value")

    def __init__(self, value: Decimal | None, *codes: str) -> None:
        self.value = value
        self.codes = codes


def _fit(number: Decimal, scale: int, limit: Decimal, *codes: str) -> Fitted:
    if abs(number) >= limit:
        return Fitted(None, *codes, "number_out_of_range")
    fitted = number.quantize(Decimal(1).scaleb(-scale), context=_WIDE)
    change = abs(_WIDE.subtract(number, fitted))
    if change and change > abs(number) * _FLOAT_NOISE:
        codes = (*codes, "number_rounded")
    if abs(fitted) >= limit:
        return Fitted(None, *codes, "number_out_of_range")
    return Fitted(fitted, *codes)


def _decimal(scale: int, limit: Decimal) -> tuple[Callable[[float], Fitted], Coercer]:
    @lru_cache(maxsize=16_384, typed=True)
    def from_number(value: float) -> Fitted:
        if value != value or value in (float("inf"), float("-inf")):
            return Fitted(None, "number_not_finite")
        if abs(value) >= limit:
            return Fitted(None, "number_out_of_range")
        return _fit(Decimal(repr(value)), scale, limit)

    @lru_cache(maxsize=4_096)
    def from_text(value: str) -> Fitted:
        number, codes = _number_in(value)
        return Fitted(None, *codes) if number is None else _fit(number, scale, limit, *codes)

    def coerce(value: Json, path: str, flags: list[Flag]) -> Decimal | None:
        kind = type(value)
        if kind is float or kind is int:
            fitted = from_number(value)
        elif kind is str:
            fitted = from_text(value)
        elif kind is bool:
            fitted = Fitted(None, "number_from_bool")
        else:
            fitted = Fitted(None, "type_mismatch")
        for code in fitted.codes:
            flags.append(Flag(code, path))
        return fitted.value

    return from_number, coerce


def _number_in(value: str) -> tuple[Decimal | None, tuple[str, ...]]:
    """All or nothing: never a prefix of the text (quirk 31), never a decimal comma (quirk 30)."""
    trimmed = value.strip()
    if len(trimmed) > _MAX_DIGITS:
        return None, ("number_unreadable",)
    if _PLAIN.match(trimmed):
        return Decimal(trimmed), ("number_from_text",)
    found = _MARKED.match(trimmed)
    if found is None or (found["before"] and found["after"]) or (found["minus"] and found["inner"]):
        return None, ("number_unreadable",)
    mark = found["before"] or found["after"] or ""
    if len(mark) == 3 and mark.isalpha() and mark not in CURRENCIES:
        return None, ("number_unreadable",)
    number = Decimal(found["number"].replace(",", ""))
    negative = "-" in (found["minus"], found["inner"])
    return (-number if negative else number), ("number_from_text", "money_marks_removed")


fit_money, money = _decimal(6, Decimal(10) ** 12)
fit_quantity, quantity = _decimal(3, Decimal(10) ** 9)
FITTERS: Mapping[TypeCode, Callable[[float], Fitted]] = {"M": fit_money, "Q": fit_quantity}
"""The first step of M and Q for a number: what it fits to, without a place to note anything."""


def _integer(bits: int) -> Coercer:
    limit = 2 ** (bits - 1)

    def coerce(value: Json, path: str, flags: list[Flag]) -> int | None:
        kind = type(value)
        if kind is int:
            return _in_range(value, path, flags)
        if kind is float:
            return _whole(value, path, flags)
        if kind is str:
            number, codes = _number_in(value)
            if number is None or "money_marks_removed" in codes:
                flags.append(Flag("number_unreadable", path))
                return None
            if number != number.to_integral_value(context=_WIDE):
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
    elif kind is str and len(value) <= _MAX_DIGITS and _PLAIN.match(value.strip()):
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
