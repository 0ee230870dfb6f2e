"""A data folder as readers see it, on this machine or in a store: ledger, names, contents."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from connector.objects import ObjectStore
from connector.write.checkpoint import FOLDER as CHECKPOINTS
from connector.write.checkpoint_shelf import FolderShelf, Shelf, StoreShelf, is_stray
from connector.write.entries import Record
from connector.write.ledger import Fold, changes_folder, entry_number, fold, fold_until
from connector.write.object_ledger import DEADLINE_SECONDS, OUTPUTS, ObjectLedger


class Attempts(NamedTuple):
    """Names of outputs that attempts wrote down before they put them, whether or not they ever did."""

    living: frozenset[str] = frozenset()
    """Of attempts that may still make them live."""
    dead: frozenset[str] = frozenset()
    """Of attempts past their deadline: the sweep removes what the ledger does not have."""


class DataReader(Protocol):
    """What the audit, the views and the commands ask of a data folder. In a store every method may raise
    ``StoreError``."""

    @property
    def uri(self) -> str:
        """Path or ``s3://`` address, for people."""

    @property
    def root(self) -> Path | None:
        """The folder when the files lie on this machine; None when they must be fetched."""

    def exists(self) -> bool:
        """Whether there is a data folder, even an empty one."""

    def fold(self, since: Fold | None = None) -> Fold:
        """What is true now; ``since``: an earlier fold to go on from. Raises ``LedgerError``."""

    def proven(self) -> Fold:
        """As ``fold``, from entries and records alone, whatever checkpoints there are."""

    def checkpoints(self) -> Shelf:
        """Folds to start from, beside the ledger."""

    def fold_until(self, since: Fold, state: Fold) -> Fold:
        """Go on from ``since`` with what else ``state`` was made from. Raises ``LedgerError``."""

    def names(self) -> set[str]:
        """Every file below ``tables/`` and ``rejected/``, listed in the ledger or not."""

    def has(self, name: str) -> bool:
        """Whether a file is there now."""

    def record(self, captured_file: str) -> Record | None:
        """What the ledger says of a captured file now; None: it is not written. Raises ``LedgerError``."""

    def attempts(self) -> Attempts:
        """What attempts are about to make live, or were. Ask after ``names`` and before ``fold``."""

    def strays(self) -> Iterator[str]:
        """What lies in the ledger and does not belong there, one sentence each."""

    def file(self, name: str) -> AbstractContextManager[Path]:
        """A path with the content of a file, read-only and only inside the context.

        Raises:
            FileNotFoundError: there is no such file.
        """


class FolderData:
    """A data folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = str(root)
        self._known = Fold()

    def exists(self) -> bool:
        return self.root.is_dir()

    def fold(self, since: Fold | None = None) -> Fold:
        return fold(self.root, since)

    def proven(self) -> Fold:
        return fold(self.root, checkpoints=False)

    def checkpoints(self) -> Shelf:
        return FolderShelf(self.root)

    def fold_until(self, since: Fold, state: Fold) -> Fold:
        return fold_until(self.root, since, state.number)

    def names(self) -> set[str]:
        return {
            path.relative_to(self.root).as_posix()
            for folder in OUTPUTS
            for path in (self.root / folder).rglob("*")
            if not path.is_dir()
        }

    def has(self, name: str) -> bool:
        return (self.root / name).exists()

    def record(self, captured_file: str) -> Record | None:
        self._known = fold(self.root, self._known)
        return self._known.records.get(captured_file)

    def attempts(self) -> Attempts:
        """None: what is not committed lies in ``.staging``."""
        return Attempts()

    def strays(self) -> Iterator[str]:
        folder = changes_folder(self.root)
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry_number(path.name) is None:
                yield f"ledger/changes/{path.name} is no ledger entry."
        folder = self.root / CHECKPOINTS
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if is_stray(f"{CHECKPOINTS}{path.name}"):
                yield f"{CHECKPOINTS}{path.name} is no checkpoint of the ledger."

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        path = self.root / name
        if not path.exists():
            raise FileNotFoundError(name)
        yield path


class StoreData:
    """A data folder below the prefix of a store."""

    root = None

    def __init__(self, store: ObjectStore) -> None:
        self.store = store
        self.uri = store.uri
        self._ledger = ObjectLedger(store)

    def exists(self) -> bool:
        return self.store.holds("")

    def fold(self, since: Fold | None = None) -> Fold:
        return self._ledger.fold(since)

    def proven(self) -> Fold:
        return self._ledger.fold(checkpoints=False)

    def checkpoints(self) -> Shelf:
        return StoreShelf(self.store)

    def fold_until(self, since: Fold, state: Fold) -> Fold:
        return self._ledger.fold_until(since, state)

    def names(self) -> set[str]:
        return {info.name for folder in OUTPUTS for info in self.store.find(folder)}

    def has(self, name: str) -> bool:
        return any(info.name == name for info in self.store.find(name))

    def record(self, captured_file: str) -> Record | None:
        found = self._ledger.record(captured_file)
        return None if found is None else found.record

    def attempts(self) -> Attempts:
        listed = self._ledger.listed_intents()
        if not listed:
            return Attempts()
        alive_from_ms = self.store.clock_ms() - DEADLINE_SECONDS * 1000
        living: set[str] = set()
        dead: set[str] = set()
        for info, intent in self._ledger.intents(listed):
            if intent is not None:
                (living if info.modified_ms > alive_from_ms else dead).update(intent.names)
        return Attempts(frozenset(living), frozenset(dead))

    def strays(self) -> Iterator[str]:
        return self._ledger.strays()

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """A download into a folder of its own, removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="connector-") as folder:
            path = Path(folder) / name.rsplit("/", 1)[-1]
            if not self.store.download(name, path):
                raise FileNotFoundError(name)
            yield path
