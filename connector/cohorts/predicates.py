"""Comparisons with traits as parts of a statement, each true or false and never null. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal

from sqlglot import exp

from connector.cohorts.conditions import Scalar
from connector.errors import ConfigError
from connector.report.compose import literal
from connector.report.people import TYPED
from connector.tables import PROFILES

Kind = Literal["text", "money", "whole", "float", "bool"]
_KINDS: dict[str, Kind] = {
    "S": "text", "M": "money", "Q": "money", "I": "whole", "L": "whole", "D": "float", "B": "bool",
}  # fmt: skip
_KEY = re.compile(r"traits(\.[A-Za-z_$][A-Za-z0-9_$-]*)+")
_MOST = Decimal(10) ** 12
_ORDERED: dict[str, type[exp.Binary]] = {
    "=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE,
}  # fmt: skip


def profile_kind(name: str, column: str) -> Kind:
    """
    What a trait holds: a column of ``profiles``, or ``traits.<key>``.

    Args:
        column: what the view ``people`` calls it.

    Raises:
        ConfigError: there is no such column, or it cannot be compared.
    """
    if column not in TYPED:
        if not _KEY.fullmatch(name):
            raise ConfigError(f"{name}: profiles has no such column; further traits are traits.<key>")
        return "text"
    code = PROFILES.by_name[column].code
    if code not in _KINDS:
        raise ConfigError(f"{name}: cannot be compared")
    return _KINDS[code]


def compared(column: exp.Expr, kind: Kind, operator: str, value: Any, where: str) -> exp.Expr:
    """
    A comparison with a missing value is false, whatever the operator.

    Args:
        where: name of the column, for the message.

    Raises:
        ConfigError: the value or the operator does not fit the column.
    """
    if operator == "is set":
        if value is not None:
            raise ConfigError(f"{where}: is set takes no value")
        return exp.not_(exp.Is(this=column, expression=exp.null()))
    if operator == "in":
        values = value if isinstance(value, tuple) else ()
        if not values:
            raise ConfigError(f"{where}: in takes a list of values")
        return _known(exp.In(this=column, expressions=[typed(one, kind, where) for one in values]))
    if value is None or isinstance(value, tuple):
        raise ConfigError(f"{where}: {operator} takes one value")
    if operator == "contains":
        return _known(_contains(column, kind, value, where))
    if operator not in ("=", "!=") and kind in ("text", "bool"):
        raise ConfigError(f"{where}: {operator} is for numbers; it holds {_HOLDS[kind]}")
    return _known(_ORDERED[operator](this=column, expression=typed(value, kind, where)))


def typed(value: Scalar, kind: Kind, where: str) -> exp.Expr:
    """A value as a literal of the column's type. Raises ``ConfigError``: it is of another."""
    if not _FITS[kind](value):
        raise ConfigError(f"{where}: holds {_HOLDS[kind]}; the value is of another type")
    if kind == "float":
        return exp.cast(exp.Literal.number(repr(float(value))), "double")
    if kind == "money" or isinstance(value, float):
        return amount(Decimal(str(value)), where)
    return literal(value)


def amount(value: Decimal, where: str) -> exp.Expr:
    """A decimal with six places. Raises ``ConfigError``: it has more, or twelve digits before them."""
    if abs(value) >= _MOST or round(value, 6) != value:
        raise ConfigError(f"{where}: a number here is below 10^12 and has at most six decimal places")
    return literal(value)


def _contains(column: exp.Expr, kind: Kind, value: Scalar, where: str) -> exp.Expr:
    if kind != "text" or not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: contains is for text")
    if set(value) & set("%_"):
        raise ConfigError(f"{where}: contains cannot look for % and _, which stand for any text in SQL")
    return exp.Like(this=column, expression=exp.Literal.string(f"%{value}%"))


def _known(comparison: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=comparison, expressions=[exp.false()])


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_HOLDS: dict[Kind, str] = {
    "text": "text", "money": "numbers", "whole": "numbers", "float": "numbers", "bool": "true or false",
}  # fmt: skip
_FITS: dict[Kind, Callable[[Scalar], bool]] = {
    "text": lambda value: isinstance(value, str), "money": _is_number, "whole": _is_number,
    "float": _is_number, "bool": lambda value: isinstance(value, bool),
}  # fmt: skip
