"""Rounds of the writer: adopt, map what is closed, publish, retire."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connector import __version__
from connector.config import Settings
from connector.errors import ConnectorError
from connector.events import FATES
from connector.journal.reader import Identity, identify, open_captured
from connector.replay import Progress, Stamp, stage
from connector.wiring import Configured, LocalStaging, configure, data_folder, journal_folders, make_publisher
from connector.write.entries import Counts

if TYPE_CHECKING:
    from connector.write.sink import StagedFile

log = logging.getLogger("connector.writer")

_YOUNG_OBJECTS = 50_000
"""Rows wait in lists, by the thousand: the default threshold would look through them again and again."""
_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 600.0
ROUND_FILES = 64
ROUND_BYTES = 512 * 1024 * 1024
"""Captured files, or their bytes, that are published in one entry at most."""

Done = Callable[[Path], None]


@dataclass(slots=True)
class Written:
    """What a run of rounds did."""

    files: int = 0
    """Captured files recorded."""
    known: int = 0
    """Captured files that the ledger had already."""
    events: int = 0
    counts: Counts = field(default_factory=Counts)
    """What became of the events."""
    failed: list[Path] = field(default_factory=list)
    """Captured files that could not be mapped; they stay where they are, and the log says why."""

    @property
    def said(self) -> str:
        """``wrote 1 captured files, 2,000 events: 1,998 stored, 2 rejected``, for a person."""
        fates = ", ".join(f"{self.counts.of(fate):,} {fate}" for fate in FATES if self.counts.of(fate))
        wrote = f"wrote {self.files:,} captured files, {self.events:,} events"
        return f"{wrote}: {fates}" if fates else wrote


class _Task(NamedTuple):
    """One captured file to be mapped, also in another process."""

    path: Path
    identity: Identity
    staging: Path
    source: str | None
    of_journal: bool


class Writer:
    """Brings captured files into the tables of one data folder, each once."""

    def __init__(self, settings: Settings, configured: Configured, *, wait_seconds: float = 60.0) -> None:
        self._settings = settings
        self._configured = configured
        self._folder = data_folder(settings)
        self._publisher = make_publisher(settings, self._folder, wait_seconds=wait_seconds)
        self._journal = journal_folders(settings)
        self._pauses: dict[str, float] = {}
        self._next_try: dict[str, float] = {}

    def recover(self) -> None:
        """Finish what an earlier process committed, and learn what the ledger knows."""
        recovered = self._publisher.recover()
        if recovered.missing:
            log.error("%d live files are missing: run connector audit", len(recovered.missing))

    @property
    def recorded(self) -> Iterable[str]:
        """Names of the captured files in the ledger, as of the last round."""
        return self._publisher.fold.records.keys()

    def write_journal(self, progress: Progress = lambda _: None) -> Written:
        """Adopt files whose owner is dead, then write every closed file."""
        self._journal.adopt()
        self.recover()
        now = time.monotonic()
        paths = [
            self._journal.closed / name
            for name in self._journal.waiting()
            if self._next_try.get(name, now) <= now
        ]
        written = self.write(paths, progress=progress, of_journal=True)
        self._put_off([path.name for path in written.failed])
        return written

    def _put_off(self, names: Iterable[str]) -> None:
        """A file that could not be mapped is tried again later and later, so that the log stays readable."""
        for name in names:
            pause = min(self._pauses.get(name, _FIRST_PAUSE_SECONDS / 2) * 2, _LONGEST_PAUSE_SECONDS)
            self._pauses[name] = pause
            self._next_try[name] = time.monotonic() + pause

    def write(
        self,
        paths: Iterable[Path],
        *,
        source: str | None = None,
        of_journal: bool = False,
        progress: Progress = lambda _: None,
        done: Done = lambda _: None,
        workers: int = 1,
    ) -> Written:
        """Write captured files; those in the ledger are passed over.

        Args:
            source: names the sender of plain files; frames name their own.
            of_journal: the files lie in our own journal.
            progress: told of mapped events.
            done: told of each path when it is dealt with.
            workers: processes that map files side by side; this one alone publishes.

        Raises:
            Busy: the lock of the data folder was not to be had in time. Nothing is lost; call again.
        """
        self.recover()
        written = Written()
        waiting: list[StagedFile] = []
        tasks = self._tasks(paths, source, of_journal, written, done)
        mapped = (
            self._mapped_here(tasks, progress) if workers == 1 else self._mapped(tasks, progress, workers)
        )
        try:
            for task, staged in mapped:
                done(task.path)
                if staged is None:
                    written.failed.append(task.path)
                    continue
                written.events += staged.record.received
                written.counts += staged.record.counts
                _report(staged)
                waiting.append(staged)
                if len(waiting) >= ROUND_FILES or _bytes_of(waiting) >= ROUND_BYTES:
                    self._publish(waiting, written)
                    waiting = []
            self._publish(waiting, written)
        except BaseException:
            for file in waiting:
                self._folder.drop_staging(file.staging)
            raise
        return written

    def _tasks(
        self, paths: Iterable[Path], source: str | None, of_journal: bool, written: Written, done: Done
    ) -> Iterator[_Task]:
        met: dict[str, str] = {}
        for path in paths:
            identity = self._identified(path, of_journal, written)
            if identity is None:
                done(path)
                continue
            had = met.get(identity.name) or self._recorded_sha256(identity.name)
            if had is None:
                met[identity.name] = identity.sha256
                yield _Task(path, identity, self._folder.new_staging(), source, of_journal)
                continue
            if had == identity.sha256:
                written.known += 1
            else:
                log.error("%s differs from what the ledger has under its name %s", path.name, identity.name)
                written.failed.append(path)
            done(path)

    def _identified(self, path: Path, of_journal: bool, written: Written) -> Identity | None:
        """None when the file is not to be had; the others go on. Raises OSError when it is the disk."""
        try:
            return identify(path, of_journal=of_journal, spool_folder=self._spool())
        except FileNotFoundError:
            if of_journal:
                return None
            reason = "it is gone"
        except (ConnectorError, PermissionError, IsADirectoryError) as trouble:
            reason = str(trouble)
        log.error("%s cannot be read: %s", path.name, reason)
        written.failed.append(path)
        return None

    def _recorded_sha256(self, name: str) -> str | None:
        """Hash of the bytes that the ledger has under a name.

        Other bytes under it mean that the record was made from a copy taken while the file was written, or
        that the file is not ours: nobody may take it for done.
        """
        record = self._publisher.fold.records.get(name)
        return None if record is None else str(record.identity["sha256"])

    def _spool(self) -> Path:
        """Where large gzip files are unpacked: on the data folder's own disk."""
        folder = self._folder.staging_root
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _mapped_here(
        self, tasks: Iterator[_Task], progress: Progress
    ) -> Iterator[tuple[_Task, StagedFile | None]]:
        for task in tasks:
            yield task, self._outcome(task, partial(_map, task, self._settings, self._configured, progress))

    def _mapped(
        self, tasks: Iterator[_Task], progress: Progress, workers: int
    ) -> Iterator[tuple[_Task, StagedFile | None]]:
        """Map in other processes, a few files ahead, results in the order of the files."""
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _prepare_worker, (self._settings,))
        running: list[tuple[_Task, Future[StagedFile]]] = []
        with pool:
            try:
                while True:
                    while len(running) < workers * 2 and (task := next(tasks, None)):
                        running.append((task, pool.submit(_map_in_worker, task)))
                    if not running:
                        return
                    task, future = running.pop(0)
                    staged = self._outcome(task, future.result)
                    progress(staged.record.received if staged else 0)
                    yield task, staged
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                for task, _ in running:
                    self._folder.drop_staging(task.staging)
                raise

    def _outcome(self, task: _Task, map_: Callable[[], StagedFile]) -> StagedFile | None:
        """The staged file; None when this file alone is the trouble, so that it does not hold up the others.

        Raises:
            OSError: the disk refused, which every file would meet.
        """
        try:
            return map_()
        except OSError:
            self._folder.drop_staging(task.staging)
            raise
        except (BrokenProcessPool, MemoryError):
            self._folder.drop_staging(task.staging)
            raise ConnectorError("a mapping process ended before its time; is there enough memory?") from None
        except Exception as trouble:
            self._folder.drop_staging(task.staging)
            reason = str(trouble) if isinstance(trouble, ConnectorError) else type(trouble).__name__
            log.error("%s could not be mapped and stays where it is: %s", task.path.name, reason)
            return None
        except BaseException:
            self._folder.drop_staging(task.staging)
            raise

    def _publish(self, staged: list[StagedFile], written: Written) -> None:
        if staged:
            recorded = self._publisher.publish(staged)
            written.files += recorded
            written.known += len(staged) - recorded


_worker: tuple[Settings, Configured] | None = None


def _prepare_worker(settings: Settings) -> None:
    global _worker
    _worker = settings, configure(settings)


def _map_in_worker(task: _Task) -> StagedFile:
    assert _worker is not None
    return _map(task, *_worker, lambda _: None)


def _map(task: _Task, settings: Settings, configured: Configured, progress: Progress) -> StagedFile:
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)
    return stage(
        partial(
            open_captured,
            task.path,
            source=task.source,
            of_journal=task.of_journal,
            identity=task.identity,
            spool_folder=task.staging.parent,
            part_bytes=settings.part_bytes,
        ),
        configured.pipeline,
        LocalStaging(task.staging, configured, _source_in_rows(task)),
        Stamp(configured.fingerprint, __version__),
        seen_as=str(task.path),
        progress=progress,
    )


def _source_in_rows(task: _Task) -> str | None:
    """What a plain file's rows say about their sender; None for frames, which name their own."""
    return None if task.identity.kind == "frames" else task.source or "file"


def _bytes_of(staged: Iterable[StagedFile]) -> int:
    return sum(int(file.record.identity["bytes"]) for file in staged)


def _report(staged: StagedFile) -> None:
    record = staged.record
    if record.corrupt_bytes or record.missing_seq:
        log.error(
            "%s is damaged: %d bytes skipped, %d frames missing",
            record.captured_file, record.corrupt_bytes, record.missing_seq,
        )  # fmt: skip
