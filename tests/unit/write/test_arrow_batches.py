from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_samples import product_viewed, rows

from connector.events import Flag
from connector.tables import EVENTS, PROFILES, TABLES, Column, Table
from connector.write.arrow import arrow_schema, rows_to_batch
from connector.write.parquet import PartWriter
from connector.write.sink import RowFailed

DUCKDB_TYPES = {
    "S": "VARCHAR",
    "J": "VARCHAR",
    "T": "TIMESTAMP WITH TIME ZONE",
    "M": "DECIMAL(18,6)",
    "Q": "DECIMAL(19,3)",
    "I": "INTEGER",
    "L": "BIGINT",
    "D": "DOUBLE",
    "B": "BOOLEAN",
    "LS": "VARCHAR[]",
    "K": 'STRUCT("type" VARCHAR, "value" VARCHAR)[]',
    "P": 'STRUCT(product_id VARCHAR, sku VARCHAR, category VARCHAR, "name" VARCHAR, brand VARCHAR,'
    " variant VARCHAR, price DECIMAL(18,6), quantity DECIMAL(19,3), coupon VARCHAR, position INTEGER,"
    " url VARCHAR, image_url VARCHAR)[]",
    "F": "STRUCT(code VARCHAR, path VARCHAR)[]",
    "V": "STRUCT(path VARCHAR, rule VARCHAR, expected VARCHAR, got_type VARCHAR)[]",
}


def _described(path: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(
            "DESCRIBE SELECT * FROM read_parquet($path, hive_partitioning = false)", {"path": str(path)}
        )
        return {name: kind for name, kind, *_ in found.fetchall()}


def _plain(types: dict[str, str]) -> dict[str, str]:
    """Quoting of struct fields is DuckDB's choice."""
    return {name: kind.replace('"', "") for name, kind in types.items()}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_its_documented_type_in_duckdb(table: Table, tmp_path: Path):
    row = {
        column.name: {"F": [], "V": [], "L": 0}.get(column.code, "x")
        for column in table.columns
        if not column.nullable
    }
    writer = PartWriter(tmp_path, TABLES, "h-1", 0, "t")
    writer.add(table.name, row)
    (output,) = writer.finish()

    assert _plain(_described(tmp_path / output.name)) == _plain(
        {column.name: DUCKDB_TYPES[column.code] for column in table.columns}
    )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_columns_that_must_have_a_value_are_not_nullable(table: Table):
    assert [field.nullable for field in arrow_schema(table)] == [column.nullable for column in table.columns]


@given(st.lists(rows(EVENTS), min_size=1, max_size=5))
@settings(deadline=None, max_examples=40)
def test_a_batch_holds_the_values_of_its_rows(some):
    batch = rows_to_batch(EVENTS, some)

    batch.validate(full=True)
    for column in EVENTS.columns:
        values = batch.column(column.name)
        if column.code == "T":
            values = values.cast(pa.int64())
        for row, value in zip(some, values.to_pylist(), strict=True):
            assert _without_nulls(value) == _without_nulls(row.get(column.name))


def _without_nulls(value):
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: part for key, part in value.items() if part is not None}
    return value


def test_named_tuples_and_objects_make_the_same_flags():
    as_tuple = product_viewed("f", 0, flags=[Flag("number_rounded", "properties.price")])
    as_dict = product_viewed("f", 0, flags=[{"code": "number_rounded", "path": "properties.price"}])

    assert rows_to_batch(EVENTS, [as_tuple]).equals(rows_to_batch(EVENTS, [as_dict]))


def test_a_null_among_products_stays_in_its_place():
    batch = rows_to_batch(EVENTS, [product_viewed("f", 0, products=[{"sku": "a"}, None, {"sku": "b"}])])

    assert [p and p["sku"] for p in batch.column("products").to_pylist()[0]] == ["a", None, "b"]


def test_columns_of_the_user_come_behind_the_tables_own():
    table = EVENTS.with_columns([Column("loyalty_points", "Q", "Points", ("properties.points",))])

    batch = rows_to_batch(table, [product_viewed("f", 0, loyalty_points=Decimal("1.5"))])

    assert batch.schema.names[-1] == "loyalty_points"
    assert batch.column("loyalty_points").to_pylist() == [Decimal("1.500")]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("price", Decimal("0.0000001")),
        ("price", Decimal(10) ** 12),
        ("position", 2**31),
        ("timestamp", "2026-01-01"),
        ("products", ["a sku"]),
        ("colour", "red"),
    ],
)
def test_a_row_that_does_not_fit_is_named_without_its_value(column, value):
    some = [product_viewed("f", 0), product_viewed("f", 1), product_viewed("f", 2, **{column: value})]

    with pytest.raises(RowFailed) as failed:
        rows_to_batch(EVENTS, some)

    assert ("events", column, 2) == (failed.value.table, failed.value.column, failed.value.captured_index)
    assert str(value) not in str(failed.value)


def test_a_row_without_a_column_that_must_have_a_value_is_named():
    row = product_viewed("f", 1)
    del row["proven"]

    with pytest.raises(RowFailed, match=r"event 1: the row cannot be written to events\.proven"):
        rows_to_batch(EVENTS, [product_viewed("f", 0), row])


def test_no_rows_make_an_empty_batch():
    assert rows_to_batch(PROFILES, []).num_rows == 0
