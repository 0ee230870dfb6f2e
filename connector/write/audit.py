"""Prove a data folder from its own files: the chain, the equation, every byte and every row."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from connector.errors import LedgerError
from connector.events import FATES
from connector.write.disk import sha256_of
from connector.write.ledger import Fold, Live, changes_folder, fold
from connector.write.row_sum import row_sum_of_file
from connector.write.stored import events_in_tables, rows_in_file

WAITING_MS = 15 * 60 * 1000
"""A closed captured file without an entry waits this long before it counts as open."""
FOLDS = 3

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
    """Closed less than 15 minutes ago and not written yet: no fault."""
    open_files: int = 0
    """Closed longer ago and still not written."""
    refused: int = 0
    """Bodies kept although refused; outside the equation."""


def audit(
    root: Path,
    *,
    journal_closed: Closed | Path | None,
    now_ms: int,
    refused: int = 0,
    deep: bool = False,
    pause: Callable[[], None] = lambda: time.sleep(0.2),
) -> AuditReport:
    """Check the data folder ``root`` against its ledger. Takes no lock, changes nothing.

    Args:
        journal_closed: the journal's ``closed`` folder, or what lists it; None: no journal to look at.
        now_ms: the time that ages of captured files are measured from.
        refused: how many refused bodies the journal keeps, to be shown.
        deep: also recompute the sum of the rows of every table file.
        pause: called before folding again when a listed file was gone, as a running publisher may be between
            its entry and its renames; after three folds it is a finding.
    """
    closed = _closed(journal_closed)
    seen: dict[str, list[str]] = {}
    for attempt in range(1, FOLDS + 1):
        present = _present(root)
        try:
            state = fold(root)
        except LedgerError as error:
            return AuditReport(False, (f"{error}.",), refused=refused)
        files = _Files(root, state, present, deep, seen)
        if attempt == FOLDS or not files.unsettled:
            break
        pause()
    findings = [*_stray_entries(root), *files.findings, *_counts(root, state, files.damaged)]
    waiting, late = _waiting(closed, state, now_ms)
    findings += [f"{name} is closed for {age_ms // 60_000} minutes and not written." for name, age_ms in late]
    return _report(state, findings, len(waiting), len(late), refused)


def _report(state: Fold, findings: list[str], waiting: int, late: int, refused: int) -> AuditReport:
    total, tables = state.total, [live.output for live in state.tables.values()]
    records = state.records.values()
    return AuditReport(
        ok=not findings,
        findings=tuple(findings),
        equation=str(total),
        entries=state.number,
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
    )


class _Files:
    """Every live file is there and is what its entry says; nothing else is there."""

    def __init__(
        self, root: Path, state: Fold, present: set[str], deep: bool, seen: dict[str, list[str]]
    ) -> None:
        """``present`` was listed before folding: a file committed since then cannot look like a stray.
        ``seen`` keeps what was checked, by name, over several folds; names are never used twice."""
        self._root, self._deep = root, deep
        live = state.live
        self.findings: list[str] = []
        self.damaged: set[str] = set()
        self.unsettled = False
        for name in sorted(live):
            self._look(live[name], seen)
        for name in sorted(present - live.keys()):
            if (root / name).exists():
                self.unsettled = True
                self.findings.append(f"{name} lies in the data folder and no ledger entry has it.")

    def _look(self, live: Live, seen: dict[str, list[str]]) -> None:
        name = live.output.name
        if name not in seen:
            try:
                seen[name] = list(self._faults(live))
            except FileNotFoundError:
                self.unsettled = True
                self.damaged.add(name)
                self.findings.append(f"{name} of ledger entry {live.number} is missing.")
                return
        if seen[name]:
            self.damaged.add(name)
        self.findings += [f"{name} of ledger entry {live.number} {fault}." for fault in seen[name]]

    def _faults(self, live: Live) -> Iterable[str]:
        output, path = live.output, self._root / live.output.name
        size = path.stat().st_size
        if size != output.bytes:
            yield f"has {size} bytes instead of {output.bytes}"
        elif sha256_of(path) != output.sha256:
            yield "has other content than the entry says"
        elif not output.is_table:
            yield from _rejected_faults(path, live)
        else:
            rows = rows_in_file(path)
            if rows != output.rows:
                yield f"has {rows} rows, the entry says {output.rows}"
            elif self._deep and row_sum_of_file(path, output.name.split("/")[1]) != output.row_sum:
                yield "has rows of another sum than the entry says"


def _rejected_faults(path: Path, live: Live) -> Iterable[str]:
    rows, events = 0, set()
    try:
        with gzip.open(path) as lines:
            for line in lines:
                value: dict[str, Any] = orjson.loads(line)
                rows += 1
                events.add((value["captured_file"], value["captured_index"]))
    except (OSError, EOFError, zlib.error, ValueError, KeyError) as error:
        yield f"cannot be read: {type(error).__name__}"
        return
    if rows != live.output.rows or len(events) != rows:
        yield f"has {rows} lines of {len(events)} events, the entry says {live.output.rows}"
    if live.captured_file is not None and {name for name, _ in events} - {live.captured_file}:
        yield f"has events that are not of {live.captured_file}"


def _counts(root: Path, state: Fold, damaged: set[str]) -> Iterable[str]:
    """The equation of every captured file, and that tables and rejected files hold what it says."""
    stored, uncounted = events_in_tables(root, state, damaged)
    kept: dict[str, int] = {}
    for live in state.rejected.values():
        if live.captured_file is not None:
            kept[live.captured_file] = kept.get(live.captured_file, 0) + live.output.rows
    for name in sorted(state.counts.keys() | stored.keys()):
        counts = state.counts.get(name)
        if counts is None:
            yield f"Tables hold {stored[name]} events of {name}, which no ledger entry records."
            continue
        if not counts.balanced:
            yield f"{name}: the fates do not sum up: {counts}."
        if name not in uncounted and stored.get(name, 0) != counts.stored:
            yield f"{name}: {counts.stored} events stored, {stored.get(name, 0)} in the tables."
        if name not in state.changed and kept.get(name, 0) != counts.rejected:
            yield f"{name}: {counts.rejected} events rejected, {kept.get(name, 0)} kept."


def _present(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for folder in ("tables", "rejected")
        for path in (root / folder).rglob("*")
        if not path.is_dir()
    }


def _stray_entries(root: Path) -> Iterable[str]:
    folder = changes_folder(root)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        digits, dot, suffix = path.name.partition(".")
        if not (len(digits) == 12 and digits.isdecimal() and dot + suffix == ".json"):
            yield f"ledger/changes/{path.name} is no ledger entry."


def _closed(journal_closed: Closed | Path | None) -> list[tuple[str, int]]:
    """Listed before the fold: what is written meanwhile is then in the fold, not late."""
    if journal_closed is None:
        return []
    if callable(journal_closed):
        return list(journal_closed())
    found = []
    for path in sorted(journal_closed.iterdir()) if journal_closed.is_dir() else ():
        try:
            found.append((path.name, path.stat().st_mtime_ns // 1_000_000))
        except FileNotFoundError:
            continue
    return found


def _waiting(
    closed: Iterable[tuple[str, int]], state: Fold, now_ms: int
) -> tuple[list[str], list[tuple[str, int]]]:
    """Captured files without an entry: the young ones, and the others with their age in ms."""
    unwritten = [(name, now_ms - since_ms) for name, since_ms in closed if name not in state.records]
    return (
        [name for name, age_ms in unwritten if age_ms < WAITING_MS],
        [(name, age_ms) for name, age_ms in unwritten if age_ms >= WAITING_MS],
    )
