from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_samples import BLACK_FRIDAY_MS, DAY_MS, files_below, product_viewed

from connector.tables import TABLES
from connector.write import parquet
from connector.write.parquet import PartWriter
from connector.write.row_sum import row_hash, row_sum
from connector.write.sink import RowFailed

FRIDAY = "tables/events/day=2026-11-27/h-1.p0.aaaaaaaaaa.parquet"
SATURDAY = "tables/events/day=2026-11-28/h-1.p0.aaaaaaaaaa.parquet"


def _write(folder: Path, rows, table: str = "events"):
    writer = PartWriter(folder, TABLES, "h-1", 0, "aaaaaaaaaa")
    for row in rows:
        writer.add(table, row)
    return writer.finish()


def _small_groups(monkeypatch, *, smallest=4, group=8, waiting=16):
    monkeypatch.setattr(parquet, "SMALLEST_GROUP_ROWS", smallest)
    monkeypatch.setattr(parquet, "GROUP_ROWS", group)
    monkeypatch.setattr(parquet, "WAITING_ROWS", waiting)


def test_rows_go_to_the_utc_day_of_their_timestamp(tmp_path):
    last_ms_of_friday = BLACK_FRIDAY_MS + 14 * 3_600_000 - 1
    rows = [
        product_viewed("h-1", 0, timestamp=last_ms_of_friday),
        product_viewed("h-1", 1, timestamp=last_ms_of_friday + 1),
        product_viewed("h-1", 1, timestamp=last_ms_of_friday + 1, line_index=0),
    ]
    timeless = product_viewed("h-1", 2)
    del timeless["timestamp"]

    outputs = _write(tmp_path, [*rows, timeless])

    assert [(output.name, output.rows, output.events) for output in outputs] == [
        ("tables/events/day=2010-01-01/h-1.p0.aaaaaaaaaa.parquet", 1, 1),
        (FRIDAY, 1, 1),
        (SATURDAY, 2, 1),
    ]


def test_an_output_states_what_its_file_holds(tmp_path):
    rows = [product_viewed("h-1", index) for index in range(5)]

    (output,) = _write(tmp_path, rows)

    content = (tmp_path / output.name).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (output.bytes, output.sha256)
    assert pq.read_metadata(tmp_path / output.name).num_rows == output.rows == 5
    assert output.row_sum == row_sum(row_hash(TABLES[0], row) for row in rows)


def test_without_rows_there_is_no_file(tmp_path):
    assert _write(tmp_path, []) == []
    assert files_below(tmp_path, ".") == set()


def test_tables_lie_apart(tmp_path):
    writer = PartWriter(tmp_path, TABLES, "h-1", 3, "bbbbbbbbbb")
    view = product_viewed("h-1", 0)
    alias = {key: view[key] for key in view if key not in ("event", "price")}
    writer.add("aliases", {**alias, "type": "alias", "previous_id": "anon"})
    writer.add("events", view)

    assert [output.name for output in writer.finish()] == [
        "tables/aliases/day=2026-11-27/h-1.p3.bbbbbbbbbb.parquet",
        "tables/events/day=2026-11-27/h-1.p3.bbbbbbbbbb.parquet",
    ]


def _history(days: int, rows: int):
    return [
        product_viewed("h-1", index, timestamp=BLACK_FRIDAY_MS + (index * 7 % days) * DAY_MS - index)
        for index in range(rows)
    ]


@pytest.mark.parametrize("days", [1, 2, 30])
def test_the_same_rows_give_the_same_bytes(tmp_path, monkeypatch, days):
    _small_groups(monkeypatch)

    first, second = _write(tmp_path / "1", _history(days, 100)), _write(tmp_path / "2", _history(days, 100))

    assert first == second
    assert {output.name for output in first} == files_below(tmp_path / "1", ".")


@given(days=st.integers(1, 40), rows=st.integers(1, 90), group=st.integers(4, 12), waiting=st.integers(1, 40))
@settings(deadline=None, max_examples=15)
def test_however_little_memory_there_is_no_row_is_lost(tmp_path_factory, days, rows, group, waiting):
    folder = tmp_path_factory.mktemp("part")
    with pytest.MonkeyPatch.context() as patch:
        _small_groups(patch, group=group, waiting=waiting)
        outputs = _write(folder, _history(days, rows))

    found = []
    for output in outputs:
        file = pq.ParquetFile(folder / output.name)
        table = file.read(columns=["captured_index", "timestamp"])
        days_found = {ms // DAY_MS for ms in table["timestamp"].cast(pa.int64()).to_pylist()}
        assert len(days_found) == 1
        assert table.num_rows == output.rows == output.events
        assert all(file.metadata.row_group(i).num_rows <= group for i in range(file.num_row_groups))
        found += table["captured_index"].to_pylist()
    assert sorted(found) == list(range(rows))
    assert files_below(folder, "spill") == set()


def test_rows_are_sorted_inside_each_row_group(tmp_path, monkeypatch):
    _small_groups(monkeypatch)
    names = ["Product Viewed", "Cart Viewed", "Order Completed"]
    rows = [
        product_viewed("h-1", i, event=names[i % 3], timestamp=BLACK_FRIDAY_MS - i * i % 11)
        for i in range(20)
    ]

    (output,) = _write(tmp_path, rows)

    file = pq.ParquetFile(tmp_path / output.name)
    assert [file.metadata.row_group(i).num_rows for i in range(3)] == [8, 8, 4]
    for group in range(3):
        read = file.read_row_group(group, columns=["event", "timestamp", "row_id"])
        keys = list(zip(*(read[name].to_pylist() for name in ("event", "row_id")), strict=True))
        times = read["timestamp"].cast(pa.int64()).to_pylist()
        order = [(event, ms, row_id) for (event, row_id), ms in zip(keys, times, strict=True)]
        assert order == sorted(order)


def test_the_file_is_written_as_the_layout_says(tmp_path):
    row = product_viewed("h-1", 0, products=[{"sku": "a", "price": Decimal("1.5")}], properties="{}")
    (output,) = _write(tmp_path, [row])

    metadata = pq.read_metadata(tmp_path / output.name)
    columns = {
        metadata.row_group(0).column(i).path_in_schema: metadata.row_group(0).column(i)
        for i in range(metadata.num_columns)
    }

    assert metadata.format_version == "2.6"
    assert metadata.metadata is None
    assert {"ZSTD"} == {column.compression for column in columns.values()}
    assert all(column.is_stats_set for name, column in columns.items() if name in row)
    assert columns["price"].physical_type == "INT64"
    assert columns["quantity"].physical_type == "FIXED_LEN_BYTE_ARRAY"
    dictionary = {name for name, column in columns.items() if column.has_dictionary_page}
    assert {"event", "price", "products.list.element.sku"} <= dictionary
    assert {"row_id", "timestamp", "properties", "captured_index"}.isdisjoint(dictionary)


def test_duckdb_reads_the_values_back(tmp_path):
    rows = [
        product_viewed("h-1", 0, products=[{"sku": "a", "price": Decimal("1.5")}], quantity=Decimal("2.125"))
    ]
    (output,) = _write(tmp_path, rows)

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(
            "SELECT CAST(timestamp AS VARCHAR), price * quantity, products[1].price, day"
            " FROM read_parquet($glob)",
            {"glob": str(tmp_path / "tables/events/*/*.parquet")},
        ).fetchall()

    assert [("2026-11-27 10:00:00+00", Decimal("42.478750000"), Decimal("1.500000"))] == [found[0][:3]]
    assert str(found[0][3]) == "2026-11-27"
    assert output.rows == 1


def test_a_row_that_cannot_be_written_is_named(tmp_path):
    rows = [product_viewed("h-1", 0), product_viewed("h-1", 1, price=Decimal("0.1234567"))]

    with pytest.raises(RowFailed, match=r"event 1: the row cannot be written to events\.price"):
        _write(tmp_path, rows)


def test_a_time_beyond_all_calendars_is_named(tmp_path):
    with pytest.raises(RowFailed, match="event 3"):
        _write(tmp_path, [product_viewed("h-1", 3, timestamp=10**17)])
