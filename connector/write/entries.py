"""What the ledger holds, as values and as canonical JSON. Source: journal-protocol 3.2. No effects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, NamedTuple, TypeVar

from connector.errors import LedgerError
from connector.events import FATES, Fate, Json

Kind = Literal["tables", "rejected", "duplicates"]
"""Rows of a table; rejected events with their bytes; which events are copies of which."""
_KINDS: Mapping[str, Kind] = {"tables": "tables", "rejected": "rejected", "duplicates": "duplicates"}

GENESIS = "0" * 64
"""``previous`` of the first entry."""


class LedgerConflict(LedgerError):
    """Another process took the number first; nothing was committed."""

    code = "ledger_conflict"
    retryable = True


@dataclass(frozen=True, slots=True)
class Output:
    """One file that an entry makes live."""

    name: str
    """Path below the data folder, ``/`` between its parts; never used twice."""
    rows: int
    events: int
    """Distinct events among the rows."""
    bytes: int
    sha256: str
    row_sum: str | None = None
    """Sum modulo 2^64 of the hashes of the rows, 16 hex digits; None for what is no table file."""

    @property
    def kind(self) -> Kind:
        """The folder it lies in: what its rows are."""
        return _KINDS[self.name.partition("/")[0]]

    @property
    def is_table(self) -> bool:
        return self.kind == "tables"


@dataclass(frozen=True, slots=True)
class Counts:
    """Events of one captured file: what came in, and the five fates."""

    received: int = 0
    stored: int = 0
    rejected: int = 0
    unmatched: int = 0
    duplicate: int = 0
    suppressed: int = 0

    def of(self, fate: Fate) -> int:
        value: int = getattr(self, fate)
        return value

    @property
    def balanced(self) -> bool:
        """The ledger equation: every received event has exactly one fate."""
        return self.received == sum(self.of(fate) for fate in FATES)

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(Counts)))

    def __str__(self) -> str:
        return f"received {self.received} = " + " + ".join(f"{fate} {self.of(fate)}" for fate in FATES)


@dataclass(frozen=True, slots=True)
class Record:
    """One captured file under one configuration: what became of its events, and where they lie."""

    captured_file: str
    identity: Mapping[str, Json]
    """``{"kind": "frames" | "content" | "object", "bytes": int, "sha256": str}``."""
    configuration: str
    connector: str
    received: int
    stored: int
    rejected: int
    unmatched: int
    duplicate: int
    suppressed: int
    seen_as: tuple[str, ...] = ()
    """Paths under which it was met, for people."""
    attempt: int = 0
    suppression: int = 0
    torn_bytes: int = 0
    missing_seq: int = 0
    corrupt_bytes: int = 0
    outputs: tuple[Output, ...] = ()
    rejected_outputs: tuple[Output, ...] = ()
    duplicate_outputs: tuple[Output, ...] = ()
    committed_at_ms: int = 0
    """Written by the publisher, for people; nothing computes with it."""

    @property
    def counts(self) -> Counts:
        return Counts(*(getattr(self, f.name) for f in fields(Counts)))

    @property
    def files(self) -> tuple[Output, ...]:
        """Everything it makes live: table files, rejected files, lists of duplicates."""
        return (*self.outputs, *self.rejected_outputs, *self.duplicate_outputs)


@dataclass(frozen=True, slots=True)
class Entry:
    """One numbered change. ``publish`` holds records; every kind may remove, add and recount."""

    number: int
    kind: str
    previous: str
    """``entry_sha256`` of the entry before, ``GENESIS`` for the first."""
    committed_at_ms: int = 0
    records: tuple[Record, ...] = ()
    removes: tuple[str, ...] = ()
    adds: tuple[Output, ...] = ()
    files: Mapping[str, Counts] = field(default_factory=dict)
    """New counts of the captured files it touches."""
    reruns: Mapping[str, str] = field(default_factory=dict)
    """Captured file -> fingerprint of the configuration it was run under again."""
    because: str = ""


def canonical(value: Json) -> bytes:
    """JSON in the one form that is hashed: keys sorted, no blanks, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


class Recorded(NamedTuple):
    """A record that lies in an object of its own (journal-protocol 3.4)."""

    record: Record
    attempt_id: str
    """Random: whose record it is, when the answer to its creation was lost."""
    sha256: str
    """``entry_sha256`` of the object."""


def encode(entry: Entry) -> bytes:
    """The bytes of an entry's file: canonical JSON with ``entry_sha256``, and a newline."""
    return _sealed({key: part for key, part in asdict(entry).items() if part or key not in _OPTIONAL})


def encode_record(record: Record, attempt_id: str) -> bytes:
    """The bytes of a record's object: as ``encode``, with the attempt that made it."""
    return _sealed({**asdict(record), "attempt_id": attempt_id})


def decode(content: bytes, number: int) -> tuple[Entry, str]:
    """Return an entry and its hash.

    Raises:
        LedgerError: the bytes are not what ``encode`` wrote; the message names the entry.
    """
    what = f"ledger entry {number}"
    value, sha256 = _opened(content, what)
    try:
        entry = _entry(value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LedgerError(f"{what} is unreadable: {error}") from error
    if entry.number != number:
        raise LedgerError(f"{what} states the number {entry.number}")
    return entry, sha256


def decode_record(content: bytes, captured_file: str) -> Recorded:
    """Return what ``encode_record`` was given, and the hash.

    Raises:
        LedgerError: the bytes are not what it wrote, or speak of another captured file.
    """
    what = f"the ledger record of {captured_file}"
    value, sha256 = _opened(content, what)
    try:
        recorded = Recorded(_record(value), str(value["attempt_id"]), sha256)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LedgerError(f"{what} is unreadable: {error}") from error
    if recorded.record.captured_file != captured_file:
        raise LedgerError(f"{what} is that of {recorded.record.captured_file}")
    return recorded


def check_counts(record: Record) -> None:
    """Raise ``LedgerError`` for a record whose fates do not sum up."""
    if not record.counts.balanced:
        raise LedgerError(f"{record.captured_file}: the fates do not sum up: {record.counts}")
    kept = sum(output.rows for output in record.rejected_outputs)
    if kept != record.rejected:
        raise LedgerError(f"{record.captured_file}: {record.rejected} events rejected, {kept} kept")


def _sealed(value: dict[str, Any]) -> bytes:
    return canonical({**value, "entry_sha256": _digest(value)}) + b"\n"


def _opened(content: bytes, what: str) -> tuple[dict[str, Any], str]:
    """A sealed object without its hash, and the hash, which is right."""
    try:
        value = json.loads(content)
        stated = value.pop("entry_sha256")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise LedgerError(f"{what} is unreadable: no JSON object with entry_sha256") from error
    actual = _digest(value)
    if stated != actual:
        raise LedgerError(f"{what} was altered: its hash is {actual}, it states {stated}")
    if canonical({**value, "entry_sha256": stated}) + b"\n" != content:
        raise LedgerError(f"{what} was altered: its bytes are not in canonical form")
    return value, stated


_OPTIONAL = frozenset({"records", "removes", "adds", "files", "reruns", "because"})
_T = TypeVar("_T")


def _digest(value: Json) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _known(kind: type[_T], value: Mapping[str, Any]) -> _T:
    """A dataclass from an object; keys of later versions are passed over."""
    names = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: part for key, part in value.items() if key in names})


def _outputs(values: list[Mapping[str, Any]]) -> tuple[Output, ...]:
    return tuple(_known(Output, value) for value in values)


def _record(value: Mapping[str, Any]) -> Record:
    return _known(
        Record,
        {
            **value,
            "seen_as": tuple(value["seen_as"]),
            "outputs": _outputs(value["outputs"]),
            "rejected_outputs": _outputs(value["rejected_outputs"]),
            "duplicate_outputs": _outputs(value.get("duplicate_outputs", [])),
        },
    )


def _entry(value: Mapping[str, Any]) -> Entry:
    return _known(
        Entry,
        {
            **value,
            "records": tuple(_record(record) for record in value.get("records", ())),
            "removes": tuple(value.get("removes", ())),
            "adds": _outputs(value.get("adds", [])),
            "files": {name: _known(Counts, counts) for name, counts in value.get("files", {}).items()},
        },
    )
