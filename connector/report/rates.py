"""Exchange rates as they are typed, and as rows with the days on which they hold. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pydantic_core import PydanticCustomError

from connector.report.clock import number_of

_RATE = re.compile(r"([^@=\s]+)(?:@([0-9]{4}-[0-9]{2}-[0-9]{2}))?=([0-9]{1,7}(?:\.[0-9]{1,12})?)")
_FIRST_DAY, _END_DAY = 0, 3_000_000
"""Day numbers before and after every row: the years 1970 and 10183."""


class Rate(NamedTuple):
    """What one unit of a currency is worth from a local day until before another one (day numbers)."""

    currency: str
    first_day: int
    end_day: int
    rate: Decimal


def rates_of(entries: Iterable[str], convert_to: str) -> list[Rate]:
    """
    ``EUR=1.08`` and ``EUR@2026-01-01=1.08`` as rows.

    One EUR is worth 1.08 of ``convert_to`` on every day, or from that day until the next one named for EUR.
    ``convert_to`` itself is worth 1.

    Raises:
        PydanticCustomError: an entry cannot be read, is there twice, or is not above 0.
    """
    stated: dict[str, dict[int, Decimal]] = defaultdict(dict)
    for entry in entries:
        currency, first_day, rate = _read(entry)
        if first_day in stated[currency]:
            raise PydanticCustomError("rate", "a currency has two rates for one day")
        stated[currency][first_day] = rate
    if any(rate != 1 for rate in stated.setdefault(convert_to, {_FIRST_DAY: Decimal(1)}).values()):
        raise PydanticCustomError("rate", "the currency that is converted to is worth 1 of itself")
    return [one for currency in sorted(stated) for one in _held(currency, stated[currency])]


def _read(entry: str) -> tuple[str, int, Decimal]:
    match = _RATE.fullmatch(entry.strip())
    if match is None:
        raise PydanticCustomError(
            "rate",
            "a rate is written as EUR=1.08 or EUR@2026-01-01=1.08, with at most 7 digits before the point "
            "and 12 after",
        )
    rate = Decimal(match[3])
    if not rate:
        raise PydanticCustomError("rate", "a rate is above 0")
    return match[1].upper(), _day(match[2]) if match[2] else _FIRST_DAY, rate


def _day(text: str) -> int:
    try:
        return number_of(date.fromisoformat(text))
    except ValueError:
        raise PydanticCustomError("rate", "the day of a rate is written as 2026-01-31") from None


def _held(currency: str, stated: dict[int, Decimal]) -> list[Rate]:
    starts = sorted(stated)
    return [
        Rate(currency, start, end, stated[start])
        for start, end in zip(starts, [*starts[1:], _END_DAY], strict=True)
    ]
