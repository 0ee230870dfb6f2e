"""Columns of the prepared files, and how queries name rows of them. No effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from connector.lake.views import list_of
from connector.prepared.days import RESOLVED

KEYS = {"table_name": "VARCHAR", "day": "DATE", "key": "UBIGINT"}
"""Every row of the resolved tables. ``key``: of its table and row id; equal ones have equal keys."""
LINKS = {
    "table_name": "VARCHAR", "day": "DATE", "anonymous_id": "VARCHAR", "user_id": "VARCHAR",
    "linked_at_ms": "BIGINT", "message_id": "VARCHAR", "line_index": "INTEGER", "row_id": "VARCHAR",
}  # fmt: skip
"""The first statement of a table and day about each device."""
GROUPS = {
    "table_name": "VARCHAR", "day": "DATE", "key": "UBIGINT", "row_id": "VARCHAR",
    "received_at": "TIMESTAMP WITH TIME ZONE", "captured_file": "VARCHAR", "captured_index": "BIGINT",
    "stays": "BOOLEAN", "twin": "BOOLEAN",
}  # fmt: skip
"""Every row with a row id that other rows of its table have too. ``stays``: it is the one that counts;
``twin``: it is the same event of the same captured file as the one that counts, twice in the files."""
IDENTITIES = {
    "anonymous_id": "VARCHAR", "user_id": "VARCHAR", "linked_at_ms": "BIGINT", "row_id": "VARCHAR",
    "table_name": "VARCHAR", "day": "DATE",
}  # fmt: skip
"""The first statement of all about each device."""

FIRST_LINK = "linked_at_ms NULLS LAST, message_id NULLS LAST, line_index NULLS FIRST, row_id, user_id"
"""Of statements about one device the first in this order counts (analytics definitions 0.2, 0.4)."""


def key_of(table: str) -> str:
    """The expression of a row's key: the number of the table, and 48 bits of a hash."""
    return f"({RESOLVED.index(table)}::UBIGINT << 48) | (hash(row_id) >> 16)"


def nothing(columns: Mapping[str, str]) -> str:
    typed = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in columns.items())
    return f"SELECT {typed} WHERE false"


def rows_in(columns: Mapping[str, str], paths: Sequence[Path]) -> str:
    """The rows of prepared files."""
    if not paths:
        return nothing(columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return f"SELECT {names} FROM read_parquet({list_of(paths)}, hive_partitioning = false)"


def dates(days: Iterable[str]) -> str:
    return ", ".join(f"DATE '{day}'" for day in days)


def on(days: Sequence[str] | None) -> str:
    """The condition that keeps files of other days closed; None: all days."""
    return "" if days is None else f"WHERE day IN ({dates(days)})"


def among(days: Iterable[tuple[str, str]]) -> str:
    """The condition that a row is of these tables and days."""
    found: dict[str, list[str]] = {}
    for table, day in days:
        found.setdefault(table, []).append(day)
    either = (f"(table_name = '{table}' AND day IN ({dates(each)}))" for table, each in found.items())
    return f"({' OR '.join(either)})" if found else "false"
