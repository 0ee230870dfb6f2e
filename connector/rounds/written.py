"""What a run of rounds did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from connector.errors import StoreError
from connector.events import FATES
from connector.journal.places import Place
from connector.write.entries import Counts


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
    damaged: list[Place] = field(default_factory=list)
    """Files, not of our journal, that break off or are damaged: what came before the break is written."""
    stopped: StoreError | None = None
    """Why the rest of the captured files was not to be had; what was mapped before is recorded."""

    @property
    def said(self) -> str:
        """``wrote 1 captured files, 2,000 events: 1,998 stored, 2 rejected``, for a person."""
        fates = ", ".join(f"{self.counts.of(fate):,} {fate}" for fate in FATES if self.counts.of(fate))
        wrote = f"wrote {self.files:,} captured files, {self.events:,} events"
        return f"{wrote}: {fates}" if fates else wrote
