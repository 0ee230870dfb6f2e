"""Every effect of the journal, one small method each, so that a test can make any of them fail."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path

from connector.events import Body

_MOST_BUFFERS = 1000
"""Linux takes up to 1024 buffers in one ``writev``."""


class Disk:
    """The real machine. Every method may raise ``OSError``."""

    def create(self, path: Path) -> int:
        """Create a new, empty file for appending, readable by its owner only; return its descriptor."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def open_existing(self, path: Path) -> int:
        """Open a file for locking, nothing else."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def lock(self, descriptor: int) -> bool:
        """Take the exclusive lock without waiting; return False when somebody else holds it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, descriptor: int, buffers: Sequence[Body]) -> int:
        """Append the buffers with one call; return how many bytes were taken, which may be fewer."""
        if len(buffers) > _MOST_BUFFERS:
            return os.write(descriptor, b"".join(buffers))
        return os.writev(descriptor, buffers)

    def sync(self, descriptor: int) -> None:
        """Return when contents and size are durable."""
        os.fdatasync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in the folder are durable."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        old.rename(new)

    def unlink(self, path: Path) -> None:
        """Remove a file; one that is gone already is no error."""
        path.unlink(missing_ok=True)

    def close(self, descriptor: int) -> None:
        """Close, and with it release the lock."""
        os.close(descriptor)

    def created_ns(self, descriptor: int) -> int:
        """Return the file time of a fresh file, on the clock of the file system."""
        return os.fstat(descriptor).st_mtime_ns

    def modified_ns(self, path: Path) -> int:
        """Return the file time in ns since the epoch; 0 when there is no such file."""
        try:
            return path.stat().st_mtime_ns
        except OSError:
            return 0

    def free_bytes(self, folder: Path) -> int:
        """Return the bytes that an ordinary user may still write."""
        room = os.statvfs(folder)
        return room.f_bavail * room.f_frsize

    def now_ms(self) -> int:
        """Wall clock, ms since the epoch. Only names are made from it."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        return time.monotonic()
