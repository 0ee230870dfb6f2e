"""The days of tables with the live files they consist of: what prepared files must fit. No effects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from connector.tables.layout import day_in, table_of
from connector.write.ledger import Fold

RESOLVED = ("events", "profiles", "aliases")
"""Tables whose copies are found, and whose rows say whose a device is."""


class TableDay(NamedTuple):
    """One day of one table, the smallest thing that is read anew."""

    table: str
    day: str
    """``YYYY-MM-DD``"""

    def __str__(self) -> str:
        return f"{self.table}/{self.day}"

    @classmethod
    def of(cls, text: str) -> TableDay:
        """The inverse of ``str``. Raises ``ValueError``."""
        table, day = text.split("/")
        if table not in RESOLVED:
            raise ValueError(table)
        return cls(table, day)


class DayFiles(NamedTuple):
    """What a day of a table consists of."""

    digest: str
    """Of the names and hashes of its live files: equal only for the same files."""
    rows: int


def days_of(state: Fold) -> dict[TableDay, DayFiles]:
    """The days of the resolved tables, in order."""
    found: dict[TableDay, list[str]] = {}
    for name in sorted(state.tables):
        if table_of(name) in RESOLVED:
            found.setdefault(TableDay(table_of(name), day_in(name)), []).append(name)
    return {day: _files(state, found[day]) for day in sorted(found)}


def by_table(days: Iterable[TableDay]) -> dict[str, list[str]]:
    """Days in order by table, only of tables that have any."""
    found: dict[str, list[str]] = {}
    for table, day in sorted(days):
        found.setdefault(table, []).append(day)
    return found


def changed(before: Mapping[TableDay, str], now: Mapping[TableDay, DayFiles]) -> frozenset[TableDay]:
    """Days whose files differ from those of ``before`` (by digest), those that are gone included."""
    digests = {day: files.digest for day, files in now.items()}
    return frozenset(day for day in before.keys() | digests.keys() if before.get(day) != digests.get(day))


def _files(state: Fold, names: list[str]) -> DayFiles:
    outputs = [state.tables[name].output for name in names]
    text = "\n".join(f"{output.name} {output.sha256}" for output in outputs)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return DayFiles(digest, sum(output.rows for output in outputs))
