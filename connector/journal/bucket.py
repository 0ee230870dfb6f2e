"""The journal as objects in a bucket, as receivers on AWS and their stream leave it (journal-protocol 6)."""

from __future__ import annotations

from collections.abc import Iterator

from connector.journal.places import ObjectPlace, client_of
from connector.s3.config import S3Config, S3Place
from connector.s3.objects import S3Object
from connector.s3.store import S3Store


class JournalBucket:
    """Every object below an address is one captured file. Every method may raise ``StoreError``.

    Args:
        address: ``s3://bucket/prefix``.
    """

    def __init__(self, address: str, config: S3Config) -> None:
        self.place = S3Place.of(address)
        self._store = S3Store(client_of(config), self.place, config)

    def __iter__(self) -> Iterator[ObjectPlace]:
        """The objects that there are, sorted by key: one request for every thousand."""
        for info in self._store.find(""):
            key = f"{self.place.prefix}{info.name}"
            yield ObjectPlace.of(S3Object(self.place.bucket, key, info.etag, info.bytes, info.modified_ms))

    def clock_ms(self) -> int:
        """The clock that the ages of objects are measured by."""
        return self._store.clock_ms()

    def remove(self, places: list[ObjectPlace]) -> None:
        """Delete objects for good. Only for those that the ledger has."""
        skip = len(self.place.prefix)
        self._store.delete(place.listed.key[skip:] for place in places)
