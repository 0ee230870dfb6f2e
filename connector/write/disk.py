"""The steps on disk that a crash can separate, one method each: a test can stop the process at any."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path


class Disk:
    """The real disk. Methods raise ``OSError`` as the system does."""

    def lock(self, descriptor: int) -> bool:
        """Try to take the exclusive lock of an open file; False when another descriptor holds it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, path: Path, content: bytes) -> None:
        """Create a file and make its content durable."""
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name; ``FileExistsError`` when the name is taken. The commit."""
        os.link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        source.rename(target)

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Make the names in a folder durable."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sealed(path: Path) -> tuple[int, str]:
    """Make a finished file durable; return its size in bytes and its SHA-256."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
