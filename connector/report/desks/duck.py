"""Statements answered by DuckDB, over the files that the ledger says are live."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from connector.lake.faults import lake_errors
from connector.report.clock import Clock
from connector.report.compose import Composition
from connector.report.functions import Engine
from connector.report.render import render
from connector.tables.layout import day_in, table_of

if TYPE_CHECKING:
    import duckdb

    from connector.write.data import DataReader
    from connector.write.ledger import Fold

RAW = ("events_raw", "profiles_raw", "aliases_raw")
SMALL_ROWS = 100_000
"""A table with so many rows at most is read once, not by every statement: some 5 KB of memory a row."""
PREPARED = ("unique_events", "unique_profiles", "unique_aliases", "identities")


class DuckDesk:
    """A connection with the raw views, and perhaps the prepared ones."""

    engine: Engine = "duckdb"
    runs = True

    def __init__(
        self,
        lake: duckdb.DuckDBPyConnection,
        uri: str,
        given: Collection[str] = RAW,
        days: tuple[date, date] | None = None,
    ) -> None:
        self._lake = lake
        self._uri = uri
        self.given = given
        self.days = days

    def rows(self, statement: exp.Expr, clock: Clock) -> list[dict[str, Any]]:
        with lake_errors(self._uri):
            found = self._lake.execute(render(statement, self.engine, clock))
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@contextmanager
def duck_desk(data: DataReader, as_of_ms: int | None = None) -> Iterator[DuckDesk]:
    """
    Open a data folder for reports.

    Args:
        as_of_ms: count only what was received until then, which nothing prepared knows: duplicates and
            identities are resolved anew, for this connection; None: those prepared beside the data are used.
    """
    import duckdb

    from connector.lake.open import show_tables

    with lake_errors(data.uri), duckdb.connect() as lake:
        lake.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        state = show_tables(lake, data, many=True)
        _keep_small_tables(lake, state)
        if as_of_ms is None:
            from connector.prepared import resolve

            resolve(lake, data, state)
        else:
            resolve_as_of(lake, as_of_ms)
        yield DuckDesk(lake, data.uri, (*RAW, *PREPARED), _days(state))


def _keep_small_tables(lake: duckdb.DuckDBPyConnection, state: Fold) -> None:
    """Hold the rows of small tables in memory: a few rows in each of many files take long to open."""
    for raw in RAW:
        name = raw.removesuffix("_raw")
        rows = sum(live.output.rows for file, live in state.tables.items() if table_of(file) == name)
        if 0 < rows <= SMALL_ROWS:
            lake.execute(f"CREATE TEMP TABLE {name}_here AS FROM {raw}")
            lake.execute(f"CREATE OR REPLACE VIEW {raw} AS FROM {name}_here")


def _days(state: Fold) -> tuple[date, date] | None:
    found = [date.fromisoformat(day_in(name)) for name in state.tables if table_of(name) == "events"]
    return (min(found), max(found)) if found else None


def resolve_as_of(lake: duckdb.DuckDBPyConnection, as_of_ms: int) -> None:
    """Make ``unique_events`` and its like, and ``identities``, of what was received until a moment."""
    for raw in RAW:
        name = raw.removesuffix("_raw")
        received = f"coalesce(epoch_ms(received_at), 0) <= {as_of_ms:d}"
        lake.execute(
            f"CREATE OR REPLACE TEMP TABLE {name}_copies AS SELECT row_id, captured_file, captured_index "
            "FROM (SELECT row_id, captured_file, captured_index, row_number() OVER (PARTITION BY row_id "
            f"ORDER BY received_at NULLS LAST, captured_file, captured_index) AS number FROM {raw} WHERE "
            f"{received}) WHERE number > 1"
        )
        lake.execute(
            f"CREATE OR REPLACE TEMP VIEW unique_{name} AS SELECT * FROM {raw} "
            f"ANTI JOIN {name}_copies USING (row_id, captured_file, captured_index) WHERE {received}"
        )
    statement = Composition({}, (*RAW, *PREPARED[:3])).query("identities")
    lake.execute(f"CREATE OR REPLACE TEMP TABLE identities AS {render(statement, 'duckdb')}")
