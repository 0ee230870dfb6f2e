"""One captured file to be mapped, here or in another process."""

from __future__ import annotations

import gc
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connector import __version__
from connector.background import die_with_parent
from connector.config import Settings
from connector.journal.places import ObjectPlace, Place
from connector.journal.reader import MAX_UNCOMPRESSED_BYTES, Identity, identify, open_captured
from connector.replay import Progress, Stamp, stage
from connector.wiring import FIRST_ATTEMPT, Configured, LocalStaging, configure, s3_config

if TYPE_CHECKING:
    from connector.write.folder import DataFolder
    from connector.write.sink import StagedFile

_YOUNG_OBJECTS = 50_000
"""Rows wait in lists, by the thousand: the default threshold would look through them again and again."""


class Task(NamedTuple):
    """A captured file, and the folders that are made for it."""

    place: Place
    captured_file: str
    identity: Identity | None
    """Of a file, which was read once for it; None for an object, which is read when it is mapped."""
    staging: Path
    fetched: Path | None
    """Where an object is copied to; None for a file."""
    source: str
    """Who sent the events of a file that does not say it itself."""
    of_journal: bool
    attempt: str = FIRST_ATTEMPT
    """Other than the first one: what nobody has had before."""

    @property
    def folders(self) -> list[Path]:
        return [self.staging, self.fetched] if self.fetched else [self.staging]


def unpacked_limit(folder: Path, settings: Settings) -> int:
    """Bytes that a compressed file may unpack to: what is set, else half of the free disk, so that one file
    made to fill it fails alone instead of stopping every other."""
    most = settings.unpacked_max_bytes or shutil.disk_usage(folder).free // 2
    return min(MAX_UNCOMPRESSED_BYTES, most)


def identify_for(settings: Settings, folder: DataFolder, path: Path, *, of_journal: bool = False) -> Identity:
    """As ``identify``; large gzip files are unpacked on the data folder's own disk."""
    spool = folder.staging_root
    spool.mkdir(parents=True, exist_ok=True)
    limit = unpacked_limit(spool, settings)
    return identify(path, of_journal=of_journal, spool_folder=spool, max_uncompressed_bytes=limit)


def map_task(task: Task, settings: Settings, configured: Configured, progress: Progress) -> StagedFile:
    """Prepare the outputs of a captured file in its staging folder.

    Raises:
        ChangedMeanwhile: an object is not what was listed any more.
        CapturedFileTooLarge: it unpacks to more than ``unpacked_limit``.
        StoreError: an object was not to be had.
        OSError: the disk refused.
    """
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)
    with _local(task, settings) as path:
        return stage(
            partial(
                open_captured,
                path,
                source=task.source,
                of_journal=task.of_journal,
                identity=task.identity,
                object_name=None if task.identity else task.captured_file,
                spool_folder=task.staging.parent,
                part_bytes=settings.part_bytes,
                max_uncompressed_bytes=unpacked_limit(task.staging, settings),
            ),
            configured.pipeline,
            LocalStaging(task.staging, configured, _source_in_rows(task), task.attempt),
            Stamp(configured.fingerprint, __version__),
            seen_as=task.place.name,
            progress=progress,
        )


@contextmanager
def _local(task: Task, settings: Settings) -> Iterator[Path]:
    if isinstance(task.place, ObjectPlace):
        assert task.fetched is not None
        with task.place.fetched(s3_config(settings), task.fetched) as path:
            yield path
    else:
        yield task.place.path


def _source_in_rows(task: Task) -> str | None:
    """What a plain file's rows say about their sender; None for frames, which name their own."""
    return None if task.identity and task.identity.kind == "frames" else task.source


_worker: tuple[Settings, Configured] | None = None


def prepare_worker(settings: Settings) -> None:
    """Compile once in a mapping process, which ends with the one that maps through it."""
    global _worker
    die_with_parent()
    parent = parent_process()
    if parent is None or not parent.is_alive():
        sys.exit(1)
    _worker = settings, configure(settings)


def map_in_worker(task: Task) -> StagedFile:
    """``map_task`` in a process that ``prepare_worker`` has prepared."""
    assert _worker is not None
    return map_task(task, *_worker, lambda _: None)
