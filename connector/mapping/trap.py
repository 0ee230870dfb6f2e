"""One trap of a mapping: it is valid, and it does something else than its writer is likely to think."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from connector.nearest import close_name


class Trap(NamedTuple):
    """Where it lies, what happens there, and what to write instead."""

    code: str
    """Name of the kind of trap, in kebab case; stable."""
    path: str
    """JSON pointer (RFC 6901) into what was looked at; ``""`` is the whole of it."""
    text: str
    """One sentence."""
    fix: str
    column: int | None = None
    """In a query: where, in characters from 1."""

    def below(self, path: str) -> Trap:
        """Return the trap as seen from further up."""
        return self._replace(path=f"{path}{self.path}")

    def __str__(self) -> str:
        where = self.path if self.column is None else f"{self.path}, column {self.column}"
        return f"{where}: {self.text} {self.fix} [{self.code}]"


def pointer_step(key: str) -> str:
    """Return one step of a JSON pointer, with its slash."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest known name, or the statement of what there is."""
    names = list(known)
    close = close_name(name, names)
    return f"Did you mean {close}?" if close else f"There are {', '.join(names)}."
