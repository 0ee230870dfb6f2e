"""DuckDB over a data folder: ``<table>_raw`` is every row, ``<table>`` one row per ``row_id``."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from connector.tables import STRUCT_FIELDS, TABLES, Table, TypeCode
from connector.write.data import DataReader, StoreData
from connector.write.ledger import Fold

if TYPE_CHECKING:
    import duckdb

_SIMPLE: dict[TypeCode, str] = {
    "S": "VARCHAR", "T": "TIMESTAMP WITH TIME ZONE", "M": "DECIMAL(18,6)", "Q": "DECIMAL(19,3)",
    "I": "INTEGER", "L": "BIGINT", "D": "DOUBLE", "B": "BOOLEAN", "LS": "VARCHAR[]", "J": "VARCHAR",
}  # fmt: skip


_REJECTED = {
    "captured_file": "VARCHAR", "captured_index": "BIGINT", "code": "VARCHAR", "message": "VARCHAR",
    "violations": "STRUCT(path VARCHAR, rule VARCHAR, expected VARCHAR, got_type VARCHAR)[]",
    "source": "VARCHAR", "route": "VARCHAR", "received_at_ms": "BIGINT", "type": "VARCHAR",
    "event": "VARCHAR", "message_id": "VARCHAR", "proven": "VARCHAR", "raw": "VARCHAR",
    "raw_base64": "VARCHAR",
}  # fmt: skip
"""Columns of the view ``rejected`` (tables 7.3)."""


def duckdb_type(code: TypeCode) -> str:
    """DuckDB's name of a column type (tables 2.1)."""
    if code in _SIMPLE:
        return _SIMPLE[code]
    fields = ", ".join(f'"{name}" {_SIMPLE[kind]}' for name, kind in STRUCT_FIELDS[code].items())
    return f"STRUCT({fields})[]"


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
    ``order_lines``, ``orders`` and ``rejected``. What has no file is an empty view with its columns.

    A data folder of this machine is read as it is whenever a view is. Of one in S3 the connection shows the
    live files of the ledger at this moment, read where they are; a filter on ``day`` opens no other days.

    Args:
        source: show the rows of this source only, in every view; None: all of them.
        rejected: False: leave the view ``rejected`` out; ``add_rejected`` brings it later. In S3 it is the
            one view whose files are downloaded, all of them.
        state: the ledger in S3 as it was folded a moment ago; None: it is folded here.

    Raises:
        StoreError: S3 refused or did not answer.
        LedgerError: the ledger in S3 is damaged.
    """
    import duckdb

    lake = duckdb.connect()
    lake.execute("SET TimeZone = 'UTC'")
    if isinstance(data, StoreData):
        state = state or data.fold()
        raw = _in_store(lake, data, tables, state)
    else:
        raw = {table.name: _raw(_root(data), table) for table in tables}
    only = _only(source)
    for table in tables:
        lake.execute(f"CREATE VIEW {table.name}_raw AS SELECT * FROM ({raw[table.name]}){only}")
        lake.execute(
            f"CREATE VIEW {table.name} AS SELECT * FROM {table.name}_raw QUALIFY row_number() OVER "
            "(PARTITION BY row_id ORDER BY received_at NULLS LAST, captured_file, captured_index) = 1"
        )
    if rejected:
        add_rejected(lake, data, source, state)
    for view in ("order_lines", "orders"):
        text = (files("connector.lake") / f"{view}.sql").read_text(encoding="utf-8")
        lake.execute(f"CREATE VIEW {view} AS {text}")
    return lake


def add_rejected(
    lake: duckdb.DuckDBPyConnection,
    data: Path | DataReader,
    source: str | None = None,
    state: Fold | None = None,
) -> None:
    """Make the view ``rejected`` in a connection that ``open_lake`` has opened without it; as there.

    Of a data folder in S3 the files are downloaded into a temporary folder, which lasts as long as the
    connection does.
    """
    if isinstance(data, StoreData):
        from connector.lake.remote import RemoteFiles

        folder = RemoteFiles(data, state).rejected()
        if folder is not None:
            weakref.finalize(lake, folder.cleanup)
        rows = _rejected_rows(None if folder is None else Path(folder.name), "*.ndjson.gz")
    else:
        rows = _rejected_rows(_root(data) / "rejected", "*/*.ndjson.gz")
    lake.execute(f"CREATE VIEW rejected AS SELECT * FROM ({rows}){_only(source)}")


def _only(source: str | None) -> str:
    return "" if source is None else f" WHERE source = {_quoted(source)}"


def _root(data: Path | DataReader) -> Path:
    root = data if isinstance(data, Path) else data.root
    if root is None:
        raise TypeError(f"no views over {type(data).__name__}")
    return root


def _in_store(
    lake: duckdb.DuckDBPyConnection, data: StoreData, tables: Sequence[Table], state: Fold | None
) -> Mapping[str, str]:
    """Queries for the rows of every table."""
    from connector.lake.remote import RemoteFiles

    remote = RemoteFiles(data, state)
    for table in tables:
        lake.register(f"{table.name}_files", remote.table(table))
    return {table.name: f"SELECT * FROM {table.name}_files" for table in tables}


def _raw(data: Path, table: Table) -> str:
    """Files may lack columns that were added later: an empty relation brings every declared one."""
    columns = ", ".join(f'NULL::{duckdb_type(c.code)} AS "{c.name}"' for c in table.columns)
    empty = f"SELECT {columns}, NULL::DATE AS day WHERE false"
    folder = data / "tables" / table.name
    if not any(folder.glob("*/*.parquet")):
        return empty
    root = folder.absolute()
    pattern = _quoted(_escaped(folder) + "/*/*.parquet")
    if "=" in str(root):
        day = r"CAST(regexp_extract(filename, 'day=([0-9-]+)/[^/]*$', 1) AS DATE) AS day"
        rows = f"SELECT * EXCLUDE (filename), {day} FROM read_parquet({pattern}, filename = true, "
        rows += "hive_partitioning = false, "
    else:
        rows = f"SELECT * FROM read_parquet({pattern}, hive_partitioning = true, "
        rows += "hive_types = {'day': DATE}, "
    return f"{empty} UNION ALL BY NAME {rows} union_by_name = true)"


def _rejected_rows(folder: Path | None, pattern: str) -> str:
    """The lines of rejected events, as ``write/rejected.py`` writes them."""
    if folder is None or not any(folder.glob(pattern)):
        columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in _REJECTED.items())
        return f"SELECT {columns} WHERE false"
    declared = ", ".join(f"{name}: '{kind}'" for name, kind in _REJECTED.items())
    return (
        f"SELECT * FROM read_json({_quoted(f'{_escaped(folder)}/{pattern}')}, "
        f"format = 'newline_delimited', hive_partitioning = false, columns = {{{declared}}})"
    )


def _escaped(path: Path) -> str:
    """A path as a pattern that matches itself."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(path.absolute()))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
