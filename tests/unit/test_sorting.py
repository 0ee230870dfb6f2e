"""Rows sorted through buckets are those that were given, in order, however little fits into memory."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.compaction import sorting
from connector.compaction.sorting import sorted_tables

ORDER = ("event", "timestamp", "row_id")
_EVENTS = st.sampled_from(["Order Completed", "Product Viewed", "Größe", "page"])
_ROWS = st.lists(st.tuples(_EVENTS, st.one_of(st.none(), st.integers(0, 5))), max_size=40)


def batches(rows: list[tuple], size: int) -> list[pa.RecordBatch]:
    texts = [(name, pa.string()) for name in ("row_id", "note")]
    schema = pa.schema([("event", pa.string()), ("timestamp", pa.timestamp("ms", "UTC")), *texts])
    made = [
        {"event": event, "timestamp": at, "row_id": f"{number:04}", "note": "x" * 50}
        for number, (event, at) in enumerate(rows)
    ]
    starts = range(0, len(made), size)
    return [pa.RecordBatch.from_pylist(made[first : first + size], schema) for first in starts]


def key(row: dict) -> tuple:
    at = row["timestamp"]
    return row["event"].encode(), at is None, at, row["row_id"]


@given(_ROWS, st.integers(1, 9), st.integers(1, 20_000))
@settings(deadline=None, max_examples=60)
def test_every_row_comes_once_and_in_order(rows, size, estimate):
    given_batches = batches(rows, size)
    small = mock.patch.multiple(sorting, BUCKET_BYTES=800, CHUNK_BYTES=600, MOST_BUCKETS=3)
    with tempfile.TemporaryDirectory() as folder, small:
        spill = Path(folder) / "buckets"
        tables = list(sorted_tables(lambda: given_batches, lambda: given_batches, ORDER, estimate, spill))
        assert not spill.exists()

    found = [row for table in tables for row in table.to_pylist()]
    assert found == sorted((row for batch in given_batches for row in batch.to_pylist()), key=key)


def test_more_rows_than_were_thought_are_dealt_again(tmp_path):
    dice = random.Random(7)
    rows = [("Product Viewed", dice.randrange(10**6)) for _ in range(3_000)]
    sizes = []
    with mock.patch.multiple(sorting, BUCKET_BYTES=20_000, CHUNK_BYTES=20_000, MOST_BUCKETS=4):
        made = batches(rows, 100)
        for table in sorted_tables(lambda: made, lambda: made, ORDER, 20_001, tmp_path / "buckets"):
            sizes.append(table.nbytes)

    assert sum(sizes) > 10 * 20_000
    assert max(sizes) <= 2 * 20_000


@pytest.mark.parametrize("rows", [[], [("page", None)]])
def test_none_and_one(rows, tmp_path):
    made = batches(rows, 1)
    tables = list(sorted_tables(lambda: made, lambda: made, ORDER, 1, tmp_path / "buckets"))
    assert sum(table.num_rows for table in tables) == len(rows)
