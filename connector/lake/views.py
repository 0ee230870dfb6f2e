"""The text of the views: what DuckDB is told about table files and files of lines. No effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from connector.tables import STRUCT_FIELDS, Table, TypeCode

_SIMPLE: dict[TypeCode, str] = {
    "S": "VARCHAR", "T": "TIMESTAMP WITH TIME ZONE", "M": "DECIMAL(18,6)", "Q": "DECIMAL(19,3)",
    "I": "INTEGER", "L": "BIGINT", "D": "DOUBLE", "B": "BOOLEAN", "LS": "VARCHAR[]", "J": "VARCHAR",
}  # fmt: skip

REJECTED = {
    "captured_file": "VARCHAR", "captured_index": "BIGINT", "code": "VARCHAR", "message": "VARCHAR",
    "violations": "STRUCT(path VARCHAR, rule VARCHAR, expected VARCHAR, got_type VARCHAR)[]",
    "source": "VARCHAR", "route": "VARCHAR", "received_at_ms": "BIGINT", "type": "VARCHAR",
    "event": "VARCHAR", "message_id": "VARCHAR", "proven": "VARCHAR", "raw": "VARCHAR",
    "raw_base64": "VARCHAR", "shared": "VARCHAR",
}  # fmt: skip
"""Columns of the view ``rejected`` (tables 7.3)."""

DUPLICATES = {
    "captured_file": "VARCHAR", "captured_index": "BIGINT", "table_name": "VARCHAR", "row_id": "VARCHAR",
    "message_id": "VARCHAR", "source": "VARCHAR", "received_at_ms": "BIGINT",
    "kept_captured_file": "VARCHAR", "kept_captured_index": "BIGINT",
}  # fmt: skip
"""Columns of the view ``duplicates``: a row that is a copy, and the event whose row is kept instead."""

FIRST = "received_at NULLS LAST, captured_file, captured_index"
"""Of rows with one ``row_id`` the first in this order is the one that stays (tables 3)."""


def duckdb_type(code: TypeCode) -> str:
    """DuckDB's name of a column type (tables 2.1)."""
    if code in _SIMPLE:
        return _SIMPLE[code]
    fields = ", ".join(f'"{name}" {_SIMPLE[kind]}' for name, kind in STRUCT_FIELDS[code].items())
    return f"STRUCT({fields})[]"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def as_pattern(path: Path) -> str:
    """A path as a pattern that matches itself."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(path.absolute()))


def list_of(paths: Iterable[Path]) -> str:
    """Paths as a list of DuckDB, each matching itself."""
    return f"[{', '.join(quoted(as_pattern(path)) for path in paths)}]"


def no_rows(table: Table) -> str:
    columns = ", ".join(f'NULL::{duckdb_type(c.code)} AS "{c.name}"' for c in table.columns)
    return f"SELECT {columns}, NULL::DATE AS day WHERE false"


def table_rows(table: Table, files: str, root: Path, *, alike: bool = False) -> str:
    """Every row of table files; ``files``: what DuckDB is to read, as it is written in a query.

    Files may lack columns that were added later: an empty relation brings every declared one.

    Args:
        alike: all files have the same columns. DuckDB then need not open each of them for every query.
    """
    by_name = "" if alike else ", union_by_name = true"
    if "=" in str(root.absolute()):
        day = r"CAST(regexp_extract(__file, 'day=([0-9-]+)/[^/]*$', 1) AS DATE) AS day"
        rows = f"SELECT * EXCLUDE (__file), {day} FROM read_parquet({files}, filename = '__file', "
        rows += "hive_partitioning = false"
    else:
        rows = f"SELECT * FROM read_parquet({files}, hive_partitioning = true, hive_types = {{'day': DATE}}"
    return f"{no_rows(table)} UNION ALL BY NAME {rows}{by_name})"


def columns_of(files: str) -> str:
    """One row for every set of columns that files have; ``files``: as ``table_rows`` takes it."""
    return (
        "SELECT DISTINCT columns FROM ("
        "SELECT list((name, type, converted_type, precision, scale) ORDER BY name) AS columns "
        f"FROM parquet_schema({files}) GROUP BY file_name)"
    )


def first_of_each(table: Table) -> str:
    """One row per ``row_id``."""
    return (
        f"SELECT * FROM {table.name}_raw QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY {FIRST}) = 1"
    )


def lines(columns: dict[str, str], files: Sequence[Path]) -> str:
    """The lines of NDJSON files with the declared columns."""
    if not files:
        return f"SELECT {', '.join(f'NULL::{kind} AS {name}' for name, kind in columns.items())} WHERE false"
    declared = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    return (
        f"SELECT * FROM read_json({list_of(files)}, format = 'newline_delimited', "
        f"hive_partitioning = false, columns = {{{declared}}})"
    )


def unresolved_copies(tables: Sequence[Table]) -> str:
    """Rows that only the views hide so far: ``DUPLICATES`` of the table files themselves."""
    return " UNION ALL ".join(
        f"SELECT captured_file, captured_index, '{table.name}' AS table_name, row_id, message_id, source, "
        "epoch_ms(received_at) AS received_at_ms, first_value(captured_file) OVER copies, "
        f"first_value(captured_index) OVER copies FROM {table.name}_raw WINDOW copies AS "
        f"(PARTITION BY row_id ORDER BY {FIRST}) QUALIFY row_number() OVER copies > 1"
        for table in tables
    )


def only(source: str | None) -> str:
    return "" if source is None else f" WHERE source = {quoted(source)}"
