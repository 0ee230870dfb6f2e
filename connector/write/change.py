"""A change of what is live, planned on one fold of the ledger and committed on a later one.

Planning takes seconds or minutes and holds no lock. It may be committed as long as nobody has touched what it
rests on: every file it removes is still live, and no other change has recounted its captured files. Source:
journal-protocol 3.2, 3.3, 3.4.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from connector.errors import LedgerError
from connector.write.entries import Counts, Entry, Output
from connector.write.ledger import Fold

ChangeKind = Literal["compaction", "rerun", "redrive"]
_TAG_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of some files and some counts, in one numbered entry."""

    kind: ChangeKind
    stagings: tuple[Path, ...]
    """Folders that are gone when it is committed. Below the first one the added files lie, durable, under
    their names, but for those that ``places`` knows."""
    removes: tuple[str, ...] = ()
    adds: tuple[Output, ...] = ()
    files: Mapping[str, Counts] = field(default_factory=dict)
    """New counts of every captured file that has rows or lines in a removed or an added file."""
    was: Mapping[str, int] = field(default_factory=dict)
    """Captured file -> number of the change that had last touched it when this was planned; 0 is not here."""
    reruns: Mapping[str, str] = field(default_factory=dict)
    because: str = ""
    places: Mapping[str, Path] = field(default_factory=dict)
    """Added file -> the other staging folder below which it lies."""

    def fits(self, state: Fold) -> bool:
        """Whether what it was planned on is still so."""
        live = state.live
        return all(name in live for name in self.removes) and all(
            name in state.records and state.changed.get(name, 0) == self.was.get(name, 0)
            for name in self.files
        )

    def staged(self, name: str) -> Path:
        """Where an added file lies now.

        Raises:
            LedgerError: it is gone.
        """
        path = self.places.get(name, self.stagings[0]) / name
        if not path.is_file():
            raise LedgerError(f"the staged file {name} is gone")
        return path

    def entry(self, state: Fold, committed_at_ms: int) -> Entry:
        """The next entry after ``state``. What it adds has its number in its names."""
        number = state.number + 1
        adds = tuple(replace(output, name=numbered(output.name, number)) for output in self.adds)
        return Entry(
            number, self.kind, state.sha256, committed_at_ms, removes=self.removes, adds=adds,
            files=dict(self.files), reruns=dict(self.reruns), because=self.because,
        )  # fmt: skip


class Changes(Protocol):
    """Commits changes: ``Publisher`` and ``ObjectPublisher``."""

    def recover(self) -> object:
        """Finish what a dead process left."""

    def change(self, change: Change) -> int | None:
        """The number of the change; None: it fits no more, plan again."""

    def remove_old(self, grace_ms: int) -> tuple[str, ...]:
        """Delete what changes removed more than ``grace_ms`` ago; return the names."""


def new_tag() -> str:
    """Ten hex digits that nobody has had: part of every name that a change uses."""
    return secrets.token_hex(_TAG_DIGITS // 2)


def table_change_file(table: str, day: str, tag: str) -> str:
    """Name under which a change stages a table file; ``numbered`` makes the final one of it."""
    return f"tables/{table}/day={day}/c-{tag}.parquet"


def lines_change_file(kind: Literal["rejected", "duplicates"], day: str, tag: str) -> str:
    return f"{kind}/day={day}/c-{tag}.ndjson.gz"


def numbered(name: str, number: int) -> str:
    """``…/c-<tag>.parquet`` becomes ``…/c-<number>-<tag>.parquet``; other names stay."""
    folder, _, base = name.rpartition("/")
    return f"{folder}/c-{number:012d}-{base[2:]}" if base.startswith("c-") else name


def unnumbered(name: str) -> str:
    """The inverse of ``numbered``."""
    folder, _, base = name.rpartition("/")
    return f"{folder}/c-{base[15:]}" if base.startswith("c-") else name


def touched(state: Fold, captured_files: Mapping[str, object]) -> dict[str, int]:
    """``Change.was`` of captured files that are planned on ``state``."""
    return {name: number for name in captured_files if (number := state.changed.get(name, 0))}
