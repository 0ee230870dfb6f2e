"""Numbers to the decimals of money and quantity columns (M, Q), in the notation of their source.

Source: tables 2.2; quirks 28 to 32, 41, 46.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from connector.events import Flag, Json
from connector.values.currencies import CURRENCIES

_WIDE = Context(prec=400, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999)
_FLOAT_NOISE = Decimal(2) ** -44
MAX_DIGITS = 350
_SCALES: Mapping[str, tuple[int, Decimal]] = {"M": (6, Decimal(10) ** 12), "Q": (3, Decimal(10) ** 9)}
"""Digits behind the point, and the first amount that is too large."""

PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?\Z", re.ASCII)


def _marked(number: str) -> re.Pattern[str]:
    """One sign and one currency mark round a number."""
    return re.compile(
        r"(?P<minus>[+-])?(?P<before>[A-Z]{3}|[$€£¥₹₩₽₺₪฿₫₴₦]|[A-Z]{1,2}\$|kr|zł)?\s?(?P<inner>[+-])?"
        rf"(?P<number>{number})"
        r"\s?(?P<after>[A-Z]{3}|[$€£¥₹₩₽₺₪฿₫₴₦]|kr|zł)?\Z"
    )


_POINT = _marked(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(?:,[0-9]{3}){2,}|[0-9]+(?:\.[0-9]+)?")
_COMMA = _marked(
    r"[0-9]+,[0-9]+|[1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+,[0-9]+|(?:\.[0-9]{3}){2,})"
    r"|[1-9][0-9]{0,2}(?:[ \u00a0\u202f][0-9]{3})+(?:,[0-9]+)?"
)
_EITHER_WAY = re.compile(r"(?<![0-9.,])[1-9][0-9]{0,2}\.[0-9]{3}(?![0-9.,])")
"""``1.234``: a thousand and more where the comma is decimal, unless a program wrote the number."""
_GROUPS = re.compile(r"[. \u00a0\u202f]")
_UNREADABLE: tuple[None, tuple[str, ...]] = (None, ("number_unreadable",))


def number_in(value: str, *, decimal_comma: bool = False) -> tuple[Decimal | None, tuple[str, ...]]:
    """The number that a text is, and the codes to note. All or nothing: never a prefix (quirk 31).

    Args:
        decimal_comma: the source writes ``19,99``, ``1.234,50`` and ``1 234,50`` (quirk 30). What then has
            two readings, ``1.234``, stays unread.
    """
    trimmed = value.strip()
    if len(trimmed) > MAX_DIGITS:
        return _UNREADABLE
    if decimal_comma:
        if _EITHER_WAY.search(trimmed):
            return _UNREADABLE
        if found := _COMMA.match(trimmed):
            ungrouped = _GROUPS.sub("", found["number"])
            return _signed(found, ungrouped.replace(",", "."), marks=ungrouped != found["number"])
    if PLAIN.match(trimmed):
        return Decimal(trimmed), ("number_from_text",)
    if found := _POINT.match(trimmed):
        return _signed(found, found["number"].replace(",", ""), marks=True)
    return _UNREADABLE


def _signed(found: re.Match[str], digits: str, *, marks: bool) -> tuple[Decimal | None, tuple[str, ...]]:
    if (found["before"] and found["after"]) or (found["minus"] and found["inner"]):
        return _UNREADABLE
    mark = found["before"] or found["after"] or ""
    if len(mark) == 3 and mark.isalpha() and mark not in CURRENCIES:
        return _UNREADABLE
    number = Decimal(digits)
    if "-" in (found["minus"], found["inner"]):
        number = -number
    return number, ("number_from_text", "money_marks_removed") if marks or mark else ("number_from_text",)


class Fitted:
    """A number fitted to a scale: the value, or None, and the codes of what was noticed."""

    __slots__ = ("codes", "value")

    def __init__(self, value: Decimal | None, *codes: str) -> None:
        self.value = value
        self.codes = codes


class Amounts(NamedTuple):
    """How values of one column type are read."""

    fit: Callable[[float], Fitted]
    """The first step for a number, without a place to note anything."""
    coerce: Callable[[Json, str, list[Flag]], Decimal | None]
    """Any value, with a note for what was not taken as sent."""


@cache
def amounts(code: Literal["M", "Q"], minor_digits: int = 0, *, decimal_comma: bool = False) -> Amounts:
    """
    Args:
        minor_digits: the numbers count units of ``10 ** -minor_digits``: 1999 is 19.99 when it is 2.
        decimal_comma: how texts are written.
    """
    scale, limit = _SCALES[code]
    step = Decimal(1).scaleb(-scale)
    largest = limit.scaleb(minor_digits)

    def fitted(number: Decimal, *codes: str) -> Fitted:
        number = number.scaleb(-minor_digits, context=_WIDE)
        if abs(number) >= limit:
            return Fitted(None, *codes, "number_out_of_range")
        kept = number.quantize(step, context=_WIDE)
        change = abs(_WIDE.subtract(number, kept))
        if change and change > abs(number) * _FLOAT_NOISE:
            codes = (*codes, "number_rounded")
        if abs(kept) >= limit:
            return Fitted(None, *codes, "number_out_of_range")
        return Fitted(kept, *codes)

    @lru_cache(maxsize=16_384, typed=True)
    def from_number(value: float) -> Fitted:
        if value != value or value in (float("inf"), float("-inf")):
            return Fitted(None, "number_not_finite")
        if abs(value) >= largest:
            return Fitted(None, "number_out_of_range")
        return fitted(Decimal(repr(value)))

    @lru_cache(maxsize=4_096)
    def from_text(value: str) -> Fitted:
        number, codes = number_in(value, decimal_comma=decimal_comma)
        return Fitted(None, *codes) if number is None else fitted(number, *codes)

    def coerce(value: Json, path: str, flags: list[Flag]) -> Decimal | None:
        kind = type(value)
        if kind is float or kind is int:
            read = from_number(value)
        elif kind is str:
            read = from_text(value)
        elif kind is bool:
            read = Fitted(None, "number_from_bool")
        else:
            read = Fitted(None, "type_mismatch")
        for code in read.codes:
            flags.append(Flag(code, path))
        return read.value

    return Amounts(from_number, coerce)
