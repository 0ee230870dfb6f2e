"""The journal's settings."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class JournalLimits:
    """Sizes and times of one journal; the defaults suit one machine."""

    roll_bytes: int = 64 * _MIB
    """A journal file is closed when it reaches this size."""
    roll_seconds: float = 20.0
    """A journal file is closed this long after its first frame."""
    batch_bytes: int = 32 * _MIB
    """Most bytes of bodies that are written and synced together."""
    alone_bytes: int = 4 * _MIB
    """A body above this size is committed by itself, outside ``batch_bytes``."""
    journal_reserve_bytes: int = 512 * _MIB
    """Below this much free space nothing is accepted, so that the writer can still work the backlog off."""
    journal_max_bytes: int | None = None
    """Largest backlog of closed files; None: half of what is free at the start together with what the journal
    holds then, so that a process that starts late or again is given no less."""
    refused_max_bytes: int = 1024 * _MIB
    """Beyond this size refused bodies are no longer kept, only counted."""
    public_share: float = 0.5
    """Share of the journal's room, between 0 and 1, that captures with write keys may fill. The rest is left
    to captures whose sender holds a secret, whatever strangers send."""
    probe_seconds: float = 1.0
    """Shortest time between two looks at free space and backlog, and between two tries of a failing disk."""
    poll_seconds: float = 0.2
    """How often idle files and the request to roll are looked at."""
