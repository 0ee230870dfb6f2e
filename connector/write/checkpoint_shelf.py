"""Where checkpoints of the ledger lie: in a data folder of this machine, or in a store."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from connector.errors import StoreError
from connector.objects import ObjectStore
from connector.write.checkpoint import FOLDER, covered
from connector.write.disk import Disk

_PART = ".part"
_PART_SECONDS = 3_600.0
"""From this age on a file that has no name yet is that of a dead process."""


class Shelf(Protocol):
    """Checkpoints of one data folder. To those who read it, what cannot be read is not there."""

    def names(self) -> list[str]:
        """Names below the data folder, the newest first."""

    def read(self, name: str) -> bytes | None:
        """The content; None when it is not there, or nobody may read it."""

    def create(self, name: str, content: bytes) -> bool:
        """Put a whole checkpoint under a name that is free; False: it is taken."""

    def delete(self, names: Iterable[str]) -> None:
        """Delete checkpoints; one that is not there is fine."""


class FolderShelf:
    """On this machine. ``create`` and ``delete`` may raise ``OSError``."""

    def __init__(self, root: Path, disk: Disk | None = None) -> None:
        self._root = root
        self._folder = root / FOLDER
        self._disk = disk or Disk()

    def names(self) -> list[str]:
        try:
            found = [f"{FOLDER}{path.name}" for path in self._folder.iterdir()]
        except OSError:
            return []
        return sorted((name for name in found if covered(name) is not None), reverse=True)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except OSError:
            return None

    def create(self, name: str, content: bytes) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".{secrets.token_hex(8)}{_PART}"
        try:
            self._disk.write(part, content)
            self._disk.link(part, self._root / name)
        except FileExistsError:
            return False
        finally:
            self._disk.unlink(part)
        self._disk.sync_folder(self._folder)
        return True

    def delete(self, names: Iterable[str]) -> None:
        """Also what dead processes left half written."""
        for name in names:
            self._disk.unlink(self._root / name)
        for part in self._folder.glob(f".*{_PART}"):
            with suppress(FileNotFoundError):
                if part.stat().st_mtime < time.time() - _PART_SECONDS:
                    self._disk.unlink(part)


class StoreShelf:
    """In a store, below its prefix. Every method may raise ``StoreError``; one that no later try can mend, as
    where a reader has no permission for checkpoints, hides them from ``names`` and ``read``."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def names(self) -> list[str]:
        try:
            found = [info.name for info in self._store.find(FOLDER)]
        except StoreError as trouble:
            if trouble.retryable:
                raise
            return []
        return sorted((name for name in found if covered(name) is not None), reverse=True)

    def read(self, name: str) -> bytes | None:
        try:
            return self._store.read(name)
        except StoreError as trouble:
            if trouble.retryable:
                raise
            return None

    def create(self, name: str, content: bytes) -> bool:
        return self._store.create(name, content)

    def delete(self, names: Iterable[str]) -> None:
        self._store.delete(names)


def is_stray(name: str) -> bool:
    """Whether a file below ``ledger/checkpoints/`` is neither a checkpoint nor one that is being written."""
    base = name.rpartition("/")[2]
    return covered(name) is None and not (base.startswith(".") and base.endswith(_PART))
