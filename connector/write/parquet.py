"""Rows of one part of one captured file -> Parquet files per table and day. Source: tables 6.1 to 6.3.

The same rows in the same order give the same bytes, so an attempt that is made again can keep its names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from connector.events import Row
from connector.tables import Table
from connector.tables.layout import day_of, table_file
from connector.write.arrow import RowFields
from connector.write.change import table_change_file
from connector.write.disk import sealed
from connector.write.entries import Output
from connector.write.row_sum import MODULUS, hash_bytes, row_encoder
from connector.write.sink import RowFailed

GROUP_ROWS = 8_192
GROUP_BYTES = 32 * 1024 * 1024
"""A row group is written when a file has so many rows, or bytes of rows, waiting."""
WAITING_ROWS = 16_384
WAITING_BYTES = 96 * 1024 * 1024
"""What waits in all files of a part at most; beyond it the fullest file writes a smaller row group,"""
SMALLEST_GROUP_ROWS = 1_024
"""or, when even the fullest has fewer rows than this, all of them move to a spill file."""

PLAIN_COLUMNS = frozenset(
    "row_id message_id order_id checkout_id cart_id context_device_id timestamp original_timestamp sent_at"
    " received_at captured_index properties context envelope".split()
)
"""Nearly every value differs: a dictionary would only cost. Measured, tables 6.1."""

Values = list[Any]


class PartWriter:
    """Writes the rows of one part. Memory is bounded by the constants above, whatever the part holds.

    Rows wait as lists of values and become Arrow when their row group is written. A part spread over very
    many days goes through a spill file, so that neither memory nor open files grow with the number of days.
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
        spill = staging / f"spill/{captured_file}.p{part}.{tag}"
        self._tables = {table.name: _TableForm(table, spill) for table in tables}
        self._files: dict[tuple[str, str], _DayFile] = {}
        self._name_of = partial(_first_name, captured_file, part, tag)
        self._rows = 0
        self._bytes = 0

    @classmethod
    def of_change(cls, staging: Path, tables: Iterable[Table], tag: str) -> PartWriter:
        """The same for rows of several captured files that a change adds."""
        writer = cls(staging, tables, "c", 0, tag)
        writer._name_of = partial(_change_name, tag)
        return writer

    def add(self, table_name: str, columns: dict[str, Any]) -> None:
        """Take one row by table and columns, as ``add_row`` does."""
        self.add_row(Row(table_name, columns))

    def add_row(self, row: Row) -> None:
        """Take one row (``events.Row``); the rows of one event follow each other.

        Raises:
            RowFailed: some row taken so far cannot be written; the part is lost, drop its staging.
            OSError: the disk refused; likewise.
        """
        table_name, columns = row.table, row.own
        form = self._tables[table_name]
        values = form.fields.values(columns, row.cells)
        canonical = form.encode(values)
        try:
            day = day_of(columns.get("timestamp"))
        except OverflowError as error:
            where = columns.get("captured_index"), columns.get("captured_file")
            raise RowFailed(table_name, "timestamp", *where) from error
        file = self._files.get((table_name, day))
        if file is None:
            name = self._name_of(table_name, day)
            file = self._files[table_name, day] = _DayFile(self._staging / name, name, form)
        file.take(values, (columns["captured_file"], columns["captured_index"]), canonical)
        self._rows += 1
        self._bytes += len(canonical)
        if len(file.waiting) >= GROUP_ROWS or file.bytes >= GROUP_BYTES:
            self._write_group(file)
        elif self._rows >= WAITING_ROWS or self._bytes >= WAITING_BYTES:
            self._make_room()

    def finish(self) -> list[Output]:
        """Write what is left, make every file durable, return the outputs sorted by name."""
        for form in self._tables.values():
            form.end_spill()
        outputs = [self._files[key].finish() for key in sorted(self._files)]
        for form in self._tables.values():
            form.drop_spill()
        return outputs

    def _write_group(self, file: _DayFile) -> None:
        self._rows -= len(file.waiting)
        self._bytes -= file.bytes
        file.write_group()

    def _make_room(self) -> None:
        fullest = max(self._files.values(), key=lambda file: len(file.waiting))
        if len(fullest.waiting) >= SMALLEST_GROUP_ROWS or self._bytes >= WAITING_BYTES:
            self._write_group(fullest)
            return
        for file in self._files.values():
            file.spill()
        self._rows = self._bytes = 0


class _TableForm:
    """What the files of one table share: positions, options, and the table's spill file."""

    def __init__(self, table: Table, spill: Path) -> None:
        self.table = table
        self.fields = RowFields(table)
        self.encode = row_encoder(table)
        self.options = writer_options(self.fields.schema)
        names = [column.name for column in table.columns]
        self._time = names.index("timestamp")
        self._sorted_by = [names.index(name) for name in table.sort]
        self._spill_path = spill.with_name(f"{spill.name}.{table.name}.arrow")
        self._spill: Any = None
        self._spilled: Any = None
        self._batches = 0

    def sort(self, rows: list[Values]) -> None:
        """Sort by the table's sort columns, rows without a time behind."""
        if any(row[self._time] is None for row in rows):
            rows.sort(key=lambda row: [_NEVER if row[at] is None else row[at] for at in self._sorted_by])
        else:
            rows.sort(key=itemgetter(*self._sorted_by))

    def spill(self, rows: Sequence[Values]) -> int:
        """Put rows on disk; return the number of the batch."""
        if self._spill is None:
            self._spill_path.parent.mkdir(parents=True, exist_ok=True)
            self._spill = pa.ipc.new_file(str(self._spill_path), self.fields.schema)
        self._spill.write_batch(self.fields.batch(rows))
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


class _DayFile:
    """One Parquet file while it grows."""

    def __init__(self, path: Path, name: str, form: _TableForm) -> None:
        self.waiting: list[Values] = []
        self.bytes = 0
        self._path = path
        self._name = name
        self._form = form
        self._rows = 0
        self._row_sum = 0
        self._events = 0
        self._last_event: tuple[str, int] | None = None
        self._spilled: list[int] = []
        self._writer: Any = None

    def take(self, values: Values, event: tuple[str, int], canonical: bytes) -> None:
        self.waiting.append(values)
        self.bytes += len(canonical)
        self._rows += 1
        self._row_sum = (self._row_sum + hash_bytes(canonical)) % MODULUS
        if event != self._last_event:
            self._last_event = event
            self._events += 1

    def spill(self) -> None:
        if self.waiting:
            self._spilled.append(self._form.spill(self.waiting))
            self._forget()

    def write_group(self) -> None:
        """Sort what waits and write it as one row group."""
        self._form.sort(self.waiting)
        batch = self._form.fields.batch(self.waiting)
        self._forget()
        self._write(pa.Table.from_batches([batch]))

    def finish(self) -> Output:
        if self._spilled:
            self._write_spilled()
        elif self.waiting:
            self.write_group()
        self._writer.close()
        size, sha256 = sealed(self._path)
        return Output(self._name, self._rows, self._events, size, sha256, f"{self._row_sum:016x}")

    def _write_spilled(self) -> None:
        order = [(column, "ascending") for column in self._form.table.sort]
        for batches in _groups(self._batches_left()):
            table = pa.Table.from_batches(batches, self._form.fields.schema).combine_chunks()
            self._write(table.sort_by(order))

    def _batches_left(self) -> Iterator[pa.RecordBatch]:
        """Batches on disk, then what still waits."""
        yield from map(self._form.spilled, self._spilled)
        if self.waiting:
            yield self._form.fields.batch(self.waiting)
            self._forget()

    def _forget(self) -> None:
        self.waiting, self.bytes = [], 0

    def _write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(str(self._path), table.schema, **self._form.options)
        self._writer.write_table(table, row_group_size=GROUP_ROWS)


def _first_name(captured_file: str, part: int, tag: str, table: str, day: str) -> str:
    return table_file(table, day, captured_file, part, tag)


def _change_name(tag: str, table: str, day: str) -> str:
    return table_change_file(table, day, tag)


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches in lots that make one row group each, the last one smaller."""
    lot: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        if lot and (rows + batch.num_rows > GROUP_ROWS or size + batch.nbytes > GROUP_BYTES):
            yield lot
            lot, rows, size = [], 0, 0
        lot.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
    if lot:
        yield lot


_NEVER = float("inf")


def writer_options(schema: pa.Schema) -> Mapping[str, Any]:
    """Options of ``pyarrow.parquet.ParquetWriter`` for a table's columns. Source: tables 6.1."""
    return {
        "version": "2.6",
        "data_page_version": "1.0",
        "compression": "zstd",
        "compression_level": 3,
        "use_dictionary": [leaf for leaf in _leaves(schema) if leaf.split(".")[0] not in PLAIN_COLUMNS],
        "write_statistics": True,
        "store_decimal_as_integer": True,
        "store_schema": False,
    }


def _leaves(schema: pa.Schema) -> Iterable[str]:
    """Parquet's paths of the columns that hold values."""
    for field in schema:
        if not pa.types.is_list(field.type):
            yield field.name
        elif pa.types.is_struct(field.type.value_type):
            yield from (f"{field.name}.list.element.{child.name}" for child in field.type.value_type)
        else:
            yield f"{field.name}.list.element"
