"""A real ``connector serve`` whose tables lie in S3: the journal and the locks stay in its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from s3_servers import S3Server
from system.service import Service

from connector.lake.open import open_lake
from connector.s3.config import S3Place
from connector.write.data import StoreData


class S3Service(Service):
    """Asks the store where ``Lake`` looks into its folder."""

    server: S3Server
    place: S3Place

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def reader(self) -> StoreData:
        return StoreData(self.server.store(self.place))

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with mock.patch.dict(os.environ, self.server.environment), open_lake(self.reader) as lake:
            return lake.execute(sql, parameters).fetchall()

    def rejected(self) -> list[dict[str, Any]]:
        rows = self.query("SELECT captured_file, captured_index, code, raw FROM rejected ORDER BY ALL")
        return [
            dict(zip(("captured_file", "captured_index", "code", "raw"), row, strict=True)) for row in rows
        ]


def s3_service(
    folder: Path,
    server: S3Server,
    place: S3Place | None = None,
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> S3Service:
    """A service that is not started yet, under a prefix of its own unless ``place`` says another."""
    place = place or server.place()
    data = {"data": place.uri, "journal": str(folder / "journal")}
    service = S3Service(
        folder,
        settings={**data, **(settings or {})},
        environment={**server.environment, **(environment or {})},
    )
    service.server, service.place = server, place
    return service


@contextmanager
def running_in_s3(folder: Path, server: S3Server, **options: Any) -> Iterator[S3Service]:
    """A started service that leaves no process behind."""
    service = s3_service(folder, server, **options)
    try:
        service.start()
        yield service
    finally:
        service.close()
