"""DuckDB over a data folder: ``<table>_raw`` is every row, ``<table>`` one row per ``row_id``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from connector.tables import STRUCT_FIELDS, TABLES, Table, TypeCode

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


def open_lake(data: Path, tables: Sequence[Table] = TABLES) -> duckdb.DuckDBPyConnection:
    """A connection in memory with the tables of ``data`` as views; times are UTC.

    Views: ``events`` and the other tables, each with a ``_raw`` twin that shows copies too, and the shipped
    ``order_lines``, ``orders`` and ``rejected``. What has no file is an empty view with its columns.
    """
    import duckdb

    lake = duckdb.connect()
    lake.execute("SET TimeZone = 'UTC'")
    for table in tables:
        lake.execute(f"CREATE VIEW {table.name}_raw AS {_raw(data, table)}")
        lake.execute(
            f"CREATE VIEW {table.name} AS SELECT * FROM {table.name}_raw QUALIFY row_number() OVER "
            "(PARTITION BY row_id ORDER BY received_at NULLS LAST, captured_file, captured_index) = 1"
        )
    lake.execute(f"CREATE VIEW rejected AS {_rejected(data)}")
    for view in ("order_lines", "orders"):
        text = (files("connector.lake") / f"{view}.sql").read_text(encoding="utf-8")
        lake.execute(f"CREATE VIEW {view} AS {text}")
    return lake


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


def _rejected(data: Path) -> str:
    """The lines of rejected events, as ``write/rejected.py`` writes them."""
    folder = data / "rejected"
    if not any(folder.glob("*/*.ndjson.gz")):
        columns = ", ".join(f"NULL::{kind} AS {name}" for name, kind in _REJECTED.items())
        return f"SELECT {columns} WHERE false"
    declared = ", ".join(f"{name}: '{kind}'" for name, kind in _REJECTED.items())
    return (
        f"SELECT * FROM read_json({_quoted(_escaped(folder) + '/*/*.ndjson.gz')}, "
        f"format = 'newline_delimited', hive_partitioning = false, columns = {{{declared}}})"
    )


def _escaped(path: Path) -> str:
    """A path as a pattern that matches itself."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(path.absolute()))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
