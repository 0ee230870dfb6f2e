"""The one journal file that a process is writing: opened when needed, closed when due, abandoned on error."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from connector.errors import CannotKeep
from connector.events import Body, Capture
from connector.journal.folders import JournalFolders, OpenFile
from connector.journal.frames import frame_header
from connector.journal.limits import JournalLimits


class LiveFile:
    """
    Writes batches of captures. Every method is called by one thread at a time (the committer).

    After any error the file is abandoned: nothing is written, synced, truncated or renamed any more, and its
    lock is released, so that it is adopted like the file of a dead process. Kernels report a lost write-back
    once and then forget it, so a second sync that succeeds proves nothing (journal-protocol 2.4).
    """

    def __init__(self, folders: JournalFolders, limits: JournalLimits) -> None:
        self._folders = folders
        self._disk = folders.disk
        self._limits = limits
        self._file: OpenFile | None = None
        self._seq = 0
        self._size_bytes = 0
        self._first_frame_at = 0.0
        self._stopped = False
        self._failures = 0
        self._retry_at = 0.0
        self.written_bytes = 0
        """Bytes committed by this process, over all its files."""

    @property
    def trouble(self) -> CannotKeep | None:
        """Why the disk is not even tried at the moment: two files in a row failed, less than a second ago."""
        if self._stopped:
            return CannotKeep("The journal is closed.", code="journal_stopped")
        if self._failures > 1 and self._disk.monotonic() < self._retry_at:
            return CannotKeep("The journal cannot be written at the moment.", code="journal_failed")
        return None

    @property
    def failing(self) -> bool:
        """True from a failure to the next batch or probe that works."""
        return self._failures > 0

    def commit(self, captures: Sequence[Capture]) -> None:
        """Make the captures durable, in order, by one write and one sync, or raise ``CannotKeep``."""
        if trouble := self.trouble:
            raise trouble
        try:
            self._append(self._file or self._start(), captures)
        except BaseException as error:
            self._release()
            self._count_failure()
            if not isinstance(error, OSError):
                raise
            raise CannotKeep("The journal could not be written.", code="journal_failed") from error
        self._failures = 0
        if self._due():
            self.close()

    def is_due(self, roll_requested_ns: int) -> bool:
        """Return True when the file is old or large enough, or not younger than the request to roll."""
        file = self._file
        return file is not None and (self._due() or roll_requested_ns >= file.created_ns)

    def close(self) -> None:
        """Move the file to ``closed/``. If that fails it stays and is adopted later: nothing is lost."""
        if self._file is None:
            return
        with suppress(OSError):
            self._folders.close(self._file.name)
        self._release()

    def stop(self) -> None:
        """Close the file and refuse every later batch."""
        self._stopped = True
        self.close()

    def probe(self) -> None:
        """Try create, write and sync on a file that is no journal file; raise ``CannotKeep`` if they fail."""
        if trouble := self.trouble:
            raise trouble
        path = self._folders.root / f".probe-{os.getpid()}"
        try:
            self._folders.make()
            self._disk.unlink(path)
            descriptor = self._disk.create(path)
            try:
                if self._disk.write(descriptor, [b"\n"]) != 1:
                    raise OSError("short write")
                self._disk.sync(descriptor)
            finally:
                self._disk.close(descriptor)
                self._disk.unlink(path)
        except OSError as error:
            self._count_failure()
            raise CannotKeep("The journal cannot be written.", code="journal_failed") from error
        self._failures = 0

    def _start(self) -> OpenFile:
        self._folders.make()
        self._file = self._folders.create()
        self._seq, self._size_bytes = 0, 0
        return self._file

    def _append(self, file: OpenFile, captures: Sequence[Capture]) -> None:
        buffers: list[Body] = []
        for seq, capture in enumerate(captures, self._seq):
            buffers += (frame_header(capture, file.name, seq), capture.body, b"\n")
        size_bytes = sum(map(len, buffers))
        if self._disk.write(file.descriptor, buffers) != size_bytes:
            raise OSError("short write")
        self._disk.sync(file.descriptor)
        if not self._size_bytes:
            self._first_frame_at = self._disk.monotonic()
        self._seq += len(captures)
        self._size_bytes += size_bytes
        self.written_bytes += size_bytes

    def _due(self) -> bool:
        if self._file is None or not self._size_bytes:
            return False
        age_seconds = self._disk.monotonic() - self._first_frame_at
        return self._size_bytes >= self._limits.roll_bytes or age_seconds >= self._limits.roll_seconds

    def _count_failure(self) -> None:
        self._failures += 1
        self._retry_at = self._disk.monotonic() + self._limits.probe_seconds

    def _release(self) -> None:
        """Let go of the file and its lock; nothing touches it any more."""
        if self._file is not None:
            with suppress(OSError):
                self._disk.close(self._file.descriptor)
        self._file = None
