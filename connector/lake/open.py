"""DuckDB over a data folder: ``<table>_raw`` is every row, ``<table>`` one row per ``row_id``."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from connector.lake import views
from connector.lake.faults import LakeUnreadable
from connector.tables import TABLES, Table
from connector.write.data import DataReader, FolderData, StoreData
from connector.write.ledger import Fold

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
    adds and what it removes are seen together or not at all. ``show`` brings it up to date. A folder of this
    machine without a ledger is read as it is. In S3 files are read where they are; a filter on ``day`` opens
    no other days.

    Args:
        source: show the rows of this source only, in every view; None: all of them.
        rejected: False: leave ``rejected`` and ``duplicates`` out; ``add_lines`` brings them later. In S3
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
    show(lake, data, tables, source, state=state)
    if rejected:
        add_lines(lake, data, tables, source, state)
    return lake


def show(
    lake: duckdb.DuckDBPyConnection,
    data: Path | DataReader,
    tables: Sequence[Table] = TABLES,
    source: str | None = None,
    *,
    state: Fold | None = None,
) -> Fold:
    """Make or renew the views over tables, as ``open_lake`` does; return the ledger that they show."""
    reader = FolderData(data) if isinstance(data, Path) else data
    if isinstance(reader, StoreData):
        state = state or reader.fold()
        raw = _in_store(lake, reader, tables, state)
    else:
        state = _in_place(reader, state)
        raw = {table.name: _on_disk(lake, reader, table, state) for table in tables}
    only = views.only(source)
    for table in tables:
        lake.execute(f"CREATE OR REPLACE VIEW {table.name}_raw AS SELECT * FROM ({raw[table.name]}){only}")
        lake.execute(f"CREATE OR REPLACE VIEW {table.name} AS {views.first_of_each(table)}")
    for view in ("order_lines", "orders"):
        text = (files("connector.lake") / f"{view}.sql").read_text(encoding="utf-8")
        lake.execute(f"CREATE OR REPLACE VIEW {view} AS {text}")
    return state


def add_lines(
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
        state = _in_place(reader, state)
        root = _root(reader)
        of_rejected, of_copies = _paths(root, state.rejected), _paths(root, state.duplicates)
        if not state.entries:
            of_rejected = sorted(root.glob("rejected/*/*.ndjson.gz"))
    only = views.only(source)
    rows = views.lines(views.REJECTED, of_rejected)
    lake.execute(f"CREATE OR REPLACE VIEW rejected AS SELECT * FROM ({rows}){only}")
    rows = f"{views.lines(views.DUPLICATES, of_copies)} UNION ALL {views.unresolved_copies(tables)}"
    lake.execute(f"CREATE OR REPLACE VIEW duplicates AS SELECT * FROM ({rows}){only}")


def _downloads(folder: object) -> list[Path]:
    return [] if folder is None else sorted(Path(folder.name).iterdir())  # type: ignore[attr-defined]


def _root(data: DataReader) -> Path:
    if data.root is None:
        raise TypeError(f"no views over {type(data).__name__}")
    return data.root


def _in_place(data: DataReader, state: Fold | None) -> Fold:
    """A fold whose files all lie in their places: between a commit and its last rename they need not.

    Raises:
        LakeUnreadable: one does not come, or is lost.
    """
    root = _root(data)
    for number in range(1, FOLDS + 1):
        state = state or data.fold()
        missing = next((name for name in state.live if not (root / name).exists()), None)
        if missing is None:
            return state
        if number < FOLDS:
            time.sleep(_PAUSE_SECONDS)
        state = None
    raise LakeUnreadable(
        f"{missing} is in the ledger and not in its place; connector drain finishes what was interrupted, "
        "connector audit tells what is lost"
    )


def _paths(root: Path, names: Mapping[str, object]) -> list[Path]:
    return [root / name for name in sorted(names)]


def _on_disk(lake: duckdb.DuckDBPyConnection, data: DataReader, table: Table, state: Fold) -> str:
    """The query for the rows of a table; its files are a variable, so that a view stays short."""
    root = _root(data)
    below = f"tables/{table.name}/"
    if not state.entries:
        if not any((root / below).glob("*/*.parquet")):
            return views.no_rows(table)
        return views.table_rows(table, views.quoted(f"{views.as_pattern(root / below)}/*/*.parquet"), root)
    paths = [root / name for name in sorted(state.tables) if name.startswith(below)]
    if not paths:
        return views.no_rows(table)
    lake.execute(f"SET VARIABLE {table.name}_files = {views.list_of(paths)}")
    return views.table_rows(table, f"getvariable('{table.name}_files')", root)


def _in_store(
    lake: duckdb.DuckDBPyConnection, data: StoreData, tables: Sequence[Table], state: Fold
) -> Mapping[str, str]:
    """Queries for the rows of every table."""
    from connector.lake.remote import RemoteFiles

    remote = RemoteFiles(data, state)
    for table in tables:
        lake.register(f"{table.name}_files", remote.table(table))
    return {table.name: f"SELECT * FROM {table.name}_files" for table in tables}
