"""Commit staged files to a store: intent, outputs, a create-only record. Source: journal-protocol 3.4.

There is no lock: whoever creates the record of a captured file first has written it, and everybody else takes
back what no record names.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from connector.errors import LedgerError, StoreError
from connector.objects import ObjectStore
from connector.write.entries import Output, Record, Recorded, decode_record, encode_record
from connector.write.folder import DataFolder
from connector.write.ledger import Fold
from connector.write.object_ledger import (
    DEADLINE_SECONDS,
    Intent,
    ObjectLedger,
    in_parallel,
    intent_name,
    record_name,
)
from connector.write.publish import Recovered, check_staged
from connector.write.sink import StagedFile
from connector.write.sweep import SWEEP_AFTER_MS, Swept, sweep

FILE_THREADS = 4
UPLOAD_THREADS = 4
"""Captured files that are published side by side, and outputs of each."""
MEMORY_RECORDS = 20_000
"""Records that a publisher remembers."""


def elapsed_seconds() -> float:
    """A clock that never goes back and, where the system has one, also runs while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class ObjectPublisher:
    """The one way into the tables of a data folder in a store.

    Args:
        folder: a local folder for staging; it takes no part in the commit.
        store: where to.
        retire: as for ``Publisher``: called with each captured file once its record is durable.
        unretired: names the captured files that wait to be retired; those recorded are, by ``recover``.
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
        clock_seconds: Callable[[], float] = elapsed_seconds,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._folder = folder
        self._store = store
        self._retire = retire or (lambda captured_file: None)
        self._unretired = unretired or (lambda: ())
        self._clock_seconds = clock_seconds
        self._new_id = new_id
        self._ledger = ObjectLedger(store)
        self._fold = Fold()
        self._known: dict[str, Record] = {}
        self._listed: frozenset[str] | None = None

    @property
    def fold(self) -> Fold:
        """The ledger as it is now: lists all records, fetches the new ones."""
        self._fold = self._ledger.fold(self._fold)
        return self._fold

    def record(self, captured_file: str) -> Record | None:
        """What the ledger says of a captured file: one request, none when it was seen before."""
        known = self._known.get(captured_file)
        if known is None and (found := self._ledger.record(captured_file)):
            return self._remember(found.record)
        return known

    def knows(self, captured_file: str) -> bool:
        """Whether it had a record when this was first asked of any, or has been seen since.

        One listing answers for all: a replay of an archive that is done need not ask for each object. What
        somebody else has recorded meanwhile, ``publish`` finds out.
        """
        if self._listed is None:
            self._listed = frozenset(self._ledger.recorded())
        return captured_file in self._listed or captured_file in self._known

    def recover(self) -> Recovered:
        """Drop the staging folders of dead processes and failed rounds; retire what has a record."""
        dropped = self._folder.drop_abandoned()
        for captured_file in self._unretired():
            if self.knows(captured_file):
                self._retire(captured_file)
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

    def sweep(self, older_than_ms: int = SWEEP_AFTER_MS) -> Swept:
        """Remove what dead attempts left; once an hour is enough. See ``sweep.sweep``."""
        return sweep(self._store, self._new_id(), older_than_ms, self._clock_seconds)

    def _publish(self, file: StagedFile) -> bool:
        """Steps 1 to 6 for one captured file; True when it was this call that recorded it."""
        if self.record(file.record.captured_file) is not None:
            return False
        check_staged(file)
        attempt = _Attempt(file, self._store, self._ledger, self._new_id(), self._clock_seconds)
        attempt.upload()
        recorded = attempt.commit(self._folder.now_ms())
        self._remember(recorded.record)
        attempt.clean_up(recorded)
        return recorded.attempt_id == attempt.id

    def _remember(self, record: Record) -> Record:
        if len(self._known) >= MEMORY_RECORDS:
            self._known.pop(next(iter(self._known)), None)
        self._known[record.captured_file] = record
        return record


class _Attempt:
    """One try to write one captured file. A failure leaves an intent, for the sweep."""

    def __init__(
        self,
        file: StagedFile,
        store: ObjectStore,
        ledger: ObjectLedger,
        attempt_id: str,
        clock_seconds: Callable[[], float],
    ) -> None:
        self.id = attempt_id
        self._staging, self._record = file.staging, file.record
        self._store = store
        self._ledger = ledger
        self._clock_seconds = clock_seconds
        self._began = clock_seconds()

    def upload(self) -> None:
        """Steps 3 and 4: write down all names, then put every output."""
        record, outputs = self._record, self._record.files
        names = tuple(output.name for output in outputs)
        intent = Intent(self.id, record.captured_file, names, record.suppression)
        self._store.put(intent_name(self.id), intent.encoded())
        for _ in in_parallel(self._put, outputs, UPLOAD_THREADS):
            pass

    def commit(self, now_ms: int) -> Recorded:
        """Step 5: create the record, or learn whose record is there. Raises ``StoreError`` when neither is
        known; what was put may then be committed all the same, and the next attempt finds it so."""
        self._in_time()
        captured_file = self._record.captured_file
        content = encode_record(replace(self._record, committed_at_ms=now_ms), self.id)
        refused: StoreError | None = None
        try:
            if self._store.create(record_name(captured_file), content):
                return decode_record(content, captured_file)
        except StoreError as trouble:
            if not trouble.retryable:
                raise
            refused = trouble
        found = self._ledger.record(captured_file)
        if found is not None:
            return found
        raise refused or LedgerError(f"the ledger record of {captured_file} was taken and is gone")

    def clean_up(self, recorded: Recorded) -> None:
        """Take back what no record or change mentions when another attempt won, then forget the intent. What
        the store refuses here is left to the sweep."""
        with suppress(StoreError):
            if recorded.attempt_id != self.id:
                names = {output.name for output in self._record.files}
                self._store.delete(sorted(names - self._ledger.mentioned(self._record.captured_file, names)))
            self._store.delete([intent_name(self.id)])

    def _put(self, output: Output) -> None:
        self._in_time()
        self._store.upload(output.name, self._staging / output.name)

    def _in_time(self) -> None:
        if self._clock_seconds() - self._began > DEADLINE_SECONDS:
            minutes = int(DEADLINE_SECONDS // 60)
            raise StoreError(f"{self._record.captured_file}: not written within {minutes} minutes")
