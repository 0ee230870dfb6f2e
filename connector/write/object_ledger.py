"""The ledger as objects: create-only records, numbered changes, intents. Source: journal-protocol 3.1, 3.4.

::

    ledger/files/<day>/<captured file>.json     the record of a captured file, made once
    ledger/changes/<12 digits>.json             as in a local folder
    ledger/intents/<attempt id>.json            what an attempt is about to write
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import NamedTuple, TypeVar

from connector.errors import LedgerError
from connector.objects import ObjectInfo, ObjectStore
from connector.write.entries import Entry, Recorded, canonical, decode, decode_record
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

    def fold(self, since: Fold | None = None) -> Fold:
        """Fold all records and changes, or those that ``since`` does not have.

        Changes are listed before the records: what a change speaks of was recorded before it.

        Raises:
            LedgerError: as ``ledger.fold``; also when a record that ``since`` has is gone.
        """
        known = since or Fold()
        numbers = list(consecutive(self._change_numbers(), known.number))
        recorded = self.recorded()
        gone = known.objects.keys() - set(recorded)
        if gone:
            raise LedgerError(f"the ledger record of {min(gone)} is gone")
        new = [name for name in recorded if name not in known.objects]
        if not new and not numbers:
            return known
        state = Folding(known)
        for found in in_parallel(self._listed_record, new):
            state.add_record(found.record, found.sha256)
        for entry, sha256 in in_parallel(self._change, numbers):
            state.apply(entry, sha256)
        return state.result()

    def added_by_changes(self) -> frozenset[str]:
        """Names that any change made live, ever; of each change only the first call reads it."""
        return frozenset().union(*in_parallel(self._added_by, self._change_numbers()))

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

    def _content_of(self, info: ObjectInfo) -> tuple[ObjectInfo, bytes | None]:
        return info, self._store.read(info.name)

    def _change_numbers(self) -> list[int]:
        names = (info.name.removeprefix(CHANGES) for info in self._store.find(CHANGES))
        return sorted(number for name in names if (number := entry_number(name)) is not None)

    def _change(self, number: int) -> tuple[Entry, str]:
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
            entry, _ = self._change(number)
            outputs = [*entry.adds, *(output for record in entry.records for output in record.files)]
            self._added[number] = frozenset(output.name for output in outputs)
        return self._added[number]


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
