"""Some rejected files -> one change: rows of what passes, and the lines that stay."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

import orjson

from connector.errors import LedgerError
from connector.events import Captured, Fate, Row
from connector.pipeline import Pipeline
from connector.redrive.values import Redriven, Selection
from connector.replay import Copies
from connector.tables.layout import day_in
from connector.write.change import Change, lines_change_file, new_tag, touched
from connector.write.data import DataReader
from connector.write.duplicates import copies_of
from connector.write.entries import Counts, Output
from connector.write.ledger import Fold, Live
from connector.write.lines import DayLines
from connector.write.rejected import captured_again

_Event = tuple[str, int]


class RowSink(Protocol):
    """Takes rows of several captured files (``write.parquet.PartWriter.of_change``)."""

    def add_row(self, row: Row) -> None: ...

    def finish(self) -> list[Output]: ...


SinkOf = Callable[[Path, str], RowSink]
"""Makes the sink of a change's rows in a staging folder, under a tag."""


class Passing(NamedTuple):
    """A rejected event that passes now."""

    live: Live
    captured: Captured
    fate: Fate
    rows: Sequence[Row]
    kept: _Event | None
    """The event it is a copy of; None when it is none."""


class Lot:
    """Rejected files that are looked at together."""

    def __init__(self, data: DataReader, files: Sequence[Live], pipeline: Pipeline) -> None:
        self._data = data
        self._files = files
        self._pipeline = pipeline

    def passing(
        self, selection: Selection, found: Redriven, failed: frozenset[_Event] = frozenset()
    ) -> Iterator[Passing]:
        """The selected events that pass, in the order of the files; ``found`` counts them all.

        Args:
            failed: events whose rows cannot be written; they stay.
        """
        copies: Copies[_Event] = Copies()
        for live in self._files:
            for line in self._lines(live):
                value = orjson.loads(line)
                if not selection.holds(value):
                    continue
                passing = self._judged(live, captured_again(value), copies, found, failed)
                if passing is not None:
                    yield passing

    def change(
        self, state: Fold, selection: Selection, sink_of: SinkOf, staging: Path,
        failed: frozenset[_Event], found: Redriven,
    ) -> Change | None:  # fmt: skip
        """What moves the events that pass; None when none does.

        Args:
            failed: events whose rows cannot be written; they stay.

        Raises:
            RowFailed: a row cannot be written; begin again with its event among ``failed``.
            StoreError, LedgerError, OSError.
        """
        tag = new_tag()
        rows = sink_of(staging, tag)
        copies = DayLines(staging, lambda day: lines_change_file("duplicates", day, tag))
        moved: dict[str, set[_Event]] = {}
        fates: dict[str, Counter[Fate]] = {}
        for live, captured, fate, its_rows, kept in self.passing(selection, found, failed):
            event = captured.captured_file, captured.captured_index
            moved.setdefault(live.output.name, set()).add(event)
            fates.setdefault(captured.captured_file, Counter())[fate] += 1
            if kept is not None:
                for day, copy in copies_of(captured, its_rows, kept):
                    copies.add(day, *event, copy.line())
                continue
            for row in its_rows:
                row.own["captured_file"], row.own["captured_index"] = event
                rows.add_row(row)
        if not moved:
            return None
        staying, captured_files = self._staying(moved, staging, tag)
        counts = {name: _moved(state.counts[name], fates.get(name)) for name in sorted(captured_files)}
        return Change(
            "redrive", (staging,), tuple(sorted(moved)), (*rows.finish(), *staying, *copies.finish()),
            counts, touched(state, counts), because=_because(selection),
        )  # fmt: skip

    def _judged(
        self, live: Live, captured: Captured, copies: Copies[_Event], found: Redriven,
        failed: frozenset[_Event],
    ) -> Passing | None:  # fmt: skip
        if (captured.captured_file, captured.captured_index) in failed:
            found.selected += 1
            found.fates["rejected"] += 1
            found.still["row_failed"] += 1
            return None
        outcome = self._pipeline(captured)
        fate, kept = outcome.fate, None
        if fate == "stored":
            kept = copies.copied(outcome.rows, (captured.captured_file, captured.captured_index))
            fate = fate if kept is None else "duplicate"
        found.selected += 1
        found.fates[fate] += 1
        if outcome.rejected is not None:
            found.still[outcome.rejected.code] += 1
            return None
        return Passing(live, captured, fate, outcome.rows, kept)

    def _staying(
        self, moved: dict[str, set[_Event]], staging: Path, tag: str
    ) -> tuple[list[Output], set[str]]:
        """Write the lines that stay; return their files and every captured file that had a line."""
        lines = DayLines(staging, lambda day: lines_change_file("rejected", day, tag))
        captured_files = set()
        for live in self._files:
            gone = moved.get(live.output.name)
            if gone is None:
                continue
            day = day_in(live.output.name)
            for line in self._lines(live):
                value = orjson.loads(line)
                event = value["captured_file"], value["captured_index"]
                captured_files.add(event[0])
                if event not in gone:
                    lines.add(day, *event, line)
        return lines.finish(), captured_files

    def _lines(self, live: Live) -> Iterator[bytes]:
        try:
            with self._data.file(live.output.name) as path, gzip.open(path) as lines:
                yield from lines
        except FileNotFoundError:
            raise LedgerError(f"{live.output.name} is in the ledger and not in its place") from None


def _moved(counts: Counts, fates: Counter[Fate] | None) -> Counts:
    """Counts after rejected events have found these fates."""
    if fates is None:
        return counts
    found: dict[str, int] = {fate: counts.of(fate) + events for fate, events in fates.items()}
    return replace(counts, rejected=counts.rejected - sum(fates.values()), **found)


def _because(selection: Selection) -> str:
    said = {"reason": selection.reason, "since": selection.since, "source": selection.source,
            "event": selection.event}  # fmt: skip
    return "redrive " + " ".join(f"{name} {value}" for name, value in said.items() if value is not None)
