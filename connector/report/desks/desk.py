"""What a report needs of an engine."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Protocol

from sqlglot import exp

from connector.report.clock import Clock
from connector.report.functions import Engine


class Desk(Protocol):
    """Answers composed statements."""

    engine: Engine
    given: Collection[str]
    """Relations that are there: always ``events_raw``, ``profiles_raw``, ``aliases_raw``."""
    runs: bool
    """False: statements are noted, and every answer is empty."""

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day with rows of events, where that is known."""

    def rows(self, statement: exp.Expr, clock: Clock) -> list[dict[str, Any]]:
        """Rows of an answer: name -> value; whole numbers int, money Decimal, times int ms or datetime."""
