"""A composed statement as the text of one engine. Pure."""

from __future__ import annotations

from functools import cache

import sqlglot
from sqlglot import exp

from connector.errors import ConfigError
from connector.report.alike import make_alike
from connector.report.bounds import add_bounds
from connector.report.clock import DAY_MS, Clock
from connector.report.functions import CLOCK, OWN, Engine
from connector.report.portable import unportable

_DIALECTS: dict[Engine, str] = {"duckdb": "duckdb", "spark": "spark", "athena": "athena"}


def render(statement: exp.Expr, engine: Engine, clock: Clock | None = None) -> str:
    """
    The text of a statement, formatted.

    Args:
        clock: the time zone of ``local_ms`` and ``local_day``; None: UTC.

    Raises:
        ConfigError: the statement holds a function or a construct that not all engines understand alike.
    """
    if unknown := unportable(statement):
        raise ConfigError(f"not for every engine: {', '.join(unknown)}")
    tree = statement.copy()
    make_alike(tree, engine)
    for node in reversed(list(tree.find_all(exp.Anonymous))):
        if str(node.this).lower() in {*OWN, *CLOCK}:
            _expand(node, engine, clock or Clock())
    if engine == "duckdb":
        add_bounds(tree)
    else:
        for cte in tree.find_all(exp.CTE):
            cte.set("materialized", None)
    return tree.sql(dialect=_DIALECTS[engine], pretty=True)


def is_approximate(statement: exp.Expr, engine: Engine) -> bool:
    """Whether a function in the statement gives an estimate on this engine."""
    names = (str(node.this).lower() for node in statement.find_all(exp.Anonymous))
    return any(engine in OWN[name].approximate_on for name in names if name in OWN)


def _expand(node: exp.Anonymous, engine: Engine, clock: Clock) -> None:
    name = str(node.this).lower()
    if name in OWN:
        node.replace(_own(name, node.expressions, engine))
        return
    local_ms = _local_ms(node.expressions[0], clock)
    if name == "local_ms":
        node.replace(local_ms)
    else:
        node.replace(_own("whole", [local_ms, exp.Literal.number(DAY_MS)], engine))


@cache
def _template(name: str, engine: Engine) -> exp.Expr:
    text = getattr(OWN[name], engine).format(":a0", ":a1")
    return sqlglot.parse_one(text, read=_DIALECTS[engine])


def _own(name: str, arguments: list[exp.Expr], engine: Engine) -> exp.Expr:
    new = _template(name, engine).copy()
    for holder in list(new.find_all(exp.Placeholder)):
        argument = arguments[int(holder.name[1:])].copy()
        holder.replace(exp.paren(argument) if isinstance(argument, exp.Binary) else argument)
    return exp.paren(new) if isinstance(new, exp.Binary) else new


def _local_ms(at: exp.Expr, clock: Clock) -> exp.Expr:
    offsets = clock.offsets
    if len(offsets) == 1:
        offset = offsets[0][1]
        return exp.paren(exp.Add(this=at.copy(), expression=_number(offset))) if offset else at.copy()
    case = exp.Case(default=_number(offsets[0][1]))
    for since_ms, offset_ms in reversed(offsets[1:]):
        case = case.when(exp.GTE(this=at.copy(), expression=_number(since_ms)), _number(offset_ms))
    return exp.paren(exp.Add(this=at.copy(), expression=case))


def _number(value: int) -> exp.Expr:
    number: exp.Expr = exp.Literal.number(abs(value))
    return exp.paren(exp.Neg(this=number)) if value < 0 else number
