"""The journals of a deployment: the folder of this machine, and the one that receivers on AWS leave in S3."""

from __future__ import annotations

import contextlib
from pathlib import Path

from connector.config import Settings
from connector.journal.bucket import JournalBucket
from connector.journal.frames import Frame, FrameScan
from connector.journal.places import ObjectPlace
from connector.wiring import journal_folders, s3_config


class Journals:
    """What waits to be written, and what was refused. In S3 each object is one captured file.

    What asks the journal in S3 may raise ``StoreError``.
    """

    def __init__(self, settings: Settings) -> None:
        self.local = journal_folders(settings)
        self._config = s3_config(settings)
        self._bucket, self._refused_bucket = settings.aws.journal, settings.aws.refused
        self._addresses: dict[str, str] = {}

    @property
    def are_there(self) -> bool:
        """False when there is nothing to look at: no folder, and no address in S3."""
        return self._bucket is not None or self.local.root.is_dir()

    def closed(self) -> list[tuple[str, int]]:
        """Captured files with the time they were closed, ms since the epoch, written or not."""
        from connector.write.audit import closed_in

        objects = self.objects()
        self._addresses = {place.captured_file: place.name for place in objects}
        in_bucket = [(place.captured_file, place.listed.modified_ms) for place in objects]
        return closed_in(self.local.closed) + in_bucket

    def named(self, captured_file: str) -> str:
        """Address of an object that ``closed`` found, or else the name itself."""
        return self._addresses.get(captured_file, captured_file)

    def objects(self) -> list[ObjectPlace]:
        """Captured files of the journal in S3, written or not."""
        return [] if self._bucket is None else list(JournalBucket(self._bucket, self._config))

    def refused(self) -> int:
        """Bodies that were refused and are kept: frames in the folder, objects in S3."""
        folder = self.local.refused
        paths = (*folder.closed.glob("*"), *folder.open.glob("*.open"))
        return sum(map(_frames_in, paths)) + len(self._refused_objects())

    def refused_bytes(self) -> int:
        """Size of what holds them."""
        objects = sum(place.listed.bytes for place in self._refused_objects())
        return sum(self.local.refused.sizes().values()) + objects

    def _refused_objects(self) -> list[ObjectPlace]:
        return [] if self._refused_bucket is None else list(JournalBucket(self._refused_bucket, self._config))


def _frames_in(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return sum(isinstance(found, Frame) for found in FrameScan(path.read_bytes()))
    return 0
