"""Which checkpoint a fold may begin from: the newest that the ledger as it is now agrees with.

A checkpoint is a cache. One that is gone, torn, foreign, newer than the ledger or of another history is
passed over. What it holds must still be there, entry by entry and record by record, and be what it was when
it was read: name, size, and the version that the store or the file system states.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from connector.errors import LedgerError
from connector.write.checkpoint import decode
from connector.write.checkpoint_shelf import Shelf
from connector.write.folding import MARKS, Fold, Origin


class History(Protocol):
    """The ledger as a listing shows it."""

    last: int
    """Number of the last change; every one before it is there."""

    def sha256(self, number: int) -> str:
        """The hash of a change. Raises ``LedgerError``."""

    def seen(self, state: Fold) -> int | None:
        """The sum of the marks of what ``state`` was made from, as they are now; None: it is not all there,
        and nothing says that it ever was.

        Raises:
            LedgerError: something that this very ledger had is gone.
        """


def start(shelf: Shelf, names: Iterable[str], history: History) -> Fold:
    """The fold in the newest usable one of some checkpoints, else the fold of nothing.

    Args:
        names: the newest first; listed before the ledger was.

    Raises:
        LedgerError: something that a checkpoint of this ledger has is gone. StoreError: as ``Shelf``.
    """
    unusable: set[str] = set()
    for name in names:
        state = _usable(shelf, name, history)
        if state is not None:
            return replace(state, origin=replace(state.origin, unusable=frozenset(unusable)))
        unusable.add(name)
    return Fold(origin=Origin(unusable=frozenset(unusable)))


def _usable(shelf: Shelf, name: str, history: History) -> Fold | None:
    content = shelf.read(name)
    state = None if content is None else decode(name, content)
    if state is None or state.number > history.last:
        return None
    try:
        if state.number and history.sha256(state.number) != state.sha256:
            return None
    except LedgerError:
        return None
    seen = history.seen(state)
    return state if seen is not None and seen % MARKS == state.origin.seen else None
