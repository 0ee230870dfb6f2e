"""The shipped views as one statement over raw tables, for an engine that has no views yet."""

from __future__ import annotations

from functools import cache

import sqlglot
from sqlglot import exp

from connector.infra.views import View, shipped_views
from connector.report.functions import Engine
from connector.report.render import render


@cache
def shown() -> dict[str, View]:
    """The views of the declared tables, by name, in their order."""
    return {view.name: view for view in shipped_views()}


def tables_of(query: exp.Expr) -> set[str]:
    """What a query reads that it does not define itself."""
    own = {cte.alias for cte in query.find_all(exp.CTE)}
    return {table.name for table in query.find_all(exp.Table)} - own


def whole(name: str, engine: Engine) -> str:
    """``SELECT * FROM <name>`` with all views it needs before it, as an engine's text."""
    return with_views(exp.select("*").from_(name), engine)


def with_views(query: exp.Expr, engine: Engine) -> str:
    """A query over views, with all that it needs before it."""
    assert isinstance(query, exp.Select)
    statement = query.copy()
    for view in _needed(query):
        text = render(shown()[view].query, engine)
        statement = statement.with_(view, sqlglot.parse_one(text, read=engine))
    return statement.sql(dialect=engine)


def _needed(query: exp.Expr, name: str = "") -> list[str]:
    """Views that a query reads, those that others read first."""
    found: dict[str, None] = {}
    for table in sorted(tables_of(query)):
        if table in shown() and table != name:
            found |= dict.fromkeys([*_needed(shown()[table].query, table), table])
    return list(found)
