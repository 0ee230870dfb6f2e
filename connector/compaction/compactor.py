"""Day after day: plan, commit, and plan again where somebody else was quicker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from connector.compaction.files import TableFiles, table_files
from connector.compaction.plan import DayPlan
from connector.compaction.rules import Day, Rules, days_of, neighbours
from connector.lake.faults import lake_errors
from connector.write.change import Change, Changes
from connector.write.data import DataReader
from connector.write.folder import DataFolder
from connector.write.ledger import Fold

log = logging.getLogger("connector.compaction")

TRIES = 5
"""Times a day is planned again because its files changed meanwhile; the next pass goes on."""


@dataclass(slots=True)
class Compacted:
    """What a pass did."""

    days: int = 0
    looked_at: int = 0
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    duplicates: int = 0
    """Events that turned from stored to duplicate."""
    left_for_later: list[str] = field(default_factory=list)
    """Days whose files changed again and again."""


class Compactor:
    """Compacts a data folder, beside whoever writes to it.

    Args:
        data: the folder as readers see it.
        folder: for staging.
        changes: the way to commit.
    """

    def __init__(self, data: DataReader, folder: DataFolder, changes: Changes) -> None:
        self._data = data
        self._folder = folder
        self._changes = changes
        self._state = Fold()
        self._looked: dict[str, tuple[Rules, frozenset[str]]] = {}
        """Days that were found in order -> the rules, and the files they and their neighbours had."""

    @property
    def state(self) -> Fold:
        """The ledger as it was last folded here."""
        return self._state

    def days(self) -> list[str]:
        """The days there are, in order. Raises ``StoreError``, ``LedgerError``."""
        self._state = self._data.fold(self._state)
        return list(days_of(self._state))

    def run(
        self, rules: Rules, days: Iterable[str], done: Callable[[str], None] = lambda _: None
    ) -> Compacted:
        """Compact the days that are due.

        Args:
            done: told of each day when it is dealt with.

        Raises:
            StoreError: the store refused. LedgerError: the ledger is damaged, or a file is gone. Busy: the
            lock of the data folder was not to be had. OSError: the disk refused. LakeUnreadable: a table file
            cannot be read. What is committed stays.
        """
        compacted = Compacted()
        self._changes.recover()
        fetched = self._folder.new_staging()
        try:
            files = table_files(self._data, fetched)
            for day in days:
                self._compact(day, rules, files, compacted)
                files.keep((day, *neighbours(day)))
                done(day)
        finally:
            self._folder.drop_staging(fetched)
        return compacted

    def _compact(self, day: str, rules: Rules, files: TableFiles, compacted: Compacted) -> None:
        for _ in range(TRIES):
            self._state = self._data.fold(self._state)
            days = days_of(self._state)
            if day not in days or self._looked.get(day) == (rules, _names(day, days)):
                return
            compacted.looked_at += 1
            change, committed = self._committed(day, days, rules, files)
            if change is None:
                self._looked[day] = rules, _names(day, days)
                return
            if committed:
                self._count(change, compacted)
                return
            log.info("the files of %s changed while they were merged; they are merged again", day)
        compacted.left_for_later.append(day)

    def _committed(
        self, day: str, days: Mapping[str, Day], rules: Rules, files: TableFiles
    ) -> tuple[Change | None, bool]:
        """What is to be done about a day, and whether it is done."""
        staging = self._folder.new_staging()
        try:
            with lake_errors(self._data.uri):
                change = DayPlan(day, days, self._state, files, rules, staging).change()
            return change, change is not None and self._changes.change(change) is not None
        finally:
            self._folder.drop_staging(staging)

    def _count(self, change: Change, compacted: Compacted) -> None:
        tables = [output for output in change.adds if output.is_table]
        removed = [self._state.tables[name].output for name in change.removes]
        compacted.days += 1
        compacted.files_before += len(removed)
        compacted.files_after += len(tables)
        compacted.bytes_before += sum(output.bytes for output in removed)
        compacted.bytes_after += sum(output.bytes for output in tables)
        compacted.duplicates += sum(
            counts.duplicate - self._state.counts[name].duplicate for name, counts in change.files.items()
        )


def _names(day: str, days: Mapping[str, Day]) -> frozenset[str]:
    """The files that a look at a day depends on."""
    return frozenset(
        live.output.name
        for each in (day, *neighbours(day))
        for files in days.get(each, {}).values()
        for live in files
    )
