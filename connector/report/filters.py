"""
Conditions and steps written as text: ``Product Viewed where category = 'Toys' and price > 20``. Pure.

The text becomes a tree that is checked part by part (``filter_kinds``) and is never put into a statement as
text: no quote and no comment in it can change what is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from connector.errors import ConfigError
from connector.report.compose import DIALECT
from connector.report.filter_kinds import Kind, Reader, Unfit
from connector.tables import EVENTS, Table

_WHERE = re.compile(r"\swhere\s", re.IGNORECASE)
_LONGEST = 20_000
_DEEPEST = 60


@dataclass(frozen=True)
class Step:
    """An event, and what its rows must fulfil beside."""

    event: str
    """Final name; page and screen calls are ``page`` and ``screen``."""
    filter: exp.Expr | None = None

    def condition(self) -> exp.Expr:
        """True for the rows of the step; over the columns of ``events``."""
        named = exp.EQ(this=exp.column("event"), expression=exp.Literal.string(self.event))
        return named if self.filter is None else exp.and_(named, exp.paren(self.filter.copy()), copy=False)


def step_of(text: str, place: str, table: Table = EVENTS) -> Step:
    """
    ``<event>`` or ``<event> where <condition>``; the first ``where`` between blanks ends the name.

    Raises:
        ConfigError: there is no name, or ``row_filter`` refuses the condition.
    """
    found = _WHERE.search(text)
    event = (text[: found.start()] if found else text).strip()
    if not event:
        raise ConfigError(f"{place}: a step begins with the name of an event")
    return Step(event, row_filter(text[found.end() :], place, table) if found else None)


def row_filter(text: str, place: str, table: Table = EVENTS) -> exp.Expr:
    """
    A condition over the columns of a table, in SQL.

    Allowed: declared columns, ``properties ->> '$.key'``, literals, comparisons, AND OR NOT, arithmetic, IN,
    ``||``, BETWEEN, LIKE, IS NULL, IS DISTINCT FROM, CASE, CAST of numbers to DOUBLE or DECIMAL, and the
    functions abs, ceil, coalesce, floor, greatest, least, length, nullif, ms_of, local_ms, local_day.

    Args:
        place: what the condition belongs to, as ``steps.2``; named when it is refused.

    Raises:
        ConfigError: the place and the rule.
    """
    try:
        return Reader(table).truth(_tree(text))
    except Unfit as unfit:
        raise ConfigError(f"{place}: {unfit}") from None


def value_of(text: str, place: str, table: Table = EVENTS) -> tuple[exp.Expr, Kind]:
    """
    A property: a declared column or ``properties ->> '$.key'``, and of which kind it is.

    Raises:
        ConfigError: it is neither.
    """
    try:
        tree = _tree(text)
        if not isinstance(tree, exp.Column | exp.JSONExtractScalar):
            raise Unfit("a property is a column or properties ->> '$.key'")
        return Reader(table).read(tree)
    except Unfit as unfit:
        raise ConfigError(f"{place}: {unfit}") from None


def _tree(text: str) -> exp.Expr:
    if len(text) > _LONGEST:
        raise Unfit(f"a condition has at most {_LONGEST} characters")
    try:
        trees = Dialect.get_or_raise(DIALECT).parse_into(exp.Condition, text)
    except (SqlglotError, RecursionError):
        raise Unfit("this is no condition in SQL, as category = 'Toys' AND price > 20 is") from None
    if len(trees) != 1 or trees[0] is None:
        raise Unfit("one condition is needed")
    tree = trees[0]
    if any(node.depth > _DEEPEST for node in tree.walk()):
        raise Unfit("the condition is nested too deeply")
    return tree
