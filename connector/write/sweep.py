"""Remove what dead attempts left in a store: the janitor's part of journal-protocol 3.4.

Names belong to one attempt. So once its captured file has a record, which nobody can replace, what the
attempt put is either named there or never will be: it can go, whatever others do at the same time. While
there is no record, the attempt itself might still make one, had it only slept long enough: it is left a day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connector.errors import LedgerError
from connector.objects import ObjectInfo, ObjectStore
from connector.write.object_ledger import ListedIntent, ObjectLedger, in_parallel

SWEEP_AFTER_MS = 60 * 60_000
"""Age of an intent, by the store's own clock, from which on its attempt is dead."""
UNDECIDED_AFTER_MS = 24 * 60 * 60_000
"""The same while its captured file has no record. The gap to the deadline of an attempt
(``DEADLINE_SECONDS``) replaces a fencing token."""
SWEEP_SECONDS = 60.0
"""From here on a sweep begins nothing new; the next one goes on."""
_AT_A_TIME = 64


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did."""

    names: tuple[str, ...] = ()
    """Outputs that it deleted, or found deleted."""
    intents: int = 0
    """Dead attempts that are now forgotten."""
    unreadable: tuple[str, ...] = ()
    """Intents of which nobody can tell what they name, or whose record is damaged; they stay."""
    finished: bool = True
    """False: there was more than there was time for."""


def sweep(
    store: ObjectStore,
    older_than_ms: int = SWEEP_AFTER_MS,
    undecided_after_ms: int = UNDECIDED_AFTER_MS,
    *,
    clock_seconds: Callable[[], float],
) -> Swept:
    """Delete what old intents name and neither the record of their captured file nor any change does; then
    the intents. One request when there is no intent at all.

    Args:
        older_than_ms: from this age on an attempt whose captured file is recorded is dead.
        undecided_after_ms: the same where nothing is recorded yet.
        clock_seconds: measures how long it takes.

    Raises:
        StoreError: the store refused; the next sweep goes on.
        LedgerError: a change is damaged.
    """
    began, ledger = clock_seconds(), ObjectLedger(store)
    listed = ledger.listed_intents()
    if not listed:
        return Swept()
    now_ms = store.clock_ms()
    old = [info for info in listed if now_ms - info.modified_ms >= older_than_ms]
    judge = _Judge(ledger, now_ms - undecided_after_ms)
    names: list[str] = []
    unreadable: list[str] = []
    forgotten = 0
    for first in range(0, len(old), _AT_A_TIME):
        if clock_seconds() - began > SWEEP_SECONDS:
            return Swept(tuple(names), forgotten, tuple(unreadable), finished=False)
        dead, stuck = judge.of(old[first : first + _AT_A_TIME])
        gone = [name for each in dead for name in each.left]
        store.delete(gone)
        store.delete([each.intent for each in dead])
        names += gone
        unreadable += stuck
        forgotten += len(dead)
    return Swept(tuple(names), forgotten, tuple(unreadable))


class _Dead(NamedTuple):
    intent: str
    left: list[str]
    """What it put and nothing names."""


class _Judge:
    """Tells which attempts are over."""

    def __init__(self, ledger: ObjectLedger, undecided_before_ms: int) -> None:
        self._ledger = ledger
        self._undecided_before_ms = undecided_before_ms

    def of(self, listed: Sequence[ObjectInfo]) -> tuple[list[_Dead], list[str]]:
        """The attempts that are over, and the intents that nobody can follow.

        Records are read after the intents, and changes last: what names an output is made after its intent.
        """
        entries = self._ledger.intents(listed)
        judged = zip(entries, in_parallel(self._unrecorded, entries), strict=True)
        stuck, over = [], []
        for entry, left in judged:
            if isinstance(left, LedgerError):
                stuck.append(entry.info.name)
            elif left is not None:
                over.append((entry.info.name, left))
        live = self._ledger.added_by_changes() if over else frozenset()
        return [_Dead(intent, sorted(left - live)) for intent, left in over], stuck

    def _unrecorded(self, entry: ListedIntent) -> set[str] | LedgerError | None:
        """What the record does not name; None where there may be one yet."""
        info, intent = entry
        if intent is None:
            return LedgerError(f"{info.name} is no intent")
        try:
            found = self._ledger.record(intent.captured_file) if intent.captured_file else None
        except LedgerError as damaged:
            return damaged
        if found is None:
            return set(intent.names) if info.modified_ms <= self._undecided_before_ms else None
        return set(intent.names) - {output.name for output in found.record.files}
