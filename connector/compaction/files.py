"""Table files as local paths: whole, or only what says which event a row is of."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from connector.errors import LedgerError
from connector.s3.store import S3Store
from connector.write.data import DataReader, StoreData
from connector.write.object_ledger import in_parallel

KEYS = ["row_id", "received_at", "captured_file", "captured_index", "message_id", "source"]
"""Columns that tell copies apart and name them."""


class TableFiles(Protocol):
    """Where the files of the ledger can be read on this machine. Raises ``StoreError``, ``LedgerError``."""

    def whole(self, names: Iterable[str]) -> list[Path]:
        """Paths with every column."""

    def keys(self, names: Iterable[str]) -> dict[str, Path]:
        """By name, a path with ``KEYS`` at least."""

    def keep(self, days: Iterable[str]) -> None:
        """Let go of what was fetched of other days."""


class LocalFiles:
    """Files of a data folder of this machine, where they are."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def whole(self, names: Iterable[str]) -> list[Path]:
        return [self._root / name for name in names]

    def keys(self, names: Iterable[str]) -> dict[str, Path]:
        return {name: self._root / name for name in names}

    def keep(self, days: Iterable[str]) -> None:
        """Nothing was fetched."""


class FetchedFiles:
    """Files of a data folder in a store, fetched into a folder; each once, since names are never reused.

    Below it they keep the folder of their day, ``day=…``.
    """

    def __init__(self, data: StoreData, folder: Path) -> None:
        self._data = data
        self._folder = folder
        self._names: dict[str, str] = {}

    def whole(self, names: Iterable[str]) -> list[Path]:
        return list(in_parallel(self._fetched, list(names)))

    def keys(self, names: Iterable[str]) -> dict[str, Path]:
        wanted = list(names)
        return dict(zip(wanted, in_parallel(self._keys, wanted), strict=True))

    def keep(self, days: Iterable[str]) -> None:
        wanted = {f"day={day}" for day in days}
        for folder in self._folder.glob("*/day=*"):
            if folder.name not in wanted:
                shutil.rmtree(folder)

    def _path(self, kind: str, name: str) -> Path:
        short = self._names.setdefault(name, f"{len(self._names)}.parquet")
        folder = self._folder / kind / name.rsplit("/", 2)[-2]
        folder.mkdir(parents=True, exist_ok=True)
        return folder / short

    def _fetched(self, name: str) -> Path:
        path = self._path("whole", name)
        if not path.exists() and not self._data.store.download(name, path):
            raise LedgerError(f"{name} is in the ledger and not in the store")
        return path

    def _keys(self, name: str) -> Path:
        if not isinstance(self._data.store, S3Store):
            return self._fetched(name)
        from connector.lake.remote import read_columns

        path = self._path("keys", name)
        if not path.exists():
            read_columns(self._data.store, name, KEYS, path)
        return path


def table_files(data: DataReader, folder: Path) -> TableFiles:
    """How the files of ``data`` are read; ``folder``: for what must be fetched."""
    if isinstance(data, StoreData):
        return FetchedFiles(data, folder)
    assert data.root is not None
    return LocalFiles(data.root)
