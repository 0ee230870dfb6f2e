"""A real S3 server in the place of ``MemoryStore``: its conditions, listings and answers, a test's clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from connector.objects import ObjectInfo
from connector.s3.store import S3Store


class RealStore:
    """``ObjectStore`` in a bucket whose objects are as old as the test says, not as the server says."""

    def __init__(self, store: S3Store, now_ms: int = 1_800_000_000_000) -> None:
        self.now_ms = now_ms
        self.uri = store.uri
        self._store = store
        self._written_ms: dict[str, int] = {}

    @property
    def objects(self) -> dict[str, tuple[bytes, int]]:
        """Everything that is there: name -> content and when it was written."""
        return {
            each.name: (self._store.read(each.name) or b"", each.modified_ms) for each in list(self.find(""))
        }

    def create(self, name: str, content: bytes) -> bool:
        created = self._store.create(name, content)
        if created:
            self._written_ms[name] = self.now_ms
        return created

    def put(self, name: str, content: bytes) -> None:
        self._store.put(name, content)
        self._written_ms[name] = self.now_ms

    def upload(self, name: str, path: Path) -> None:
        self._store.upload(name, path)
        self._written_ms[name] = self.now_ms

    def read(self, name: str) -> bytes | None:
        return self._store.read(name)

    def download(self, name: str, path: Path) -> bool:
        return self._store.download(name, path)

    def find(self, prefix: str) -> Iterator[ObjectInfo]:
        for each in self._store.find(prefix):
            yield each._replace(modified_ms=self._written_ms[each.name])

    def holds(self, prefix: str) -> bool:
        return self._store.holds(prefix)

    def clock_ms(self) -> int:
        return self.now_ms

    def delete(self, names: Iterable[str]) -> None:
        self._store.delete(names)
