"""A store of objects under one prefix, whichever it is: what the S3 variant of the lake asks of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol


class ObjectInfo(NamedTuple):
    """One object as a listing shows it."""

    name: str
    """Key below the store's prefix, ``/`` between its parts."""
    bytes: int
    etag: str
    """Without quotes."""
    modified_ms: int
    """The store's own clock, milliseconds since the epoch."""


class ObjectStore(Protocol):
    """
    Objects by name. Reads see what was written before (strong consistency). Safe in several threads.

    Every method raises ``errors.StoreError`` when the store refuses or cannot be reached: ``retryable`` tells
    whether a later try can help. What a time-out hides may have happened.
    """

    uri: str
    """``s3://bucket/prefix``, for people."""

    def create(self, name: str, content: bytes) -> bool:
        """Put an object only if the name is free. False: the name is taken, by whomever, also by an earlier
        try of this very call."""

    def put(self, name: str, content: bytes) -> None:
        """Put an object, whatever is there."""

    def upload(self, name: str, path: Path) -> None:
        """Put a file, in several parts when it is large; nobody sees less than the whole."""

    def read(self, name: str) -> bytes | None:
        """The content of an object; None when there is none."""

    def download(self, name: str, path: Path) -> bool:
        """Write an object into a new file, in a stream; False when there is none."""

    def find(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose name begins with ``prefix``, sorted by name. What a console puts down for a
        folder, an empty object whose name ends with ``/``, is none of them."""

    def holds(self, prefix: str) -> bool:
        """Whether the name of any object begins with ``prefix``: one request, however many do."""

    def clock_ms(self) -> int:
        """The store's own clock now, the one of ``ObjectInfo.modified_ms``."""

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is not there is fine."""
