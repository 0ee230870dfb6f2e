"""Count the distinct events in the live table files, captured file by captured file, in bounded memory."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from connector.write.ledger import Fold, Live
from connector.write.scratch import scratch_duckdb

CHUNK_ROWS = 2_000_000
MEMORY_LIMIT = "1GB"
"""DuckDB spills to a temporary folder beyond it."""

KEYS = ["captured_file", "captured_index"]
"""Columns that say which event a row is of."""

_COUNT = """
    SELECT captured_file, count(*) FROM (
        SELECT DISTINCT captured_file, captured_index FROM read_parquet($files, hive_partitioning = false)
    ) GROUP BY captured_file
"""


def rows_in_file(path: Path) -> int:
    """Rows of a Parquet file, as its own metadata says."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return int(file.metadata.num_rows)


def write_keys(path: Path, target: Path) -> None:
    """Write what ``events_in_tables`` needs of a table file into a small file of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = pa.schema([file.schema_arrow.field(name) for name in KEYS])
        with pq.ParquetWriter(str(target), schema) as keys:
            for batch in file.iter_batches(columns=KEYS):
                keys.write_batch(batch.select(KEYS))


def events_in_tables(
    path_of: Callable[[str], Path], state: Fold, damaged: set[str]
) -> tuple[dict[str, int], set[str]]:
    """Count distinct (captured_file, captured_index) over the live files of all tables.

    No captured file is split between two queries: those that a change recounted share one, because the files
    of changes may hold any of them; the others lie in files of their own.

    Args:
        path_of: where a table file, or what ``write_keys`` made of it, lies on this machine, by its name.
        damaged: names of files not to be read.

    Returns:
        Events by captured file, and the captured files that could not be counted because of ``damaged``.
    """
    mixed: list[Live] = []
    own: dict[str, list[Live]] = {}
    for live in state.tables.values():
        if live.captured_file is None or live.captured_file in state.changed:
            mixed.append(live)
        else:
            own.setdefault(live.captured_file, []).append(live)
    uncounted = {name for name, files in own.items() if _any_of(damaged, files)}
    chunks = list(_chunks(files for name, files in own.items() if name not in uncounted))
    if _any_of(damaged, mixed):
        uncounted.update(state.changed)
    elif mixed:
        chunks.append(mixed)
    stored: dict[str, int] = {}
    for chunk in chunks:
        for name, events in _count(path_of(live.output.name) for live in chunk):
            stored[name] = stored.get(name, 0) + events
    return stored, uncounted


def _any_of(names: set[str], files: Iterable[Live]) -> bool:
    return not names.isdisjoint(live.output.name for live in files)


def _chunks(groups: Iterable[list[Live]]) -> Iterator[list[Live]]:
    """Join the files of whole captured files until they have enough rows for one query."""
    chunk: list[Live] = []
    rows = 0
    for files in groups:
        chunk += files
        rows += sum(live.output.rows for live in files)
        if rows >= CHUNK_ROWS:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk


def _count(paths: Iterable[Path]) -> list[tuple[str, int]]:
    """Events by captured file. Raises ``FileNotFoundError``: a file is gone."""
    import duckdb

    there = list(paths)
    files = [re.sub(r"([*?\[])", r"[\1]", str(path)) for path in there]
    with tempfile.TemporaryDirectory() as spill, scratch_duckdb(Path(spill), MEMORY_LIMIT) as connection:
        try:
            return connection.execute(_COUNT, {"files": files}).fetchall()
        except duckdb.IOException:
            gone = [path for path in there if not path.exists()]
            if not gone:
                raise
            raise FileNotFoundError(gone[0]) from None
