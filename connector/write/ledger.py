"""Fold the ledger of a data folder into what is true now. Source: journal-protocol 3.1, 3.2."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from connector.errors import LedgerError
from connector.write.checkpoint_shelf import FolderShelf
from connector.write.checkpoint_start import start
from connector.write.entries import (
    GENESIS,
    Counts,
    Entry,
    LedgerConflict,
    Output,
    Record,
    decode,
    encode,
)
from connector.write.folding import Fold, Folding, Live, mark

__all__ = [
    "GENESIS", "Counts", "Entry", "Fold", "Folding", "LedgerConflict", "Live", "Output", "Record",
    "changes_folder", "consecutive", "decode", "encode", "entry_number", "entry_path", "fold",
    "fold_until",
]  # fmt: skip

_ENTRY = re.compile(r"([0-9]{12})\.json\Z")


def changes_folder(root: Path) -> Path:
    return root / "ledger" / "changes"


def entry_path(root: Path, number: int) -> Path:
    return changes_folder(root) / f"{number:012d}.json"


def fold(root: Path, since: Fold | None = None, *, checkpoints: bool = True) -> Fold:
    """Fold all entries of the data folder ``root``, or those after ``since``.

    Args:
        checkpoints: begin with the newest usable checkpoint where ``since`` states nothing; False: prove it
            from the entries alone.

    Raises:
        LedgerError: a number is missing, an entry cannot be read, was altered, does not follow its
            predecessor, or contradicts the entries before it. The message names the entry.
    """
    known = since or Fold()
    shelf = FolderShelf(root)
    saved = shelf.names() if checkpoints and not known.entries else []
    present = _numbers(root)
    numbers = list(consecutive(present, known.number))
    if saved:
        known = start(shelf, saved, _History(root, len(numbers)))
    return _folded(root, known, (number for number in numbers if number > known.number))


def fold_until(root: Path, since: Fold, number: int) -> Fold:
    """Fold the entries after ``since`` up to one that is there. Raises ``LedgerError`` as ``fold``."""
    if since.number > number:
        raise LedgerError(f"ledger entry {since.number} is gone")
    return _folded(root, since, range(since.number + 1, number + 1))


def _folded(root: Path, known: Fold, numbers: Iterable[int]) -> Fold:
    state = Folding(known)
    for number in numbers:
        read = _read(root, number)
        state.apply(read.entry, read.sha256)
        state.see(read.mark)
    return known if state.number == known.number else state.result()


def entry_number(file_name: str) -> int | None:
    """``000000000007.json`` -> 7; None when it is the name of no entry."""
    match = _ENTRY.match(file_name)
    return int(match[1]) if match else None


class _Read(NamedTuple):
    entry: Entry
    sha256: str
    mark: int


def _read(root: Path, number: int) -> _Read:
    try:
        with entry_path(root, number).open("rb") as file:
            status, content = os.fstat(file.fileno()), file.read()
    except OSError as error:
        raise LedgerError(f"ledger entry {number} is unreadable: {error.strerror}") from error
    return _Read(*decode(content, number), _mark(number, status))


def _mark(number: int, status: os.stat_result) -> int:
    return mark(f"{number:012d}", status.st_size, status.st_mtime_ns)


class _History:
    """What a checkpoint of a data folder must agree with."""

    def __init__(self, root: Path, last: int) -> None:
        self.last = last
        self._root = root

    def sha256(self, number: int) -> str:
        return _read(self._root, number).sha256

    def seen(self, state: Fold) -> int | None:
        numbers = range(1, state.number + 1)
        try:
            return sum(_mark(number, entry_path(self._root, number).stat()) for number in numbers)
        except OSError:
            return None


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
