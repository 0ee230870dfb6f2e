"""The uncompressed bytes of a captured file, mapped rather than read, with their hash."""

from __future__ import annotations

import hashlib
import mmap
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from connector.errors import ConnectorError
from connector.events import Body

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 256 * 1024
_STEP_BYTES = 32 * 1024 * 1024
_IN_MEMORY_BYTES = 8 * 1024 * 1024


class CapturedFileTooLarge(ConnectorError):
    """A captured file is larger, once uncompressed, than it may be."""

    code = "captured_file_too_large"


class Known(Protocol):
    """What was found out about a file a moment ago."""

    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


class Content(NamedTuple):
    """What a captured file holds after gunzip."""

    text: Body
    sha256: str
    """Hex, over ``text``."""
    torn_bytes: int
    """Compressed bytes after the place where a gzip stream breaks, at least 1; 0 for a whole file."""


def load(
    path: Path, max_uncompressed_bytes: int, spool_folder: Path | None = None, known: Known | None = None
) -> Content:
    """
    Map a file into memory; a gzip file (told by its first bytes, never by its name) is first unpacked.

    A small gzip file is unpacked in memory, a larger one into an unnamed temporary file in ``spool_folder``
    (None: the system's), so memory stays flat either way. A gzip stream that breaks off or is damaged gives
    what comes before the break. What is ``known`` of a plain file of that size is not hashed again. Raises
    ``OSError`` and ``CapturedFileTooLarge``.
    """
    with path.open("rb") as file:
        if file.read(2) != _GZIP:
            text = _mapped(file)
            same = known is not None and known.bytes == len(text)
            return Content(text, known.sha256 if known and same else _sha256(text), 0)
        file.seek(0)
        return _unpacked(file, max_uncompressed_bytes, spool_folder)


def forget(text: Body, start: int, end: int) -> None:
    """Give the pages between two offsets of a mapped file back to the system; they can be read again."""
    if isinstance(text, mmap.mmap):
        start -= start % mmap.PAGESIZE
        if end > start:
            text.madvise(mmap.MADV_DONTNEED, start, end - start)


def _mapped(file: BinaryIO) -> Body:
    size = file.seek(0, 2)
    return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) if size else b""


def _sha256(text: Body) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(text), _STEP_BYTES):
        digest.update(text[start : start + _STEP_BYTES])
        forget(text, start, min(start + _STEP_BYTES, len(text)))
    return digest.hexdigest()


def _unpacked(file: BinaryIO, max_bytes: int, spool_folder: Path | None) -> Content:
    digest, size = hashlib.sha256(), 0
    stream = _Gunzip(file)
    with tempfile.SpooledTemporaryFile(
        _IN_MEMORY_BYTES, dir=str(spool_folder) if spool_folder else None
    ) as spool:
        for chunk in stream:
            size += len(chunk)
            if size > max_bytes:
                raise CapturedFileTooLarge(f"the file holds more than {max_bytes} bytes once uncompressed")
            digest.update(chunk)
            spool.write(chunk)
        if size > _IN_MEMORY_BYTES:
            spool.flush()
            text: Body = mmap.mmap(spool.fileno(), 0, prot=mmap.PROT_READ)
        else:
            spool.seek(0)
            text = spool.read()
    return Content(text, digest.hexdigest(), stream.torn_bytes)


class _Gunzip:
    """Iterate once for the uncompressed chunks of all members; then read ``torn_bytes``."""

    def __init__(self, file: BinaryIO) -> None:
        self.torn_bytes = 0
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        packed = self._file.read(_CHUNK_BYTES)
        while packed.startswith(_GZIP):
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                before = member.copy()
                try:
                    yield member.decompress(packed, _CHUNK_BYTES)
                except zlib.error:
                    yield from self._up_to_the_break(before, packed)
                    return
                packed = member.unconsumed_tail or (b"" if member.eof else self._file.read(_CHUNK_BYTES))
                if not packed and not member.eof:
                    yield member.flush()
                    self.torn_bytes = 1
                    return
            packed = self._next_member(member.unused_data)
        self.torn_bytes = len(packed) + self._rest()

    def _next_member(self, packed: bytes) -> bytes:
        """Skip padding; return what follows, enough of it to be told by its first bytes."""
        packed = packed.lstrip(b"\0")
        while len(packed) < len(_GZIP) and (more := self._file.read(_CHUNK_BYTES)):
            packed = (packed + more).lstrip(b"\0")
        return packed

    def _up_to_the_break(self, member: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
        """Unpack byte by byte, so that nothing before the damage is lost."""
        for offset in range(len(packed)):
            try:
                yield member.decompress(packed[offset : offset + 1])
            except zlib.error:
                self.torn_bytes = len(packed) - offset + self._rest()
                return

    def _rest(self) -> int:
        position = self._file.tell()
        return self._file.seek(0, 2) - position
