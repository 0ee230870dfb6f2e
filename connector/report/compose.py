"""
One statement out of named views. Pure: texts and values in, a syntax tree out.

A view is a file ``sql/<name>.sql`` in DuckDB's dialect: one SELECT that names other views as its tables.
``$name`` in it is a parameter; it becomes a literal, or a whole expression, in the tree and never in the
text, so no value can change what is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import sqlglot
from sqlglot import exp

Value = None | bool | int | float | str | Decimal | date | Sequence[str] | exp.Expr
DIALECT = "duckdb"


class _View(NamedTuple):
    template: exp.Expr
    parameters: Mapping[str, Value]
    tables: Mapping[str, str]
    materialized: bool | None


class Composition:
    """
    The views of one question.

    Args:
        parameters: values of ``$name`` in every view, unless a view is defined with its own.
        given: relations that are there already, on the engine: they are named and not written out, unless a
            view of the same name is defined.
    """

    def __init__(self, parameters: Mapping[str, Value], given: Collection[str] = ()) -> None:
        self.parameters = dict(parameters)
        self._given = frozenset(given)
        self._views: dict[str, _View] = {}

    def define(
        self,
        name: str,
        template: str | exp.Expr,
        parameters: Mapping[str, Value] | None = None,
        tables: Mapping[str, str] | None = None,
        materialized: bool | None = None,
    ) -> str:
        """
        Add a view under a name of its own.

        Args:
            name: what other views call it.
            template: name of the file that holds it, or a tree.
            parameters: beside those of the composition, and before them.
            tables: what its tables are called here: name in the file -> name in this composition.
            materialized: whether DuckDB is to compute it once; None: DuckDB decides.

        Returns:
            ``name``.
        """
        tree = template_of(template) if isinstance(template, str) else template
        self._views[name] = _View(tree, parameters or {}, tables or {}, materialized)
        return name

    def define_rows(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Value]]) -> str:
        """Add a relation of literal rows; ``columns``: name -> SQL type. No rows make an empty relation."""
        values = [list(row) for row in rows]
        picked = [
            exp.alias_(exp.cast(exp.column(f"c{at}"), kind), column)
            for at, (column, kind) in enumerate(columns.items())
        ]
        if not values:
            nothing = [exp.alias_(exp.cast(exp.null(), kind), column) for column, kind in columns.items()]
            return self.define(name, exp.select(*nothing).where(exp.false()))
        tuples = [exp.Tuple(expressions=[literal(value) for value in row]) for row in values]
        alias = exp.TableAlias(
            this=exp.to_identifier("literal_rows"),
            columns=[exp.to_identifier(f"c{at}") for at in range(len(columns))],
        )
        return self.define(name, exp.select(*picked).from_(exp.Values(expressions=tuples, alias=alias)))

    def query(self, root: str, order: str | None = None) -> exp.Select:
        """
        The statement that answers ``root``, with every view it needs before it.

        Args:
            order: how its rows are ordered, as in ORDER BY.

        Raises:
            KeyError: a parameter has no value.
            FileNotFoundError: a table is neither a view nor given.
        """
        done: dict[str, tuple[exp.Expr, bool | None]] = {}
        self._visit(root, done, ())
        statement = exp.select("*").from_(exp.to_table(root))
        if order:
            statement = statement.order_by(*order.split(", "), dialect=DIALECT)
        recursive = any(name in _tables_of(body) for name, (body, _) in done.items())
        for name, (body, materialized) in done.items():
            statement = statement.with_(
                name, body, copy=False, materialized=materialized, recursive=recursive
            )
        return statement

    def _visit(self, name: str, done: dict[str, tuple[exp.Expr, bool | None]], path: tuple[str, ...]) -> None:
        if name in done or name in path or (name in self._given and name not in self._views):
            return
        view = self._views.get(name) or _View(template_of(name), {}, {}, None)
        body = _rename(view.template, view.tables)
        for table in _tables_of(body):
            self._visit(table, done, (*path, name))
        done[name] = (_fill(body, {**self.parameters, **view.parameters}, name), view.materialized)


@cache
def template_of(name: str) -> exp.Expr:
    """The view of a file as a tree; it is shared, so copy it before a change."""
    text = (files("connector.report") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    return sqlglot.parse_one(text, read=DIALECT)


def expression(text: str) -> exp.Expr:
    """An expression written in DuckDB's dialect as a tree."""
    return sqlglot.parse_one(text, read=DIALECT)


def literal(value: Value) -> exp.Expr:
    """A value as a node of the tree."""
    if isinstance(value, exp.Expr):
        return value.copy()
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), "date")
    if isinstance(value, Decimal):
        return exp.cast(exp.Literal.string(str(value)), "decimal(18, 6)")
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return exp.Paren(this=exp.Neg(this=exp.Literal.number(-value)))
    return exp.convert(value)


def _tables_of(tree: exp.Expr) -> list[str]:
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    return [name for table in tree.find_all(exp.Table) if (name := table.name) and name not in own]


def _rename(tree: exp.Expr, names: Mapping[str, str]) -> exp.Expr:
    """A copy with other tables; a table keeps the name that columns use for it."""
    copy = tree.copy()
    for table in list(copy.find_all(exp.Table)):
        if table.name in names:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("this", exp.to_identifier(names[table.name]))
    return copy


def _fill(tree: exp.Expr, parameters: Mapping[str, Value], where: str) -> exp.Expr:
    """Put values where the parameters are; changes and returns the tree."""
    for holder in list(tree.find_all(exp.Placeholder)):
        name = holder.name
        if name not in parameters:
            raise KeyError(f"{where}: no value for ${name}")
        value = parameters[name]
        if isinstance(value, list | tuple):
            holder.parent.set("expressions", [literal(item) for item in value])  # type: ignore[union-attr]
        elif holder.parent is None:
            return literal(value)
        else:
            node = literal(value)
            holder.replace(exp.paren(node) if isinstance(node, exp.Binary) else node)
    return _without_constants(tree)


def _without_constants(tree: exp.Expr) -> exp.Expr:
    """Leave out conditions that a parameter decided: ``NULL IS NULL OR ...``, ``5 IS NULL OR ...``."""
    for test in list(tree.find_all(exp.Is)):
        if isinstance(test.expression, exp.Null):
            if isinstance(test.this, exp.Null):
                _true(test)
            elif isinstance(test.this, exp.Literal) and isinstance(test.parent, exp.Or):
                test.parent.replace(test.parent.expression if test is test.parent.this else test.parent.this)
    return tree


def _true(node: exp.Expr) -> None:
    """The node is true: so is an OR of it, and an AND of it is its other side."""
    while isinstance(node.parent, exp.Or | exp.Paren):
        node = node.parent
    parent = node.parent
    if isinstance(parent, exp.And):
        parent.replace(parent.expression if node is parent.this else parent.this)
    elif isinstance(parent, exp.Where):
        parent.pop()
    else:
        node.replace(exp.true())
