"""The data folders that the contract is held against: of this machine, in moto, in SeaweedFS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from s3_servers import S3Server
from unit.write.lake_samples import stage

from connector.lake.open import open_lake
from connector.s3.store import S3Store
from connector.write.audit import AuditReport, audit
from connector.write.data import DataReader, FolderData, StoreData
from connector.write.folder import DataFolder
from connector.write.object_publish import ObjectPublisher
from connector.write.publish import Publisher

NOW_MS = 1_800_000_000_000


@dataclass
class DataUnderTest:
    """A data folder and the ways to write, read and damage it."""

    data: DataReader
    folder: DataFolder
    """For staging; the data folder itself when it is of this machine."""
    publisher: Callable[..., Publisher | ObjectPublisher]
    """A new one, as another process has it. Keywords: ``retire``, ``unretired``."""
    put: Callable[[str, bytes], None]
    """Write a file behind everybody's back."""
    delete: Callable[[str], None]

    @property
    def in_store(self) -> bool:
        return self.data.root is None

    def publish(self, *captured_files: str, **more: Any) -> int:
        return self.publisher().publish([stage(self.folder, name, **more) for name in captured_files])

    def audit(self, **more: Any) -> AuditReport:
        return audit(self.data, journal_closed=None, now_ms=NOW_MS, deep=True, pause=lambda: None, **more)

    def lake(self, **more: Any) -> duckdb.DuckDBPyConnection:
        return open_lake(self.data, **more)

    def read(self, name: str) -> bytes:
        with self.data.file(name) as path:
            return path.read_bytes()


def on_disk(root: Path) -> DataUnderTest:
    folder = DataFolder(root)

    def put(name: str, content: bytes) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)

    return DataUnderTest(
        FolderData(root),
        folder,
        lambda **how: Publisher(folder, **how),
        put,
        lambda name: (root / name).unlink(),
    )


def in_store(work: Path, store: S3Store) -> DataUnderTest:
    folder = DataFolder(work)
    return DataUnderTest(
        StoreData(store),
        folder,
        lambda **how: ObjectPublisher(folder, store, **how),
        store.put,
        lambda name: store.delete([name]),
    )


def place_of(request: pytest.FixtureRequest, work: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    """The data folder that ``request.param`` names: ``disk``, or the fixture of an S3 server."""
    if request.param == "disk":
        return on_disk(work / "data")
    return in_server(request.getfixturevalue(request.param), work, monkeypatch)


def in_server(server: S3Server, work: Path, monkeypatch: pytest.MonkeyPatch) -> DataUnderTest:
    """An empty one in S3; this process finds the server's credentials as it would find those of AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return in_store(work / "work", server.store())
