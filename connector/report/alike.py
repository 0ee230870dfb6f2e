"""What the engines understand differently, written so that they agree (``functions.REDEFINED``). Pure."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from connector.report.functions import Engine

_DOUBLE = exp.DataType.build("double")
_ARG_NULL: dict[type[exp.Expr], str] = {exp.ArgMax: "arg_max_null", exp.ArgMin: "arg_min_null"}
"""DuckDB's functions that do not pass over rows whose first argument is null."""


def make_alike(tree: exp.Expr, engine: Engine) -> None:
    """Rewrite a tree for an engine, in place; it holds no functions of ``OWN`` that were expanded already."""
    for node in reversed(list(tree.find_all(*_REWRITES))):
        _REWRITES[type(node)](node, engine)


def _average(node: exp.Expr, engine: Engine) -> None:
    node.set("this", _double(node.this))


def _division(node: exp.Expr, engine: Engine) -> None:
    node.set("this", _double(node.this))
    divisor = node.expression.unnest()
    if isinstance(divisor, exp.Literal) and not divisor.is_string and float(divisor.this):
        return
    if not isinstance(divisor, exp.Nullif):
        divisor = exp.Nullif(this=divisor, expression=exp.Literal.number(0))
    node.set("expression", _double(divisor))


def _whole(node: exp.Expr, engine: Engine) -> None:
    if not (isinstance(node.parent, exp.Cast) and node.parent.to.this is exp.DType.BIGINT):
        node.replace(exp.cast(node.copy(), "bigint"))


def _row_of_extreme(node: exp.Expr, engine: Engine) -> None:
    if engine == "duckdb":
        node.replace(exp.Anonymous(this=_ARG_NULL[type(node)], expressions=[node.this, node.expression]))


def _extreme(node: exp.Expr, engine: Engine) -> None:
    """Trino's greatest and least are null where one argument is: there each brings the others along."""
    if engine != "athena":
        return
    values = [node.this, *node.expressions]
    filled = [
        exp.Coalesce(this=value.copy(), expressions=[other.copy() for other in values if other is not value])
        for value in values
    ]
    node.set("this", filled[0])
    node.set("expressions", filled[1:])


def _pattern(node: exp.Expr, engine: Engine) -> None:
    """Spark's LIKE takes a backslash for an escape, the others do not."""
    if engine == "spark" and isinstance(node.expression, exp.Literal):
        node.set("expression", exp.Literal.string(node.expression.this.replace("\\", "\\\\")))


def _double(node: exp.Expr) -> exp.Expr:
    bare = node.unnest()
    if isinstance(bare, exp.Cast) and bare.to == _DOUBLE:
        return bare
    return exp.cast(bare, _DOUBLE.copy())


_REWRITES: dict[type[exp.Expr], Callable[[exp.Expr, Engine], None]] = {
    exp.Avg: _average, exp.Div: _division, exp.Floor: _whole, exp.Ceil: _whole, exp.ArgMax: _row_of_extreme,
    exp.ArgMin: _row_of_extreme, exp.Greatest: _extreme, exp.Least: _extreme, exp.Like: _pattern,
}  # fmt: skip
