"""DuckDB over a data folder: ``<table>_raw`` is every row, ``<table>`` one row per ``row_id``."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from connector.lake import views
from connector.lake.faults import LakeUnreadable
from connector.tables import TABLES, Table
from connector.write.data import DataReader, FolderData, StoreData
from connector.write.folder import stagings_of
from connector.write.ledger import Fold
from connector.write.publish import find_staged

if TYPE_CHECKING:
    import duckdb

FOLDS = 4
_PAUSE_SECONDS = 0.25


def open_lake(
    data: Path | DataReader,
    tables: Sequence[Table] = TABLES,
    source: str | None = None,
    *,
    rejected: bool = True,
    state: Fold | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection in memory with the tables of ``data`` as views; times are UTC.

    Views: ``events`` and the other tables, each with a ``_raw`` twin that shows copies too, and the shipped
    ``order_lines``, ``orders``, ``rejected`` and ``duplicates``. What has no file is an empty view with its
    columns.

    The connection shows the files that the ledger says are live at this moment, and no others: what a change
    adds and what it removes are seen together or not at all. ``show_tables`` brings it up to date. A folder
    of this machine without a ledger is read as it is. In S3 files are read where they are; a filter on
    ``day`` opens no other days.

    Args:
        source: show the rows of this source only, in every view; None: all of them.
        rejected: False: leave ``rejected`` and ``duplicates`` out; ``show_lines`` brings them later. In S3
            they are the views whose files are downloaded, all of them.
        state: the ledger as it was folded a moment ago; None: it is folded here.

    Raises:
        StoreError: S3 refused or did not answer.
        LedgerError: the ledger is damaged.
        LakeUnreadable: a listed file is not there.
    """
    import duckdb

    lake = duckdb.connect()
    lake.execute("SET TimeZone = 'UTC'")
    show_tables(lake, data, tables, source, state=state)
    if rejected:
        show_lines(lake, data, tables, source, state)
    return lake


def show_tables(
    lake: duckdb.DuckDBPyConnection,
    data: Path | DataReader,
    tables: Sequence[Table] = TABLES,
    source: str | None = None,
    *,
    state: Fold | None = None,
    many: bool = False,
) -> Fold:
    """Make or renew the views over tables, as ``open_lake`` does; return the ledger that they show.

    Args:
        many: many queries are to come. The columns of all files are compared once, and where they are the
            same, as they are but for a change of the tables, no query has to do that again.
    """
    reader = FolderData(data) if isinstance(data, Path) else data
    if isinstance(reader, StoreData):
        state = state or reader.fold()
        raw = _in_store(lake, reader, tables, state)
    else:
        places = _Places(reader, state)
        state = places.state
        raw = {table.name: _on_disk(lake, places, table, many) for table in tables}
    only = views.only(source)
    for table in tables:
        lake.execute(f"CREATE OR REPLACE VIEW {table.name}_raw AS SELECT * FROM ({raw[table.name]}){only}")
        lake.execute(f"CREATE OR REPLACE VIEW {table.name} AS {views.first_of_each(table)}")
    for view in ("order_lines", "orders"):
        text = (files("connector.lake") / f"{view}.sql").read_text(encoding="utf-8")
        lake.execute(f"CREATE OR REPLACE VIEW {view} AS {text}")
    return state


def show_lines(
    lake: duckdb.DuckDBPyConnection,
    data: Path | DataReader,
    tables: Sequence[Table] = TABLES,
    source: str | None = None,
    state: Fold | None = None,
) -> None:
    """Make or renew ``rejected`` and ``duplicates`` in a connection that has the views over tables.

    Of a data folder in S3 the files are downloaded into a temporary folder, which lasts as long as the
    connection does.
    """
    reader = FolderData(data) if isinstance(data, Path) else data
    if isinstance(reader, StoreData):
        from connector.lake.remote import RemoteFiles

        remote = RemoteFiles(reader, state)
        rejected, copies = remote.rejected(), remote.duplicates()
        for folder in (rejected, copies):
            if folder is not None:
                weakref.finalize(lake, folder.cleanup)
        of_rejected, of_copies = _downloads(rejected), _downloads(copies)
    else:
        places = _Places(reader, state)
        of_rejected, of_copies = places.of(places.state.rejected), places.of(places.state.duplicates)
        if not places.state.entries:
            of_rejected = sorted(places.root.glob("rejected/*/*.ndjson.gz"))
    only = views.only(source)
    rows = views.lines(views.REJECTED, of_rejected)
    lake.execute(f"CREATE OR REPLACE VIEW rejected AS SELECT * FROM ({rows}){only}")
    rows = f"{views.lines(views.DUPLICATES, of_copies)} UNION ALL {views.unresolved_copies(tables)}"
    lake.execute(f"CREATE OR REPLACE VIEW duplicates AS SELECT * FROM ({rows}){only}")


def _downloads(folder: TemporaryDirectory[str] | None) -> list[Path]:
    return [] if folder is None else sorted(Path(folder.name).iterdir())


def _root(data: DataReader) -> Path:
    if data.root is None:
        raise TypeError(f"no views over {type(data).__name__}")
    return data.root


class _Places:
    """Where the files of a fold lie. Between a commit and its last rename some are still staged; after a
    crash exactly there, until somebody recovers.

    Raises:
        LakeUnreadable: a listed file is nowhere.
    """

    def __init__(self, data: DataReader, state: Fold | None) -> None:
        self.root = _root(data)
        self._staged: dict[str, Path] = {}
        for number in range(1, FOLDS + 1):
            self.state = state or data.fold()
            missing = [live.output for name, live in self.state.live.items() if not self._is_there(name)]
            if not missing:
                return
            if number < FOLDS:
                time.sleep(_PAUSE_SECONDS)
                state = None
        for output in missing:
            found = find_staged(stagings_of(self.root), output)
            if found is None:
                raise LakeUnreadable(
                    f"{output.name} is in the ledger and not in its place: connector audit tells what is lost"
                )
            self._staged[output.name] = found

    def _is_there(self, name: str) -> bool:
        return (self.root / name).exists()

    def of(self, names: Mapping[str, object], below: str = "") -> list[Path]:
        wanted = (name for name in sorted(names) if name.startswith(below))
        return [self._staged.get(name, self.root / name) for name in wanted]


def _on_disk(lake: duckdb.DuckDBPyConnection, places: _Places, table: Table, many: bool) -> str:
    """The query for the rows of a table; its files are a variable, so that a view stays short."""
    root, below = places.root, f"tables/{table.name}/"
    if not places.state.entries:
        if not any((root / below).glob("*/*.parquet")):
            return views.no_rows(table)
        return views.table_rows(table, views.quoted(f"{views.as_pattern(root / below)}/*/*.parquet"), root)
    paths = places.of(places.state.tables, below)
    if not paths:
        return views.no_rows(table)
    lake.execute(f"SET VARIABLE {table.name}_files = {views.list_of(paths)}")
    files = f"getvariable('{table.name}_files')"
    alike = many and len(lake.execute(views.columns_of(files)).fetchall()) == 1
    return views.table_rows(table, files, root, alike=alike)


def _in_store(
    lake: duckdb.DuckDBPyConnection, data: StoreData, tables: Sequence[Table], state: Fold
) -> Mapping[str, str]:
    """Queries for the rows of every table."""
    from connector.lake.remote import RemoteFiles

    remote = RemoteFiles(data, state)
    for table in tables:
        lake.register(f"{table.name}_files", remote.table(table))
    return {table.name: f"SELECT * FROM {table.name}_files" for table in tables}
