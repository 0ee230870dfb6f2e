"""One try to write one captured file into a store: steps 3 to 6 of journal-protocol 3.4."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from connector.errors import LedgerError, StoreError
from connector.objects import ObjectStore
from connector.write.entries import Output, Recorded, decode_record, encode_record
from connector.write.object_ledger import (
    DEADLINE_SECONDS,
    Intent,
    ObjectLedger,
    in_parallel,
    intent_name,
    record_name,
)
from connector.write.sink import StagedFile

UPLOAD_THREADS = 4
"""Outputs of one captured file that are put side by side."""
_NAME_DIGITS = 16
_SUFFIXES = (".parquet", ".ndjson.gz")


def own_name(staged_name: str, attempt_id: str) -> str:
    """The name under which an attempt puts an output, and nobody else ever does (journal-protocol 0.7).

    ``rejected/…/h-1.0a1b2c3d4e.ndjson.gz`` becomes ``rejected/…/h-1.0a1b2c3d4e.<16 digits>.ndjson.gz``, the
    first digits of the id.
    """
    suffix = next((suffix for suffix in _SUFFIXES if staged_name.endswith(suffix)), "")
    return f"{staged_name.removesuffix(suffix)}.{attempt_id[:_NAME_DIGITS]}{suffix}"


class Deadline:
    """How long an attempt may go on. By both clocks: one stands still in a machine that is put to sleep from
    outside, the other may be set."""

    def __init__(
        self, captured_file: str, clock_seconds: Callable[[], float], now_ms: Callable[[], int]
    ) -> None:
        self._captured_file = captured_file
        self._clock_seconds, self._now_ms = clock_seconds, now_ms
        self._began_seconds, self._began_ms = clock_seconds(), now_ms()

    @property
    def is_over(self) -> bool:
        seconds = self._clock_seconds() - self._began_seconds
        return max(seconds, (self._now_ms() - self._began_ms) / 1000) > DEADLINE_SECONDS

    def check(self) -> None:
        """Raise ``StoreError`` when it is over."""
        if self.is_over:
            minutes = int(DEADLINE_SECONDS // 60)
            raise StoreError(f"{self._captured_file}: not written within {minutes} minutes")


class Attempt:
    """``upload``, then ``commit``, then ``clean_up``; ``take_back`` when the first of them fails."""

    def __init__(
        self, file: StagedFile, store: ObjectStore, ledger: ObjectLedger, attempt_id: str, deadline: Deadline
    ) -> None:
        self.id = attempt_id
        self._staging = file.staging
        self._staged = file.record.files
        self._record = replace(
            file.record,
            outputs=tuple(map(self._own, file.record.outputs)),
            rejected_outputs=tuple(map(self._own, file.record.rejected_outputs)),
            duplicate_outputs=tuple(map(self._own, file.record.duplicate_outputs)),
        )
        self._names = tuple(output.name for output in self._record.files)
        self._store = store
        self._ledger = ledger
        self._deadline = deadline
        self._put: list[str] = []
        """Names that a put was begun for."""
        self._unsure = False
        """Whether any of what it asked for may happen yet: no answer came."""

    def upload(self) -> None:
        """Steps 3 and 4: write down all names, then put every output."""
        record = self._record
        intent = Intent(self.id, record.captured_file, self._names, record.suppression)
        self._asking(lambda: self._store.put(intent_name(self.id), intent.encoded()))
        for _ in in_parallel(self._upload, self._staged, UPLOAD_THREADS):
            pass

    def commit(self, now_ms: int) -> Recorded:
        """Step 5: create the record, or learn whose record is there. Raises ``StoreError`` when neither is
        known; what was put may then be committed all the same, and the next attempt finds it so."""
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
        """Take everything back when another attempt won, then forget the intent. What the store refuses here
        is left to the sweep."""
        with suppress(StoreError):
            if recorded.attempt_id != self.id:
                self._store.delete(self._names)
            self._store.delete([intent_name(self.id)])

    def take_back(self) -> None:
        """After ``upload`` failed: nobody will name what it put.

        The intent stays, for the sweep, where an object may yet appear; and when time is over the sweep may
        have been there before the object was.
        """
        if self._unsure and not self._deadline.is_over:
            return
        with suppress(StoreError):
            self._store.delete(self._put)
            if not self._unsure:
                self._store.delete([intent_name(self.id)])

    def _own(self, output: Output) -> Output:
        return replace(output, name=own_name(output.name, self.id))

    def _upload(self, output: Output) -> None:
        self._deadline.check()
        name = own_name(output.name, self.id)
        self._put.append(name)
        self._asking(lambda: self._store.upload(name, self._staging / output.name))

    def _asking(self, ask: Callable[[], None]) -> None:
        try:
            ask()
        except StoreError as trouble:
            self._unsure |= trouble.retryable
            raise
