"""Is there room? Looks at the disk at most once a second."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from connector.errors import CannotKeep
from connector.journal.folders import JournalFolders
from connector.journal.limits import JournalLimits

PUBLIC_RETRY_AFTER_SECONDS = 30
_WRITTEN_PER_WAITING = 2
"""The writer may turn waiting bytes into up to so many times as much while they are still there."""
_HEADER_BYTES = 512
"""Counted for the line before each body, so that many small ones are not taken for nothing."""


class _Look(NamedTuple):
    """The disk as it was found."""

    free_bytes: int
    backlog_bytes: int
    """Closed files."""
    waiting_bytes: int
    """Closed files and those that are being written, of every process."""
    public_settled_bytes: int
    """What this process had written for public keys when it began to look: at least that was seen."""


class Room:
    """Free space and backlog of a journal, looked at now and then, asked all the time."""

    def __init__(self, folders: JournalFolders, limits: JournalLimits) -> None:
        self._folders = folders
        self._limits = limits
        self._looking = threading.Lock()
        self._max_backlog_bytes = limits.journal_max_bytes
        self._next_look_at: float | None = None
        self._look = _Look(0, 0, 0, 0)
        self._counting = threading.Lock()
        self._public_begun_bytes = 0
        self._public_settled_bytes = 0

    def shortage(self) -> CannotKeep | None:
        """Return why nothing may be accepted now, None when there is room. Raises ``OSError``."""
        now = self._folders.disk.monotonic()
        due = self._next_look_at is None or now >= self._next_look_at
        if due and self._looking.acquire(blocking=self._next_look_at is None):
            try:
                self._look = self._measure()
                self._next_look_at = now + self._limits.probe_seconds
            finally:
                self._looking.release()
        if self._look.free_bytes < self._limits.journal_reserve_bytes:
            return CannotKeep("The journal's disk is nearly full.", code="journal_no_room")
        if self._look.backlog_bytes > self._backlog_limit_bytes:
            return CannotKeep("The journal holds more unwritten files than it may.", code="journal_backlog")
        return None

    @contextmanager
    def public(self, body_bytes: int) -> Iterator[None]:
        """
        Hold room for one capture with a write key while it is written. Ask for a ``shortage`` before.

        Such captures may fill the backlog up to their share, open files included, and have to leave more of
        the disk free: ``journal_reserve_bytes / public_share`` after everything that waits has been written
        to the tables, which may take twice its size. What they begin between two looks counts at
        once; what other processes begin is seen at the next look.

        Raises:
            CannotKeep: ``public_no_room``: the rest is for captures whose sender is known.
        """
        size_bytes = body_bytes + _HEADER_BYTES
        with self._counting:
            if not self._fits_share(size_bytes):
                raise CannotKeep(
                    "The journal's room for events with write keys is used up.",
                    code="public_no_room",
                    retry_after_seconds=PUBLIC_RETRY_AFTER_SECONDS,
                )
            self._public_begun_bytes += size_bytes
        try:
            yield
        finally:
            with self._counting:
                self._public_settled_bytes += size_bytes

    def _fits_share(self, size_bytes: int) -> bool:
        look, share = self._look, self._limits.public_share
        unseen_bytes = self._public_begun_bytes - look.public_settled_bytes + size_bytes
        waiting_bytes = look.waiting_bytes + unseen_bytes
        free_bytes = look.free_bytes - unseen_bytes - _WRITTEN_PER_WAITING * waiting_bytes
        return (
            waiting_bytes <= share * self._backlog_limit_bytes
            and free_bytes * share >= self._limits.journal_reserve_bytes
        )

    def _measure(self) -> _Look:
        with self._counting:
            settled_bytes = self._public_settled_bytes
        self._folders.make()
        free_bytes = self._folders.disk.free_bytes(self._folders.open)
        backlog_bytes = sum(self._folders.sizes().values())
        waiting_bytes = self._folders.total_bytes()
        if self._max_backlog_bytes is None:
            self._max_backlog_bytes = (free_bytes + waiting_bytes) // 2
        return _Look(free_bytes, backlog_bytes, waiting_bytes, settled_bytes)

    @property
    def _backlog_limit_bytes(self) -> int:
        return self._max_backlog_bytes or 0


class Quota:
    """Whether a folder tree has reached its limit, counting what was written since the last look."""

    def __init__(self, folders: JournalFolders, max_bytes: int, probe_seconds: float) -> None:
        self._folders = folders
        self._max_bytes = max_bytes
        self._probe_seconds = probe_seconds
        self._next_look_at: float | None = None
        self._free_until_bytes = 0

    def is_full(self, written_bytes: int, *, share: float = 1.0) -> bool:
        """
        Return True when there is no room left.

        Args:
            written_bytes: this process's own running sum.
            share: how much of the limit may be used, between 0 and 1.
        """
        now = self._folders.disk.monotonic()
        if self._next_look_at is None or now >= self._next_look_at:
            self._free_until_bytes = written_bytes + self._max_bytes - self._folders.total_bytes()
            self._next_look_at = now + self._probe_seconds
        return written_bytes >= self._free_until_bytes - (1.0 - share) * self._max_bytes
