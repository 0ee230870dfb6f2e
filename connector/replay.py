"""Captured file -> pipeline -> staged outputs: the one path to the tables, whoever is calling.

Rows are a function of the captured file and the configuration, so a replay that is interrupted and begun
again gives the same files. Source: journal-protocol 3.1 to 3.3; duplicates: tables 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from connector.events import Captured, Outcome, Rejected, Row
from connector.journal.reader import CapturedFile
from connector.pipeline import Pipeline
from connector.write.entries import Output, Record
from connector.write.sink import DuplicatesSink, RejectedSink, RowFailed, StagedFile, TableWriter

_NEVER = float("inf")
_LATEST_MS = 1 << 63
_PROGRESS_EVENTS = 500
_MOST_FAILED = 20
"""Rows of one captured file that may be unwritable before the file is left alone: each costs a new pass."""

Progress = Callable[[int], None]
"""Told how many more events have been mapped."""


class Staging(Protocol):
    """Where the outputs of one captured file are prepared, out of every reader's sight."""

    @property
    def folder(self) -> Path: ...

    def part(self, captured_file: str, part: int) -> TableWriter: ...

    def rejected(self, captured_file: str) -> RejectedSink: ...

    def duplicates(self, captured_file: str) -> DuplicatesSink: ...

    def empty(self) -> None:
        """Drop everything prepared so far."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a record says of the program that made it."""

    configuration: str
    connector: str


_Place = TypeVar("_Place")


class Copies(Generic[_Place]):
    """Finds copies of an event among those seen before: equal ``row_id`` is one row (tables 3)."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[float, _Place]] = {}

    def copied(self, rows: Sequence[Row], place: _Place) -> _Place | None:
        """The place of the event that has all these rows already and did not arrive later; None: there is
        none, and these rows are remembered under ``place``."""
        known = self._first
        if len(rows) == 1:
            own = rows[0].own
            key, arrived = own["row_id"], own.get("received_at", _NEVER)
            seen = known.get(key)
            if seen is not None and seen[0] <= arrived:
                return seen[1]
            known[key] = arrived, place
            return None
        fresh = []
        copy_of = None
        for row in rows:
            key = row.own["row_id"]
            arrived = row.own.get("received_at", _NEVER)
            seen = known.get(key)
            if seen is None or seen[0] > arrived:
                fresh.append((key, (arrived, place)))
            elif copy_of is None:
                copy_of = seen[1]
        if not fresh:
            return copy_of
        known.update(fresh)
        return None


def stage(
    reopen: Callable[[], CapturedFile],
    pipeline: Pipeline,
    staging: Staging,
    stamp: Stamp,
    *,
    seen_as: str,
    progress: Progress = lambda _: None,
) -> StagedFile:
    """Map one captured file into durable, invisible outputs.

    Args:
        reopen: opens the captured file; called again when a row cannot be written.
        seen_as: path or address under which it was met, for people.

    Raises:
        OSError: the disk refused; nothing is visible, begin again later.
    """
    failed: dict[int, RowFailed] = {}
    while True:
        try:
            return _Run(reopen(), pipeline, staging, failed, progress).staged(stamp, seen_as)
        except RowFailed as defect:
            index = defect.captured_index
            if index is None or index in failed or len(failed) >= _MOST_FAILED:
                raise
            failed[index] = defect
            staging.empty()


class _Run:
    """One pass over a captured file: counts the fates and feeds the writers."""

    def __init__(
        self,
        captured: CapturedFile,
        pipeline: Pipeline,
        staging: Staging,
        failed: dict[int, RowFailed],
        progress: Progress,
    ) -> None:
        self._captured = captured
        self._pipeline = pipeline
        self._staging = staging
        self._failed = failed
        self._progress = progress
        self._rejects = staging.rejected(captured.identity.name)
        self._duplicates = staging.duplicates(captured.identity.name)
        self._fates = {"stored": 0, "rejected": 0, "unmatched": 0, "duplicate": 0, "suppressed": 0}
        self._received = 0
        self._told = 0
        self._oldest_ms = _LATEST_MS

    def staged(self, stamp: Stamp, seen_as: str) -> StagedFile:
        name = self._captured.identity.name
        outputs: list[Output] = []
        for part, events in enumerate(self._captured.parts()):
            writer = self._staging.part(name, part)
            self._write_part(events, writer)
            outputs.extend(writer.finish())
        rejected, duplicates = self._rejects.finish(), self._duplicates.finish()
        record = self._record(stamp, seen_as, outputs, rejected, duplicates)
        oldest_ms = self._oldest_ms if self._oldest_ms < _LATEST_MS else None
        return StagedFile(self._staging.folder, record, dict(self._rejects.codes), oldest_ms)

    def _write_part(self, events: Iterator[Captured], writer: TableWriter) -> None:
        pipeline, failed, fates = self._pipeline, self._failed, self._fates
        copies: Copies[int] = Copies()
        oldest_ms = self._oldest_ms
        for event in events:
            self._received += 1
            if event.received_at_ms is not None and event.received_at_ms < oldest_ms:
                oldest_ms = event.received_at_ms
            if self._received - self._told >= _PROGRESS_EVENTS:
                self._tell()
            outcome = pipeline(event)
            if failed and event.captured_index in failed and outcome.fate == "stored":
                outcome = _row_failed(outcome, event)
            if outcome.fate == "stored":
                kept = copies.copied(outcome.rows, event.captured_index)
                if kept is not None:
                    self._duplicates.add(event, outcome.rows, kept)
                    fates["duplicate"] += 1
                    continue
                for row in outcome.rows:
                    row.own["captured_file"] = event.captured_file
                    row.own["captured_index"] = event.captured_index
                    writer.add_row(row)
            elif outcome.rejected is not None:
                self._rejects.add(event, outcome.rejected)
            fates[outcome.fate] += 1
        self._oldest_ms = oldest_ms
        self._tell()

    def _tell(self) -> None:
        self._progress(self._received - self._told)
        self._told = self._received

    def _record(
        self,
        stamp: Stamp,
        seen_as: str,
        outputs: list[Output],
        rejected: list[Output],
        duplicates: list[Output],
    ) -> Record:
        captured, fates = self._captured, self._fates
        identity = captured.identity
        return Record(
            captured_file=identity.name,
            identity={
                "kind": identity.kind,
                "bytes": identity.bytes,
                "sha256": identity.sha256,
                **({} if captured.names_sources else {"source": captured.source}),
            },
            configuration=stamp.configuration,
            connector=stamp.connector,
            received=self._received,
            stored=fates["stored"],
            rejected=fates["rejected"],
            unmatched=fates["unmatched"],
            duplicate=fates["duplicate"],
            suppressed=fates["suppressed"],
            seen_as=(seen_as,),
            torn_bytes=captured.torn_bytes,
            missing_seq=captured.missing_seq,
            corrupt_bytes=captured.corrupt_bytes,
            outputs=tuple(outputs),
            rejected_outputs=tuple(rejected),
            duplicate_outputs=tuple(duplicates),
        )


def _row_failed(outcome: Outcome, event: Captured) -> Outcome:
    columns = outcome.rows[0].own
    message = "a row could not be written: please report this"
    said = Rejected(
        "row_failed", message, type=columns.get("type"), event=columns.get("event"),
        message_id=columns.get("message_id"),
    )  # fmt: skip
    return Outcome("rejected", rejected=said)
