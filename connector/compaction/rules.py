"""Which files of a day are worth merging. No effects. Source: journal-protocol 5, tables 6.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from connector.tables.layout import day_in, table_of
from connector.write.ledger import Fold, Live

TARGET_BYTES = 256 * 1024 * 1024
Day = Mapping[str, list[Live]]
"""Live table files of one day by table."""


@dataclass(frozen=True, slots=True)
class Rules:
    """When a day is due."""

    small_files: int
    """So many small files of one table and day are merged."""
    copies: bool
    """Whether to look for copies of rows, in the day and in its neighbours, when nothing is to be merged."""
    target_bytes: int = TARGET_BYTES
    """Size that files are merged up to; one of more than half of it is small no more."""
    growing: bool = False
    """Leave a file out that is more than twice as large as all smaller ones together: a day that grows is
    then written anew a few times, and not each time."""

    def small(self, files: Iterable[Live]) -> list[Live]:
        """The small ones among the files of one table, when there are enough of them."""
        found = [live for live in files if live.output.bytes < self.target_bytes // 2]
        if self.growing:
            by_size = sorted(found, key=lambda live: live.output.bytes)
            rest = sum(live.output.bytes for live in found)
            while by_size and by_size[-1].output.bytes > 2 * (rest - by_size[-1].output.bytes):
                rest -= by_size.pop().output.bytes
            found = by_size
        return found if len(found) >= self.small_files else []


RECENT = Rules(small_files=8, copies=False, growing=True)
"""Every few minutes, for days that still grow."""
ALL = Rules(small_files=2, copies=True)
"""For days that are over, and when a person asks."""


def days_of(state: Fold) -> dict[str, dict[str, list[Live]]]:
    """Live table files by day and table, days in order, files by name."""
    found: dict[str, dict[str, list[Live]]] = {}
    for name in sorted(state.tables):
        found.setdefault(day_in(name), {}).setdefault(table_of(name), []).append(state.tables[name])
    return dict(sorted(found.items()))


def neighbours(day: str) -> tuple[str, str]:
    """The days before and after: a copy whose sender stated no time may lie there."""
    this = date.fromisoformat(day)
    return (this - timedelta(days=1)).isoformat(), (this + timedelta(days=1)).isoformat()
