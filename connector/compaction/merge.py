"""Several Parquet files of one table and day -> few sorted ones. Memory does not grow with their size.

DuckDB sorts and spills; pyarrow writes, so that a compacted file differs from a first write in nothing but
its order, larger row groups, sorting metadata and bloom filters (tables 6.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from connector.errors import ConnectorError
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
FAN_IN = 400
"""Files that are opened side by side; more are joined in lots first."""
_BATCH_ROWS = 8_192
_BLOOM_COLUMNS = ("user_id", "anonymous_id", "order_id")
_BLOOM_FPP = 0.01


class Irreconcilable(ConnectorError):
    """Files of one table that give a column two types: they cannot become one file."""

    code = "irreconcilable"


@dataclass(frozen=True, slots=True)
class Input:
    """A file to be merged."""

    path: Path
    output: Output


def common_schema(table: Table, paths: Iterable[Path]) -> tuple[pa.Schema, bool]:
    """The columns that are declared, then those that only the files have; and whether all files have all.

    Raises:
        Irreconcilable: a column has two types.
    """
    fields = {field.name: field for field in arrow_schema(table)}
    whole = True
    seen: set[tuple[str, ...]] = set()
    for path in paths:
        schema = pq.read_schema(path)
        for field in schema:
            known = fields.setdefault(field.name, field.with_nullable(True))
            if not _same(known.type, field.type):
                raise Irreconcilable(f"{table.name}.{field.name} is {known.type} here and {field.type} there")
        seen.add(tuple(schema.names))
    whole = all(names == tuple(fields) for names in seen)
    return pa.schema(list(fields.values())), whole


def _same(one: pa.DataType, other: pa.DataType) -> bool:
    """Whether two types are the same but for the names that writers give to items of lists."""
    if pa.types.is_list(one) and pa.types.is_list(other):
        return _same(one.value_type, other.value_type)
    return bool(one.equals(other))


class Merge:
    """Merges the files of one table and day.

    Args:
        database: a connection with the table ``losers`` of ``copies.Copies``.
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

    def merge(self, inputs: Sequence[Input], leave_out: str | None = None) -> list[Output]:
        """Write what the inputs hold, sorted, without losers.

        Args:
            leave_out: a condition in SQL; rows that meet it are left out too.

        Raises:
            Irreconcilable. OSError: the disk refused.
        """
        schema, whole = common_schema(self._table, (each.path for each in inputs))
        paths = self._in_lots([each.path for each in inputs])
        kept = f"FROM {_rows(paths)} AS r ANTI JOIN losers AS l USING (row_id, captured_file, captured_index)"
        if leave_out is not None:
            kept += f" WHERE NOT ({leave_out})"
        order = ", ".join(f'"{column}" NULLS LAST' for column in self._table.sort)
        columns = self._columns(schema, paths)
        batches = self._batches(f"SELECT {columns} {kept} ORDER BY {order}", schema)
        written = self._write(batches, schema, self._rows_per_file(inputs))
        return self._summed(written, inputs, whole, leave_out)

    def _in_lots(self, paths: list[Path]) -> list[Path]:
        """The same rows in few enough files."""
        number = 0
        while len(paths) > FAN_IN:
            joined = []
            for first in range(0, len(paths), FAN_IN):
                target = self._staging / "lots" / f"{self._table.name}-{number}.parquet"
                target.parent.mkdir(parents=True, exist_ok=True)
                number += 1
                lot = paths[first : first + FAN_IN]
                where = f"'{_text(target)}' (FORMAT parquet, ROW_GROUP_SIZE {_BATCH_ROWS})"
                self._db.execute(f"COPY (SELECT * FROM {_rows(lot)}) TO {where}")
                joined.append(target)
            paths = joined
        return paths

    def _columns(self, schema: pa.Schema, paths: list[Path]) -> str:
        """Every column, in order; null where no file has it."""
        there = {name for (name, *_) in self._db.execute(f"DESCRIBE SELECT * FROM {_rows(paths)}").fetchall()}
        return ", ".join(f'"{name}"' if name in there else f'NULL AS "{name}"' for name in schema.names)

    def _rows_per_file(self, inputs: Sequence[Input]) -> int:
        rows = sum(each.output.rows for each in inputs)
        size = sum(each.output.bytes for each in inputs)
        files = max(1, round(size / self._target_bytes))
        return max(-(-rows // files), 1)

    def _write(
        self, batches: Iterator[pa.RecordBatch], schema: pa.Schema, rows_per_file: int
    ) -> list[tuple[str, Path]]:
        written: list[tuple[str, Path]] = []
        file: _SortedFile | None = None
        for batch in batches:
            while batch.num_rows:
                if file is None or file.rows >= rows_per_file:
                    if file is not None:
                        file.close()
                    name = self._name_of()
                    written.append((name, self._staging / name))
                    file = _SortedFile(self._staging / name, self._table, schema, rows_per_file)
                room = rows_per_file - file.rows
                file.add(batch.slice(0, room))
                batch = batch.slice(room)
        if file is not None:
            file.close()
        return written

    def _summed(
        self, written: list[tuple[str, Path]], inputs: Sequence[Input], whole: bool, leave_out: str | None
    ) -> list[Output]:
        """Outputs with their sums. Only of what cannot be known from the inputs every row is hashed: the sum
        of one output is that of the inputs less that of the rows that were left out, when these are fewer."""
        known = [each.output.row_sum for each in inputs]
        rows_in = sum(each.output.rows for each in inputs)
        rows_out = sum(pq.read_metadata(path).num_rows for _, path in written)
        derived: int | None = None
        if whole and len(written) == 1 and None not in known and rows_in - rows_out <= rows_out:
            derived = sum(int(each, 16) for each in known if each is not None)
            if rows_in != rows_out:
                derived -= self._sum_of_left_out(inputs, leave_out)
        return [self._output(name, path, derived) for name, path in written]

    def _sum_of_left_out(self, inputs: Sequence[Input], leave_out: str | None) -> int:
        paths = [each.path for each in inputs]
        schema = pq.read_schema(paths[0])
        losing = "(row_id, captured_file, captured_index) IN " \
                 "(SELECT (row_id, captured_file, captured_index) FROM losers)"  # fmt: skip
        condition = losing if leave_out is None else f"{losing} OR ({leave_out})"
        total = 0
        for path in paths:
            query = f"SELECT {', '.join(schema.names)} FROM {_rows([path])} WHERE {condition}"
            total += row_sum_of_batches(self._batches(query, schema), schema, self._table.name)
        return total

    def _batches(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The answer in batches, with the types and the nullability of the file."""
        reader: Iterable[pa.RecordBatch] = self._db.sql(query).to_arrow_reader(_BATCH_ROWS)
        for batch in reader:
            columns: list[Any] = [
                column if column.type.equals(field.type) else column.cast(field.type)
                for column, field in zip(batch.columns, schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _output(self, name: str, path: Path, derived: int | None) -> Output:
        size, sha256 = sealed(path)
        (events,) = self._db.execute(
            "SELECT count(*) FROM (SELECT DISTINCT captured_file, captured_index "
            f"FROM {_rows([path])})"
        ).fetchone() or (0,)  # fmt: skip
        if derived is None:
            with pq.ParquetFile(path) as file:
                batches = file.iter_batches(batch_size=_BATCH_ROWS // 2)
                derived = row_sum_of_batches(batches, file.schema_arrow, self._table.name)
        rows = pq.read_metadata(path).num_rows
        return Output(name, rows, events, size, sha256, f"{derived % MODULUS:016x}")


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
        self._writer = pq.ParquetWriter(
            str(path), schema, **writer_options(schema),
            sorting_columns=pq.SortingColumn.from_ordering(schema, order, null_placement="at_end"),
            bloom_filter_options=blooms,
        )  # fmt: skip
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = self._waiting_bytes = 0
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._waiting_rows + _BATCH_ROWS > GROUP_ROWS or self._waiting_bytes >= GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting), row_group_size=GROUP_ROWS)
            self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0


def _rows(paths: Sequence[Path]) -> str:
    return f"read_parquet({list_of(paths)}, union_by_name = true, hive_partitioning = false)"


def _text(path: Path) -> str:
    return str(path.absolute()).replace("'", "''")
