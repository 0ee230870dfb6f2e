"""Write a checkpoint of the ledger now and then, and hold those that are there against the entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connector.errors import LedgerError
from connector.write.checkpoint import covered, decode, encode
from connector.write.checkpoint_shelf import Shelf
from connector.write.data import DataReader
from connector.write.folding import Fold

EVERY = 1_000
"""Entries and record objects from one checkpoint to the next: whoever folds reads about so many at most. A
ledger that has fewer gets none."""
KEPT = 2
"""Checkpoints that stay: a reader that has just listed the older one still finds it."""


class Checkpoints:
    """Keeps a data folder supplied; several may do so at once, in any process.

    Args:
        shelf: where they lie.
        every: entries and record objects from one to the next.
    """

    def __init__(self, shelf: Shelf, every: int = EVERY) -> None:
        self._shelf = shelf
        self._every = every
        self._covered = 0

    def keep(self, state: Fold) -> str | None:
        """Write a checkpoint when one is due, then delete all but the newest, and those that are no good.

        Args:
            state: the ledger, folded a moment ago. Nothing is asked for while it has grown little since the
                last call.

        Returns:
            The name of what was written; None: none is due.

        Raises:
            StoreError, OSError: the store or the disk refused. What is there can be read; call again.
        """
        if not self._is_due(state):
            return None
        unusable = state.origin.unusable
        usable = [name for name in self._shelf.names() if name not in unusable]
        self._covered = max((covered(name) or 0 for name in usable), default=0)
        if not self._is_due(state):
            return None
        name, content = encode(state)
        if name in unusable:
            self._shelf.delete([name])
        self._shelf.create(name, content)
        self._covered = state.entries
        self._tidy(unusable - {name})
        return name

    def _is_due(self, state: Fold) -> bool:
        return state.entries - self._covered >= self._every

    def _tidy(self, unusable: frozenset[str]) -> None:
        listed = self._shelf.names()
        usable = [name for name in listed if name not in unusable]
        self._shelf.delete([name for name in listed if name in unusable or name in usable[KEPT:]])


def checkpoint_faults(data: DataReader, names: Iterable[str], state: Fold) -> Iterator[str]:
    """Whole checkpoints that do not lead to what the entries say, one sentence each. Those that are torn or
    of another format lead nobody astray.

    Args:
        names: listed before ``state`` was folded.
        state: proven from the entries.
    """
    for name in names:
        content = data.checkpoints().read(name)
        found = None if content is None else decode(name, content)
        if found is None:
            continue
        try:
            agrees = data.fold_until(found, state) == state
        except LedgerError as error:
            yield f"{name} disagrees with the ledger: {error}."
            continue
        if not agrees:
            yield f"{name} disagrees with the ledger."
