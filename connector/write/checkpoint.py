"""A fold of the ledger as one file, to start from instead of reading every entry. No effects.

::

    ledger/checkpoints/<12 digits>-<12 digits>-<16 hex>.json.gz

The numbers are those of the last change and of the record objects in it, the rest is of its hash. Inside, one
JSON array a line: what it is, every record with what became of its files, then what changes said that belongs
to no record, and last the SHA-256 of all lines before. The same fold gives the same lines.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from connector.write.entries import Counts, Kind, Output, Record, canonical
from connector.write.folding import Fold, Live, Origin

FOLDER = "ledger/checkpoints/"
FORMAT = 1
"""Of the lines; another one also when folding the same entries gives something else than before."""
_LEVEL = 6
_NAME = re.compile(r"ledger/checkpoints/([0-9]{12})-([0-9]{12})-[0-9a-f]{16}\.json\.gz\Z")


def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


_RECORD, _OUTPUT, _COUNTS = _names(Record), _names(Output), _names(Counts)
_FIELDS = {"fold": _names(Fold), "record": _RECORD, "output": _OUTPUT, "counts": _COUNTS}
"""A checkpoint of a version that knows other ones is foreign."""
_OF_RECORD, _OF_OUTPUT, _OF_COUNTS = attrgetter(*_RECORD), attrgetter(*_OUTPUT), attrgetter(*_COUNTS)
_FILES = tuple(map(_RECORD.index, ("outputs", "rejected_outputs", "duplicate_outputs")))
_SEEN_AS = _RECORD.index("seen_as")
_ALIKE = tuple(map(_RECORD.index, ("configuration", "connector")))
"""Strings that most records share."""


class Encoded(NamedTuple):
    name: str
    content: bytes


def covered(name: str) -> int | None:
    """How many entries and record objects a checkpoint holds, by its name; None: it is the name of none."""
    match = _NAME.match(name)
    return int(match[1]) + int(match[2]) if match else None


def encode(state: Fold) -> Encoded:
    """The checkpoint of a fold."""
    packed, digest = io.BytesIO(), hashlib.sha256()
    with gzip.GzipFile("", "wb", _LEVEL, packed, mtime=0) as file:
        for line in _lines(state):
            text = canonical(line) + b"\n"
            digest.update(text)
            file.write(text)
        file.write(canonical(["end", digest.hexdigest()]) + b"\n")
    return Encoded(_name(state.number, len(state.objects), digest.hexdigest()), packed.getvalue())


def decode(name: str, content: bytes) -> Fold | None:
    """The fold in a checkpoint; None when it is torn, altered, of another format, or has another name."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return _read(name, file)
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError, RecursionError):
        return None


def _name(number: int, objects: int, sha256: str) -> str:
    return f"{FOLDER}{number:012d}-{objects:012d}-{sha256[:16]}.json.gz"


def _lines(state: Fold) -> Iterator[list[Any]]:
    yield ["checkpoint", FORMAT, _FIELDS, state.number, state.sha256, f"{state.origin.seen:064x}"]
    told: set[str] = set()
    for name in sorted(state.records):
        told.update(output.name for output in state.records[name].files if output.name in state.removed)
        yield _record_line(state, state.records[name])
    live: Iterator[Live] = (each for kind in _live(state).values() for each in kind.values())
    changed = (each for each in live if each.captured_file is None)
    for each in sorted(changed, key=lambda each: each.output.name):
        yield ["live", each.number, *_OF_OUTPUT(each.output)]
    for name in sorted(state.removed.keys() - told):
        yield ["removed", name, state.removed[name]]
    for name, fingerprint in sorted(state.reruns.items()):
        yield ["rerun", name, fingerprint]
    for name, days in sorted(state.later_days.items()):
        yield ["later", name, sorted(days)]


def _live(state: Fold) -> dict[Kind, Any]:
    return {"tables": state.tables, "rejected": state.rejected, "duplicates": state.duplicates}


def _record_line(state: Fold, record: Record) -> list[Any]:
    """A record, its hash when it is an object, what entry brought it, what entries removed its files (0: they
    are live), its counts when a change has given it others, and which one did."""
    name, live = record.captured_file, _live(state)
    values = list(_OF_RECORD(record))
    for at in _FILES:
        values[at] = [_OF_OUTPUT(output) for output in values[at]]
    numbers = [found.number for each in record.files if (found := live[each.kind].get(each.name))]
    removed = [state.removed.get(each.name, 0) for each in record.files]
    changed = state.changed.get(name, 0)
    counts = _OF_COUNTS(state.counts[name]) if changed else None
    return ["record", values, state.objects.get(name), max(numbers, default=0), removed, changed, counts]


def _read(name: str, file: gzip.GzipFile) -> Fold | None:
    digest = hashlib.sha256()
    reading: _Reading | None = None
    for line in file:
        kind, *values = orjson.loads(line)
        if kind == "end":
            sha256 = digest.hexdigest()
            whole = reading is not None and values == [sha256] and not file.read(1)
            if reading is None or not whole or reading.name(sha256) != name:
                return None
            return reading.result(name)
        digest.update(line)
        if reading is None:
            if kind != "checkpoint" or values[:2] != [FORMAT, {k: list(v) for k, v in _FIELDS.items()}]:
                return None
            reading = _Reading(*values[2:])
        else:
            reading.take(kind, values)
    return None


class _Reading:
    """The fold while it is read; nothing of it counts before the last line."""

    def __init__(self, number: int, sha256: str, seen: str) -> None:
        self._number, self._sha256, self._seen = number, sha256, int(seen, 16)
        self._live: dict[Kind, dict[str, Live]] = {"tables": {}, "rejected": {}, "duplicates": {}}
        self._records: dict[str, Record] = {}
        self._counts: dict[str, Counts] = {}
        self._changed: dict[str, int] = {}
        self._removed: dict[str, int] = {}
        self._objects: dict[str, str] = {}
        self._reruns: dict[str, str] = {}
        self._later_days: dict[str, frozenset[str]] = {}

    def name(self, sha256: str) -> str:
        return _name(self._number, len(self._objects), sha256)

    def take(self, kind: str, values: list[Any]) -> None:
        if kind == "record":
            self._record(*values)
        elif kind == "live":
            self._show(Live(Output(*values[1:]), values[0], None))
        elif kind == "removed":
            self._removed[values[0]] = values[1]
        elif kind == "rerun":
            self._reruns[values[0]] = values[1]
        elif kind == "later":
            self._later_days[values[0]] = frozenset(values[1])
        else:
            raise ValueError("a line of another kind")

    def _record(
        self, values: list[Any], sha256: str | None, number: int, removed: list[int], changed: int,
        counts: list[int] | None,
    ) -> None:  # fmt: skip
        values[_SEEN_AS] = tuple(values[_SEEN_AS])
        for at in _FILES:
            values[at] = tuple(Output(*output) for output in values[at])
        for at in _ALIKE:
            values[at] = sys.intern(values[at])
        record = Record(*values)
        name = record.captured_file
        self._records[name] = record
        self._counts[name] = record.counts if counts is None else Counts(*counts)
        if changed:
            self._changed[name] = changed
        if sha256 is not None:
            self._objects[name] = sha256
        for output, remover in zip(record.files, removed, strict=True):
            if remover:
                self._removed[output.name] = remover
            else:
                self._show(Live(output, number, name))

    def _show(self, live: Live) -> None:
        self._live[live.output.kind][live.output.name] = live

    def result(self, name: str) -> Fold:
        return Fold(
            self._number, self._sha256, **self._live, records=self._records, counts=self._counts,
            changed=self._changed, removed=self._removed, objects=self._objects, reruns=self._reruns,
            later_days=self._later_days, origin=Origin(self._seen, name),
        )  # fmt: skip
