"""``connector sql``: DuckDB with the tables as views, for a person or a script."""

from __future__ import annotations

import contextlib
import csv
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from connector.config import Settings
from connector.errors import ConnectorError
from connector.lake.event_views import event_view_names, event_views
from connector.lake.faults import LakeUnreadable, lake_errors
from connector.lake.open import open_lake, show_lines, show_tables
from connector.schemas import read_schemas
from connector.terminal import err, out
from connector.wiring import configure, existing_data

if TYPE_CHECKING:
    import duckdb

    from connector.tables import Table
    from connector.write.data import DataReader
    from connector.write.ledger import Fold

_MAY_ASK_FOR_LINES = re.compile(
    r"\b(?:rejected|duplicates|show|summarize|information_schema|duckdb_\w+|sqlite_master)\b", re.IGNORECASE
)
"""A statement without any of these words does not show files of lines, nor that there are views of them."""
_LISTS_VIEWS = re.compile(r"\b(?:show|information_schema|duckdb_\w+|sqlite_master)\b", re.IGNORECASE)
_OF_EVENTS = "ecommerce"
_OF_NO_ANSWER = ["Count"]
"""What DuckDB calls the columns of a CREATE VIEW and the like."""
_TRIES = 3
_IS_GONE = ("No such file or directory", "No files found that match the pattern")


def run(settings: Settings, query: str | None, source: str | None = None) -> int:
    """Answer one query, or every statement read from standard input. Exit code 1 when one failed.

    Args:
        source: the views show what this source sent only.

    Raises:
        ConfigError: there is no such data folder.
    """
    import duckdb

    data = existing_data(settings)
    tables = configure(settings, preview=True).tables
    state = data.fold()
    with lake_errors(data.uri):
        lake = open_lake(data, tables, source, rejected=False, state=state)
    desk = _Desk(lake, data, tables, source, state)
    if query is None and sys.stdin.isatty():
        return _converse(desk)
    failed = 0
    try:
        statements = lake.extract_statements(sys.stdin.read() if query is None else query)
    except duckdb.Error as error:
        err.print(str(error), markup=False)
        return 1
    for statement in statements:
        failed |= not desk.answer(statement.query)
    return failed


class _Desk:
    """Answers statements, each over the ledger as it is then; files of lines come when they are asked for."""

    def __init__(
        self,
        lake: duckdb.DuckDBPyConnection,
        data: DataReader,
        tables: Sequence[Table],
        source: str | None,
        state: Fold,
    ) -> None:
        self._lake, self._data, self._tables, self._source = lake, data, tables, source
        self._state = state
        self._is_fresh = True
        self._with_lines: Fold | None = None
        self._of_events: set[str] = set()
        self._output = _Output()

    def answer(self, statement: str) -> bool:
        """Print the answer, or in a line what is wrong; True when there was one.

        A file that is gone was removed by a change meanwhile: the ledger is read again, unless a part of the
        answer is out already.
        """
        import duckdb

        for number in range(1, _TRIES + 1):
            self._output = _Output()
            try:
                with lake_errors(self._data.uri):
                    self._bring_up_to_date(statement)
                    self._output.answer(self._lake, statement)
                return True
            except LakeUnreadable as trouble:
                gone = any(text in str(trouble) for text in _IS_GONE)
                if gone and number < _TRIES and not self._output.begun:
                    continue
                err.print(str(trouble), markup=False)
            except (duckdb.Error, ConnectorError) as error:
                err.print(str(error), markup=False)
            return False
        raise AssertionError("a statement is answered at least once")

    def _bring_up_to_date(self, statement: str) -> None:
        state = self._state if self._is_fresh else self._data.fold(self._state)
        self._is_fresh = False
        if state is not self._state:
            self._state = show_tables(self._lake, self._data, self._tables, self._source, state=state)
        if self._with_lines is not self._state and _MAY_ASK_FOR_LINES.search(statement):
            show_lines(self._lake, self._data, self._tables, self._source, self._state)
            self._with_lines = self._state
        self._show_events(statement)

    def _show_events(self, statement: str) -> None:
        """Make the views of single events that a statement names; all of them where it lists views.

        They are in a schema of their own, which is looked into last: a user's own view may have such a name.
        """
        names = event_view_names()
        if not _LISTS_VIEWS.search(statement):
            names &= set(re.findall(r"\w+", statement.lower()))
        if names <= self._of_events:
            return
        events = next(table for table in self._tables if table.name == "events")
        views = event_views(read_schemas(), events)
        if not self._of_events:
            self._lake.execute(f"CREATE SCHEMA {_OF_EVENTS}; SET search_path = 'main,{_OF_EVENTS}'")
        for name in sorted(names - self._of_events):
            self._lake.execute(f"CREATE VIEW {_OF_EVENTS}.{name} AS {views[name].query}")
        self._of_events |= names


class _Output:
    """Prints one answer: a table on a terminal, tab-separated values in a pipe."""

    begun = False

    def answer(self, lake: duckdb.DuckDBPyConnection, statement: str) -> None:
        if out.is_terminal:
            relation = lake.sql(statement)
            if relation is not None:
                relation.show(max_width=out.width)
            return
        result = lake.execute(statement)
        if result.description:
            columns = [column[0] for column in result.description]
            rows = result.fetchmany(1_000)
            if columns == _OF_NO_ANSWER and not rows:
                return
            self.begun = True
            writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
            writer.writerow(columns)
            while rows:
                writer.writerows(rows)
                rows = result.fetchmany(1_000)


def _converse(desk: _Desk) -> int:
    """Read statements until the end of the input; a statement ends with a semicolon."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - line editing for input()
    out.print(
        "Views: events, profiles, groups, aliases, deletions, order_lines, orders, rejected, "
        "duplicates, and one per ecommerce event, such as product_viewed. Ctrl-D ends."
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
            desk.answer(text.rstrip().rstrip(";"))
            text = ""
