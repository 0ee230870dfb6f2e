"""Arrow schemas from the declared tables, and record batches from rows. Source: tables 2.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from connector.events import Cells
from connector.tables import STRUCT_FIELDS, Table
from connector.write.sink import RowFailed


def _list_of(types: Mapping[str, pa.DataType]) -> pa.DataType:
    return pa.list_(pa.struct([pa.field(name, kind) for name, kind in types.items()]))


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
    **{
        code: _list_of({name: _SCALARS[kind] for name, kind in fields.items()})
        for code, fields in STRUCT_FIELDS.items()
    },
}

_REFUSALS = (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError)


def arrow_schema(table: Table) -> pa.Schema:
    """The columns of the file, in order; ``day`` is in the path only."""
    return pa.schema(
        [pa.field(column.name, ARROW_TYPES[column.code], column.nullable) for column in table.columns]
    )


class RowFields:
    """A table's columns as positions: rows as lists of values, one per column, and back to Arrow columns."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.names = [column.name for column in table.columns]
        self.schema = arrow_schema(table)
        self._neighbours: Sequence[str] = ()
        self._known_span = slice(0, 0)
        self._at = {name: at for at, name in enumerate(self.names)}
        self._empty: list[Any] = [None] * len(self.names)
        self._required = [at for at, column in enumerate(table.columns) if not column.nullable]

    def values(self, own: Mapping[str, Any], cells: Cells | None = None) -> list[Any]:
        """One value per column of a row.

        Args:
            own: ``events.Row.own``.
            cells: ``events.Row.cells``; neighbours in the table too.

        Raises:
            RowFailed: the row has a column that the table does not know.
        """
        values, at = self._empty.copy(), self._at
        try:
            for name, value in own.items():
                values[at[name]] = value
        except KeyError as error:
            raise _failed(self.table, str(error.args[0]), own) from None
        if cells is not None:
            values[self._span(cells.names)] = cells.values
        return values

    def _span(self, names: Sequence[str]) -> slice:
        """Where neighbouring columns lie."""
        if names is not self._neighbours:
            first = self.names.index(names[0])
            span = slice(first, first + len(names))
            if self.names[span] != list(names):
                raise ValueError("cells must be neighbouring columns of the table")
            self._neighbours, self._known_span = names, span
        return self._known_span

    def batch(self, rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
        """Rows of values as one record batch.

        Raises:
            RowFailed: a value does not fit its column, or a column that must have a value has none; names the
                first such row.
        """
        cells = list(zip(*rows, strict=True)) if rows else [()] * len(self.names)
        for at in self._required:
            if None in cells[at]:
                raise self._blamed(at, rows[cells[at].index(None)])
        return pa.RecordBatch.from_arrays(
            [self._array(at, values, rows) for at, values in enumerate(cells)], schema=self.schema
        )

    def _array(self, at: int, values: Sequence[Any], rows: Sequence[Sequence[Any]]) -> pa.Array:
        kind = self.schema[at].type
        if not any(values) and all(value is None for value in values):
            return pa.nulls(len(values), kind)
        code = self.table.columns[at].code
        try:
            return _build(code, values, kind)
        except _REFUSALS as error:
            for value, row in zip(values, rows, strict=True):
                try:
                    _build(code, [value], kind)
                except _REFUSALS:
                    raise self._blamed(at, row) from error
            raise RowFailed(self.table.name, self.names[at], None) from error

    def _blamed(self, at: int, row: Sequence[Any]) -> RowFailed:
        return _failed(self.table, self.names[at], dict(zip(self.names, row, strict=True)))


def rows_to_batch(
    table: Table, rows: Sequence[Mapping[str, Any]], fields: RowFields | None = None
) -> pa.RecordBatch:
    """Turn rows (``events.Row.columns``: only what is not null) into one record batch.

    Args:
        table: the declaration; its columns are the batch's.
        rows: values as ``events.Row`` says; elements of F and V may also be named tuples.
        fields: ``RowFields(table)``, when the caller has it at hand.

    Raises:
        RowFailed: a value does not fit its column, a column that must have a value has none, or a row has a
            column the table does not know; names the first such row.
    """
    fields = fields or RowFields(table)
    return fields.batch([fields.values(row) for row in rows])


def _build(code: str, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    return _structs(values, kind) if code in STRUCT_FIELDS else pa.array(values, kind)


def _structs(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
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


def _failed(table: Table, column: str, row: Mapping[str, Any]) -> RowFailed:
    return RowFailed(table.name, column, row.get("captured_index"), row.get("captured_file"))
