"""What the entries and records of the ledger add up to, one after the other. No effects.

Source: journal-protocol 3.2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from connector.errors import LedgerError
from connector.tables.layout import day_in
from connector.write.entries import GENESIS, Counts, Entry, Kind, Output, Record

MARKS = 1 << 256
"""Marks are added up modulo this."""


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
class Origin:
    """What a fold was made from. Folds that state the same are equal, whatever this is."""

    seen: int = 0
    """Sum modulo 2^256 of the marks of its entries and record objects, as they were when they were read."""
    checkpoint: str | None = None
    """Name of the checkpoint it was begun from; None: from nothing."""
    unusable: frozenset[str] = frozenset()
    """Names of the newer checkpoints that were passed over."""


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
    origin: Origin = field(default=Origin(), compare=False, repr=False)

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


def mark(name: str, size_bytes: int, version: str | int) -> int:
    """What tells a file or object of the ledger from any other that lies there under the same name.

    Args:
        version: ETag of an object, modification time of a file.
    """
    return int.from_bytes(hashlib.sha256(f"{name}\n{size_bytes}\n{version}".encode()).digest())


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
        self._origin, self._seen = since.origin, since.origin.seen

    def see(self, mark: int) -> None:
        """Take the mark of what is read next, or was read last."""
        self._seen = (self._seen + mark) % MARKS

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
            reruns=self._reruns, later_days=self._later_days, origin=replace(self._origin, seen=self._seen),
        )  # fmt: skip
