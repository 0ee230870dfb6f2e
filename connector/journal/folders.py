"""
The journal's folders and what moves a file between them.

``open/<file>.open`` is written by the one process that holds its lock, ``closed/<file>`` is complete and
waits, ``done/<day>/<file>.gz`` is in the ledger. ``refused/`` holds the same scheme for bodies that were
proven but refused. A name is ``<UTC to ms>-<host>-<pid>-<8 random hex>``: it sorts by time and is unique.
"""

from __future__ import annotations

import errno
import gzip
import os
import re
import secrets
import shutil
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from connector.journal.disk import Disk

HEALED = "healed"
"""Folder of the journal that keeps what was brought in from an archive, as captured files."""

_NOT_IN_A_HOST = re.compile(r"[^A-Za-z0-9.]")
_MAX_HOST = 32
_ATTEMPTS = 3
_GZIP_LEVEL = 3


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A journal file that is open, locked and named durably."""

    name: str
    descriptor: int
    created_ns: int
    """File time of its creation, on the clock of the file system."""


@dataclass(frozen=True, slots=True)
class JournalFolders:
    """The journal below ``root``. Making one touches nothing."""

    root: Path
    disk: Disk = field(default_factory=Disk)

    @property
    def open(self) -> Path:
        return self.root / "open"

    @property
    def closed(self) -> Path:
        return self.root / "closed"

    @property
    def done(self) -> Path:
        return self.root / "done"

    @property
    def refused(self) -> JournalFolders:
        """The same scheme for refused bodies: ``refused/open``, ``refused/closed``."""
        return JournalFolders(self.root / "refused", self.disk)

    def make(self) -> None:
        """Make ``open/`` and ``closed/`` and everything above them, durably."""
        for folder in (self.open, self.closed):
            make_folder(folder, self.disk)

    def create(self) -> OpenFile:
        """
        Start a new file: created as ``.new``, locked, renamed to ``.open``, name synced, in this order.

        The lock comes before the name that others may adopt. An orphan hunter may catch the file before it is
        locked; then another name is tried. Raises ``OSError``.
        """
        for _ in range(_ATTEMPTS):
            name = new_name(self.disk.now_ms())
            fresh, path = self.open / f"{name}.new", self._path(name)
            descriptor = self.disk.create(fresh)
            try:
                if self.disk.lock(descriptor):
                    created_ns = self.disk.created_ns(descriptor)
                    self.disk.rename(fresh, path)
                    self.disk.sync_folder(self.open)
                    return OpenFile(name, descriptor, created_ns)
            except FileNotFoundError:
                pass
            except BaseException:
                self.disk.close(descriptor)
                raise
            self.disk.close(descriptor)
        raise OSError(errno.EAGAIN, "new journal files are locked by somebody else before their writer can")

    def close(self, name: str) -> None:
        """Rename a complete, synced file to ``closed/``, sync both folders; its lock is still held."""
        self.disk.rename(self._path(name), self.closed / name)
        self.disk.sync_folder(self.closed)
        self.disk.sync_folder(self.open)

    def adopt(self) -> list[str]:
        """
        Move files whose writer is dead to ``closed/``; return their names, oldest first.

        A free lock is the only evidence that counts: a living owner holds it however slow, stopped or old it
        is. Files that never got their final name are empty and are removed.
        """
        adopted = []
        for path in sorted(self.open.glob("*")):
            if path.suffix in (".open", ".new"):
                adopted += self._adopt_one(path)
        if adopted:
            self.disk.sync_folder(self.closed)
            self.disk.sync_folder(self.open)
        return adopted

    def waiting(self) -> list[str]:
        """Return the names of the closed files, oldest first."""
        if not self.closed.is_dir():
            return []
        return sorted(path.name for path in self.closed.iterdir() if path.is_file())

    def sizes(self) -> dict[str, int]:
        """Return the size in bytes of every closed file, by name: the backlog."""
        return {name: _size(self.closed / name) for name in self.waiting()}

    def total_bytes(self) -> int:
        """Return the bytes in ``open/`` and ``closed/`` together."""
        return sum(_size(path) for folder in (self.open, self.closed) for path in folder.glob("*"))

    def flock_works(self) -> bool:
        """Return True when a held lock is refused to a second descriptor, and given to it once free."""
        make_folder(self.root, self.disk)
        path = self.root / f".lock-check-{secrets.token_hex(4)}"
        first = self.disk.create(path)
        second = self.disk.open_existing(path)
        try:
            kept_out = self.disk.lock(first) and not self.disk.lock(second)
            self.disk.close(first)
            first = -1
            return kept_out and self.disk.lock(second)
        finally:
            self.disk.close(second)
            if first >= 0:
                self.disk.close(first)
            self.disk.unlink(path)

    def retire(self, name: str) -> Path:
        """
        Move a closed file to ``done/<day>/<name>.gz``; return that path.

        Only after its ledger entry is durable. May be repeated after a crash at any point: the finished
        archive is trusted because it got its name after its contents were synced.
        """
        source, day = self.closed / name, self.done / day_of(name)
        target = day / f"{name}.gz"
        if not target.exists():
            make_folder(day, self.disk)
            temporary = day / f"{name}.gz.{os.getpid()}-{secrets.token_hex(4)}.part"
            self._compress(source, temporary)
            self.disk.rename(temporary, target)
            self.disk.sync_folder(day)
        self.disk.unlink(source)
        for leftover in day.glob(f"{name}.gz.*.part"):
            self.disk.unlink(leftover)
        return target

    def _path(self, name: str) -> Path:
        return self.open / f"{name}.open"

    def _adopt_one(self, path: Path) -> list[str]:
        try:
            descriptor = self.disk.open_existing(path)
        except FileNotFoundError:
            return []
        try:
            if not self.disk.lock(descriptor):
                return []
            if path.suffix == ".new" and not path.stat().st_size:
                self.disk.unlink(path)
                return []
            self.disk.rename(path, self.closed / path.stem)
        except FileNotFoundError:
            return []
        finally:
            self.disk.close(descriptor)
        return [path.stem]

    def _compress(self, source: Path, target: Path) -> None:
        with source.open("rb") as plain, target.open("xb") as archive:
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, archive, mtime=0) as packed:
                shutil.copyfileobj(plain, packed, 1024 * 1024)
            archive.flush()
            self.disk.sync(archive.fileno())


def _size(path: Path) -> int:
    """Return a file's size in bytes; 0 when it was moved meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def new_name(now_ms: int) -> str:
    """Return a fresh file name: ``<UTC to ms>-<host>-<pid>-<8 random hex>``."""
    at = datetime.fromtimestamp(now_ms // 1000, UTC)
    host = _NOT_IN_A_HOST.sub("", socket.gethostname())[:_MAX_HOST] or "host"
    return f"{at:%Y%m%dT%H%M%S}{now_ms % 1000:03d}Z-{host}-{os.getpid()}-{secrets.token_hex(4)}"


def day_of(name: str) -> str:
    """Return the UTC day in a file's name as ``YYYY-MM-DD``."""
    return f"{name[:4]}-{name[4:6]}-{name[6:8]}"


def started_ms(name: str) -> int:
    """Return the time in a file's name in ms since the epoch. Raises ``ValueError`` for a foreign name."""
    at = datetime.strptime(name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return int(at.timestamp()) * 1000 + int(name[15:18])


def make_folder(folder: Path, disk: Disk) -> None:
    """Make a folder and its parents; sync each folder that got a new name."""
    if folder.is_dir():
        return
    make_folder(folder.parent, disk)
    folder.mkdir(mode=0o700, exist_ok=True)
    disk.sync_folder(folder.parent)
