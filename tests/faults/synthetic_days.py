"""A day of many table files, made faster than by a pipeline: one wide row again and again under new ids."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from unit.write.lake_samples import BLACK_FRIDAY_MS, product_viewed, record

from connector.tables import TABLES
from connector.tables.layout import day_of
from connector.write.arrow import RowFields
from connector.write.disk import sealed
from connector.write.entries import Output
from connector.write.folder import DataFolder
from connector.write.parquet import writer_options
from connector.write.publish import Publisher
from connector.write.sink import StagedFile

EVENTS = TABLES[0]
_ROUND = 64


def write_day(root: Path, files: int, rows: int, properties_bytes: int, day: int = 0) -> int:
    """Publish ``files`` captured files of ``rows`` rows each; return the bytes of all rows as Arrow."""
    folder = DataFolder(root)
    publisher = Publisher(folder)
    waiting: list[StagedFile] = []
    size = 0
    for name, table in _tables(files, rows, properties_bytes, day):
        size += table.nbytes
        waiting.append(_staged(folder, name, table, day))
        if len(waiting) == _ROUND:
            publisher.publish(waiting)
            waiting = []
    publisher.publish(waiting)
    return size


def _tables(files: int, rows: int, properties_bytes: int, day: int) -> Iterator[tuple[str, pa.Table]]:
    fields = RowFields(EVENTS)
    row = product_viewed(
        "h", 0, properties='{"note":"' + "lantern " * (properties_bytes // 8) + '"}', quantity=Decimal(1),
        context_user_agent="Mozilla/5.0 (X11; Linux x86_64)", anonymous_id="anonymous", message_id="m",
    )  # fmt: skip
    one = pa.Table.from_batches([fields.batch([fields.values(row)])])
    wide = one.take(pa.array([0] * rows))
    start_ms = BLACK_FRIDAY_MS + day * 86_400_000
    for number in range(files):
        name = f"h-{day}-{number}"
        columns = {
            "row_id": pa.array([str(uuid.uuid4()) for _ in range(rows)]),
            "timestamp": pa.array(range(start_ms + number, start_ms + number + rows)),
            "captured_file": pa.array([name] * rows),
            "captured_index": pa.array(range(rows)),
        }
        table = wide
        for column, values in columns.items():
            at = table.schema.get_field_index(column)
            table = table.set_column(at, table.schema.field(at), values.cast(table.schema.field(at).type))
        yield name, table


def _staged(folder: DataFolder, captured_file: str, table: pa.Table, day: int) -> StagedFile:
    staging = folder.new_staging()
    date = day_of(BLACK_FRIDAY_MS + day * 86_400_000)
    name = f"tables/events/day={date}/{captured_file}.p0.aaaaaaaaaa.parquet"
    path = staging / name
    path.parent.mkdir(parents=True)
    pq.write_table(table, path, row_group_size=8_192, **writer_options(table.schema))
    size, sha256 = sealed(path)
    output = Output(name, table.num_rows, table.num_rows, size, sha256, "0" * 16)
    return StagedFile(staging, record(captured_file, stored=table.num_rows, outputs=(output,)))
