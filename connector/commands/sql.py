"""``connector sql``: DuckDB with the tables as views, for a person or a script."""

from __future__ import annotations

import contextlib
import csv
import sys
from typing import TYPE_CHECKING

from connector.config import Settings
from connector.errors import ConfigError
from connector.lake.open import open_lake
from connector.terminal import err, out
from connector.wiring import configure, open_data

if TYPE_CHECKING:
    import duckdb


def run(settings: Settings, query: str | None, source: str | None = None) -> int:
    """Answer one query, or every statement read from standard input. Exit code 1 when one failed.

    Args:
        source: the views show what this source sent only.

    Raises:
        ConfigError: there is no such data folder.
    """
    import duckdb

    data = open_data(settings)
    if not data.exists():
        raise ConfigError(f"{settings.data}: no such data folder, so there is nothing to ask")
    tables = configure(settings, preview=True).tables
    lake = open_lake(data, tables, source=source)
    if query is None and sys.stdin.isatty():
        return _converse(lake)
    failed = 0
    try:
        statements = lake.extract_statements(sys.stdin.read() if query is None else query)
    except duckdb.Error as error:
        err.print(str(error), markup=False)
        return 1
    for statement in statements:
        try:
            _answer(lake, statement.query)
        except duckdb.Error as error:
            err.print(str(error), markup=False)
            failed = 1
    return failed


def _answer(lake: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Print an answer: a table on a terminal, tab-separated values in a pipe."""
    if out.is_terminal:
        relation = lake.sql(statement)
        if relation is not None:
            relation.show(max_width=out.width)
        return
    result = lake.execute(statement)
    if result.description:
        writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
        writer.writerow(column[0] for column in result.description)
        while rows := result.fetchmany(1_000):
            writer.writerows(rows)


def _converse(lake: duckdb.DuckDBPyConnection) -> int:
    """Read statements until the end of the input; a statement ends with a semicolon."""
    import duckdb

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - line editing for input()
    out.print(
        "Views: events, profiles, groups, aliases, deletions, order_lines, orders, rejected. Ctrl-D ends."
    )
    text = ""
    while True:
        try:
            text += input("   ...> " if text else "lake> ") + "\n"
        except EOFError:
            out.print()
            return 0
        except KeyboardInterrupt:
            text = ""
            out.print()
            continue
        if text.rstrip().endswith(";"):
            try:
                _answer(lake, text.rstrip().rstrip(";"))
            except duckdb.Error as error:
                err.print(str(error), markup=False)
            text = ""
