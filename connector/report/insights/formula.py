"""Arithmetic over metrics, written as ``(A - B) / A * 100``, and exact sums of points. Pure."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import TypeAlias

from connector.errors import ConfigError

Number: TypeAlias = int | float | Decimal
_DIGITS = Context(prec=120)
_LONGEST = 500
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


class Formula:
    """
    A formula, checked.

    Args:
        text: ``+ - * / ( )``, numbers and names.
        names: the metrics there are, ``A``, ``B``, ...

    Raises:
        ConfigError: it holds something else.
    """

    def __init__(self, text: str, names: Iterable[str], place: str = "formula") -> None:
        self.text = " ".join(text.split())
        self._tree = _tree(self.text, place)
        nodes = list(ast.walk(self._tree))
        _check(nodes, place)
        self.names = frozenset(node.id for node in nodes if isinstance(node, ast.Name))
        self._constants = [_constant(node) for node in nodes if isinstance(node, ast.Constant)]
        self._divides = any(isinstance(node, ast.Div) for node in nodes)
        if unknown := sorted(self.names - set(names)):
            raise ConfigError(f"{place}: there is no metric {', '.join(unknown)}")
        if not self.names:
            raise ConfigError(f"{place}: it names no metric")

    def value(self, metrics: Mapping[str, Number | None]) -> Number | None:
        """
        The value at one point.

        Returns:
            A whole number or a Decimal where neither a division nor a float is in it, else a float; None
            where a metric has no value or the divisor is 0.
        """
        known = {name: number for name in self.names if (number := metrics[name]) is not None}
        if len(known) < len(self.names):
            return None
        try:
            exact = self._at(self._tree, known)
            return _number(exact, [*known.values(), *self._constants, *([0.0] if self._divides else [])])
        except (ZeroDivisionError, OverflowError):
            return None

    def _at(self, node: ast.expr, metrics: Mapping[str, Number]) -> Fraction:
        if isinstance(node, ast.BinOp):
            left, right = self._at(node.left, metrics), self._at(node.right, metrics)
            return _OPERATIONS[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp):
            value = self._at(node.operand, metrics)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.Name):
            return Fraction(metrics[node.id])
        assert isinstance(node, ast.Constant)
        return Fraction(_constant(node))


def total(numbers: Iterable[Number]) -> Number:
    """The exact sum: whole for whole numbers, Decimal with a Decimal among them, float with a float."""
    known = list(numbers)
    return _number(sum(map(Fraction, known), Fraction(0)), known)


def mean(numbers: Iterable[Number]) -> float | None:
    """The mean; None of nothing."""
    known = list(numbers)
    return float(sum(map(Fraction, known), Fraction(0)) / len(known)) if known else None


def _number(exact: Fraction, like: Iterable[Number]) -> Number:
    kinds = {type(number) for number in like}
    if float in kinds:
        return float(exact)
    if Decimal in kinds:
        with localcontext(_DIGITS):
            return Decimal(exact.numerator) / Decimal(exact.denominator)
    return int(exact)


def _constant(node: ast.Constant) -> Number:
    """A number as it is written: 0.1 is a tenth."""
    return node.value if isinstance(node.value, int) else Decimal(repr(node.value))


def _tree(text: str, place: str) -> ast.expr:
    try:
        if len(text) > _LONGEST:
            raise ValueError
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConfigError(
            f"{place}: it is written as (A - B) / A * 100, in at most {_LONGEST} characters"
        ) from None


def _check(nodes: Iterable[ast.AST], place: str) -> None:
    for node in nodes:
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Name | ast.Load | ast.USub | ast.UAdd):
            continue
        if type(node) in _OPERATIONS or (isinstance(node, ast.Constant) and _is_plain(node.value)):
            continue
        raise ConfigError(f"{place}: it holds metrics, numbers and + - * / ( ), nothing else")


def _is_plain(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) != float("inf")  # type: ignore[arg-type]
