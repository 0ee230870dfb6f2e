"""Commit staged files to a store: intent, outputs, a create-only record. Source: journal-protocol 3.4.

There is no lock: whoever creates the record of a captured file first has written it, and everybody else takes
back what is his own.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NoReturn

from connector.errors import LedgerError
from connector.objects import ObjectStore
from connector.write.attempt import Attempt, Deadline, own_name
from connector.write.change import Change
from connector.write.entries import Record
from connector.write.folder import DataFolder
from connector.write.ledger import Fold
from connector.write.object_change import ObjectChange, OldFiles
from connector.write.object_ledger import ObjectLedger, in_parallel
from connector.write.publish import Recovered, check_staged
from connector.write.sink import StagedFile
from connector.write.sweep import SWEEP_AFTER_MS, UNDECIDED_AFTER_MS, Swept, sweep

FILE_THREADS = 4
"""Captured files that are published side by side."""
MEMORY_RECORDS = 20_000
"""Records of which a publisher remembers the hash."""


def elapsed_seconds() -> float:
    """A clock that never goes back and, where the system has one, also runs while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _raise(captured_file: str, trouble: LedgerError) -> NoReturn:
    raise trouble


class ObjectPublisher:
    """The one way into the tables of a data folder in a store.

    Args:
        folder: a local folder for staging; it takes no part in the commit.
        store: where to.
        retire: as for ``Publisher``: called with each captured file once its record is durable.
        unretired: names the captured files that wait to be retired; those recorded are, by ``recover``.
        put_off: told of each of those that nobody can judge, because its record is damaged.
        clock_seconds: measures the deadline of an attempt.
        new_id: makes attempt ids; never the same twice.
    """

    def __init__(
        self,
        folder: DataFolder,
        store: ObjectStore,
        *,
        retire: Callable[[str], None] | None = None,
        unretired: Callable[[], Iterable[str]] | None = None,
        put_off: Callable[[str, LedgerError], None] = _raise,
        clock_seconds: Callable[[], float] = elapsed_seconds,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._folder = folder
        self._store = store
        self._retire = retire or (lambda captured_file: None)
        self._unretired = unretired or (lambda: ())
        self._put_off = put_off
        self._clock_seconds = clock_seconds
        self._new_id = new_id
        self._ledger = ObjectLedger(store)
        self._fold = Fold()
        self._memo = _Memo()
        self._old_files = OldFiles(store)
        self._unrecorded: frozenset[str] = frozenset()
        """Of the captured files that wait, those that ``recover`` has asked for in vain."""
        self._listed: frozenset[str] | None = None

    @property
    def fold(self) -> Fold:
        """The ledger as it is now: lists all records, fetches the new ones."""
        self._fold = self._ledger.fold(self._fold)
        return self._fold

    def record(self, captured_file: str) -> Record | None:
        """What the ledger says of a captured file now: one request. Raises ``LedgerError``: it is damaged."""
        found = self._ledger.record(captured_file)
        if found is None:
            return None
        self._memo.add(found.record)
        return found.record

    def recorded_sha256(self, captured_file: str) -> str | None:
        """The hash of the bytes that were recorded under this name; None when nothing was.

        One request, and none for a record that was seen before or a waiting file that ``recover`` asked for:
        what somebody else has recorded meanwhile, ``publish`` finds out. Raises ``LedgerError``.
        """
        known = self._memo.get(captured_file)
        if known is not None or captured_file in self._unrecorded:
            return known
        found = self.record(captured_file)
        return None if found is None else str(found.identity["sha256"])

    def knows(self, captured_file: str) -> bool:
        """Whether it had a record when this was first asked of any, or has been seen since.

        One listing answers for all: a replay of an archive that is done need not ask for each object. What
        somebody else has recorded meanwhile, ``publish`` finds out.
        """
        if self._listed is None:
            self._listed = frozenset(self._ledger.recorded())
        return captured_file in self._listed or self._memo.get(captured_file) is not None

    def recorded(self, captured_files: Iterable[str]) -> set[str]:
        """Those that have a whole record, as the store says now: what is forgotten relies on it."""
        names = list(captured_files)

        def is_whole(captured_file: str) -> bool:
            try:
                return self._ledger.record(captured_file) is not None
            except LedgerError:
                return False

        return {name for name, whole in zip(names, in_parallel(is_whole, names), strict=True) if whole}

    def recover(self) -> Recovered:
        """Drop the staging folders of dead processes and failed rounds; retire what has a record.

        Each captured file that waits is asked for once, by name.
        """
        dropped = self._folder.drop_abandoned()
        waiting = list(self._unretired())
        unrecorded = [name for name in waiting if name in self._unrecorded and self._memo.get(name) is None]
        known = frozenset(unrecorded)
        new = [name for name in waiting if name not in known]
        for name, found in zip(new, in_parallel(self._asked, new), strict=True):
            if isinstance(found, LedgerError):
                self._put_off(name, found)
            elif found is None:
                unrecorded.append(name)
            else:
                self._retire(name)
        self._unrecorded = frozenset(unrecorded)
        return Recovered(dropped=dropped)

    def publish(self, staged: Sequence[StagedFile]) -> int:
        """Commit captured files, each with a record of its own.

        Captured files that have a record are skipped (done, whatever the configuration) and retired. On
        success the staging folders of all of ``staged`` are gone: a folder belongs to one call.

        Returns:
            How many captured files this call recorded.

        Raises:
            LedgerError: a record whose fates do not sum up, a staged file that is gone, a damaged ledger.
            StoreError: the store refused or did not answer in time. Captured files before and beside this one
                may be recorded. Nothing is discarded: call again with the same files, or map them again.
        """
        first: dict[str, StagedFile] = {}
        for file in staged:
            first.setdefault(file.record.captured_file, file)
        with self._folder.publishing(frozenset(file.staging for file in staged)):
            recorded = sum(in_parallel(self._publish, list(first.values()), FILE_THREADS))
            for captured_file in first:
                self._retire(captured_file)
        return recorded

    def change(self, change: Change) -> int | None:
        """Commit a change; readers of the ledger see it from then on.

        Returns:
            Its number; None when what it was planned on is so no more, or when another change was first: plan
            again. Its staging folders are gone after success, else as they were.

        Raises:
            StoreError: the store refused or did not answer; the next fold shows whether it is committed.
            LedgerError: a staged file is gone, or the ledger is damaged.
        """
        state = self.fold
        if not change.fits(state):
            return None
        entry, attempt_id = change.entry(state, self._folder.now_ms()), self._new_id()
        adds = tuple(replace(output, name=own_name(output.name, attempt_id)) for output in entry.adds)
        entry = replace(entry, adds=adds)
        deadline = Deadline(f"ledger entry {entry.number}", self._clock_seconds, self._folder.now_ms)
        attempt = ObjectChange(change, entry, self._store, attempt_id, deadline)
        committed = False
        try:
            attempt.upload()
            committed = attempt.commit()
        finally:
            if not committed:
                attempt.take_back()
        if not committed:
            return None
        attempt.forget()
        for staging in change.stagings:
            self._folder.remove_staging(staging)
        return entry.number

    def remove_old(self, grace_ms: int) -> tuple[str, ...]:
        """Delete what changes removed more than ``grace_ms`` ago; return the names. Safe at any time."""
        return self._old_files.remove(grace_ms, lambda: self.fold)

    def sweep(
        self, older_than_ms: int = SWEEP_AFTER_MS, undecided_after_ms: int = UNDECIDED_AFTER_MS
    ) -> Swept:
        """Remove what dead attempts left; once an hour is enough. See ``sweep.sweep``."""
        return sweep(self._store, older_than_ms, undecided_after_ms, clock_seconds=self._clock_seconds)

    def _asked(self, captured_file: str) -> str | LedgerError | None:
        try:
            return self.recorded_sha256(captured_file)
        except LedgerError as damaged:
            return damaged

    def _publish(self, file: StagedFile) -> bool:
        """Steps 1 to 6 for one captured file; True when it was this call that recorded it."""
        captured_file = file.record.captured_file
        if self._memo.get(captured_file) is not None or self.record(captured_file) is not None:
            return False
        check_staged(file)
        deadline = Deadline(captured_file, self._clock_seconds, self._folder.now_ms)
        attempt = Attempt(file, self._store, self._ledger, self._new_id(), deadline)
        try:
            attempt.upload()
            deadline.check()
        except Exception:
            attempt.take_back()
            raise
        recorded = attempt.commit(self._folder.now_ms())
        self._memo.add(recorded.record)
        attempt.clean_up(recorded)
        return recorded.attempt_id == attempt.id


class _Memo:
    """The hashes of the captured files of records that were seen, the newest of them. For several threads."""

    def __init__(self) -> None:
        self._sha256: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, captured_file: str) -> str | None:
        return self._sha256.get(captured_file)

    def add(self, record: Record) -> None:
        with self._lock:
            while len(self._sha256) >= MEMORY_RECORDS:
                del self._sha256[next(iter(self._sha256))]
            self._sha256[record.captured_file] = str(record.identity["sha256"])
