"""
A data folder as compaction leaves it, with a ledger: about so many rows of a shop's events, for ``tests.bench.reports``.

A process of its own (``python -m tests.bench.reports_data``): who measures a child should be small.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from connector.lake.views import duckdb_type
from connector.tables import TABLES, Table
from connector.write.arrow import arrow_schema
from connector.write.disk import sealed
from connector.write.entries import Output, Record
from connector.write.folder import DataFolder
from connector.write.parquet import writer_options
from connector.write.publish import Publisher
from connector.write.sink import StagedFile
from tests.bench.measured import say

START = datetime(2026, 1, 5, tzinfo=UTC)
"""A Monday."""
ROWS_PER_PERSON = 19.6
"""Of ``reports_data.sql``, copies and identify calls not counted."""
COPIES = 0.005
GROUP_ROWS = 122_880
_DAY_MS = 86_400_000
_BLOOM_COLUMNS = ("user_id", "anonymous_id", "order_id")
_TABLES = {table.name: table for table in TABLES}

_IDENTITY = {
    "source": "CASE WHEN platform = 0 THEN 'ios' ELSE 'web' END",
    "user_id": "CASE WHEN time_ms >= known_from_ms THEN 'user-' || person END",
    "anonymous_id": "device",
    "distinct_id": "CASE WHEN time_ms >= known_from_ms THEN 'user-' || person ELSE device END",
    "timestamp": "make_timestamptz(time_ms * 1000)",
    "original_timestamp": "make_timestamptz(time_ms * 1000 + 250000)",
    "sent_at": "make_timestamptz(time_ms * 1000 + 400000)",
    "received_at": "make_timestamptz((time_ms + 300 + number % 9000::BIGINT + copy * 3600000) * 1000)",
    "envelope": "'{\"version\":2}'",
    "flags": "[]",
    "violations": "[]",
    "proven": "'hmac'",
    "mapping": "'lake'",
    "captured_file": "strftime(make_timestamptz(time_ms * 1000), '%Y%m%dT%H') || '-' || copy",
    "captured_index": "number",
}
_EVENTS = {
    **_IDENTITY,
    "row_id": "id('row', number, 0)",
    "message_id": "id('message', message, 0)",
    "type": "CASE WHEN event = 'page' THEN 'page' ELSE 'track' END",
    "event": "event",
    "received_event": "CASE WHEN event <> 'page' THEN event END",
    "channel": "'client'",
    "order_id": "order_id",
    "currency": "currency",
    "category": "category_of(product)",
    "product_id": "'p-' || product",
    "sku": "'sku-' || product * 7",
    "name": "'Product ' || product",
    "brand": "'Brand ' || product % 90",
    "price": "price_of(product)",
    "quantity": "quantity",
    "line_index": "line_index",
    "line_count": "line_count",
    "revenue": "order_revenue",
    "total": "coalesce(order_revenue, refund_amount)",
    "discount": "discount",
    "order_revenue": "order_revenue",
    "order_revenue_from": "CASE WHEN event = 'Order Completed' THEN 'revenue' END",
    "line_revenue": "price_of(product) * quantity",
    "refund_amount": "refund_amount",
    "experiment_name": "CASE WHEN variation IS NOT NULL THEN 'banner' END",
    "variation_name": "variation",
    "context_page_url": "'https://shop.example/' || coalesce('p/' || product, 'c/' || number % 300)",
    "context_page_path": "'/' || coalesce('p/' || product, 'c/' || number % 300)",
    "context_page_title": "coalesce('Product ' || product, 'Shop')",
    "context_user_agent": "'Mozilla/5.0 (X11; Linux x86_64) Chrome/' || (100 + person % 40) || '.0.0.0'",
    "context_ip": "'10.' || person % 200 || '.' || person % 251 || '.' || person % 249",
    "context_locale": "['en-US', 'en-GB', 'de-DE'][person % 3 + 1]",
    "context_timezone": "['America/New_York', 'Europe/London', 'Europe/Berlin'][person % 3 + 1]",
    "context_library_name": "'analytics.js'",
    "context_library_version": "'2.11.1'",
    "properties": """
        '{"product_id":"p-' || coalesce(product, 0) || '","price":' || coalesce(price_of(product), 0) || ',"list":"'
        || md5(CAST(number AS VARCHAR)) || '","position":' || number % 40 || ',"coupon":null,"step":'
        || number % 7 || '}'
    """,
    "mapping": "'lake'",
    "subscription": "'Track Calls'",
}
_PROFILES = {
    **_IDENTITY,
    "row_id": "id('profile', number, 0)",
    "message_id": "id('identify', number, 0)",
    "type": "'identify'",
    "email": "'person' || person || '@example.com'",
    "phone": "'+1555' || lpad(CAST(person AS VARCHAR), 7, '0')",
    "first_name": "'First' || person % 500",
    "last_name": "'Last' || person % 9000",
    "address_country": "['US', 'GB', 'DE'][person % 3 + 1]",
    "traits": '\'{"email":"person\' || person || \'@example.com","plan":"free"}\'',
    "subscription": "'Identify Calls'",
}
_IDENTIFIED = """
    SELECT
        DISTINCT ON (person) person AS number, person, platform, device, known_from_ms,
        greatest(start_ms, known_from_ms) + 700 AS time_ms, 0 AS copy
    FROM sessions WHERE known_from_ms IS NOT NULL AND greatest(start_ms, known_from_ms) + 700 < $end
    ORDER BY person, start_ms
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reports_data", description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000, help="about; default 10 million")
    parser.add_argument("--days", type=int, default=75, help="default 75")
    options = parser.parse_args()
    write(options.root, options.rows, options.days)


def write(root: Path, rows: int, days: int) -> None:
    """Publish ``days`` days; the last is staged beside them in ``<root>/last``, see ``publish_last``."""
    model = _model(rows, days)
    folder = DataFolder(root)
    publisher = Publisher(folder)
    for number in range(days):
        publisher.publish([_staged(model, folder, number)])
        say(f"reports: wrote day {number + 1} of {days}")


def _model(rows: int, days: int) -> duckdb.DuckDBPyConnection:
    model = duckdb.connect()
    model.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET memory_limit = '8GB'")
    numbers = {
        "people": round(rows / ROWS_PER_PERSON),
        "start": round(START.timestamp() * 1_000),
        "length_ms": days * _DAY_MS,
    }
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    for name, value in numbers.items():
        text = text.replace(f"${name}", str(value))
    model.execute(text)
    end = str(numbers["start"] + numbers["length_ms"])
    model.execute(f"CREATE TABLE identified AS {_IDENTIFIED.replace('$end', end)}")
    model.execute(
        f"CREATE TABLE every AS FROM (SELECT *, 0 AS copy FROM narrow UNION ALL SELECT *, 1 FROM narrow "
        f"WHERE share('copied', number, 0) < {COPIES}) ORDER BY time_ms"
    )
    model.execute("DROP TABLE narrow; DROP TABLE sessions")
    return model


def _staged(model: duckdb.DuckDBPyConnection, folder: DataFolder, number: int) -> StagedFile:
    """One day of every table, as the record of one captured file."""
    staging = folder.new_staging()
    date = (START + timedelta(days=number)).date().isoformat()
    outputs = [
        _written(model, staging, _TABLES[table], date, number, columns, source)
        for table, columns, source in (("events", _EVENTS, "every"), ("profiles", _PROFILES, "identified"))
    ]
    events = sum(output.rows for output in outputs)
    record = Record(
        captured_file=f"day-{number}", identity={"kind": "content", "bytes": 12, "sha256": "00"},
        configuration="sha256:11", connector="0.1.0", received=events, stored=events, rejected=0, unmatched=0,
        duplicate=0, suppressed=0, outputs=tuple(outputs),
    )  # fmt: skip
    return StagedFile(staging, record)


def _written(
    model: duckdb.DuckDBPyConnection,
    staging: Path,
    table: Table,
    date: str,
    number: int,
    columns: Mapping[str, str],
    source: str,
) -> Output:
    picked = ", ".join(
        f'CAST({columns.get(column.name, "NULL")} AS {duckdb_type(column.code)}) AS "{column.name}"'
        for column in table.columns
    )
    start_ms = round((START + timedelta(days=number)).timestamp() * 1_000)
    order = ", ".join(f'"{name}"' for name in table.sort)
    found = model.execute(
        f"SELECT {picked} FROM {source} WHERE time_ms >= {start_ms} AND time_ms < {start_ms + _DAY_MS} ORDER "
        f"BY {order}"
    )
    name = f"tables/{table.name}/day={date}/day-{number}.p0.aaaaaaaaaa.parquet"
    path = staging / name
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = _write(path, arrow_schema(table), table.sort, found.to_arrow_reader(20_480))
    size, sha256 = sealed(path)
    return Output(name, rows, rows, size, sha256, "0" * 16)


def _write(path: Path, schema: pa.Schema, order: tuple[str, ...], batches: Iterator[pa.RecordBatch]) -> int:
    """With the options of compacted files."""
    blooms = {name: {"ndv": GROUP_ROWS, "fpp": 0.01} for name in _BLOOM_COLUMNS if name in schema.names}
    sorting = pq.SortingColumn.from_ordering(
        schema, [(column, "ascending") for column in order], null_placement="at_end"
    )
    rows = 0
    with pq.ParquetWriter(
        str(path), schema, **writer_options(schema), sorting_columns=sorting, bloom_filter_options=blooms
    ) as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            waiting.append(batch)
            rows += batch.num_rows
            if sum(each.num_rows for each in waiting) >= GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(waiting).cast(schema), row_group_size=GROUP_ROWS)
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting).cast(schema), row_group_size=GROUP_ROWS)
    return rows


if __name__ == "__main__":
    main()
