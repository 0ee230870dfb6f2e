"""The 64-bit hash of a row, and the sum that proves equal tables from unequal files.

Parquet writers differ in bytes; the sum of the rows' hashes does not (journal-protocol 3.2). Neither the
order of rows nor the captured file they came through is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import xxhash

from connector.tables import STRUCT_FIELDS, Table
from connector.values.coerce import plain
from connector.write.sink import RowFailed

MODULUS = 1 << 64
_WAY_IN = ("captured_file", "captured_index")


def row_encoder(table: Table) -> Callable[[Sequence[Any]], bytes]:
    """Return a function from a row's values, one per column in the table's order, to its canonical bytes.

    These are a JSON list: the table's name, then the values; times as milliseconds, decimals as plain text,
    structs as lists of their fields; null for the way the row came in.

    Raises (the returned function):
        RowFailed: a value has no JSON form, a lone surrogate for instance.
    """
    names = [column.name for column in table.columns]
    floats = [at for at, column in enumerate(table.columns) if column.code == "D"]
    structs = {
        at: list(STRUCT_FIELDS[column.code])
        for at, column in enumerate(table.columns)
        if column.code in STRUCT_FIELDS
    }
    return _encoder(table.name, names, floats, structs)


def hash_bytes(canonical: bytes) -> int:
    """64 bits of XXH3, unsigned: quick, and the same everywhere. Files are proven by SHA-256."""
    return xxhash.xxh3_64_intdigest(canonical)


def row_hash(table: Table, columns: Mapping[str, Any]) -> int:
    """Hash one row, ``captured_file`` and ``captured_index`` left out."""
    return hash_bytes(row_encoder(table)([columns.get(column.name) for column in table.columns]))


def row_sum(hashes: Iterable[int]) -> str:
    """Sum modulo 2^64 as 16 hex digits."""
    return f"{sum(hashes) % MODULUS:016x}"


def row_sum_of_file(path: Path, table_name: str) -> str:
    """Recompute the sum from a Parquet file; needs no declaration, the file's own types say enough."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        batches = file.iter_batches(batch_size=4096)
        return f"{row_sum_of_batches(batches, file.schema_arrow, table_name) % MODULUS:016x}"


def row_sum_of_batches(batches: Iterable[Any], schema: Any, table_name: str) -> int:
    """Sum of the hashes of the rows in Arrow record batches of one ``pyarrow.Schema``; not reduced."""
    import pyarrow as pa

    floats = [at for at, field in enumerate(schema) if pa.types.is_floating(field.type)]
    structs = {
        at: [child.name for child in field.type.value_type]
        for at, field in enumerate(schema)
        if pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type)
    }
    encode = _encoder(table_name, schema.names, floats, structs)
    total = 0
    for batch in batches:
        for values in zip(*map(_cells, batch.columns), strict=True):
            total += hash_bytes(encode(list(values)))
    return total


def _cells(column: Any) -> list[Any]:
    """Values as a writer's rows have them: times as milliseconds."""
    import pyarrow as pa

    cells: list[Any] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return cells


def _encoder(
    table: str, names: list[str], floats: Sequence[int], structs: Mapping[int, Sequence[str]]
) -> Callable[[Sequence[Any]], bytes]:
    dumps, begin = orjson.dumps, orjson.dumps(table)
    way_in = [names.index(name) for name in _WAY_IN]

    def encode(values: Sequence[Any]) -> bytes:
        row = list(values)
        captured_file, index = (row[at] for at in way_in)
        for at in way_in:
            row[at] = None
        for at in floats:
            if row[at] is not None:
                row[at] = float(row[at])
        for at, fields in structs.items():
            if row[at]:
                row[at] = [_fields(item, fields) for item in row[at]]
        try:
            return begin + dumps(row, default=_default)
        except (TypeError, ValueError, RecursionError) as error:
            raise RowFailed(table, None, index, captured_file) from error

    return encode


def _fields(item: Any, names: Sequence[str]) -> list[Any] | None:
    """Values of a struct in declared order, whether it is an object or a named tuple."""
    if isinstance(item, dict):
        return [item.get(name) for name in names]
    return None if item is None else list(item)


def _default(value: Any) -> str:
    """A decimal as plain text without zeros behind, whatever digits it has."""
    if type(value) is not Decimal:
        raise TypeError(type(value).__name__)
    text = str(value)
    if "E" in text or "." not in text:
        return plain(value)
    text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
