"""Commit a change to a store, and delete later what it removed. Source: journal-protocol 3.4.

There is no lock: the next number is created once, and who loses it takes his files back and plans again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from connector.errors import LedgerError, StoreError
from connector.objects import ObjectStore
from connector.write.attempt import UPLOAD_THREADS, Deadline
from connector.write.change import Change
from connector.write.entries import Entry, encode
from connector.write.ledger import Fold
from connector.write.object_ledger import (
    CHANGES,
    OUTPUTS,
    Intent,
    change_name,
    in_parallel,
    intent_name,
)


@dataclass(frozen=True, slots=True)
class _Upload:
    name: str
    path: Path


class ObjectChange:
    """``upload``, then ``commit``; ``take_back`` when either failed or somebody else was first."""

    def __init__(
        self, change: Change, entry: Entry, store: ObjectStore, attempt_id: str, deadline: Deadline
    ) -> None:
        """
        Args:
            entry: what ``change.entry`` made of it.
            attempt_id: names its intent.
        """
        self._entry = entry
        self._uploads = [
            _Upload(output.name, change.staged(planned.name))
            for output, planned in zip(entry.adds, change.adds, strict=True)
        ]
        self._store = store
        self._id = attempt_id
        self._deadline = deadline
        self._unsure = False
        """Whether it may be committed, or an object of it may appear, although nobody has said so."""

    def upload(self) -> None:
        """Write down all names, then put every file."""
        intent = Intent(self._id, None, tuple(each.name for each in self._uploads))
        try:
            self._store.put(intent_name(self._id), intent.encoded())
            for _ in in_parallel(self._put, self._uploads, UPLOAD_THREADS):
                pass
            self._deadline.check()
        except StoreError as trouble:
            self._unsure = trouble.retryable
            raise

    def commit(self) -> bool:
        """Create the entry; False when another change has its number.

        Raises:
            StoreError: nobody knows; if it was committed after all, the next fold shows it.
        """
        content, name = encode(self._entry), change_name(self._entry.number)
        refused: StoreError | None = None
        self._unsure = True
        try:
            if self._store.create(name, content):
                return True
        except StoreError as trouble:
            refused = trouble
        found = self._store.read(name)
        if found is None:
            self._unsure = refused is None or refused.retryable
            raise refused or LedgerError(f"ledger entry {self._entry.number} was taken and is gone")
        self._unsure = found == content
        return found == content

    def forget(self) -> None:
        """It is committed: its intent is not needed any more. What the store refuses is left to the sweep."""
        with suppress(StoreError):
            self._store.delete([intent_name(self._id)])

    def take_back(self) -> None:
        """Nobody will name what it put. Where an object may yet appear the intent stays, for the sweep."""
        if self._unsure:
            return
        with suppress(StoreError):
            self._store.delete([each.name for each in self._uploads])
            self._store.delete([intent_name(self._id)])

    def _put(self, upload: _Upload) -> None:
        self._deadline.check()
        self._store.upload(upload.name, upload.path)


class OldFiles:
    """What changes removed, deleted when those who read it have had their time."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._cleaned: set[int] = set()

    def remove(self, grace_ms: int, fold: Callable[[], Fold]) -> tuple[str, ...]:
        """Delete what changes removed more than ``grace_ms`` ago, by the store's own clock; return the names.

        Args:
            fold: gives the ledger as it is now, if it is needed.

        The first call lists every output; a later one asks for nothing that was not removed since.

        Raises:
            StoreError, LedgerError.
        """
        ripe = self._ripe(grace_ms)
        if not ripe:
            return ()
        removed = fold().removed
        old = {name for name, number in removed.items() if number in ripe}
        if not self._cleaned:
            old &= {info.name for folder in OUTPUTS for info in self._store.find(folder)}
        self._store.delete(sorted(old))
        self._cleaned |= ripe
        return tuple(sorted(old))

    def _ripe(self, grace_ms: int) -> set[int]:
        listed = list(self._store.find(CHANGES))
        if not listed:
            return set()
        before_ms = self._store.clock_ms() - grace_ms
        ripe = (info for info in listed if info.modified_ms <= before_ms)
        numbers = {int(info.name.removeprefix(CHANGES)[:12]) for info in ripe if info.name.endswith(".json")}
        return numbers - self._cleaned
