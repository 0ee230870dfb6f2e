"""Statements as text, for an engine that is elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlglot import exp

from connector.report.alike import is_recursive
from connector.report.clock import Clock
from connector.report.desks.duck import RAW
from connector.report.functions import Engine
from connector.report.render import is_approximate, render

MOST_BYTES = 262_144
"""Athena takes no longer statement (its service quotas)."""
_HEAD = """\
-- connector report {kind}, as SQL for Athena: rendered, not run.
-- Tables it reads: {tables}.
-- Each has every row of the files below tables/<name>, copies included: the columns that docs/tables.md
-- declares, and day (date) from the path. What is computed afterwards, such as p-values, is not in it.
"""
_ESTIMATES = "-- approx_percentile estimates: percentiles differ a little from those of the other engines.\n"
_RECURSIVE = """\
-- WITH RECURSIVE goes 10 rounds deep on Athena: more attempts in a row of one person are an error there.
"""
_TOO_LONG = "-- Statement {number} is longer than the 262144 bytes that Athena takes.\n"


class TextDesk:
    """Notes what it is asked and answers nothing."""

    runs = False
    days = None

    def __init__(self, engine: Engine) -> None:
        self.engine: Engine = engine
        self.given: Collection[str] = RAW
        self.texts: list[str] = []
        self.statements: list[exp.Expr] = []
        self.approximate = False

    def rows(self, statement: exp.Expr, clock: Clock) -> list[dict[str, Any]]:
        self.approximate |= is_approximate(statement, self.engine)
        self.statements.append(statement)
        self.texts.append(render(statement, self.engine, clock))
        return []

    def document(self, kind: str) -> str:
        """
        Everything that was asked so far as one text: what it is and is not, then the statements, numbered.

        Args:
            kind: of the report, for the heading.
        """
        head = _HEAD.format(kind=kind, tables=", ".join(self._tables()))
        if self.approximate:
            head += _ESTIMATES
        if any(map(is_recursive, self._views())):
            head += _RECURSIVE
        for number, text in enumerate(self.texts, 1):
            if len(text.encode()) > MOST_BYTES:
                head += _TOO_LONG.format(number=number)
        return head + "".join(
            f"\n-- {number} of {len(self.texts)}\n{text};\n" for number, text in enumerate(self.texts, 1)
        )

    def _views(self) -> Iterator[exp.CTE]:
        return (view for statement in self.statements for view in statement.find_all(exp.CTE))

    def _tables(self) -> list[str]:
        named = {table.name for statement in self.statements for table in statement.find_all(exp.Table)}
        return [name for name in self.given if name in named]
