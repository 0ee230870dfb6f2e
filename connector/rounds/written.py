"""What a run of rounds did."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.errors import StoreError
from connector.events import FATES
from connector.journal.places import Place
from connector.write.entries import Counts

if TYPE_CHECKING:
    from connector.write.entries import Record
    from connector.write.sink import StagedFile

log = logging.getLogger("connector.writer")


@dataclass(slots=True)
class Written:
    """What a run of rounds did."""

    files: int = 0
    """Captured files recorded."""
    known: int = 0
    """Captured files that the ledger had already."""
    events: int = 0
    counts: Counts = field(default_factory=Counts)
    """What became of the events."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Reason -> rejected events."""
    failed: list[Place] = field(default_factory=list)
    """Captured files that could not be mapped; they stay where they are, and the log says why."""
    changed: list[Place] = field(default_factory=list)
    """Objects that are not what was listed any more: the next run finds what is there then."""
    removed: list[Place] = field(default_factory=list)
    """Those of ``changed`` that are gone, with nothing in their place."""
    damaged: list[Place] = field(default_factory=list)
    """Files, not of our journal, that break off or are damaged: what came before the break is written."""
    corrupt: list[Place] = field(default_factory=list)
    """Files with damage between good frames, or with frames missing: each damage is a rejected event."""
    oldest_received_at_ms: int | None = None
    """The first arrival of an event in what was recorded, ms since the epoch."""
    stopped: StoreError | None = None
    """Why the rest of the captured files was not to be had; what was mapped before is recorded."""

    def add(self, place: Place, staged: StagedFile) -> None:
        """Count what a mapped captured file holds."""
        record, oldest_ms = staged.record, staged.oldest_received_at_ms
        self.events += record.received
        self.counts += record.counts
        self.rejected.update(staged.rejected)
        if _breaks_off(record):
            self.damaged.append(place)
        if record.corrupt_bytes or record.missing_seq:
            self.corrupt.append(place)
        if oldest_ms is not None:
            self.oldest_received_at_ms = min(self.oldest_received_at_ms or oldest_ms, oldest_ms)

    @property
    def said(self) -> str:
        """``wrote 1 captured files, 2,000 events: 1,998 stored, 2 rejected``, for a person."""
        fates = ", ".join(f"{self.counts.of(fate):,} {fate}" for fate in FATES if self.counts.of(fate))
        wrote = f"wrote {self.files:,} captured files, {self.events:,} events"
        return f"{wrote}: {fates}" if fates else wrote


def _breaks_off(record: Record) -> bool:
    """True for a file that lost its end; a journal file's torn end was never acknowledged."""
    return bool(record.torn_bytes) and record.identity["kind"] != "frames"


def report(staged: StagedFile) -> None:
    """Log what is wrong with a captured file that was mapped all the same."""
    record = staged.record
    if record.corrupt_bytes or record.missing_seq:
        log.error(
            "%s is damaged: %d bytes skipped, %d frames missing",
            record.captured_file, record.corrupt_bytes, record.missing_seq,
        )  # fmt: skip
    if _breaks_off(record):
        log.error(
            "%s breaks off or is damaged: what came before is written, what came after is not in it",
            record.captured_file,
        )
    if unproven := staged.rejected.get("delete_unproven"):
        log.error(
            "%s holds %d delete notices that no proof covers: nobody was forgotten, see connector status",
            record.captured_file, unproven,
        )  # fmt: skip
