"""The ledger as objects: create-only records, numbered changes, intents. Source: journal-protocol 3.1, 3.4.

::

    ledger/files/<day>/<captured file>.json     the record of a captured file, made once
    ledger/changes/<12 digits>.json             as in a local folder
    ledger/intents/<attempt id>.json            what an attempt is about to write
    ledger/checkpoints/                         folds to start from, see ``checkpoint``
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import NamedTuple, TypeVar

from connector.errors import LedgerError
from connector.objects import ObjectInfo, ObjectStore
from connector.write.checkpoint import FOLDER as CHECKPOINTS
from connector.write.checkpoint_shelf import StoreShelf, is_stray
from connector.write.checkpoint_start import start
from connector.write.entries import Entry, Recorded, canonical, decode, decode_record
from connector.write.folding import mark
from connector.write.ledger import Fold, Folding, consecutive, entry_number

FILES = "ledger/files/"
CHANGES = "ledger/changes/"
INTENTS = "ledger/intents/"
OUTPUTS = ("tables/", "rejected/", "duplicates/")
"""Where the outputs lie; nothing else is ever taken back or swept."""
DEADLINE_SECONDS = 20 * 60.0
"""From its intent on, an attempt has so long; then it neither puts nor commits."""
THREADS = 16
"""Objects that are asked for side by side."""

_FRAMES_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T")
_RECORD = re.compile(r"ledger/files/([^/]+)/([^/]+)\.json\Z")
_A = TypeVar("_A")
_B = TypeVar("_B")


def record_name(captured_file: str) -> str:
    """Where the record of a captured file lies. The day is the UTC date in the name of a journal file, else
    ``undated``: it follows from the name alone, so one request tells whether the file is recorded."""
    day = _FRAMES_DAY.match(captured_file)
    return f"{FILES}{'-'.join(day.groups()) if day else 'undated'}/{captured_file}.json"


def change_name(number: int) -> str:
    return f"{CHANGES}{number:012d}.json"


def intent_name(attempt_id: str) -> str:
    return f"{INTENTS}{attempt_id}.json"


def captured_file_of(name: str) -> str | None:
    """The inverse of ``record_name``; None when this is the name of no record."""
    match = _RECORD.match(name)
    return match[2] if match and record_name(match[2]) == name else None


@dataclass(frozen=True, slots=True)
class Intent:
    """What an attempt wrote down before its first output, so that leftovers can be found."""

    attempt_id: str
    captured_file: str | None
    names: tuple[str, ...]
    suppression: int = 0

    def encoded(self) -> bytes:
        return canonical(asdict(self)) + b"\n"

    @classmethod
    def decoded(cls, content: bytes) -> Intent | None:
        """None when the bytes are no intent, or one of something that no attempt writes."""
        try:
            value = json.loads(content)
            names, captured_file = tuple(value["names"]), value["captured_file"]
            if not all(name.startswith(OUTPUTS) for name in names):
                return None
            return cls(value["attempt_id"], captured_file, names, int(value["suppression"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


class ListedIntent(NamedTuple):
    """An intent as the store has it now."""

    info: ObjectInfo
    intent: Intent | None
    """None: it cannot be read."""


class ObjectLedger:
    """The ledger below the prefix of a store. Every method may raise ``StoreError``."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._added: dict[int, frozenset[str]] = {}
        """Names that changes made live, by the number of the change."""

    def record(self, captured_file: str) -> Recorded | None:
        """The record of a captured file, one GET; None when it has none. Raises ``LedgerError``."""
        content = self._store.read(record_name(captured_file))
        return None if content is None else decode_record(content, captured_file)

    def recorded(self) -> list[str]:
        """The captured files that have a record: one request for every thousand of them."""
        return [name for info in self._store.find(FILES) if (name := captured_file_of(info.name))]

    def fold(self, since: Fold | None = None, *, checkpoints: bool = True) -> Fold:
        """Fold all records and changes, or those that ``since`` does not have.

        Changes are listed before the records: what a change speaks of was recorded before it.

        Args:
            checkpoints: begin with the newest usable checkpoint where ``since`` states nothing; False: prove
                it from the entries alone.

        Raises:
            LedgerError: as ``ledger.fold``; also when a record that ``since``, or a checkpoint of this very
                ledger, has is gone.
        """
        known = since or Fold()
        shelf = StoreShelf(self._store)
        saved = shelf.names() if checkpoints and not known.entries else []
        changes = self._listed_changes()
        numbers = list(consecutive(sorted(changes), known.number))
        records = self._listed_records(known.objects)
        gone = known.objects.keys() - records.keys()
        if gone:
            raise LedgerError(f"the ledger record of {min(gone)} is gone")
        if saved:
            known = start(shelf, saved, _History(self, changes, records))
        return self._folded(
            known,
            {name: mark for name, mark in records.items() if name not in known.objects},
            {number: changes[number] for number in numbers if number > known.number},
        )

    def fold_until(self, since: Fold, state: Fold) -> Fold:
        """Fold what ``since`` does not have of what ``state`` has. Raises ``LedgerError`` as ``fold``."""
        gone = since.objects.keys() - state.objects.keys()
        if gone:
            raise LedgerError(f"the ledger record of {min(gone)} is gone")
        if since.number > state.number:
            raise LedgerError(f"ledger entry {since.number} is gone")
        records = dict.fromkeys(state.objects.keys() - since.objects.keys(), 0)
        return self._folded(since, records, dict.fromkeys(range(since.number + 1, state.number + 1), 0))

    def _folded(self, known: Fold, records: Mapping[str, int], changes: Mapping[int, int]) -> Fold:
        """``known`` and these records and changes, with their marks."""
        if not records and not changes:
            return known
        state = Folding(known)
        for found in in_parallel(self._listed_record, list(records)):
            state.add_record(found.record, found.sha256)
        for entry, sha256 in in_parallel(self.change, list(changes)):
            state.apply(entry, sha256)
        for each in (*records.values(), *changes.values()):
            state.see(each)
        return state.result()

    def added_by_changes(self) -> frozenset[str]:
        """Names that any change made live, ever; of each change only the first call reads it."""
        return frozenset().union(*in_parallel(self._added_by, sorted(self._listed_changes())))

    def listed_intents(self) -> list[ObjectInfo]:
        """The intents there are now, oldest first; one request, or one for every thousand."""
        return sorted(self._store.find(INTENTS), key=lambda info: info.modified_ms)

    def intents(self, listed: Sequence[ObjectInfo]) -> list[ListedIntent]:
        """What the intents say, each read once; one that is gone meanwhile is left out."""
        return [
            ListedIntent(info, Intent.decoded(content))
            for info, content in in_parallel(self._content_of, listed)
            if content is not None
        ]

    def strays(self) -> Iterator[str]:
        """Objects among the records and the changes that are neither."""
        for info in self._store.find(FILES):
            if captured_file_of(info.name) is None:
                yield f"{info.name} is no ledger record."
        for info in self._store.find(CHANGES):
            if entry_number(info.name.removeprefix(CHANGES)) is None:
                yield f"{info.name} is no ledger entry."
        for info in self._store.find(CHECKPOINTS):
            if is_stray(info.name):
                yield f"{info.name} is no checkpoint of the ledger."

    def _content_of(self, info: ObjectInfo) -> tuple[ObjectInfo, bytes | None]:
        return info, self._store.read(info.name)

    def _listed_changes(self) -> dict[int, int]:
        """Their marks by number."""
        return {
            number: _mark(info)
            for info in self._store.find(CHANGES)
            if (number := entry_number(info.name.removeprefix(CHANGES))) is not None
        }

    def _listed_records(self, known: Container[str]) -> dict[str, int]:
        """Their marks by captured file; 0 for those that are known."""
        return {
            name: 0 if name in known else _mark(info)
            for info in self._store.find(FILES)
            if (name := captured_file_of(info.name))
        }

    def change(self, number: int) -> tuple[Entry, str]:
        """A change and its hash. Raises ``LedgerError``."""
        content = self._store.read(change_name(number))
        if content is None:
            raise LedgerError(f"ledger entry {number} is gone")
        return decode(content, number)

    def _listed_record(self, captured_file: str) -> Recorded:
        found = self.record(captured_file)
        if found is None:
            raise LedgerError(f"the ledger record of {captured_file} is gone")
        return found

    def _added_by(self, number: int) -> frozenset[str]:
        if number not in self._added:
            entry, _ = self.change(number)
            outputs = [*entry.adds, *(output for record in entry.records for output in record.files)]
            self._added[number] = frozenset(output.name for output in outputs)
        return self._added[number]


class _History:
    """What a checkpoint of the ledger must agree with."""

    def __init__(self, ledger: ObjectLedger, changes: Mapping[int, int], records: Mapping[str, int]) -> None:
        self.last = len(changes)
        self._ledger, self._changes, self._records = ledger, changes, records

    def sha256(self, number: int) -> str:
        return self._ledger.change(number)[1]

    def seen(self, state: Fold) -> int | None:
        gone = state.objects.keys() - self._records.keys()
        if gone and not state.number and len(gone) == len(state.objects):
            return None
        if gone:
            raise LedgerError(f"the ledger record of {min(gone)} is gone; {state.origin.checkpoint} knows it")
        changes: Iterable[int] = (self._changes[number] for number in range(1, state.number + 1))
        return sum(changes) + sum(self._records[name] for name in state.objects)


def _mark(info: ObjectInfo) -> int:
    return mark(info.name, info.bytes, info.etag)


def in_parallel(do: Callable[[_A], _B], items: Sequence[_A], threads: int = THREADS) -> Iterator[_B]:
    """Results in the order of ``items``; after the first error nothing new is begun."""
    if len(items) < 2:
        yield from map(do, items)
        return
    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        try:
            yield from pool.map(do, items)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
