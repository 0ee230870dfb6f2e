"""A body that grows: in memory while it is small, then in a file that has no name."""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path
from typing import IO

from connector.errors import BodyTooLarge, CannotKeep
from connector.events import Body


class Spool:
    """Collects the pieces of one body. The file is unlinked at once, so a crash leaves nothing behind."""

    def __init__(self, *, max_bytes: int, spool_bytes: int, folder: Path | None) -> None:
        """
        Args:
            max_bytes: largest body accepted.
            spool_bytes: largest body kept in memory.
            folder: where the file lies; None: the system's folder for temporary files.
        """
        self._max_bytes = max_bytes
        self._spool_bytes = spool_bytes
        self._folder = folder
        self._size_bytes = 0
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None

    def write(self, piece: bytes) -> None:
        """
        Append a piece.

        Raises:
            BodyTooLarge: the body is above ``max_bytes`` now.
            CannotKeep: ``spool_failed``: the file cannot be written.
        """
        self._size_bytes += len(piece)
        if self._size_bytes > self._max_bytes:
            raise too_large(self._max_bytes)
        if self._file is None and self._size_bytes <= self._spool_bytes:
            self._pieces.append(piece)
            return
        try:
            self._write_to_file(piece)
        except OSError:
            raise _spool_failed() from None

    def body(self) -> Body:
        """
        Return the whole body: bytes, or a read-only memory map of the file, which the caller closes.

        Raises:
            CannotKeep: ``spool_failed``.
        """
        if self._file is None:
            return b"".join(self._pieces)
        try:
            self._file.flush()
            return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError:
            raise _spool_failed() from None

    def close(self) -> None:
        """Let go of the file; a memory map made of it lives on until it is closed itself."""
        if self._file is not None:
            self._file.close()

    def _write_to_file(self, piece: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115  closed by close()
            for earlier in self._pieces:
                _write_whole(self._file, earlier)
            self._pieces.clear()
        _write_whole(self._file, piece)


def too_large(max_bytes: int) -> BodyTooLarge:
    """The refusal of a body above the limit."""
    return BodyTooLarge(f"the body is above the limit of {max_bytes} bytes")


def _write_whole(file: IO[bytes], piece: bytes) -> None:
    """Write all of a piece: an unbuffered file may take less than it was given."""
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def _spool_failed() -> CannotKeep:
    return CannotKeep("a large body could not be put aside", code="spool_failed")
