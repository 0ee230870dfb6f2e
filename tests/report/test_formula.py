"""Formulas over metrics: exact, and closed to everything but arithmetic."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConfigError
from connector.report.insights.formula import Formula, mean, total


def value(text, **metrics):
    return Formula(text, metrics).value(metrics)


def test_sums_and_products_of_money_are_exact_and_divisions_are_floats():
    assert str(value("A + B", A=Decimal("0.1"), B=Decimal("0.2"))) == "0.3"
    assert str(value("A * 1.1", A=Decimal("12345678901234567.891234"))) == "13580246791358024.6803574"
    assert value("-(A - 2) * +B", A=5, B=3) == -9
    assert value("A / B", A=1, B=4) == 0.25
    assert isinstance(value("A - B", A=1, B=1), int)


def test_a_formula_has_no_value_where_a_metric_has_none_or_nothing_can_be_divided():
    assert value("A / B", A=1, B=0) is None
    assert value("A + B", A=None, B=1) is None
    assert value("A * 1e308 * 1e308 / 1", A=1) is None


@pytest.mark.parametrize(
    "text",
    ["A.real", "A()", "A[0]", "[A]", "A if A else A", "A ** A", "A % A", "A // A", "A and A", "A < A", "~A",
     "'A'", "A + 1j", "A + True", "A + 1e999", "(lambda: A)()", "A +", "", "A;A", "A\n+", "f'{A}'", "A := 1",
     "(" * 300 + "A" + ")" * 300, "A" + " + A" * 200],
)  # fmt: skip
def test_anything_but_arithmetic_is_refused(text):
    with pytest.raises(ConfigError, match="formula: it "):
        Formula(text, "A")


def test_a_name_that_is_no_metric_is_named():
    with pytest.raises(ConfigError, match="there is no metric C, a"):
        Formula("A + a * C", "AB")


numbers = st.sampled_from(("A", "B", "2", "0.1", "3.75", "0"))
formulas = st.recursive(
    numbers,
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
    max_leaves=8,
).map(lambda text: f"{text} + A")
amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=6)


@given(formulas, amounts, amounts)
def test_it_is_the_arithmetic_of_fractions(text, first, second):
    fractions = re.sub(r"[0-9.]+", lambda number: f"Fraction('{number[0]}')", text)
    try:
        exact = eval(fractions, {"Fraction": Fraction, "A": Fraction(first), "B": Fraction(second)})
    except ZeroDivisionError:
        exact = None

    found = value(text, A=first, B=second)

    if exact is None:
        assert found is None
    else:
        assert found == (float(exact) if "/" in text else exact)


@given(st.lists(amounts))
def test_totals_are_exact_and_means_are_the_nearest_float(money):
    exact = sum(map(Fraction, money), Fraction(0))

    assert Fraction(total(money)) == exact
    assert mean(money) == (float(exact / len(money)) if money else None)
