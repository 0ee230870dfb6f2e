"""What has arrived and is not in the tables yet: the keys of the journal's open and closed files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from connector.events import Captured, Outcome
from connector.journal.folders import JournalFolders
from connector.journal.reader import open_captured
from connector.reconcile.keys import Key, key_of


class Waiting:
    """Iterate once for the keys of everything that waits now; then read ``files``.

    A file that is gone when its turn comes was written to the tables meanwhile: ask those afterwards.
    """

    def __init__(self, journal: JournalFolders, pipeline: Callable[[Captured], Outcome]) -> None:
        self.files = 0
        self._journal = journal
        self._pipeline = pipeline

    def __iter__(self) -> Iterator[Key]:
        names = {path.stem for path in self._journal.open.glob("*.open")} | set(self._journal.waiting())
        for name in sorted(names):
            for path in (self._journal.open / f"{name}.open", self._journal.closed / name):
                try:
                    yield from self._keys(path)
                except FileNotFoundError:
                    continue
                break

    def _keys(self, path: Path) -> Iterator[Key]:
        file = open_captured(path, of_journal=True)
        self.files += 1
        for part in file.parts():
            for captured in part:
                key = key_of(captured, self._pipeline)
                if key is not None:
                    yield key
