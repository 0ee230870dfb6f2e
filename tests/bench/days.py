"""
Days of many small table files, for ``tests.bench.compaction``: rows of about 300 bytes of properties each.

A process of its own (``python -m tests.bench.days``): who measures a child should be small.
"""

from __future__ import annotations

import argparse
import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from faults.synthetic_days import _staged, _tables  # type: ignore[import-not-found]

from connector.write.folder import DataFolder
from connector.write.publish import Publisher

_ROUND = 64
_NAMES = ("Product Viewed", "Product Added", "Product Clicked", "Cart Viewed", "Order Completed", "page")
_WORDS = "lantern harbor copper willow meadow velvet granite ember saffron cobalt juniper marble".split()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.days", description=__doc__)
    parser.add_argument("root", type=Path)
    for name in ("days", "files", "rows", "properties"):
        parser.add_argument(name, type=int)
    parser.add_argument("copies", type=float)
    options = parser.parse_args()
    dice = random.Random(20)
    folder = DataFolder(options.root)
    publisher = Publisher(folder)
    size = copies = 0
    for day in range(options.days):
        waiting = []
        for name, table, copied in _filled(options, day, dice):
            size += table.nbytes
            copies += copied
            waiting.append(_staged(folder, name, table, day))
            if len(waiting) == _ROUND:
                publisher.publish(waiting)
                waiting = []
        publisher.publish(waiting)
    print(json.dumps({"arrow_bytes": size, "copies": copies}))


def _filled(
    options: argparse.Namespace, day: int, dice: random.Random
) -> Iterator[tuple[str, pa.Table, int]]:
    """The files of one day; in each but the first a share of rows are copies of rows of the file before."""
    copied = round(options.copies * options.rows)
    before: pa.Table | None = None
    for name, table in _tables(options.files, options.rows, 8, day):
        table = _with(table, "event", [dice.choice(_NAMES) for _ in range(options.rows)])
        table = _with(
            table, "message_id", [str(uuid.UUID(int=dice.getrandbits(128))) for _ in range(options.rows)]
        )
        table = _with(
            table, "properties", [_properties(dice, options.properties) for _ in range(options.rows)]
        )
        own = table
        if before is not None and copied:
            table = pa.concat_tables(
                [_of(before.slice(0, copied), table), table.slice(copied)]
            ).combine_chunks()
        yield name, table, copied if before is not None else 0
        before = own.slice(copied)  # rows that are copies already are not copied again


def _with(table: pa.Table, column: str, values: list[str]) -> pa.Table:
    at = table.schema.get_field_index(column)
    field = table.schema.field(at)
    return table.set_column(at, field, pa.array(values).cast(field.type))


def _of(rows: pa.Table, into: pa.Table) -> pa.Table:
    """The same rows, as another captured file brings them again."""
    for column in ("captured_file", "captured_index"):
        at = rows.schema.get_field_index(column)
        rows = rows.set_column(at, rows.schema.field(at), into.column(at).slice(0, rows.num_rows))
    return rows


def _properties(dice: random.Random, size: int) -> str:
    text = (
        f'{{"product_id":"prd_{dice.randrange(10_000)}","price":{dice.randrange(100, 99_999) / 100},"note":"'
    )
    while len(text) < size - 2:
        text += dice.choice(_WORDS) + " "
    return text + '"}'


if __name__ == "__main__":
    main()
