"""Rows of one part of one captured file -> Parquet files per table and day. Source: tables 6.1 to 6.3.

The same rows in the same order give the same bytes, so an attempt that is made again can keep its names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connector.tables import Table
from connector.tables.layout import day_of, table_file
from connector.write.arrow import STRUCT_CODES, arrow_schema, rows_to_batch
from connector.write.disk import sealed
from connector.write.entries import Output
from connector.write.row_sum import MODULUS, hash_bytes, row_encoder
from connector.write.sink import RowFailed

BUFFER_ROWS = 4_096
BUFFER_BYTES = 32 * 1024 * 1024
GROUP_ROWS = 32_768
GROUP_BYTES = 128 * 1024 * 1024
PENDING_ROWS = 65_536
PENDING_BYTES = 256 * 1024 * 1024
BATCH_BYTES = 64 * 1024
"""What a batch of a table this wide takes in memory before its first row."""

PLAIN_COLUMNS = frozenset(
    "row_id message_id order_id checkout_id cart_id context_device_id timestamp original_timestamp sent_at"
    " received_at captured_index properties context envelope".split()
)
"""Nearly every value differs: a dictionary would only cost. Measured, tables 6.1."""


class PartWriter:
    """Writes the rows of one part. Memory is bounded by the constants above, whatever the part holds.

    Rows wait as dicts, then as Arrow. A full row group goes to its file; when too many rows wait in groups
    that are not full (a part spread over very many days) all of them move to a spill file, so that neither
    memory nor open files grow with the number of days.
    """

    def __init__(
        self, staging: Path, tables: Iterable[Table], captured_file: str, part: int, tag: str
    ) -> None:
        """
        Args:
            staging: folder on the data folder's file system; files lie below it under their final names.
            tables: every table that rows may be for.
            captured_file, part, tag: what the file names carry (journal-protocol 3.1).
        """
        self._staging = staging
        self._tables = {table.name: _TableBuffer(table) for table in tables}
        self._files: dict[tuple[str, str], _DayFile] = {}
        self._captured_file, self._part, self._tag = captured_file, part, tag

    def add(self, table_name: str, columns: dict[str, Any]) -> None:
        """Take one row (``events.Row``). The dict is kept: it must not change afterwards.

        Raises:
            RowFailed: a row taken so far cannot be written; the part is lost, its staging to be dropped.
            OSError: the disk refused; likewise.
        """
        buffer = self._tables[table_name]
        canonical = buffer.encode(columns)
        try:
            day = day_of(columns.get("timestamp"))
        except OverflowError as error:
            raise RowFailed(table_name, "timestamp", columns.get("captured_index")) from error
        key = (table_name, day)
        file = self._files.get(key)
        if file is None:
            name = table_file(table_name, day, self._captured_file, self._part, self._tag)
            file = self._files[key] = _DayFile(self._staging / name, name, buffer)
        file.count(columns["captured_index"], hash_bytes(canonical))
        buffer.rows.append(columns)
        buffer.days.append(day)
        buffer.bytes += len(canonical)
        if len(buffer.rows) >= BUFFER_ROWS or buffer.bytes >= BUFFER_BYTES:
            self._convert(buffer)

    def finish(self) -> list[Output]:
        """Write what is left, make every file durable, return the outputs sorted by name."""
        for buffer in self._tables.values():
            self._convert(buffer)
        for buffer in self._tables.values():
            buffer.end_spill()
        outputs = [self._files[key].finish() for key in sorted(self._files)]
        for buffer in self._tables.values():
            buffer.drop_spill()
        return outputs

    def _convert(self, buffer: _TableBuffer) -> None:
        """Rows as dicts become Arrow rows waiting for their day's next row group."""
        for day, batch, row_bytes in buffer.take():
            self._files[buffer.table.name, day].wait(batch, row_bytes)
        if _over(self._files.values(), PENDING_ROWS, PENDING_BYTES):
            spill = self._staging / "spill" / f"{self._captured_file}.p{self._part}.{self._tag}"
            for file in self._files.values():
                file.spill(spill.with_name(f"{spill.name}.{file.buffer.table.name}.arrow"))


class _TableBuffer:
    """The rows of one table that are not Arrow yet, and the table's spill file."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.schema = arrow_schema(table)
        self.encode = row_encoder(table)
        self.options = writer_options(table)
        self.rows: list[dict[str, Any]] = []
        self.days: list[str] = []
        self.bytes = 0
        self._spill: Any = None
        self._spill_path = Path()
        self._spilled: Any = None
        self._batches = 0

    def take(self) -> Iterable[tuple[str, pa.RecordBatch, int]]:
        """Empty the buffer: day, batch, mean bytes of a row; days in the order of first appearance."""
        if not self.rows:
            return
        batch = rows_to_batch(self.table, self.rows, self.schema)
        places: dict[str, list[int]] = {}
        for at, day in enumerate(self.days):
            places.setdefault(day, []).append(at)
        self.rows, self.days, self.bytes = [], [], 0
        row_bytes = batch.nbytes // batch.num_rows
        for day, indices in places.items():
            one_day = batch if len(places) == 1 else batch.take(pa.array(indices, pa.int32()))
            yield day, one_day, row_bytes

    def spill(self, path: Path, batch: pa.RecordBatch) -> int:
        """Put a batch on disk; return its number."""
        if self._spill is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._spill, self._spill_path = pa.ipc.new_file(str(path), self.schema), path
        self._spill.write_batch(batch)
        self._batches += 1
        return self._batches - 1

    def end_spill(self) -> None:
        if self._spill is not None:
            self._spill.close()
            self._spilled = pa.ipc.open_file(pa.memory_map(str(self._spill_path)))

    def spilled(self, number: int) -> pa.RecordBatch:
        return self._spilled.get_batch(number)

    def drop_spill(self) -> None:
        if self._spill is not None:
            self._spilled = None
            self._spill_path.unlink()


@dataclass(slots=True)
class _DayFile:
    """One Parquet file while it grows."""

    path: Path
    name: str
    buffer: _TableBuffer
    rows: int = 0
    row_sum: int = 0
    events: set[int] = field(default_factory=set)
    pending: list[pa.RecordBatch] = field(default_factory=list)
    pending_rows: int = 0
    pending_bytes: int = 0
    spilled: list[int] = field(default_factory=list)
    writer: Any = None

    def count(self, captured_index: int, row_hash: int) -> None:
        self.rows += 1
        self.row_sum = (self.row_sum + row_hash) % MODULUS
        self.events.add(captured_index)

    def wait(self, batch: pa.RecordBatch, row_bytes: int) -> None:
        """Keep a batch for the next row group; write the group when it is full."""
        room = GROUP_ROWS - self.pending_rows
        first = batch.slice(0, room)
        self.pending.append(first)
        self.pending_rows += first.num_rows
        self.pending_bytes += first.num_rows * row_bytes + BATCH_BYTES
        if self.pending_rows >= GROUP_ROWS or self.pending_bytes >= GROUP_BYTES:
            self._write_group()
        if batch.num_rows > room:
            self.wait(batch.slice(room), row_bytes)

    def spill(self, path: Path) -> None:
        for batch in self.pending:
            self.spilled.append(self.buffer.spill(path, batch))
        self._forget_pending()

    def finish(self) -> Output:
        waiting, numbers = self.pending, self.spilled
        self._forget_pending()
        for batch in (*map(self.buffer.spilled, numbers), *waiting):
            self.wait(batch, batch.nbytes // batch.num_rows)
        if self.pending:
            self._write_group()
        self.writer.close()
        size, sha256 = sealed(self.path)
        return Output(self.name, self.rows, len(self.events), size, sha256, f"{self.row_sum:016x}")

    def _forget_pending(self) -> None:
        self.pending, self.pending_rows, self.pending_bytes = [], 0, 0

    def _write_group(self) -> None:
        if self.writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.writer = pq.ParquetWriter(str(self.path), self.buffer.schema, **self.buffer.options)
        table = pa.Table.from_batches(self.pending, self.buffer.schema).combine_chunks()
        self._forget_pending()
        order = [(column, "ascending") for column in self.buffer.table.sort]
        self.writer.write_table(table.sort_by(order), row_group_size=GROUP_ROWS)


def writer_options(table: Table) -> Mapping[str, Any]:
    """Options of ``pyarrow.parquet.ParquetWriter`` for a table. Source: tables 6.1."""
    return {
        "version": "2.6",
        "data_page_version": "1.0",
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": [leaf for leaf in _leaves(table) if leaf.split(".")[0] not in PLAIN_COLUMNS],
        "write_statistics": True,
        "store_decimal_as_integer": True,
        "store_schema": False,
    }


def _leaves(table: Table) -> Iterable[str]:
    """Parquet's paths of the columns that hold values."""
    for column, arrow_field in zip(table.columns, arrow_schema(table), strict=True):
        if column.code in STRUCT_CODES:
            struct = arrow_field.type.value_type
            yield from (f"{column.name}.list.element.{child.name}" for child in struct)
        else:
            yield f"{column.name}.list.element" if column.code == "LS" else column.name


def _over(files: Iterable[_DayFile], rows: int, size: int) -> bool:
    waiting_rows = waiting_bytes = 0
    for file in files:
        waiting_rows += file.pending_rows
        waiting_bytes += file.pending_bytes
    return waiting_rows > rows or waiting_bytes > size
