"""A machine that writes captured files to a store, and what must be true of the store at rest."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from faults.real_store import RealStore
from object_stores import Killed, MemoryStore, Mortal
from unit.write.lake_samples import files_below, stage

from connector.errors import StoreError
from connector.objects import ObjectStore
from connector.write.audit import audit
from connector.write.data import StoreData
from connector.write.folder import DataFolder
from connector.write.object_ledger import ObjectLedger, record_name
from connector.write.object_publish import ObjectPublisher

HOUR_MS = 3_600_000


@dataclass
class Journal:
    """Captured files that wait until they are retired, and a machine that writes them to a store."""

    root: Path
    store: MemoryStore | RealStore = field(default_factory=MemoryStore)
    waiting: set[str] = field(default_factory=set)
    seconds: float = 0.0
    asleep_ms: int = 0

    def publisher(self, store: ObjectStore | None = None) -> ObjectPublisher:
        """As a new process makes it."""
        self.folder = DataFolder(self.root / "work", now_ms=lambda: self.store.now_ms - self.asleep_ms)
        return ObjectPublisher(
            self.folder, store or self.store, retire=self.waiting.discard,
            unretired=lambda: sorted(self.waiting), clock_seconds=lambda: self.seconds,
        )  # fmt: skip

    def write(self, publisher: ObjectPublisher, tag: str = "aaaaaaaaaa") -> int:
        """A round: map what waits, under the configuration that ``tag`` stands for, and publish it."""
        publisher.recover()
        return publisher.publish([stage(self.folder, name, tag=tag) for name in sorted(self.waiting)])

    def later(self, milliseconds: int) -> None:
        self.store.now_ms += milliseconds
        self.seconds += milliseconds / 1000

    def sleep(self, milliseconds: int) -> None:
        """The machine is suspended from outside: all its clocks stand still, the store's does not."""
        self.store.now_ms += milliseconds
        self.asleep_ms += milliseconds

    def settle(self) -> None:
        """The machine starts again and finishes; hours later the sweep comes by."""
        self.write(self.publisher())
        self.later(2 * HOUR_MS)
        self.publisher().sweep()


def exactly_once(journal: Journal, *names: str) -> None:
    """The audit holds, all that is there is in the ledger, and nobody's work lies about."""
    report = audit(StoreData(journal.store), journal_closed=None, now_ms=journal.store.now_ms, deep=True)
    assert report.findings == ()
    at_rest(journal, *names)


def at_rest(journal: Journal, *names: str) -> None:
    """What ``exactly_once`` says of names and bytes, in a hundredth of the time."""
    state = ObjectLedger(journal.store).fold()
    objects = journal.store.objects
    assert sorted(state.records) == sorted(names)
    assert {name: live.output.sha256 for name, live in state.live.items()} == {
        name: hashlib.sha256(content).hexdigest()
        for name, (content, _) in objects.items()
        if name.startswith(("tables/", "rejected/"))
    }
    assert set(objects) == {*state.live, *map(record_name, names)}
    assert journal.waiting == set()
    assert files_below(journal.root / "work", ".staging") == set()


def dies() -> None:
    raise Killed


def times_out() -> None:
    raise StoreError("no answer")


def forbids() -> None:
    raise StoreError("HTTP 403", code="store_forbidden", retryable=False)


def publish_ignoring(journal: Journal, store: ObjectStore, tag: str = "aaaaaaaaaa") -> None:
    """Publish what waits with a store that fails."""
    publisher = journal.publisher(store)
    staged = [stage(journal.folder, name, tag=tag) for name in sorted(journal.waiting)]
    with suppress(Killed, StoreError):
        publisher.publish(staged)


def leftovers(journal: Journal) -> set[str]:
    """A captured file that is written, and one whose attempt died before its record."""
    journal.write(journal.publisher())
    kept = set(journal.store.objects)
    journal.waiting = {"h-2"}
    publish_ignoring(journal, Mortal(journal.store).at("before", 6, dies))
    return kept
