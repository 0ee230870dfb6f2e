"""Statements answered by DuckDB, over the files that the ledger says are live."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from connector.lake.faults import lake_errors
from connector.report.clock import Clock
from connector.report.functions import Engine
from connector.report.render import render

if TYPE_CHECKING:
    import duckdb

    from connector.write.data import DataReader

RAW = ("events_raw", "profiles_raw", "aliases_raw")
PREPARED = ("unique_events", "unique_profiles", "unique_aliases", "identities")


class DuckDesk:
    """A connection with the raw views, and perhaps the prepared ones."""

    engine: Engine = "duckdb"
    runs = True

    def __init__(self, lake: duckdb.DuckDBPyConnection, uri: str, given: Collection[str] = RAW) -> None:
        self._lake = lake
        self._uri = uri
        self.given = given

    def rows(self, statement: exp.Expr, clock: Clock) -> list[dict[str, Any]]:
        with lake_errors(self._uri):
            found = self._lake.execute(render(statement, self.engine, clock))
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def duck_desk(data: DataReader, *, prepared: bool = True) -> Iterator[DuckDesk]:
    """
    Open a data folder for reports.

    Args:
        prepared: use the duplicates and identities that are prepared beside the data; False where a report
            counts only what was received until a moment, which nothing prepared knows.
    """
    from connector.lake.open import open_lake

    state = data.fold()
    with lake_errors(data.uri), open_lake(data, rejected=False, state=state) as lake:
        if not prepared:
            yield DuckDesk(lake, data.uri)
            return
        from connector.prepared import resolve

        resolve(lake, data, state)
        yield DuckDesk(lake, data.uri, (*RAW, *PREPARED))
