"""Prove a data folder from its own files: the ledger, the equation, every byte and every row."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from connector.errors import LedgerError
from connector.events import FATES
from connector.write.audit_files import LiveFiles, Looked
from connector.write.checkpoints import checkpoint_faults
from connector.write.data import DataReader, FolderData
from connector.write.ledger import Fold
from connector.write.stored import events_in_tables

OPEN_AFTER_MS = 15 * 60 * 1000
"""A closed captured file without an entry waits this long before it counts as open, unless told otherwise."""
FOLDS = 3
_REMOVED_MEANWHILE = "Table files were removed again and again while they were read: run the audit again."

Closed = Callable[[], Iterable[tuple[str, int]]]
"""Captured files in ``closed/`` with the time they were closed, ms since the epoch."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the audit found. Counts are of events unless the name says otherwise."""

    ok: bool
    findings: tuple[str, ...]
    """Everything that is wrong, one sentence each. Names files and counts, never values."""
    equation: str = ""
    entries: int = 0
    captured_files: int = 0
    received: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    table_files: int = 0
    table_rows: int = 0
    table_bytes: int = 0
    rejected_files: int = 0
    torn_bytes: int = 0
    corrupt_bytes: int = 0
    missing_seq: int = 0
    waiting_files: int = 0
    """Closed a short while ago and not written yet: no fault."""
    open_files: int = 0
    """Closed longer ago and still not written."""
    refused: int = 0
    """Bodies kept although refused; outside the equation."""
    in_flight: int = 0
    """Objects that a living attempt has put and not recorded yet: no fault."""
    leftover_files: int = 0
    """Objects of attempts that died, as they wrote down themselves: no fault, no reader of the ledger sees
    them, and the sweep removes them."""
    old_files: int = 0
    """Files that a change has removed and that are left for a while to those who read them: no fault."""


def audit(
    data: Path | DataReader,
    *,
    journal_closed: Closed | Path | None,
    now_ms: int,
    refused: int = 0,
    deep: bool = False,
    open_after_ms: int = OPEN_AFTER_MS,
    named: Callable[[str], str] = str,
    pause: Callable[[], None] = lambda: time.sleep(0.2),
) -> AuditReport:
    """Check a data folder against its ledger. Takes no lock, changes nothing, starts from no checkpoint.

    Of a data folder in a store every file is downloaded once, one at a time.

    Args:
        data: the folder, or what reads it.
        journal_closed: the journal's ``closed`` folder, or what lists it; None: no journal to look at.
        now_ms: the time that ages of captured files are measured from; those of attempts are by the clock of
            the store.
        refused: how many refused bodies the journal keeps, to be shown.
        deep: also recompute the sum of the rows of every table file.
        open_after_ms: age from which a captured file without an entry is a finding.
        named: what such a finding calls it.
        pause: called before folding again when a listed file was gone, as a running publisher may be between
            its entry and its renames; after three folds it is a finding.

    Raises:
        StoreError: the store refused or did not answer.
    """
    reader = FolderData(data) if isinstance(data, Path) else data
    closed = _closed(journal_closed)
    with tempfile.TemporaryDirectory(prefix="connector-") as keys:
        looked = Looked(reader, Path(keys), deep)
        for attempt in range(1, FOLDS + 1):
            present, attempts = reader.names(), reader.attempts()
            saved = reader.checkpoints().names()
            try:
                state = reader.proven()
            except LedgerError as error:
                return AuditReport(False, (f"{error}.",), refused=refused)
            files = LiveFiles(reader, state, present, attempts, looked)
            counted = None if files.unsettled and attempt < FOLDS else _counted(looked, state, files.damaged)
            if counted is not None:
                break
            pause()
        findings = [*reader.strays(), *checkpoint_faults(reader, saved, state), *files.findings]
        findings += [_REMOVED_MEANWHILE] if counted is None else counted
    waiting, late = _waiting(closed, state, now_ms, open_after_ms)
    findings += [
        f"{named(name)} is closed for {age_ms // 60_000} minutes and not written." for name, age_ms in late
    ]
    return _report(state, findings, len(waiting), len(late), refused, files)


def _report(
    state: Fold, findings: list[str], waiting: int, late: int, refused: int, files: LiveFiles
) -> AuditReport:
    total, tables = state.total, [live.output for live in state.tables.values()]
    records = state.records.values()
    return AuditReport(
        ok=not findings,
        findings=tuple(findings),
        equation=str(total),
        entries=state.entries,
        captured_files=len(state.records),
        received=total.received,
        fates={fate: total.of(fate) for fate in FATES},
        table_files=len(tables),
        table_rows=sum(output.rows for output in tables),
        table_bytes=sum(output.bytes for output in tables),
        rejected_files=len(state.rejected),
        torn_bytes=sum(record.torn_bytes for record in records),
        corrupt_bytes=sum(record.corrupt_bytes for record in records),
        missing_seq=sum(record.missing_seq for record in records),
        waiting_files=waiting,
        open_files=late,
        refused=refused,
        in_flight=files.in_flight,
        leftover_files=files.leftover,
        old_files=files.old,
    )


def _counted(looked: Looked, state: Fold, damaged: set[str]) -> list[str] | None:
    """As ``_counts``; None when a file was removed while it was read, as by a change meanwhile."""
    try:
        return list(_counts(looked, state, damaged))
    except FileNotFoundError:
        return None


def _counts(looked: Looked, state: Fold, damaged: set[str]) -> Iterable[str]:
    """The equation of every captured file, and that tables and rejected files hold what it says."""
    stored, uncounted = events_in_tables(looked.keys_of, state, damaged)
    unread = _owners_of(damaged, state)
    kept = looked.events_in(state.rejected.values())
    for name in sorted(state.counts.keys() | stored.keys()):
        counts = state.counts.get(name)
        if counts is None:
            yield f"Tables hold {stored[name]} events of {name}, which no ledger entry records."
            continue
        if not counts.balanced:
            yield f"{name}: the fates do not sum up: {counts}."
        if name not in uncounted and stored.get(name, 0) != counts.stored:
            yield f"{name}: {counts.stored} events stored, {stored.get(name, 0)} in the tables."
        if name not in unread and kept[name] != counts.rejected:
            yield f"{name}: {counts.rejected} events rejected, {kept[name]} kept."


def _owners_of(damaged: set[str], state: Fold) -> set[str]:
    """Captured files that may have lines in a file of lines that nobody can read."""
    owners: set[str] = set()
    for name, live in state.rejected.items():
        if name in damaged:
            owners.update(state.changed if live.captured_file is None else (live.captured_file,))
    return owners


def _closed(journal_closed: Closed | Path | None) -> list[tuple[str, int]]:
    """Listed before the fold: what is written meanwhile is then in the fold, not late."""
    if journal_closed is None:
        return []
    return list(journal_closed()) if callable(journal_closed) else closed_in(journal_closed)


def closed_in(folder: Path) -> list[tuple[str, int]]:
    """The captured files in a folder, which need not be there, with the time they were closed, ms since the
    epoch."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            found.append((path.name, path.stat().st_mtime_ns // 1_000_000))
        except FileNotFoundError:
            continue
    return found


def _waiting(
    closed: Iterable[tuple[str, int]], state: Fold, now_ms: int, open_after_ms: int
) -> tuple[list[str], list[tuple[str, int]]]:
    """Captured files without an entry: the young ones, and the others with their age in ms."""
    unwritten = [(name, now_ms - since_ms) for name, since_ms in closed if name not in state.records]
    return (
        [name for name, age_ms in unwritten if age_ms < open_after_ms],
        [(name, age_ms) for name, age_ms in unwritten if age_ms >= open_after_ms],
    )
