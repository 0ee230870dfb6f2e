"""Statements as text, for an engine that is elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlglot import exp

from connector.report.clock import Clock
from connector.report.desks.duck import RAW
from connector.report.functions import Engine
from connector.report.render import is_approximate, render


class TextDesk:
    """Notes what it is asked and answers nothing."""

    runs = False

    def __init__(self, engine: Engine) -> None:
        self.engine: Engine = engine
        self.given: Collection[str] = RAW
        self.texts: list[str] = []
        self.approximate = False

    def rows(self, statement: exp.Expr, clock: Clock) -> list[dict[str, Any]]:
        self.approximate |= is_approximate(statement, self.engine)
        self.texts.append(render(statement, self.engine, clock))
        return []
