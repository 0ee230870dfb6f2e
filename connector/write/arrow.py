"""Arrow schemas from the declared tables, and record batches from rows. Source: tables 2.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import pyarrow as pa

from connector.tables import PRODUCT_FIELDS, Column, Table
from connector.write.sink import RowFailed


def _list_of(*names_and_types: tuple[str, pa.DataType]) -> pa.DataType:
    return pa.list_(pa.struct([pa.field(name, kind) for name, kind in names_and_types]))


_SCALARS: dict[str, pa.DataType] = {
    "S": pa.string(),
    "J": pa.string(),
    "T": pa.timestamp("ms", tz="UTC"),
    "M": pa.decimal128(18, 6),
    "Q": pa.decimal128(19, 3),
    "I": pa.int32(),
    "L": pa.int64(),
    "D": pa.float64(),
    "B": pa.bool_(),
}
ARROW_TYPES: Mapping[str, pa.DataType] = {
    **_SCALARS,
    "LS": pa.list_(pa.string()),
    "K": _list_of(("type", pa.string()), ("value", pa.string())),
    "P": _list_of(*((name, _SCALARS[code]) for name, code in PRODUCT_FIELDS)),
    "F": _list_of(("code", pa.string()), ("path", pa.string())),
    "V": _list_of(*((name, pa.string()) for name in ("path", "rule", "expected", "got_type"))),
}
STRUCT_CODES = frozenset("KPFV")

_REFUSALS = (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError)


def arrow_schema(table: Table) -> pa.Schema:
    """The columns of the file, in order; ``day`` is in the path only."""
    return pa.schema(
        [pa.field(column.name, ARROW_TYPES[column.code], column.nullable) for column in table.columns]
    )


def rows_to_batch(
    table: Table, rows: Sequence[Mapping[str, Any]], schema: pa.Schema | None = None
) -> pa.RecordBatch:
    """Turn rows (``events.Row.columns``: only what is not null) into one record batch.

    Args:
        table: the declaration; its columns are the batch's.
        rows: values as ``events.Row`` says; elements of F and V may also be named tuples.
        schema: ``arrow_schema(table)``, when the caller has it at hand.

    Raises:
        RowFailed: a value does not fit its column, a column that must have a value has none, or a row
            has a column the table does not know; names the first such row.
    """
    if schema is None:
        schema = arrow_schema(table)
    used: set[str] = set().union(*rows)
    if not used <= table.by_name.keys():
        raise _unknown_column(table, rows)
    arrays = [
        _array(table, column, field.type, rows)
        if column.name in used or not column.nullable
        else pa.nulls(len(rows), field.type)
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(table: Table, column: Column, kind: pa.DataType, rows: Sequence[Mapping[str, Any]]) -> pa.Array:
    name = column.name
    values = _values(name, rows)
    try:
        array = _build(column.code, values, kind)
    except _REFUSALS as error:
        raise _blame(table, column, kind, rows) from error
    if array.null_count and not column.nullable:
        raise _failed(table, name, rows[values.index(None)])
    return array


def _values(name: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """One cell per row; the quick way serves the columns that every row has."""
    try:
        return list(map(itemgetter(name), rows))
    except KeyError:
        return [row.get(name) for row in rows]


def _build(code: str, values: list[Any], kind: pa.DataType) -> pa.Array:
    return _structs(values, kind) if code in STRUCT_CODES else pa.array(values, kind)


def _structs(values: list[Any], kind: pa.DataType) -> pa.Array:
    """A list<struct> column built field by field: several times faster than from nested objects."""
    offsets: list[int | None] = []
    items: list[Any] = []
    for value in values:
        offsets.append(None if value is None else len(items))
        if value:
            items.extend(value)
    offsets.append(len(items))
    objects = [_object(item) for item in items]
    struct = kind.value_type
    children = [pa.array([item.get(field.name) for item in objects], field.type) for field in struct]
    absent = pa.array([item is None for item in items], pa.bool_()) if None in items else None
    elements = pa.StructArray.from_arrays(children, fields=list(struct), mask=absent)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), elements, type=kind)


def _object(item: Any) -> dict[str, Any]:
    if isinstance(item, dict):
        return item
    return {} if item is None else dict(item._asdict())


def _blame(table: Table, column: Column, kind: pa.DataType, rows: Iterable[Mapping[str, Any]]) -> RowFailed:
    """Find the first row whose value the column refuses by itself."""
    for row in rows:
        try:
            _build(column.code, [row.get(column.name)], kind)
        except _REFUSALS:
            return _failed(table, column.name, row)
    return RowFailed(table.name, column.name, None)


def _unknown_column(table: Table, rows: Iterable[Mapping[str, Any]]) -> RowFailed:
    row = next(row for row in rows if not row.keys() <= table.by_name.keys())
    return _failed(table, min(row.keys() - table.by_name.keys()), row)


def _failed(table: Table, column: str, row: Mapping[str, Any]) -> RowFailed:
    return RowFailed(table.name, column, row.get("captured_index"))
