"""Captured files with the rows that a test names, published into a data folder under test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from contract.data_folders import DataUnderTest
from unit.write.lake_samples import product_viewed, record

from connector.compaction import ALL, Compacted, Compactor, Rules
from connector.tables import TABLES, Table
from connector.write.parquet import PartWriter
from connector.write.sink import StagedFile


def row_id(number: int) -> str:
    return f"00000000-0000-5000-8000-{number:012d}"


def view(captured_file: str, index: int, number: int | None = None, **more: Any) -> dict[str, Any]:
    """A row of ``events``; two with one ``number`` are copies."""
    made = product_viewed(captured_file, index, row_id=row_id(index if number is None else number))
    return {**made, "received_at": made["timestamp"] + 200, "message_id": f"m-{number}", **more}


def publish_rows(
    place: DataUnderTest, captured_file: str, tables: Sequence[Table] = TABLES, **rows: list[dict[str, Any]]
) -> None:
    """Publish one captured file; every row names the event it is of."""
    staging = place.folder.new_staging()
    writer = PartWriter(staging, tables, captured_file, 0, "aaaaaaaaaa")
    for table, of_table in rows.items():
        for row in of_table:
            writer.add(table, row)
    events = len({row["captured_index"] for of_table in rows.values() for row in of_table})
    told = record(captured_file, stored=events, outputs=tuple(writer.finish()))
    assert place.publisher().publish([StagedFile(staging, told)]) == 1


def compact(place: DataUnderTest, rules: Rules = ALL, **more: Any) -> Compacted:
    compactor = Compactor(place.data, place.folder, place.publisher())
    return compactor.run(replace(rules, **more), compactor.days())


def proven(place: DataUnderTest) -> dict[str, int]:
    """The fates that are not none, of a data folder whose audit holds, sums of rows included."""
    report = place.audit()
    assert report.findings == ()
    return {fate: count for fate, count in report.fates.items() if count}


def ask(place: DataUnderTest, query: str, **more: Any) -> list[tuple[Any, ...]]:
    with place.lake(**more) as lake:
        return lake.execute(query).fetchall()
