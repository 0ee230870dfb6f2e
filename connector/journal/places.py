"""Where a captured file lies, as a value that travels to other processes, and how it becomes a local file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import ConnectorError
from connector.journal.archive import origin_of
from connector.s3.config import S3Config
from connector.s3.objects import FetchOutcome, S3Object, fetch_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class ChangedMeanwhile(ConnectorError):
    """A captured file is not the one that was listed any more; the next listing shows what is there now."""

    code = "changed_meanwhile"


class RemovedMeanwhile(ChangedMeanwhile):
    """It is gone, and nothing has its key."""

    code = "removed_meanwhile"


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A captured file of this machine."""

    path: Path
    source_id: str | None = None
    """Segment's id of the source; None when it lies in no archive."""
    day: date | None = None
    """UTC day of the day folder it lies in."""

    @classmethod
    def of(cls, path: Path) -> FilePlace:
        return cls(path, *origin_of(path.absolute().as_posix()))

    @property
    def name(self) -> str:
        """For people."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """A captured file in S3, exactly as a listing showed it."""

    listed: S3Object
    source_id: str | None = None
    day: date | None = None

    @classmethod
    def of(cls, listed: S3Object) -> ObjectPlace:
        return cls(listed, *origin_of(listed.key))

    @property
    def name(self) -> str:
        """For people."""
        return f"s3://{self.listed.bucket}/{self.listed.key}"

    @property
    def captured_file(self) -> str:
        """Its identity, known before it is read (journal-protocol 1.2).

        An object that Segment wrote anew after a deletion has another ETag: it is another captured file.
        """
        named = f"{self.listed.bucket}/{self.listed.key}\n{self.listed.etag}"
        return f"s-{sha256(named.encode()).hexdigest()[:32]}"

    @property
    def _file_name(self) -> str:
        """The last part of the key where it is a plain name, as that of a journal file is."""
        name = self.listed.key.rpartition("/")[2]
        return name if _PLAIN_NAME.fullmatch(name) else "object"

    @contextmanager
    def fetched(self, config: S3Config, folder: Path) -> Iterator[Path]:
        """A copy in ``folder``, which exists; removed on leaving.

        Raises:
            RemovedMeanwhile: the object is gone.
            ChangedMeanwhile: another one has its key.
            StoreError: see ``connector.s3.faults``.
            OSError: the local disk.
        """
        path = folder / self._file_name
        outcome = fetch_object(client_of(config), self.listed.bucket, self.listed.key, self.listed.etag, path)
        if outcome is FetchOutcome.MISSING:
            raise RemovedMeanwhile("it was removed after it had been listed")
        if outcome is FetchOutcome.REPLACED:
            raise ChangedMeanwhile("it was replaced after it had been listed")
        try:
            yield path
        finally:
            path.unlink()


Place = FilePlace | ObjectPlace


@cache
def client_of(config: S3Config) -> S3Client:
    """The client of this process."""
    from connector.s3.client import make_client

    return make_client(config)
