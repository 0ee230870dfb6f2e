"""Events that never arrived, as captured files of our own: their bytes as they were, one line each."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, NamedTuple

from connector.events import Captured
from connector.journal.disk import Disk
from connector.journal.folders import make_folder
from connector.jsontext import dumps

UNDATED = "undated"
_LEVEL = 6
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class Healed(NamedTuple):
    """A captured file of NDJSON, gzipped, durable under a name that follows from its content."""

    path: Path
    source: str
    events: int


class HealedFiles:
    """Writes ``<folder>/<day>/h-<32 hex>.ndjson.gz``, one file for each day and source.

    The name is the captured file's identity (journal-protocol 1.2): the same events give the same file.
    """

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._day: date | None = None
        self._files: dict[str, _File] = {}
        self._done: list[Healed] = []

    def add(self, day: date | None, captured: Captured) -> None:
        """Take one event. Days come one after the other. Raises ``OSError``."""
        if day != self._day:
            self._seal()
            self._day = day
        file = self._files.get(captured.source)
        if file is None:
            folder = self._folder / (day.isoformat() if day else UNDATED)
            make_folder(folder, self._disk)
            file = self._files[captured.source] = _File.create(folder)
        file.add(line_of(captured))

    def finish(self) -> list[Healed]:
        """Make every file durable under its name; return all of them in the order of their days."""
        self._seal()
        return self._done

    def drop(self) -> None:
        """Remove what is not finished."""
        for file in self._files.values():
            file.drop()
        self._files.clear()

    def _seal(self) -> None:
        for source in sorted(self._files):
            file = self._files[source]
            self._done.append(Healed(file.seal(self._disk), source, file.events))
        self._files.clear()


def line_of(captured: Captured) -> bytes:
    """
    Return an event as one line without its newline: its own bytes.

    Newlines between its tokens become blanks and those inside a string, which JSON forbids, ``\\n``; numbers
    and texts stay as they are written. An event of a batch gets what the batch says for all of its events,
    so it is written anew: integers exact, other numbers in their shortest form, which is all that a row ever
    sees of them.
    """
    if ", element" in captured.place:
        return dumps(captured.event).encode()
    raw = captured.raw()
    if b"\n" in raw:
        raw = _STRING.sub(lambda text: text[0].replace(b"\n", b"\\n"), raw).replace(b"\n", b" ")
    return raw


@dataclass(slots=True)
class _File:
    path: Path
    file: BinaryIO
    packed: gzip.GzipFile
    digest: hashlib._Hash
    events: int = 0

    @classmethod
    def create(cls, folder: Path) -> _File:
        path = folder / f".{os.getpid()}-{os.urandom(4).hex()}.part"
        file = path.open("xb")
        return cls(path, file, gzip.GzipFile("", "wb", _LEVEL, file, mtime=0), hashlib.sha256())

    def add(self, line: bytes) -> None:
        for text in (line, b"\n"):
            self.packed.write(text)
            self.digest.update(text)
        self.events += 1

    def seal(self, disk: Disk) -> Path:
        self.packed.close()
        self.file.flush()
        disk.sync(self.file.fileno())
        self.file.close()
        path = self.path.with_name(f"h-{self.digest.hexdigest()[:32]}.ndjson.gz")
        disk.rename(self.path, path)
        disk.sync_folder(path.parent)
        return path

    def drop(self) -> None:
        self.file.close()
        self.path.unlink(missing_ok=True)
