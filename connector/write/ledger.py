"""Fold the ledger of a data folder into what is true now. Source: journal-protocol 3.1, 3.2."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connector.errors import LedgerError
from connector.tables.layout import day_in
from connector.write.entries import (
    GENESIS,
    Counts,
    Entry,
    Kind,
    LedgerConflict,
    Output,
    Record,
    decode,
    encode,
)

__all__ = [
    "GENESIS", "Counts", "Entry", "Fold", "Folding", "LedgerConflict", "Live", "Output", "Record",
    "changes_folder", "consecutive", "decode", "encode", "entry_number", "entry_path", "fold", "read_entries",
]  # fmt: skip

_ENTRY = re.compile(r"([0-9]{12})\.json\Z")


@dataclass(frozen=True, slots=True)
class Live:
    """A file that readers may see."""

    output: Output
    number: int
    """Of the entry that added it; 0 when a record did that lies in an object of its own."""
    captured_file: str | None
    """Whose rows it holds; None when a change wrote it, which may hold rows of several."""

    @property
    def listed_in(self) -> str:
        """What added it, for a person."""
        return f"ledger entry {self.number}" if self.number else f"the ledger record of {self.captured_file}"


@dataclass(frozen=True, slots=True)
class Fold:
    """What the entries 1 to ``number``, and in S3 the record objects, add up to."""

    number: int = 0
    sha256: str = GENESIS
    """Hash of the last entry: ``previous`` of the next."""
    tables: Mapping[str, Live] = field(default_factory=dict)
    """Live table files by name."""
    rejected: Mapping[str, Live] = field(default_factory=dict)
    """Live rejected files by name."""
    duplicates: Mapping[str, Live] = field(default_factory=dict)
    """Live lists of duplicates by name."""
    records: Mapping[str, Record] = field(default_factory=dict)
    """First record of each captured file; its counts may have changed since."""
    counts: Mapping[str, Counts] = field(default_factory=dict)
    """Counts of each captured file now."""
    changed: Mapping[str, int] = field(default_factory=dict)
    """Captured files that a later change recounted -> number of the last that did."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """Names that are never used again -> number of the entry that removed them."""
    objects: Mapping[str, str] = field(default_factory=dict)
    """Captured files whose record is an object of its own (S3) -> its hash. They have no number, no chain."""
    reruns: Mapping[str, str] = field(default_factory=dict)
    """Captured files that were run again -> fingerprint of the configuration of the last time."""
    later_days: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Captured files -> days in which changes other than compactions gave them rows."""

    @property
    def entries(self) -> int:
        """How many files or objects the ledger has."""
        return self.number + len(self.objects)

    @property
    def live(self) -> dict[str, Live]:
        """Every file that readers may see, by name."""
        return {**self.tables, **self.rejected, **self.duplicates}

    def days_of(self, captured_file: str) -> set[str]:
        """The days, ``YYYY-MM-DD``, in which a captured file has or had rows."""
        record = self.records[captured_file]
        return {day_in(output.name) for output in record.outputs} | self.later_days.get(captured_file, set())

    @property
    def total(self) -> Counts:
        return sum(self.counts.values(), Counts())


def changes_folder(root: Path) -> Path:
    return root / "ledger" / "changes"


def entry_path(root: Path, number: int) -> Path:
    return changes_folder(root) / f"{number:012d}.json"


def fold(root: Path, since: Fold | None = None) -> Fold:
    """Fold all entries of the data folder ``root``, or those after ``since``.

    Raises:
        LedgerError: a number is missing, an entry cannot be read, was altered, does not follow its
            predecessor, or contradicts the entries before it. The message names the entry.
    """
    known = since or Fold()
    new = list(read_entries(root, known.number))
    if not new:
        return known
    state = Folding(known)
    for entry, sha256 in new:
        state.apply(entry, sha256)
    return state.result()


def entry_number(file_name: str) -> int | None:
    """``000000000007.json`` -> 7; None when it is the name of no entry."""
    match = _ENTRY.match(file_name)
    return int(match[1]) if match else None


def read_entries(root: Path, after: int = 0) -> Iterator[tuple[Entry, str]]:
    """Yield the entries above ``after`` with their hashes, in order; a gap is a ``LedgerError``."""
    for number in consecutive(_numbers(root), after):
        try:
            content = entry_path(root, number).read_bytes()
        except OSError as error:
            raise LedgerError(f"ledger entry {number} is unreadable: {error.strerror}") from error
        yield decode(content, number)


def consecutive(present: list[int], after: int) -> Iterator[int]:
    """Yield the sorted numbers above ``after``; a gap is a ``LedgerError``."""
    if after and (not present or present[-1] < after):
        raise LedgerError(f"ledger entry {after} is gone")
    for expected, number in enumerate((number for number in present if number > after), after + 1):
        if number != expected:
            raise LedgerError(f"ledger entry {expected} is missing, entry {number} is there")
        yield number


def _numbers(root: Path) -> list[int]:
    try:
        names = [path.name for path in changes_folder(root).iterdir()]
    except FileNotFoundError:
        return []
    return sorted(number for name in names if (number := entry_number(name)) is not None)


class Folding:
    """The fold while it is being made."""

    def __init__(self, since: Fold) -> None:
        self.number, self.sha256 = since.number, since.sha256
        self._live: dict[Kind, dict[str, Live]] = {
            "tables": dict(since.tables),
            "rejected": dict(since.rejected),
            "duplicates": dict(since.duplicates),
        }
        self._records, self._counts = dict(since.records), dict(since.counts)
        self._changed, self._removed = dict(since.changed), dict(since.removed)
        self._objects = dict(since.objects)
        self._reruns = dict(since.reruns)
        self._later_days = dict(since.later_days)

    def add_record(self, record: Record, sha256: str) -> None:
        """Take a record object, before the entries that may remove what it made live."""
        self._record(record, 0)
        self._objects[record.captured_file] = sha256

    def apply(self, entry: Entry, sha256: str) -> None:
        """Take the next entry."""
        if entry.previous != self.sha256:
            raise LedgerError(
                f"ledger entry {entry.number} does not follow entry {self.number}: chain broken"
            )
        self.number, self.sha256 = entry.number, sha256
        for name in entry.removes:
            self._remove(name)
        for output in entry.adds:
            self._add(Live(output, entry.number, None))
        for record in entry.records:
            self._record(record, entry.number)
        for captured_file, counts in entry.files.items():
            if captured_file not in self._counts:
                raise self._error(f"recounts {captured_file}, which no entry records")
            self._counts[captured_file] = counts
            self._changed[captured_file] = entry.number
        self._reruns.update(entry.reruns)
        if entry.kind != "compaction" and entry.adds:
            days = frozenset(day_in(output.name) for output in entry.adds if output.is_table)
            for captured_file in entry.files:
                self._later_days[captured_file] = self._later_days.get(captured_file, frozenset()) | days

    def _record(self, record: Record, number: int) -> None:
        if record.captured_file in self._records:
            raise self._error(f"records {record.captured_file} a second time")
        self._records[record.captured_file] = record
        self._counts[record.captured_file] = record.counts
        for output in record.files:
            self._add(Live(output, number, record.captured_file))

    def _add(self, live: Live) -> None:
        name = live.output.name
        try:
            of_its_kind = self._live[live.output.kind]
        except KeyError:
            raise LedgerError(f"{live.listed_in} has {name}, which lies in no folder of the lake") from None
        if name in of_its_kind or name in self._removed:
            raise LedgerError(f"{live.listed_in} uses the name {name} again")
        of_its_kind[name] = live

    def _remove(self, name: str) -> None:
        if all(of_a_kind.pop(name, None) is None for of_a_kind in self._live.values()):
            raise self._error(f"removes {name}, which is not live")
        self._removed[name] = self.number

    def _error(self, what: str) -> LedgerError:
        return LedgerError(f"ledger entry {self.number} {what}")

    def result(self) -> Fold:
        return Fold(
            self.number, self.sha256, **self._live, records=self._records, counts=self._counts,
            changed=self._changed, removed=self._removed, objects=self._objects,
            reruns=self._reruns, later_days=self._later_days,
        )  # fmt: skip
