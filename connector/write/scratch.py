"""DuckDB for work that may be larger than memory: it spills into a folder, which is the caller's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_MOST_THREADS = 4


@contextmanager
def scratch_duckdb(spill: Path, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory, times in UTC.

    Args:
        memory_limit: as DuckDB writes it, ``512MB``; beyond it what it holds goes to ``spill``.
    """
    import duckdb

    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(spill),
        "threads": min(os.cpu_count() or 1, _MOST_THREADS),
        "preserve_insertion_order": False,
    }
    with duckdb.connect(":memory:", config=options) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
