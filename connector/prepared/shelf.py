"""Where prepared files lie: below ``derived/resolution`` of the data folder, on this machine or in a store.

They are a cache. Files have names that are never used again; the manifest, replaced at once, says which of
them count. What a manifest does not name any more goes an hour later.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from errno import EEXIST
from functools import partial
from pathlib import Path
from typing import Protocol

from connector.errors import ConnectorError, StoreError
from connector.objects import ObjectStore
from connector.prepared.manifest import STRAY_MS, Manifest, PreparedFile
from connector.write.data import DataReader, StoreData
from connector.write.disk import Disk, sealed, sha256_of
from connector.write.folder import wall_clock_ms
from connector.write.object_ledger import in_parallel

log = logging.getLogger("connector.prepared")

FOLDER = "derived/resolution"
MANIFEST = "manifest.json"
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Before:
    """What was prepared when somebody looked."""

    content: bytes | None = None
    """The manifest as it lay there, whatever it is worth."""
    manifest: Manifest = field(default_factory=Manifest)


class PreparedGone(ConnectorError):
    """A file that a manifest names is not there, or is not the one that was written."""

    code = "prepared_gone"
    retryable = True


class Shelf(Protocol):
    """Prepared files of one data folder."""

    def manifest(self) -> bytes | None:
        """The manifest now; None when there is none, or it cannot be read."""

    def fetch(self, files: Iterable[PreparedFile], into: Path) -> dict[str, Path]:
        """Paths by name, of files that are whole; ``into``: for what must be downloaded.

        Raises:
            PreparedGone: one is not there, not whole, or cannot be read.
        """

    def save(self, manifest: Manifest, new: Sequence[Path], before: Before) -> bool:
        """Put new files, then the manifest that names them, then remove what is retired for long.

        Args:
            manifest: what is to count.
            new: files with the names that they are to have.
            before: what it was made from.

        Returns:
            False when nothing changed: the folder or the store refused, or somebody else was quicker.
        """


class FolderShelf:
    """On this machine."""

    def __init__(self, root: Path, *, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        self._folder = root / FOLDER
        self._now_ms = now_ms
        self._disk = Disk()

    def manifest(self) -> bytes | None:
        try:
            return (self._folder / MANIFEST).read_bytes()
        except OSError:
            return None

    def fetch(self, files: Iterable[PreparedFile], into: Path) -> dict[str, Path]:
        return {file.name: _whole(self._folder / file.name, file) for file in files}

    def save(self, manifest: Manifest, new: Sequence[Path], before: Before) -> bool:
        now_ms = self._now_ms()
        manifest = manifest.instead_of(before.manifest, now_ms)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in new:
                self._put(path.name, partial(shutil.copyfile, path))
            if self.manifest() != before.content:
                raise FileExistsError(EEXIST, "somebody else was quicker")
            self._put(MANIFEST, lambda target: target.write_bytes(manifest.encoded()))
        except OSError as trouble:
            log.info("prepared files are not saved: %s", trouble.strerror or trouble)
            _remove(self._folder / path.name for path in new)
            return False
        self._tidy(manifest, now_ms)
        return True

    def _put(self, name: str, write: Callable[[Path], object]) -> None:
        """Under a temporary name first: what has its own name is whole and durable."""
        part = self._folder / f".{secrets.token_hex(8)}{_PART}"
        try:
            write(part)
            sealed(part)
            self._disk.rename(part, self._folder / name)
        except OSError:
            _remove([part])
            raise
        self._disk.sync_folder(self._folder)

    def _tidy(self, manifest: Manifest, now_ms: int) -> None:
        try:
            ages_ms = {
                path.name: now_ms - path.stat().st_mtime_ns // 1_000_000 for path in self._folder.iterdir()
            }
        except OSError:
            return
        dead = [name for name, age_ms in ages_ms.items() if name.endswith(_PART) and age_ms >= STRAY_MS]
        _remove(self._folder / name for name in [*manifest.unwanted(ages_ms, now_ms), *dead])


class StoreShelf:
    """In a store, below its prefix."""

    def __init__(self, store: ObjectStore, *, now_ms: Callable[[], int] = wall_clock_ms) -> None:
        self._store = store
        self._now_ms = now_ms

    def manifest(self) -> bytes | None:
        try:
            return self._store.read(f"{FOLDER}/{MANIFEST}")
        except StoreError:
            return None

    def fetch(self, files: Iterable[PreparedFile], into: Path) -> dict[str, Path]:
        wanted = list(files)
        return dict(
            zip(
                (file.name for file in wanted),
                in_parallel(lambda file: self._fetched(file, into), wanted),
                strict=True,
            )
        )

    def _fetched(self, file: PreparedFile, into: Path) -> Path:
        path = into / file.name
        if not path.exists():
            try:
                self._store.download(f"{FOLDER}/{file.name}", path)
            except StoreError as trouble:
                raise PreparedGone(f"{file.name}: {trouble}") from None
        return _whole(path, file)

    def save(self, manifest: Manifest, new: Sequence[Path], before: Before) -> bool:
        now_ms = self._now_ms()
        manifest = manifest.instead_of(before.manifest, now_ms)
        try:
            for _ in in_parallel(lambda path: self._store.upload(f"{FOLDER}/{path.name}", path), new):
                pass
            if self._store.read(f"{FOLDER}/{MANIFEST}") != before.content:
                log.info("prepared files are not saved: somebody else was quicker")
                return False
            self._store.put(f"{FOLDER}/{MANIFEST}", manifest.encoded())
        except StoreError as trouble:
            log.info("prepared files are not saved: %s", trouble)
            return False
        self._tidy(manifest, now_ms)
        return True

    def _tidy(self, manifest: Manifest, now_ms: int) -> None:
        try:
            store_ms = self._store.clock_ms()
            ages_ms = {
                info.name.removeprefix(f"{FOLDER}/"): store_ms - info.modified_ms
                for info in self._store.find(f"{FOLDER}/")
            }
            self._store.delete([f"{FOLDER}/{name}" for name in manifest.unwanted(ages_ms, now_ms)])
        except StoreError as trouble:
            log.info("old prepared files stay: %s", trouble)


def shelf_of(data: DataReader) -> Shelf:
    """Where the prepared files of a data folder lie."""
    if isinstance(data, StoreData):
        return StoreShelf(data.store)
    if data.root is None:
        raise TypeError(f"no prepared files in {type(data).__name__}")
    return FolderShelf(data.root)


def discard(data: DataReader) -> None:
    """Remove every prepared file at once, those that somebody reads too: after people were forgotten.

    Whoever resolves next starts from nothing.

    Raises:
        StoreError: the store refused. OSError: the disk did.
    """
    if isinstance(data, StoreData):
        data.store.delete([info.name for info in data.store.find(f"{FOLDER}/")])
    elif data.root is not None and (data.root / FOLDER).exists():
        shutil.rmtree(data.root / FOLDER)


def _whole(path: Path, file: PreparedFile) -> Path:
    try:
        if path.stat().st_size == file.bytes and sha256_of(path) == file.sha256:
            return path
    except OSError as trouble:
        raise PreparedGone(f"{file.name}: {trouble.strerror or trouble}") from None
    raise PreparedGone(f"{file.name} is not what was written")


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as trouble:
            log.info("a prepared file stays: %s", trouble.strerror or trouble)
