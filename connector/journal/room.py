"""Is there room? Looks at the disk at most once a second."""

from __future__ import annotations

import threading

from connector.errors import CannotKeep
from connector.journal.folders import JournalFolders
from connector.journal.limits import JournalLimits


class Room:
    """Free space and backlog of a journal, looked at now and then, asked all the time."""

    def __init__(self, folders: JournalFolders, limits: JournalLimits) -> None:
        self._folders = folders
        self._limits = limits
        self._look = threading.Lock()
        self._max_backlog_bytes = limits.journal_max_bytes
        self._next_look_at: float | None = None
        self._shortage: tuple[str, str] | None = None

    def shortage(self) -> CannotKeep | None:
        """Return why nothing may be accepted now, None when there is room. Raises ``OSError``."""
        now = self._folders.disk.monotonic()
        due = self._next_look_at is None or now >= self._next_look_at
        if due and self._look.acquire(blocking=self._next_look_at is None):
            try:
                self._shortage = self._measure()
                self._next_look_at = now + self._limits.probe_seconds
            finally:
                self._look.release()
        found = self._shortage
        return CannotKeep(found[1], code=found[0]) if found else None

    def _measure(self) -> tuple[str, str] | None:
        self._folders.make()
        free_bytes = self._folders.disk.free_bytes(self._folders.open)
        if self._max_backlog_bytes is None:
            self._max_backlog_bytes = free_bytes // 2
        if free_bytes < self._limits.journal_reserve_bytes:
            return "journal_no_room", "The journal's disk is nearly full."
        if sum(self._folders.sizes().values()) > self._max_backlog_bytes:
            return "journal_backlog", "The journal holds more unwritten files than it may."
        return None


class Quota:
    """Whether a folder tree has reached its limit, counting what was written since the last look."""

    def __init__(self, folders: JournalFolders, max_bytes: int, probe_seconds: float) -> None:
        self._folders = folders
        self._max_bytes = max_bytes
        self._probe_seconds = probe_seconds
        self._next_look_at: float | None = None
        self._free_until_bytes = 0

    def is_full(self, written_bytes: int) -> bool:
        """Return True when there is no room left; ``written_bytes`` is this process's own running sum."""
        now = self._folders.disk.monotonic()
        if self._next_look_at is None or now >= self._next_look_at:
            self._free_until_bytes = written_bytes + self._max_bytes - self._folders.total_bytes()
            self._next_look_at = now + self._probe_seconds
        return written_bytes >= self._free_until_bytes
