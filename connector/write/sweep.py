"""Remove what dead attempts left in a store: the janitor's part of journal-protocol 3.4."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from connector.errors import StoreError
from connector.objects import ObjectStore
from connector.write.object_ledger import Intent, ListedIntent, ObjectLedger, intent_name

SWEEP_AFTER_MS = 60 * 60_000
"""Age of an intent, by the store's own clock, after which its attempt is dead. The gap to the deadline of an
attempt (``DEADLINE_SECONDS``) replaces a fencing token."""
PATIENCE_SECONDS = 60.0
"""A sweep that needs longer between looking and deleting looks again next time."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did."""

    names: tuple[str, ...] = ()
    """Outputs that it deleted, or found deleted."""
    intents: int = 0
    """Dead attempts that are now forgotten."""
    unreadable: tuple[str, ...] = ()
    """Intents of which nobody can tell what they name; they stay."""


def sweep(store: ObjectStore, sweep_id: str, older_than_ms: int, clock_seconds: Callable[[], float]) -> Swept:
    """Delete what old intents name and no record, change or younger intent does; then the intents.

    Attempts under one configuration share their names, so an attempt that is made again after hours must not
    lose what it has just put: each old intent is looked at beside a fresh listing of all others. The sweep
    puts an intent of its own, without names: its time is the store's now.

    Raises:
        StoreError: the store refused; the next sweep goes on.
        LedgerError: a record is damaged.
    """
    ledger = ObjectLedger(store)
    own = intent_name(sweep_id)
    store.put(own, Intent(sweep_id, None, ()).encoded())
    try:
        listed = ledger.intents()
        now_ms = max((entry.info.modified_ms for entry in listed if entry.info.name == own), default=0)
        old = [
            entry
            for entry in listed
            if entry.info.name != own and now_ms - entry.info.modified_ms >= older_than_ms
        ]
        dead = _Dead(store, ledger, frozenset(entry.info.name for entry in old), clock_seconds)
        swept = [names for entry in old if (names := dead.sweep(entry)) is not None]
    finally:
        with suppress(StoreError):
            store.delete([own])
    unreadable = tuple(entry.info.name for entry in old if entry.intent is None)
    return Swept(tuple(chain.from_iterable(swept)), len(swept), unreadable)


class _Dead:
    """The attempts that a sweep takes for dead."""

    def __init__(
        self,
        store: ObjectStore,
        ledger: ObjectLedger,
        intents: frozenset[str],
        clock_seconds: Callable[[], float],
    ) -> None:
        self._store, self._ledger = store, ledger
        self._intents = intents
        self._clock_seconds = clock_seconds

    def sweep(self, entry: ListedIntent) -> list[str] | None:
        """Delete what one of them left, return the names; None when its intent must stay.

        It must when a younger attempt names the same, or when it cannot be read. The records are read last:
        an attempt whose intent was there before the listing and is not in it has its record by then.
        """
        if entry.intent is None:
            return None
        began = self._clock_seconds()
        wanted = self._named_by_others()
        intent = entry.intent
        gone = sorted(set(intent.names) - self._ledger.mentioned(intent.captured_file, intent.names))
        if not wanted.isdisjoint(gone) or self._clock_seconds() - began > PATIENCE_SECONDS:
            return None
        self._store.delete(gone)
        self._store.delete([entry.info.name])
        return gone

    def _named_by_others(self) -> set[str]:
        others = (entry for entry in self._ledger.intents() if entry.info.name not in self._intents)
        return {name for entry in others if entry.intent is not None for name in entry.intent.names}
