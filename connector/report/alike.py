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
    if engine == "athena":
        for listed in [node for node in tree.find_all(exp.With) if node.args.get("recursive")]:
            _confine_recursion(listed)


def is_recursive(view: exp.CTE) -> bool:
    """Whether a view names itself."""
    return any(table.name == view.alias for table in view.this.find_all(exp.Table))


def _confine_recursion(listed: exp.With) -> None:
    """Trino wants columns for all views of a recursive list, so the recursive one gets a list of its own."""
    listed.set("recursive", False)
    for view in filter(is_recursive, listed.expressions):
        columns = [exp.to_identifier(name) for name in view.this.named_selects]
        named = exp.TableAlias(this=exp.to_identifier(view.alias), columns=columns)
        own = exp.With(expressions=[exp.CTE(this=view.this, alias=named)], recursive=True)
        view.set("this", exp.select("*").from_(exp.to_table(view.alias)))
        view.this.set("with_", own)


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
        value
        if isinstance(value, exp.Literal)
        else exp.Coalesce(this=value.copy(), expressions=[v.copy() for v in values if v is not value])
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
