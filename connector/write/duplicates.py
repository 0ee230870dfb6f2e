"""Which events are copies of which: what is counted as a duplicate can be looked up, and so can what stays.

One JSON line per row that is not kept, by the day of the row; its bytes are in the captured file. Columns:
``connector.lake.views.DUPLICATES``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from connector.events import Captured, Row
from connector.tables.layout import day_of, duplicates_file
from connector.write.entries import Output
from connector.write.lines import DayLines


class Copy(NamedTuple):
    """A row that is not kept."""

    captured_file: str
    captured_index: int
    table_name: str
    row_id: str
    message_id: str | None
    source: str
    received_at_ms: int | None
    kept_captured_file: str
    kept_captured_index: int

    def line(self) -> bytes:
        return orjson.dumps(self._asdict(), option=orjson.OPT_APPEND_NEWLINE)


def copies_of(captured: Captured, rows: Sequence[Row], kept: tuple[str, int]) -> Iterator[tuple[str, Copy]]:
    """The rows of an event that is a copy, each with its day; ``kept``: file and index of the other."""
    for row in rows:
        own = row.own
        yield day_of(own.get("timestamp")), Copy(
            captured.captured_file, captured.captured_index, row.table, own["row_id"], own.get("message_id"),
            captured.source, own.get("received_at"), *kept,
        )  # fmt: skip


class DuplicatesWriter:
    """Writes the duplicates of one captured file below ``staging``, under their final names."""

    def __init__(self, staging: Path, captured_file: str, tag: str) -> None:
        self._lines = DayLines(staging, lambda day: duplicates_file(day, captured_file, tag))

    def add(self, captured: Captured, rows: Sequence[Row], kept_captured_index: int) -> None:
        """Take an event all of whose rows are there already, from an event before it in the same file."""
        for day, copy in copies_of(captured, rows, (captured.captured_file, kept_captured_index)):
            self._lines.add(day, copy.captured_file, copy.captured_index, copy.line())

    def finish(self) -> list[Output]:
        """Make every file durable; return the outputs sorted by name."""
        return self._lines.finish()
