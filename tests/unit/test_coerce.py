"""One value, one column type: what is taken, what is coerced with a note, what is null (tables 2.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.events import Flag
from connector.tables.model import PROMOTABLE
from connector.values.coerce import COERCERS, plain, quiet_text

PLACE = "properties.x"
NAN, INFINITY = float("nan"), float("inf")


def coerced(code: str, value: Any) -> tuple[Any, list[str]]:
    """The typed value and the codes of the flags, all of which name the place."""
    flags: list[Flag] = []
    typed = COERCERS[code](value, PLACE, flags)  # type: ignore[index]
    assert {flag.path for flag in flags} <= {PLACE}
    return typed, [flag.code for flag in flags]


@pytest.mark.parametrize(
    ("sent", "typed", "codes"),
    [
        ("prd_2041", "prd_2041", []),
        ("  spaced  ", "  spaced  ", []),
        ("Größe", "Größe", []),
        (6610887671941, "6610887671941", ["text_from_number"]),
        (1e3, "1000", ["text_from_number"]),
        (55520.0, "55520", ["text_from_number"]),
        (21841.5, "21841.5", ["text_from_number"]),
        (1e-7, "0.0000001", ["text_from_number"]),
        (-0.0, "0", ["text_from_number"]),
        (2**53, "9007199254740992", ["text_from_number"]),
        (2**53 + 1, "9007199254740993", ["text_from_number", "number_beyond_2_53"]),
        (1e300, "1" + "0" * 300, ["text_from_number", "number_beyond_2_53"]),
        (10**40, "1" + "0" * 40, ["text_from_number", "number_beyond_2_53"]),
        (NAN, None, ["number_not_finite"]),
        (-INFINITY, None, ["number_not_finite"]),
        (True, "true", ["text_from_bool"]),
        (False, "false", ["text_from_bool"]),
        (["MAY10"], "MAY10", ["text_from_list"]),
        ([21841], "21841", ["text_from_list"]),
        ([True], "true", ["text_from_list"]),
        ([2**60], str(2**60), ["text_from_list", "number_beyond_2_53"]),
        (["\ud800"], "\ufffd", ["text_from_list", "text_replaced"]),
        ([""], None, ["text_from_list"]),
        ([NAN], None, ["text_from_list", "number_not_finite"]),
        (["a", "b"], '["a","b"]', ["text_from_json"]),
        ([], "[]", ["text_from_json"]),
        ([None], "[null]", ["text_from_json"]),
        ([["a"]], '[["a"]]', ["text_from_json"]),
        ({"size": "M", "n": 1.0}, '{"size":"M","n":1.0}', ["text_from_json"]),
        ({"price": NAN}, '{"price":null}', ["text_from_json"]),
        ("a\0b", "a\ufffdb", ["text_replaced"]),
        ("half a pair \ud83d", "half a pair \ufffd", ["text_replaced"]),
    ],
)
def test_text(sent: Any, typed: str | None, codes: list[str]) -> None:
    assert coerced("S", sent) == (typed, codes)


@pytest.mark.parametrize(
    ("sent", "typed", "codes"),
    [
        (19.99, "19.99", []),
        (25, "25", []),
        (-4.5, "-4.5", []),
        (0, "0", []),
        (0.1 + 0.2, "0.3", []),
        (1e-7, "0", ["number_rounded"]),
        (2.0000005, "2", ["number_rounded"]),
        (2.0000015, "2.000002", ["number_rounded"]),
        (999_999_999_999.99, "999999999999.99", []),
        (10**12, None, ["number_out_of_range"]),
        (-1e12, None, ["number_out_of_range"]),
        (1e300, None, ["number_out_of_range"]),
        (NAN, None, ["number_not_finite"]),
        (INFINITY, None, ["number_not_finite"]),
        ("39.95", "39.95", ["number_from_text"]),
        (" 20 ", "20", ["number_from_text"]),
        ("-7", "-7", ["number_from_text"]),
        ("+7.50", "7.5", ["number_from_text"]),
        ("1.2345678", "1.234568", ["number_from_text", "number_rounded"]),
        ("999999999999.9999999", None, ["number_from_text", "number_out_of_range"]),
        ("1000000000000", None, ["number_from_text", "number_out_of_range"]),
        ("$99.00", "99", ["number_from_text", "money_marks_removed"]),
        ("99.00 €", "99", ["number_from_text", "money_marks_removed"]),
        ("99.00\u00a0€", "99", ["number_from_text", "money_marks_removed"]),
        ("USD 12.50", "12.5", ["number_from_text", "money_marks_removed"]),
        ("12.50 eur", None, ["number_unreadable"]),
        ("A$10", "10", ["number_from_text", "money_marks_removed"]),
        ("-$5.00", "-5", ["number_from_text", "money_marks_removed"]),
        ("$-5.00", "-5", ["number_from_text", "money_marks_removed"]),
        ("1,234.50", "1234.5", ["number_from_text", "money_marks_removed"]),
        ("1,234,567", "1234567", ["number_from_text", "money_marks_removed"]),
        ("$1,234.50", "1234.5", ["number_from_text", "money_marks_removed"]),
        ("1,234", None, ["number_unreadable"]),
        ("19,99", None, ["number_unreadable"]),
        ("1.234,50", None, ["number_unreadable"]),
        ("12,34.50", None, ["number_unreadable"]),
        ("10 - 20", None, ["number_unreadable"]),
        ("€10 EUR", None, ["number_unreadable"]),
        ("QTY 12", None, ["number_unreadable"]),
        ("--5", None, ["number_unreadable"]),
        ("-$-5", None, ["number_unreadable"]),
        ("1e3", None, ["number_unreadable"]),
        (".5", None, ["number_unreadable"]),
        ("5.", None, ["number_unreadable"]),
        ("٣", None, ["number_unreadable"]),
        ("$٣", None, ["number_unreadable"]),
        ("free", None, ["number_unreadable"]),
        ("NaN", None, ["number_unreadable"]),
        ("9" * 400, None, ["number_unreadable"]),
        (True, None, ["number_from_bool"]),
        ({"amount": 5}, None, ["type_mismatch"]),
        ([5], None, ["type_mismatch"]),
    ],
)
def test_money(sent: Any, typed: str | None, codes: list[str]) -> None:
    assert coerced("M", sent) == (None if typed is None else Decimal(typed), codes)


@pytest.mark.parametrize(
    ("sent", "typed", "codes"),
    [
        (2, "2", []),
        (0.375, "0.375", []),
        (0.3755, "0.376", ["number_rounded"]),
        (0.3745, "0.374", ["number_rounded"]),
        ("3", "3", ["number_from_text"]),
        (999_999_999, "999999999", []),
        (10**9, None, ["number_out_of_range"]),
        ("two", None, ["number_unreadable"]),
        (False, None, ["number_from_bool"]),
    ],
)
def test_quantity(sent: Any, typed: str | None, codes: list[str]) -> None:
    assert coerced("Q", sent) == (None if typed is None else Decimal(typed), codes)


@pytest.mark.parametrize(("code", "exponent"), [("M", -6), ("Q", -3)])
def test_decimals_have_the_scale_of_their_column(code: str, exponent: int) -> None:
    assert [coerced(code, sent)[0].as_tuple().exponent for sent in (2, 2.5, "2", "2.5")] == [exponent] * 4


@pytest.mark.parametrize("code", ["I", "L"])
@pytest.mark.parametrize(
    ("sent", "typed", "codes"),
    [
        (3, 3, []),
        (3.0, 3, []),
        (-1, -1, []),
        ("3", 3, ["number_from_text"]),
        (" 3.0 ", 3, ["number_from_text"]),
        (2.5, None, ["number_not_integer"]),
        ("2.5", None, ["number_not_integer"]),
        ("shipping", None, ["number_unreadable"]),
        ("$3", None, ["number_unreadable"]),
        ("3,000,000", None, ["number_unreadable"]),
        (True, None, ["number_from_bool"]),
        (NAN, None, ["number_not_finite"]),
        (INFINITY, None, ["number_not_finite"]),
        (2**63, None, ["number_out_of_range"]),
        (1e30, None, ["number_out_of_range"]),
        ("1" + "0" * 30, None, ["number_from_text", "number_out_of_range"]),
        ([3], None, ["type_mismatch"]),
        ({}, None, ["type_mismatch"]),
    ],
)
def test_integers(code: str, sent: Any, typed: int | None, codes: list[str]) -> None:
    assert coerced(code, sent) == (typed, codes)


@pytest.mark.parametrize(("code", "bits"), [("I", 32), ("L", 64)])
def test_integers_keep_their_whole_range(code: str, bits: int) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    assert [coerced(code, sent)[0] for sent in (low, high)] == [low, high]
    assert [coerced(code, sent)[1] for sent in (low - 1, high + 1)] == [["number_out_of_range"]] * 2


@pytest.mark.parametrize(
    ("sent", "typed", "codes"),
    [
        (45.5152, 45.5152, []),
        (3, 3.0, []),
        ("-122.67", -122.67, ["number_from_text"]),
        (" 3 ", 3.0, ["number_from_text"]),
        ("$3", None, ["number_unreadable"]),
        ("north", None, ["number_unreadable"]),
        (True, None, ["number_from_bool"]),
        (None, None, ["type_mismatch"]),
        ([1], None, ["type_mismatch"]),
        (NAN, None, ["number_not_finite"]),
        (10**400, None, ["number_not_finite"]),
        ("1" + "0" * 320, None, ["number_from_text", "number_not_finite"]),
        (2**53 + 1, float(2**53), ["number_beyond_2_53"]),
    ],
)
def test_doubles(sent: Any, typed: float | None, codes: list[str]) -> None:
    found, noted = coerced("D", sent)

    assert (found, noted) == (typed, codes)
    assert found is None or type(found) is float


@pytest.mark.parametrize(
    ("sent", "typed", "codes"),
    [
        (True, True, []),
        (False, False, []),
        *((sent, True, ["bool_coerced"]) for sent in (1, 1.0, "1", "true")),
        *((sent, False, ["bool_coerced"]) for sent in (0, 0.0, "0", "false")),
        *((sent, None, ["type_mismatch"]) for sent in (2, 0.5, NAN, "yes", "True", " true", [], {}, [True])),
    ],
)
def test_booleans(sent: Any, typed: bool | None, codes: list[str]) -> None:
    found, noted = coerced("B", sent)

    assert found is typed
    assert noted == codes


@pytest.mark.parametrize(
    ("sent", "typed", "codes"),
    [
        ("2026-03-14T17:10:31.891Z", 1_773_508_231_891, []),
        ("2026-03-14 17:10", 1_773_508_200_000, ["time_zone_assumed"]),
        (1_773_508_231, 1_773_508_231_000, ["time_from_number"]),
        ("yesterday", None, ["time_unreadable"]),
        (True, None, ["time_unreadable"]),
        ([], None, ["time_unreadable"]),
    ],
)
def test_times(sent: Any, typed: int | None, codes: list[str]) -> None:
    assert coerced("T", sent) == (typed, codes)


def test_type_and_value_pairs_become_text_quietly() -> None:
    sent = [{"type": "department", "value": "beauty"}, {"type": 1, "value": 2.5, "more": True}]

    assert coerced("K", sent) == (
        [{"type": "department", "value": "beauty"}, {"type": "1", "value": "2.5"}],
        [],
    )


def test_one_pair_counts_as_a_list_of_one_and_a_scalar_as_a_value() -> None:
    assert coerced("K", {"type": "price"}) == ([{"type": "price", "value": None}], [])
    assert coerced("K", ["beauty"]) == ([{"type": None, "value": "beauty"}], [])
    assert coerced("K", []) == ([], [])


def test_pairs_that_are_none_are_left_out_and_named_by_place() -> None:
    flags: list[Flag] = []

    typed = COERCERS["K"]([{"type": "a", "value": "b"}, None, ["x"]], PLACE, flags)

    assert typed == [{"type": "a", "value": "b"}]
    assert flags == [Flag("type_mismatch", f"{PLACE}[1]"), Flag("type_mismatch", f"{PLACE}[2]")]
    assert coerced("K", "price > 10") == (None, ["type_mismatch"])


def test_a_rating_may_be_a_number_and_nobody_needs_to_hear_of_it() -> None:
    flags: list[Flag] = []

    assert [quiet_text(sent, PLACE, flags) for sent in (4, 4.5, "5")] == ["4", "4.5", "5"]
    assert flags == []
    assert quiet_text(True, PLACE, flags) == "true"
    assert flags == [Flag("text_from_bool", PLACE)]


@pytest.mark.parametrize(
    ("value", "text"), [("1E+3", "1000"), ("2.50", "2.5"), ("-0.000000", "0"), ("0", "0"), ("100", "100")]
)
def test_plain_digits_have_no_exponent_and_no_zeros_behind(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


def test_every_type_a_column_can_be_promoted_to_has_a_coercer() -> None:
    assert set(PROMOTABLE) <= set(COERCERS)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=12)
    | st.from_regex(r"\A[+-]?[$€]?[0-9,.]{1,12}( EUR)?\Z")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@settings(deadline=None, max_examples=300)
@given(VALUES.filter(lambda value: value is not None), st.sampled_from(sorted(COERCERS)))
def test_whatever_becomes_null_is_flagged(value: Any, code: str) -> None:
    typed, codes = coerced(code, value) if code != "K" else (0, [])

    assert typed is not None or codes


@settings(deadline=None, max_examples=300)
@given(st.decimals(-(10**11), 10**11, places=6))
def test_money_of_six_places_survives_as_text_and_as_number(amount: Decimal) -> None:
    assert coerced("M", format(amount, "f")) == (amount, ["number_from_text"])
    if float(amount) and Decimal(repr(float(amount))) == amount:
        assert coerced("M", float(amount)) == (amount, [])
