"""Amounts as one source writes them: decimal comma, smallest unit (tables 2.2; quirks 30, 32)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.events import Flag
from connector.values.amounts import amounts
from connector.values.currencies import CURRENCIES, MINOR_DIGITS, minor_digits

FROM_TEXT = ["number_from_text"]
MARKS_REMOVED = ["number_from_text", "money_marks_removed"]
UNREADABLE = ["number_unreadable"]


def read(
    sent: Any, code: Literal["M", "Q"] = "M", minor: int = 0, *, comma: bool = False
) -> tuple[Any, list[str]]:
    """The typed value and the codes of the flags."""
    flags: list[Flag] = []
    typed = amounts(code, minor, decimal_comma=comma).coerce(sent, "properties.x", flags)
    return typed, [flag.code for flag in flags]


@pytest.mark.parametrize(
    ("sent", "typed", "codes"),
    [
        ("19,99", "19.99", FROM_TEXT),
        (" -19,99 ", "-19.99", FROM_TEXT),
        ("1,234", "1.234", FROM_TEXT),
        ("0,5", "0.5", FROM_TEXT),
        ("1.234,50", "1234.5", MARKS_REMOVED),
        ("1.234.567,89", "1234567.89", MARKS_REMOVED),
        ("1.234.567", "1234567", MARKS_REMOVED),
        ("1 234,50", "1234.5", MARKS_REMOVED),
        ("1\u00a0234,50", "1234.5", MARKS_REMOVED),
        ("1\u202f234\u202f567", "1234567", MARKS_REMOVED),
        ("19,99 €", "19.99", MARKS_REMOVED),
        ("€ 1.234,50", "1234.5", MARKS_REMOVED),
        ("19,99\u00a0EUR", "19.99", MARKS_REMOVED),
        ("-€19,99", "-19.99", MARKS_REMOVED),
        ("1999", "1999", FROM_TEXT),
        ("19.99", "19.99", FROM_TEXT),
        ("1234.567", "1234.567", FROM_TEXT),
        ("0.500", "0.5", FROM_TEXT),
        ("1,234.50", "1234.5", MARKS_REMOVED),
        ("1,234,567", "1234567", MARKS_REMOVED),
        ("$99.00", "99", MARKS_REMOVED),
        ("1.234", None, UNREADABLE),
        ("-1.234", None, UNREADABLE),
        ("1.234 €", None, UNREADABLE),
        ("12.34,50", None, UNREADABLE),
        ("1.2345,00", None, UNREADABLE),
        ("0.123,45", None, UNREADABLE),
        ("1234.567,89", None, UNREADABLE),
        ("1 23,45", None, UNREADABLE),
        ("19,99 QTY", None, UNREADABLE),
        ("€19,99€", None, UNREADABLE),
        ("12,99 - 19,99", None, UNREADABLE),
        ("19,", None, UNREADABLE),
        (",99", None, UNREADABLE),
        ("\u0661,5", None, UNREADABLE),
        ("1." + "234." * 100 + "5", None, UNREADABLE),
        (19.99, "19.99", []),
        (True, None, ["number_from_bool"]),
    ],
)
def test_a_source_with_a_decimal_comma(sent: Any, typed: str | None, codes: list[str]) -> None:
    assert read(sent, comma=True) == (None if typed is None else Decimal(typed), codes)


def test_quantities_of_such_a_source_are_weighed_with_a_comma_too() -> None:
    assert read("0,375", "Q", comma=True) == (Decimal("0.375"), FROM_TEXT)
    assert read("0,375", "Q") == (None, UNREADABLE)


@settings(deadline=None, max_examples=200)
@given(st.decimals(-(10**11), 10**11, places=2), st.sampled_from(["", ".", " ", "\u00a0", "\u202f"]))
def test_what_such_a_source_prints_is_what_is_read(amount: Decimal, mark: str) -> None:
    printed = format(amount, ",.2f").replace(".", "c").replace(",", mark).replace("c", ",")

    assert read(printed, comma=True)[0] == amount


@settings(deadline=None, max_examples=200)
@given(st.from_regex(r"\A[+-]?[$€]?[0-9., ]{1,14}( EUR)?\Z"))
def test_the_setting_takes_no_other_reading_of_what_is_read_without_it(sent: str) -> None:
    """It may refuse what then has two readings; it never turns one number into another."""
    without, _ = read(sent)
    with_it, _ = read(sent, comma=True)

    assert without is None or with_it in (None, without)


@pytest.mark.parametrize(
    ("sent", "minor", "typed", "codes"),
    [
        (1999, 2, "19.99", []),
        (1999, 0, "1999", []),
        (1999, 3, "1.999", []),
        (1999, 4, "0.1999", []),
        (1999.0, 2, "19.99", []),
        (0.5, 2, "0.005", []),
        (-250, 2, "-2.5", []),
        ("1999", 2, "19.99", FROM_TEXT),
        ("$1,999,900", 2, "19999", MARKS_REMOVED),
        (0.00005, 2, "0", ["number_rounded"]),
        (10**13, 2, "100000000000", []),
        (10**14, 2, None, ["number_out_of_range"]),
        (10**400, 2, None, ["number_out_of_range"]),
        (float("nan"), 2, None, ["number_not_finite"]),
        ({"centAmount": 1999}, 2, None, ["type_mismatch"]),
    ],
)
def test_amounts_in_minor_units(sent: Any, minor: int, typed: str | None, codes: list[str]) -> None:
    assert read(sent, minor=minor) == (None if typed is None else Decimal(typed), codes)


@settings(deadline=None, max_examples=200)
@given(st.integers(-(10**13), 10**13), st.sampled_from(sorted(MINOR_DIGITS)))
def test_minor_units_are_divided_exactly(units: int, minor: int) -> None:
    typed, codes = read(units, minor=minor)

    if codes:
        assert codes == ["number_out_of_range"]
        assert abs(units) >= 10 ** (12 + minor)
    else:
        assert typed * 10**minor == units


@pytest.mark.parametrize(
    ("code", "digits"),
    [("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("ISK", 0), ("KWD", 3), ("TND", 3), ("CLF", 4),
     ("MGA", 2), ("XAU", 0), ("GOLD", 2), (None, 2)],
)  # fmt: skip
def test_minor_units_of_currencies(code: str | None, digits: int) -> None:
    assert minor_digits(code) == digits
    assert digits in MINOR_DIGITS


def test_most_currencies_have_hundredths() -> None:
    others = {code for code in CURRENCIES if minor_digits(code) != 2}

    assert len(others) == 17 + 7 + 7 + 2
