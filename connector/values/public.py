"""Rows as people and other programs see them: ``connector map`` prints this form, ``row_sum`` hashes it."""

from __future__ import annotations

from typing import Any

from connector.events import Json
from connector.tables.model import Table
from connector.values.coerce import plain
from connector.values.times import iso_ms


def public_row(columns: dict[str, Any], table: Table) -> dict[str, Json]:
    """Every column that is not null, in the table's order: decimals as text, times as ISO ms with ``Z``."""
    shown: dict[str, Json] = {}
    for column in table.columns:
        value = columns.get(column.name)
        if value is not None:
            shown[column.name] = _SHOWN.get(column.code, _same)(value)
    return shown


def _same(value: Any) -> Json:
    return value


def _structs(values: list[Any]) -> Json:
    return [value._asdict() if hasattr(value, "_asdict") else value for value in values]


def _products(values: list[Any]) -> Json:
    return [None if value is None else _product(value) for value in values]


def _product(value: dict[str, Any]) -> Json:
    return {
        key: plain(field) if key in ("price", "quantity") else field
        for key, field in value.items()
        if field is not None
    }


_SHOWN: dict[str, Any] = {
    "T": iso_ms,
    "M": plain,
    "Q": plain,
    "F": _structs,
    "V": _structs,
    "P": _products,
}
