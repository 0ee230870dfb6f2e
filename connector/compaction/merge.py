"""Several Parquet files of one table and day -> few sorted ones. Memory does not grow with their size.

A compacted file differs from a first write in nothing but its order, larger row groups, sorting metadata and
bloom filters (tables 6.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connector.compaction.sorting import sorted_tables
from connector.lake.views import list_of
from connector.tables import Table
from connector.write.arrow import arrow_schema
from connector.write.disk import sealed
from connector.write.entries import Output
from connector.write.parquet import writer_options
from connector.write.row_sum import MODULUS, row_sum_of_batches

if TYPE_CHECKING:
    import duckdb

GROUP_ROWS = 122_880
GROUP_BYTES = 128 * 1024 * 1024
"""A row group of a compacted file has so many rows, or bytes as Arrow, at most."""
_BATCH_ROWS = 2_048
_ROW_BYTES = 2_500
"""Of a filled row as Arrow, about (tables 6.1); its dictionaries make it look smaller."""
_BLOOM_COLUMNS = ("user_id", "anonymous_id", "order_id")
_BLOOM_FPP = 0.01


@dataclass(frozen=True, slots=True)
class Input:
    """A file to be merged, and what its footer says: read once."""

    path: Path
    output: Output
    schema: pa.Schema
    unpacked_bytes: int

    @classmethod
    def of(cls, path: Path, output: Output) -> Input:
        with pq.ParquetFile(path) as file:
            metadata = file.metadata
            groups = (metadata.row_group(at) for at in range(metadata.num_row_groups))
            return cls(path, output, file.schema_arrow, sum(group.total_byte_size for group in groups))


RowKey = tuple[str, str, int]
"""``row_id``, captured file and index: one row of one event."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that are not to be in the outputs."""

    rows: Callable[[Path], frozenset[RowKey]] = lambda path: frozenset()
    """Input file -> these very rows of it."""
    captured_files: frozenset[str] = field(default_factory=frozenset)
    """Every row of these captured files."""


def staying(batch: pa.RecordBatch, rows: frozenset[RowKey], captured_files: pa.Array) -> pa.Array | None:
    """True for rows that stay; None: all of them do."""
    stays: pa.Array | None = None
    if len(captured_files):
        stays = pc.invert(pc.is_in(batch.column("captured_file"), captured_files))
    if rows:
        names = ("row_id", "captured_file", "captured_index")
        keys = zip(*(batch.column(name).to_pylist() for name in names), strict=True)
        kept = pa.array([key not in rows for key in keys])
        stays = kept if stays is None else pc.and_(stays, kept)
    return stays if stays is not None and not pc.all(stays).as_py() else None


def groups_of(table: Table, inputs: Sequence[Input]) -> list[list[Input]]:
    """The inputs in groups that give no column two types, as two configurations might; mostly one group."""
    groups: list[tuple[dict[str, pa.DataType], list[Input]]] = []
    declared = {each.name: each.type for each in arrow_schema(table)}
    for each in inputs:
        types = {found.name: found.type for found in each.schema}
        for known, group in groups:
            if all(_same(known.get(name, kind), kind) for name, kind in types.items()):
                known.update(types)
                group.append(each)
                break
        else:
            groups.append(({**declared, **types}, [each]))
    return [group for _, group in groups]


def common_schema(table: Table, inputs: Iterable[Input]) -> tuple[pa.Schema, bool]:
    """The columns that are declared, then those that only the files have; and whether all files have all."""
    fields = {declared.name: declared for declared in arrow_schema(table)}
    seen: set[tuple[str, ...]] = set()
    for each in inputs:
        for found in each.schema:
            fields.setdefault(found.name, found.with_nullable(True))
        seen.add(tuple(each.schema.names))
    return pa.schema(list(fields.values())), all(names == tuple(fields) for names in seen)


def _same(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether two types are the same but for the names that writers give to items of lists."""
    if pa.types.is_list(one) and pa.types.is_list(other):
        return _same(one.value_type, other.value_type)
    return bool(one.equals(other))


class Merge:
    """Merges the files of one table and day.

    Args:
        database: a connection whose memory is bounded.
        staging: where the outputs lie under the names that ``name_of`` gives; also for what is spilled.
        target_bytes: size of an output, about.
    """

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        table: Table,
        staging: Path,
        name_of: Callable[[], str],
        target_bytes: int,
    ) -> None:
        self._db = database
        self._table = table
        self._staging = staging
        self._name_of = name_of
        self._target_bytes = target_bytes
        self._dropped_sum = 0

    def merge(self, inputs: Sequence[Input], left_out: LeftOut = LeftOut()) -> list[Output]:
        """Write what the inputs, one of ``groups_of``, hold, sorted, without what is left out.

        Raises:
            OSError: the disk refused.
        """
        schema, whole = common_schema(self._table, inputs)
        known = [each.output.row_sum for each in inputs]
        per_file = self._rows_per_file(inputs)
        derives = whole and None not in known and per_file >= sum(each.output.rows for each in inputs)
        self._dropped_sum = 0

        def batches() -> Iterator[pa.RecordBatch]:
            for each in inputs:
                yield from self._kept(each.path, schema, left_out, sums=derives)

        tables = sorted_tables(
            batches, lambda: _keys(inputs, self._table.sort), self._table.sort, _arrow_bytes(inputs),
            self._staging / "buckets",
        )  # fmt: skip
        written = self._write(tables, schema, per_file)
        derived = sum(int(each, 16) for each in known if each) - self._dropped_sum if derives else None
        return [self._output(name, file, derived) for name, file in written]

    def _kept(
        self, path: Path, schema: pa.Schema, left_out: LeftOut, *, sums: bool
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a file that stay, with every column."""
        rows, captured_files = left_out.rows(path), pa.array(sorted(left_out.captured_files), pa.string())
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                mask = staying(batch, rows, captured_files)
                if mask is not None:
                    if sums:
                        gone = [batch.filter(pc.invert(mask))]
                        self._dropped_sum += row_sum_of_batches(gone, batch.schema, self._table.name)
                    batch = batch.filter(mask)
                if batch.num_rows:
                    yield _with_every_column(batch, schema)

    def _rows_per_file(self, inputs: Sequence[Input]) -> int:
        rows = sum(each.output.rows for each in inputs)
        size = sum(each.output.bytes for each in inputs)
        files = max(1, round(size / self._target_bytes))
        return max(-(-rows // files), 1)

    def _write(
        self, tables: Iterable[pa.Table], schema: pa.Schema, rows_per_file: int
    ) -> list[tuple[str, _SortedFile]]:
        written: list[tuple[str, _SortedFile]] = []
        for table in tables:
            while table.num_rows:
                if not written or written[-1][1].rows >= rows_per_file:
                    if written:
                        written[-1][1].close()
                    name = self._name_of()
                    written.append(
                        (name, _SortedFile(self._staging / name, self._table, schema, rows_per_file))
                    )
                file = written[-1][1]
                room = rows_per_file - file.rows
                file.add(table.slice(0, room))
                table = table.slice(room)
        if written:
            written[-1][1].close()
        return written

    def _output(self, name: str, file: _SortedFile, derived: int | None) -> Output:
        """An output with its sum. Rows are hashed only where the sum does not follow from the inputs: that of
        one file is theirs less that of the rows left out."""
        size, sha256 = sealed(file.path)
        if derived is None:
            with pq.ParquetFile(file.path) as written:
                batches = written.iter_batches(batch_size=_BATCH_ROWS)
                derived = row_sum_of_batches(batches, written.schema_arrow, self._table.name)
        content = f"read_parquet({list_of([file.path])}, hive_partitioning = false)"
        rows = f"SELECT DISTINCT captured_file, captured_index FROM {content}"
        (events,) = self._db.execute(f"SELECT count(*) FROM ({rows})").fetchone() or (0,)
        return Output(name, file.rows, events, size, sha256, f"{derived % MODULUS:016x}")


class _SortedFile:
    """One output while it grows."""

    def __init__(self, path: Path, table: Table, schema: pa.Schema, expected_rows: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        order = [(column, "ascending") for column in table.sort]
        blooms = {
            name: {"ndv": max(min(expected_rows, GROUP_ROWS), 1), "fpp": _BLOOM_FPP}
            for name in _BLOOM_COLUMNS
            if name in schema.names
        }
        self.path = path
        self.rows = 0
        self._writer = pq.ParquetWriter(
            str(path), schema, **writer_options(schema),
            sorting_columns=pq.SortingColumn.from_ordering(schema, order, null_placement="at_end"),
            bloom_filter_options=blooms,
        )  # fmt: skip
        self._waiting: list[pa.Table] = []
        self._waiting_rows = self._waiting_bytes = 0

    def add(self, rows: pa.Table) -> None:
        while rows.num_rows:
            part = rows.slice(0, min(GROUP_ROWS - self._waiting_rows, _BATCH_ROWS))
            rows = rows.slice(part.num_rows)
            self._waiting.append(part)
            self._waiting_rows += part.num_rows
            self._waiting_bytes += part.nbytes
            self.rows += part.num_rows
            if self._waiting_rows >= GROUP_ROWS or self._waiting_bytes >= GROUP_BYTES:
                self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=GROUP_ROWS)
            self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0


def _with_every_column(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch with the columns, the types and the nullability of the outputs."""
    columns = []
    for wanted in schema:
        at = batch.schema.get_field_index(wanted.name)
        if at < 0:
            columns.append(pa.nulls(batch.num_rows, wanted.type))
        else:
            column = batch.column(at)
            columns.append(column if column.type.equals(wanted.type) else column.cast(wanted.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _keys(inputs: Sequence[Input], order: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The columns of all inputs that rows are sorted by."""
    for each in inputs:
        with pq.ParquetFile(each.path) as file:
            yield from file.iter_batches(columns=list(order))


def _arrow_bytes(inputs: Sequence[Input]) -> int:
    """About what the rows take as Arrow: what they unpack to, and what every column takes at least."""
    return sum(each.unpacked_bytes + _ROW_BYTES * each.output.rows for each in inputs)
