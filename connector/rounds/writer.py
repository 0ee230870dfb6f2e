"""The writer of one data folder."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from connector.config import Settings
from connector.errors import ConnectorError, LedgerError
from connector.journal.places import FilePlace, ObjectPlace, Place
from connector.journal.reader import Identity
from connector.replay import Progress
from connector.rounds.backoff import Backoff
from connector.rounds.mapping import Mapping
from connector.rounds.sources import SourceNames
from connector.rounds.sweeping import sweep_store
from connector.rounds.tasks import Task, identify_for
from connector.rounds.written import Written, report
from connector.wiring import Configured, data_folder, journal_folders, make_publisher

if TYPE_CHECKING:
    from connector.write.sink import StagedFile

log = logging.getLogger("connector.writer")

ROUND_FILES = 64
ROUND_BYTES = 512 * 1024 * 1024
"""Captured files, or their bytes, that are published in one entry at most."""

Done = Callable[[Place], None]


class Writer:
    """Brings captured files into the tables of one data folder, each once."""

    def __init__(self, settings: Settings, configured: Configured, *, wait_seconds: float = 60.0) -> None:
        self._settings = settings
        self._folder = data_folder(settings)
        self._backoff = Backoff()
        self._stuck: list[str] = []
        """Journal files that were found unfit to be retired in this round."""
        self._publisher = make_publisher(
            settings, self._folder, due=self._backoff.is_due, put_off=self._keep, wait_seconds=wait_seconds
        )
        self._journal = journal_folders(settings)
        self._mapping = Mapping(settings, configured, self._folder)
        self._published = time.monotonic()
        self._under_way: dict[str, str] = {}
        """Captured files that are mapped and not published yet, and the hashes of their bytes."""

    def recover(self) -> None:
        """Finish what an earlier process committed, and learn what the ledger knows."""
        recovered = self._publisher.recover()
        if recovered.missing:
            log.error("%d live files are missing: run connector audit", len(recovered.missing))

    def recorded(self, captured_files: Sequence[str]) -> set[str]:
        """Those that the ledger has, as it is now and whole. Raises ``StoreError``: it is out of reach."""
        return self._publisher.recorded(captured_files)

    def sweep(self) -> None:
        """Remove what dead attempts left in S3; a folder of this machine needs none. Once an hour is enough.

        What hinders it is logged and hinders nothing else: the next sweep goes on.
        """
        sweep_store(self._publisher, self._settings.data)

    def write_journal(self, progress: Progress = lambda _: None) -> Written:
        """Adopt files whose owner is dead, then write every closed file. Raises as ``write`` does."""
        self._stuck.clear()
        self._journal.adopt()
        self.recover()
        names = [name for name in self._journal.waiting() if self._backoff.is_due(name)]
        places = [FilePlace(self._journal.closed / name) for name in names]
        written = self._write(places, SourceNames(self._settings, None), ours=True, progress=progress)
        failed = {place.path.name for place in written.failed if isinstance(place, FilePlace)}
        for name in failed:
            self._backoff.put_off(name)
        for name in set(names) - failed.union(self._stuck):
            self._backoff.forget(name)
        written.failed += [FilePlace(self._journal.closed / name) for name in self._stuck]
        if written.stopped:
            raise written.stopped
        return written

    def _keep(self, captured_file: str, trouble: ConnectorError) -> None:
        """A journal file that may not be retired: said once for each time it is looked at."""
        log.error("%s stays in the journal: %s", captured_file, trouble)
        self._backoff.put_off(captured_file)
        self._stuck.append(captured_file)

    def write_object(self, place: ObjectPlace) -> Written:
        """Write one object of our own journal, for whoever is told of one after the other.

        Nothing is listed: the ledger is asked for this one by name. Nobody's leavings in S3 are looked for
        either: ``sweep`` is for somebody who comes by once in a while.

        Raises:
            StoreError: S3 refused or was not to be had. Nothing is lost; call again.
            OSError: the disk refused.
        """
        self.recover()
        written = self._write([place], SourceNames(self._settings, None), ours=True)
        if written.stopped:
            raise written.stopped
        return written

    def write(
        self,
        places: Iterable[Place],
        *,
        source: str | None = None,
        progress: Progress = lambda _: None,
        done: Done = lambda _: None,
        workers: int = 1,
    ) -> Written:
        """Write captured files; those in the ledger are passed over.

        Args:
            places: taken one at a time, a few ahead of what is mapped.
            source: names the sender of files that neither say it themselves nor lie in the archive of a
                configured source.
            progress: told of mapped events.
            done: told of each captured file when it is dealt with.
            workers: processes that fetch and map files side by side; this one alone publishes.

        Raises:
            Busy: the lock of the data folder was not to be had in time. Nothing is lost; call again.
            StoreError: the data folder lies in S3, and publishing failed. As above; but what stops at reading
                or at listing is in ``Written.stopped``.
        """
        self.recover()
        sources = SourceNames(self._settings, source)
        written = self._write(places, sources, progress=progress, done=done, workers=workers)
        if not written.stopped:
            self.sweep()
        return written

    def _write(
        self,
        places: Iterable[Place],
        sources: SourceNames,
        *,
        ours: bool = False,
        progress: Progress = lambda _: None,
        done: Done = lambda _: None,
        workers: int = 1,
    ) -> Written:
        """``ours``: they are of our own journal, so each is asked for by name."""
        self._published = time.monotonic()
        written = Written()
        waiting: list[StagedFile] = []
        tasks = self._tasks(places, sources, ours, written, done)
        try:
            for task, staged in self._mapping.mapped(tasks, written, progress, workers):
                done(task.place)
                if staged is None:
                    self._under_way.pop(task.captured_file, None)
                    continue
                written.add(task.place, staged)
                report(staged)
                waiting.append(staged)
                if self._is_enough(waiting):
                    self._publish(waiting, written)
                    waiting = []
            self._publish(waiting, written)
        except BaseException:
            for file in waiting:
                self._folder.drop_staging(file.staging)
            raise
        finally:
            self._under_way.clear()
        return written

    def _tasks(
        self, places: Iterable[Place], sources: SourceNames, ours: bool, written: Written, done: Done
    ) -> Iterator[Task]:
        for place in places:
            if isinstance(place, ObjectPlace):
                identity, name = None, place.captured_file
                new = self._is_new_object(place, name, ours, written)
            else:
                identity = self._identified(place, ours, written)
                name = identity.name if identity else ""
                new = identity is not None and self._is_new_file(place, identity, ours, written)
            if not new:
                done(place)
                continue
            self._under_way[name] = identity.sha256 if identity else ""
            staging = self._folder.new_staging()
            fetched = None if identity else self._folder.new_staging()
            yield Task(
                place, name, identity, staging, fetched, sources.of(place), ours and identity is not None
            )

    def _is_new_object(self, place: ObjectPlace, name: str, ours: bool, written: Written) -> bool:
        """False when it is recorded or under way, or when nobody can tell."""
        try:
            new = name not in self._under_way and not self._has_object(name, ours)
        except LedgerError as damaged:
            log.error("%s is passed over: %s", place.name, damaged)
            written.failed.append(place)
            return False
        written.known += not new
        return new

    def _has_object(self, name: str, ours: bool) -> bool:
        if ours:
            return self._publisher.recorded_sha256(name) is not None
        return self._publisher.knows(name)

    def _is_new_file(self, place: FilePlace, identity: Identity, ours: bool, written: Written) -> bool:
        """False when it is recorded or under way.

        Other bytes under its name mean that the record was made from a copy taken while the file was written,
        or that the file is not ours: nobody may take it for done.
        """
        name = identity.name
        try:
            had = self._under_way.get(name) or self._recorded_sha256(name, ours)
        except LedgerError as damaged:
            log.error("%s is passed over: %s", place.path.name, damaged)
            written.failed.append(place)
            return False
        if had is None:
            return True
        if had == identity.sha256:
            written.known += 1
        else:
            log.error("%s differs from what the ledger has under its name %s", place.path.name, name)
            written.failed.append(place)
        return False

    def _recorded_sha256(self, name: str, ours: bool) -> str | None:
        """Of the journal's own files each is asked for by name; of others a listing says which are new."""
        asked = ours or self._publisher.knows(name)
        return self._publisher.recorded_sha256(name) if asked else None

    def _identified(self, place: FilePlace, ours: bool, written: Written) -> Identity | None:
        """None when the file is not to be had; the others go on. Raises OSError when it is the disk."""
        try:
            return identify_for(self._settings, self._folder, place.path, of_journal=ours)
        except FileNotFoundError:
            if ours:
                return None
            reason = "it is gone"
        except (ConnectorError, PermissionError, IsADirectoryError) as trouble:
            reason = str(trouble)
        log.error("%s cannot be read: %s", place.path.name, reason)
        written.failed.append(place)
        return None

    def _is_enough(self, waiting: list[StagedFile]) -> bool:
        """True when they are worth an entry: so many, so large, or so long since the last one that a replay
        which is killed now would have to do much again."""
        late = time.monotonic() - self._published >= self._settings.publish_seconds
        return late or len(waiting) >= ROUND_FILES or _bytes_of(waiting) >= ROUND_BYTES

    def _publish(self, staged: list[StagedFile], written: Written) -> None:
        if staged:
            recorded = self._publisher.publish(staged)
            written.files += recorded
            written.known += len(staged) - recorded
            for file in staged:
                self._under_way.pop(file.record.captured_file, None)
        self._published = time.monotonic()


def _bytes_of(staged: Iterable[StagedFile]) -> int:
    return sum(int(file.record.identity["bytes"]) for file in staged)
