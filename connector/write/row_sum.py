"""The 64-bit hash of a row and the sum that proves equal tables from unequal files.

Parquet writers differ in bytes; the sum of the rows' hashes does not (journal-protocol 3.2). Neither the
order of rows nor the captured file they came through is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from connector.tables import Table
from connector.values.coerce import plain
from connector.write.sink import RowFailed

MODULUS = 1 << 64
_EPOCH = datetime(1970, 1, 1)
_FIRST_MINUTE = -1_035_593_280
_AFTER_LAST_MINUTE = 4_223_371_680
_CYCLE_MINUTES = 146_097 * 1_440
"""The Gregorian calendar repeats every 400 years."""


class _Shape(NamedTuple):
    """The columns of a table whose values have another public form than their own."""

    table: str
    times: tuple[str, ...]
    floats: tuple[str, ...]
    structs: tuple[str, ...]


def row_encoder(table: Table) -> Callable[[Mapping[str, Any]], bytes]:
    """Return a function from a row's columns to the canonical bytes that are hashed.

    They are ``values.public.public_row`` without ``captured_file`` and ``captured_index`` as
    ``{"row": ..., "table": name}``, compact JSON with sorted keys; made another way because it is done for
    every row.

    Raises (the returned function):
        RowFailed: a value has no JSON form, a lone surrogate for instance.
    """
    return _encoder(_shape(table))


def hash_bytes(canonical: bytes) -> int:
    """64 bits of BLAKE2b, as an unsigned integer."""
    return int.from_bytes(blake2b(canonical, digest_size=8).digest(), "big")


def row_hash(table: Table, columns: Mapping[str, Any]) -> int:
    """Hash one row, ``captured_file`` and ``captured_index`` left out. For many rows keep ``row_encoder``."""
    return hash_bytes(row_encoder(table)(columns))


def row_sum(hashes: Iterable[int]) -> str:
    """Sum modulo 2^64 as 16 hex digits."""
    return f"{sum(hashes) % MODULUS:016x}"


def row_sum_of_file(path: Path, table_name: str) -> str:
    """Recompute the sum from a Parquet file; needs no declaration, the file's own types say enough."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        encode = _encoder(
            _Shape(
                table_name,
                tuple(f.name for f in schema if pa.types.is_timestamp(f.type)),
                tuple(f.name for f in schema if pa.types.is_floating(f.type)),
                tuple(
                    f.name
                    for f in schema
                    if pa.types.is_list(f.type) and pa.types.is_struct(f.type.value_type)
                ),
            )
        )
        total = 0
        for batch in file.iter_batches(batch_size=4096):
            for row in _rows(batch):
                total += hash_bytes(encode(row))
    return f"{total % MODULUS:016x}"


def time_text(ms: int) -> str:
    """As ``values.times.iso_ms``, several times faster; beyond year 9999 a sign and six digits (ISO 8601)."""
    minute, rest = divmod(ms, 60_000)
    return f"{_minute_text(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"


@lru_cache(maxsize=4096)
def _minute_text(minute: int) -> str:
    """``2026-11-21T10:00:`` of a minute since the epoch. Neighbouring events share few minutes."""
    if _FIRST_MINUTE <= minute < _AFTER_LAST_MINUTE:
        return (_EPOCH + timedelta(minutes=minute)).isoformat(timespec="minutes") + ":"
    cycles, rest = divmod(minute, _CYCLE_MINUTES)
    text = (_EPOCH + timedelta(minutes=rest)).isoformat(timespec="minutes")
    return f"{int(text[:4]) + 400 * cycles:+07d}{text[4:]}:"


def _shape(table: Table) -> _Shape:
    def named(codes: str) -> tuple[str, ...]:
        return tuple(column.name for column in table.columns if column.code in codes)

    return _Shape(table.name, named("T"), named("D"), named("KPFV"))


def _encoder(shape: _Shape) -> Callable[[Mapping[str, Any]], bytes]:
    dumps, option, table = orjson.dumps, orjson.OPT_SORT_KEYS, shape.table

    def encode(columns: Mapping[str, Any]) -> bytes:
        row = _shown({**columns}, shape)
        row.pop("captured_file", None)
        index = row.pop("captured_index", None)
        try:
            return dumps({"row": row, "table": table}, default=_default, option=option)
        except (TypeError, ValueError, RecursionError) as error:
            raise RowFailed(table, None, index) from error

    return encode


def _shown(row: dict[str, Any], shape: _Shape) -> dict[str, Any]:
    """Give times, floats and structs their public form, in place; decimals stay."""
    for name in shape.times:
        if (ms := row.get(name)) is not None:
            row[name] = time_text(ms)
    for name in shape.floats:
        if (number := row.get(name)) is not None:
            row[name] = float(number)
    for name in shape.structs:
        if items := row.get(name):
            row[name] = [_present(item) for item in items]
    return row


def _present(item: Any) -> dict[str, Any] | None:
    """A struct without its empty fields: absent and null are the same in a table."""
    if item is None:
        return None
    fields = item if isinstance(item, dict) else item._asdict()
    return {key: value for key, value in fields.items() if value is not None}


def _default(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    raise TypeError(type(value).__name__)


def _rows(batch: Any) -> Iterable[dict[str, Any]]:
    """Rows of a record batch as ``events.Row`` columns: times as ms, nothing that is null."""
    import pyarrow as pa

    columns = [
        (field.name, (column.cast(pa.int64()) if pa.types.is_timestamp(field.type) else column).to_pylist())
        for field, column in zip(batch.schema, batch.columns, strict=True)
    ]
    used = [(name, values) for name, values in columns if any(value is not None for value in values)]
    for at in range(batch.num_rows):
        yield {name: values[at] for name, values in used if values[at] is not None}
