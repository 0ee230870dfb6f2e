"""Rows sorted in bounded memory, however many and however wide: dealt into buckets by key, then each sorted.

A bucket is a file of Arrow record batches; one that turns out too large is dealt again. DuckDB's sort holds
2,048 whole rows of every run at one time, which rows of some kilobytes each do not allow.
"""

from __future__ import annotations

import shutil
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

BUCKET_BYTES = 64 * 1024 * 1024
"""Arrow bytes that are sorted at one time; some three times as much is in use then."""
CHUNK_BYTES = 48 * 1024 * 1024
"""Arrow bytes that are dealt at one time, so that each bucket gets a good piece of them."""
MOST_BUCKETS = 48
"""Files that are written side by side."""
_SAMPLES = 64
"""Keys that are looked at for every bucket."""
_UNDIVIDED = 0.95
"""A bucket with more than this share of all rows shows that dealing again would not help."""
_LAST = (1, "")

Key = tuple[Any, ...]
Batches = Callable[[], Iterable[pa.RecordBatch]]
"""Gives the rows, as often as it is called, in the same order."""


def sorted_tables(
    batches: Batches, keys: Batches, order: Sequence[str], estimated_bytes: int, spill: Path
) -> Iterator[pa.Table]:
    """Yield the rows in order, nulls last, in tables of about ``BUCKET_BYTES``.

    Args:
        keys: the same rows, or most of them, with the columns of ``order`` at least.
        order: columns to sort by, ascending; together they tell every row from the others.
        estimated_bytes: of all rows as Arrow; only the number of buckets depends on it.
        spill: a folder for buckets, made and emptied here.

    Raises:
        OSError: the disk refused.
    """
    if estimated_bytes <= BUCKET_BYTES:
        yield from _sorted(list(batches()), order)
        return
    buckets = min(-(-estimated_bytes // BUCKET_BYTES), MOST_BUCKETS)
    bounds = _bounds((_keys_of(batch, order) for batch in keys()), buckets)
    spill.mkdir(parents=True, exist_ok=True)
    dealt = _deal(batches(), order, bounds, spill)
    total = sum(size for _, size in dealt)
    for path, size in dealt:
        again = partial(_read, path)
        if size <= 2 * BUCKET_BYTES or size > _UNDIVIDED * total:
            yield from _sorted(list(again()), order)
        else:
            yield from sorted_tables(again, again, order, size, path.with_suffix(""))
        path.unlink()
    shutil.rmtree(spill, ignore_errors=True)


def _sorted(batches: list[pa.RecordBatch], order: Sequence[str]) -> Iterator[pa.Table]:
    if batches:
        table = pa.Table.from_batches(batches)
        yield table.sort_by([(column, "ascending") for column in order])


def _keys_of(rows: pa.RecordBatch | pa.Table, order: Sequence[str]) -> list[Key]:
    """The keys of some rows; comparable, nulls last."""
    columns = []
    for name in order:
        column = rows.column(rows.schema.get_field_index(name))
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        columns.append([_LAST if value is None else (0, value) for value in column.to_pylist()])
    return list(zip(*columns, strict=True))


def _bounds(keys: Iterable[list[Key]], buckets: int) -> list[Key]:
    """The first keys of all buckets but one, from every so manieth key."""
    wanted = buckets * _SAMPLES
    sample: list[Key] = []
    step, at = 1, 0
    for some in keys:
        for key in some:
            if at % step == 0:
                sample.append(key)
                if len(sample) >= 2 * wanted:
                    sample, step = sample[::2], step * 2
            at += 1
    sample.sort()
    return sorted({sample[len(sample) * number // buckets] for number in range(1, buckets)}) if sample else []


def _deal(
    batches: Iterable[pa.RecordBatch], order: Sequence[str], bounds: list[Key], spill: Path
) -> list[tuple[Path, int]]:
    """Write every row into its bucket; return the buckets in order with their Arrow bytes."""
    writers: dict[int, tuple[Path, Any]] = {}
    sizes: dict[int, int] = {}
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    try:
        for chunk in _chunks(batches):
            (rows,) = _sorted(chunk, order)
            keys = _keys_of(rows, order)
            ends = [bisect_left(keys, bound) for bound in bounds]
            for bucket, (start, end) in enumerate(pairwise([0, *ends, len(keys)])):
                if start == end:
                    continue
                part = rows.slice(start, end - start).combine_chunks()
                if bucket not in writers:
                    path = spill / f"{bucket}.arrow"
                    writers[bucket] = path, pa.ipc.new_stream(str(path), part.schema, options=options)
                writers[bucket][1].write_table(part)
                sizes[bucket] = sizes.get(bucket, 0) + part.nbytes
    finally:
        for _, writer in writers.values():
            writer.close()
    return [(writers[bucket][0], sizes[bucket]) for bucket in sorted(writers)]


def _chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches in lots of ``CHUNK_BYTES``, the last one smaller."""
    chunk: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        chunk.append(batch)
        size += batch.nbytes
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _read(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(path), "rb") as file, pa.ipc.open_stream(file) as stream:
        yield from stream
