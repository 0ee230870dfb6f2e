"""
Which SQL the views may be written in: what DuckDB, Spark and Trino (Athena) all understand alike. Pure.

Node types are a closed list, as functions are. Beyond it:

- DISTINCT stands behind SELECT or in ``count(DISTINCT one expression)``, never with ON.
- ``FILTER (WHERE …)`` is for plain aggregates; over a window Spark has none.
- Joins are INNER, LEFT, RIGHT, FULL or CROSS, with ON; no USING, no NATURAL, no ASOF, no SEMI.
- row_number, rank, lag and the like need an ORDER BY; frames are ROWS or RANGE, without EXCLUDE.
- CAST goes to BIGINT, INTEGER, DOUBLE, DECIMAL(p, s), VARCHAR, DATE or BOOLEAN.
- A LIKE pattern is a literal; a JSON path is ``$.key`` or ``$."any key"``, one level or more.
- ``item(list, 1).field`` is the only way into a list of records.
- Decimals of different scales meet only after a CAST to one scale, where a sum of sums is among them: the
  engines keep different digits.
- A recursive view is a UNION ALL of a beginning and a step that names it once; Athena goes 10 rounds deep.
- Names are lower snake case, begin with a letter and are no keyword of Trino.
- Whole numbers are divided by ``whole``; ``a / b`` divides doubles and is null where b is 0 (``alike``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sqlglot import exp

from connector.report.functions import STANDARD, refused

CONSTRUCTS: frozenset[type[exp.Expr]] = frozenset({
    exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit,
    exp.Union, exp.Except, exp.Intersect, exp.Subquery, exp.With, exp.CTE, exp.Values, exp.Tuple,
    exp.Distinct,
    exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Placeholder,
    exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.DataType, exp.DataTypeParam,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.Not,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.In, exp.Between, exp.Like, exp.Filter, exp.Window, exp.WindowSpec, exp.IgnoreNulls,
    exp.JSONPath, exp.JSONPathRoot, exp.JSONPathKey, exp.Anonymous, exp.Dot,
})  # fmt: skip

RESERVED = frozenset(
    "alter and as auto between by case cast constraint create cross cube current_catalog "
    "current_date current_path current_role current_schema current_time current_timestamp "
    "current_user deallocate delete describe distinct drop else end escape except execute exists "
    "extract false first for from full group grouping having in inner insert intersect into is join "
    "json_array json_exists json_object json_query json_table json_value last left like listagg "
    "localtime localtimestamp natural normalize not null on or order outer prepare primary recursive "
    "right rollup select skip table then trim true uescape union unnest using values when where with".split()
)
"""Names that Trino or Athena would take for something else."""

_TYPES = frozenset({
    exp.DType.BIGINT, exp.DType.INT, exp.DType.DOUBLE, exp.DType.DECIMAL, exp.DType.TEXT, exp.DType.VARCHAR,
    exp.DType.DATE, exp.DType.BOOLEAN,
})  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ORDERED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue)


def unportable(tree: exp.Expr) -> list[str]:
    """What in a view, or in a whole statement, not every engine would understand alike; each thing once."""
    found = [f"function {name}" for name in refused(tree)]
    for node in tree.walk():
        found.extend(_faults(node))
    return list(dict.fromkeys(found))


def _faults(node: exp.Expr) -> Iterator[str]:
    if type(node) not in CONSTRUCTS and type(node) not in STANDARD and not isinstance(node, exp.Func):
        yield type(node).__name__.upper()
    check = _CHECKS.get(type(node))
    if check is not None:
        yield from check(node)


def _distinct(node: exp.Expr) -> Iterator[str]:
    if node.args.get("on"):
        yield "DISTINCT ON"
    if isinstance(node.parent, exp.Func) and (
        not isinstance(node.parent, exp.Count)
        or len(node.expressions) != 1
        or isinstance(node.expressions[0], exp.Tuple)
    ):
        yield "DISTINCT of several things, or in another function than count"


def _star(node: exp.Expr) -> Iterator[str]:
    if any(node.args.get(name) for name in ("except_", "replace", "rename")):
        yield "* with EXCLUDE, REPLACE or RENAME"


def _select(node: exp.Expr) -> Iterator[str]:
    for name in ("windows", "kind", "hint", "laterals", "connect", "pivots"):
        if node.args.get(name):
            yield f"SELECT with {name}"


def _join(node: exp.Expr) -> Iterator[str]:
    if node.args.get("method") or node.args.get("using"):
        yield "JOIN with USING, NATURAL or ASOF"
    if (node.args.get("kind") or "").upper() not in ("", "INNER", "CROSS", "OUTER"):
        yield f"{node.args['kind']} JOIN"


def _group(node: exp.Expr) -> Iterator[str]:
    if node.args.get("all") or node.args.get("totals"):
        yield "GROUP BY ALL"


def _union(node: exp.Expr) -> Iterator[str]:
    if node.args.get("by_name"):
        yield "BY NAME"


def _window(node: exp.Expr) -> Iterator[str]:
    inner = node.this.this if isinstance(node.this, exp.IgnoreNulls) else node.this
    if isinstance(inner, exp.Filter):
        yield "FILTER over a window"
    if isinstance(inner, _ORDERED) and not node.args.get("order"):
        yield f"{type(inner).__name__} over a window without ORDER BY"
    if node.args.get("alias") or node.args.get("first") is not None:
        yield "a named window"


def _frame(node: exp.Expr) -> Iterator[str]:
    if str(node.args.get("kind")).upper() not in ("ROWS", "RANGE") or node.args.get("exclude"):
        yield "a frame other than ROWS or RANGE"


def _cast(node: exp.Expr) -> Iterator[str]:
    kind = node.args["to"]
    if kind.this not in _TYPES or (kind.this is exp.DType.DECIMAL and len(kind.expressions) != 2):
        yield f"CAST to {kind.sql()}"


def _in(node: exp.Expr) -> Iterator[str]:
    if node.args.get("unnest") or node.args.get("field"):
        yield "IN of a list"


def _like(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.expression, exp.Literal | exp.Placeholder):
        yield "LIKE with a pattern that is no literal"


def _is(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.expression, exp.Null):
        yield "IS TRUE or IS FALSE"


def _tuple(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.parent, exp.Values):
        yield "a row of values outside VALUES"


def _path(node: exp.Expr) -> Iterator[str]:
    path = node.args.get("expression")
    if not isinstance(path, exp.JSONPath | exp.Placeholder):
        yield "->> with a path that is no literal"


def _key(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.this, str) or "'" in node.this or node.this == "*":
        yield "a JSON key that is * or has an apostrophe"


def _field(node: exp.Expr) -> Iterator[str]:
    if not isinstance(node.this, exp.Anonymous) or str(node.this.this).lower() != "item":
        yield "a field of something else than item(list, number)"


def _identifier(node: exp.Expr) -> Iterator[str]:
    if not _NAME.fullmatch(node.this) or node.this in RESERVED:
        yield f"the name {node.this}"


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], Iterator[str]]] = {
    exp.Distinct: _distinct, exp.Star: _star, exp.Select: _select, exp.Join: _join, exp.Group: _group,
    exp.Union: _union, exp.Except: _union, exp.Intersect: _union, exp.Window: _window,
    exp.WindowSpec: _frame, exp.Cast: _cast, exp.In: _in, exp.Like: _like, exp.JSONExtractScalar: _path,
    exp.JSONPathKey: _key, exp.Identifier: _identifier, exp.Is: _is, exp.Tuple: _tuple,
    exp.Dot: _field,
}  # fmt: skip
