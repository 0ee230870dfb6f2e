"""Files by name below one place: what the saved things ask of a folder or of an object store."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from connector.objects import ObjectInfo


class Files(Protocol):
    """The part of ``objects.ObjectStore`` that is needed here; ``S3Store`` has all of it."""

    uri: str

    def create(self, name: str, content: bytes) -> bool:
        """Make a file only if the name is free. False: the name is taken."""

    def read(self, name: str) -> bytes | None:
        """The content; None when there is no such file."""

    def find(self, prefix: str) -> Iterator[ObjectInfo]:
        """The files whose name begins with ``prefix``, sorted by name."""

    def delete(self, names: Iterable[str]) -> None:
        """Remove files; one that is not there is fine."""

    def clock_ms(self) -> int:
        """The clock of the place, ms since the epoch."""


class FolderFiles:
    """``Files`` in a folder of this machine, which is made when it is first written to."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.uri = str(root)

    def create(self, name: str, content: bytes) -> bool:
        """A file appears whole, under its name, durable; ``OSError`` as the system says."""
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(part, path)
        except FileExistsError:
            return False
        finally:
            part.unlink(missing_ok=True)
        _sync(path.parent)
        return True

    def read(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def find(self, prefix: str) -> Iterator[ObjectInfo]:
        folder = self._root / prefix.rpartition("/")[0]
        found = {path.relative_to(self._root).as_posix(): path for path in folder.rglob("*")}
        for name in sorted(found):
            path = found[name]
            if name.startswith(prefix) and not path.name.startswith(".") and path.is_file():
                stat = path.stat()
                yield ObjectInfo(name, stat.st_size, "", stat.st_mtime_ns // 1_000_000)

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            (self._root / name).unlink(missing_ok=True)

    def clock_ms(self) -> int:
        return time.time_ns() // 1_000_000


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
