"""One day -> one change: its small files merged, its copies gone, its counts right."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connector.compaction.copies import Copies, captured_files_in
from connector.compaction.files import TableFiles
from connector.compaction.merge import Input, LeftOut, Merge, groups_of
from connector.compaction.rules import Day, Rules, neighbours
from connector.tables import TABLES, Table
from connector.tables.layout import day_in
from connector.write.change import Change, lines_change_file, new_tag, table_change_file, touched
from connector.write.entries import Counts, Output
from connector.write.ledger import Fold, Live
from connector.write.lines import DayLines
from connector.write.scratch import scratch_duckdb

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("connector.compaction")

MEMORY_LIMIT = "512MB"
"""Of DuckDB, which looks for copies; it spills beyond it."""
_BY_NAME: Mapping[str, Table] = {table.name: table for table in TABLES}


class DayPlan:
    """Plans the compaction of one day on a fold.

    Args:
        staging: a folder for this plan alone.
    """

    def __init__(
        self, day: str, days: Mapping[str, Day], state: Fold, files: TableFiles, rules: Rules, staging: Path
    ) -> None:
        self._day = day
        self._days = days
        self._here = days[day]
        self._state = state
        self._files = files
        self._rules = rules
        self._staging = staging
        self._removes: list[str] = []
        self._adds: list[Output] = []
        self._touched: set[str] = set()

    def change(self) -> Change | None:
        """What is to be done about the day; None: nothing.

        Raises:
            StoreError, LedgerError: a file is not to be had. OSError: the disk refused.
        """
        small = {table: self._rules.small(files) for table, files in self._here.items()}
        if not self._rules.copies and not any(small.values()):
            return None
        with scratch_duckdb(self._staging / "spill", MEMORY_LIMIT) as database:
            copies = Copies(database)
            chosen = {table: self._with_copies(table, small[table], copies) for table in sorted(self._here)}
            if not any(chosen.values()):
                return None
            for table, files in chosen.items():
                self._merge(table, files, copies, database)
            if not self._removes:
                return None
            counts = self._counts(copies)
            self._list(copies)
        return Change(
            "compaction", (self._staging,), tuple(self._removes), tuple(self._adds), counts,
            touched(self._state, counts), because=f"day {self._day}",
        )  # fmt: skip

    def _with_copies(self, table: str, small: list[Live], copies: Copies) -> list[Live]:
        """Small files, and those of any size that hold rows that go."""
        here = self._here[table]
        if table not in _BY_NAME:
            log.warning("%s is no table of this version; its files stay as they are", table)
            return []
        looked_at = here if self._rules.copies else small
        if not looked_at:
            return []
        names = [live.output.name for live in looked_at]
        around = [
            live.output.name
            for day in neighbours(self._day)
            for live in self._days.get(day, {}).get(table, ())
            if self._rules.copies
        ]
        keys = self._files.keys([*names, *around])
        with_losers = copies.look(table, (keys[name] for name in names), (keys[name] for name in around))
        small_names = {live.output.name for live in small}
        return [
            live
            for live in looked_at
            if live.output.name in small_names or keys[live.output.name].absolute() in with_losers
        ]

    def _merge(
        self, table: str, files: Sequence[Live], copies: Copies, database: duckdb.DuckDBPyConnection
    ) -> None:
        if not files:
            return
        names = [live.output.name for live in files]
        keys = self._files.keys(names)
        whole = dict(zip(names, self._files.whole(names), strict=True))
        keys_of = {whole[name]: keys[name] for name in names}
        inputs = [Input.of(whole[live.output.name], live.output) for live in files]
        merge = Merge(
            database, _BY_NAME[table], self._staging,
            lambda: table_change_file(table, self._day, new_tag()), self._rules.target_bytes,
        )  # fmt: skip
        left_out = LeftOut(lambda path: copies.rows(keys_of[path]))
        groups = groups_of(_BY_NAME[table], inputs)
        if len(groups) > 1:
            log.warning("files of %s on %s stay apart: they give a column two types", table, self._day)
        for group in groups:
            if len(group) == 1 and not left_out.rows(group[0].path):
                continue
            self._adds += merge.merge(group, left_out)
            self._touched |= captured_files_in(database, (each.path for each in group))
            self._removes += [each.output.name for each in group]

    def _counts(self, copies: Copies) -> dict[str, Counts]:
        """What became of the events of every captured file with rows in the merged files."""
        self._touched |= copies.kept_captured_files()
        counts = {name: self._state.counts[name] for name in sorted(self._touched)}
        losing = copies.events()
        if not losing:
            return counts
        here = [live.output.name for files in self._here.values() for live in files]
        elsewhere = self._elsewhere(losing)
        without = copies.without_rows(self._files.keys(here).values(), self._files.keys(elsewhere).values())
        for name, events in without.items():
            had = counts[name]
            counts[name] = replace(had, stored=had.stored - events, duplicate=had.duplicate + events)
        return counts

    def _elsewhere(self, captured_files: Mapping[str, int]) -> list[str]:
        """Files of other days that may hold rows of these captured files."""
        days = {day for name in captured_files for day in self._state.days_of(name)} - {self._day}
        return [
            name
            for name, live in self._state.tables.items()
            if day_in(name) in days and (live.captured_file is None or live.captured_file in captured_files)
        ]

    def _list(self, copies: Copies) -> None:
        lines = DayLines(self._staging, lambda day: lines_change_file("duplicates", day, new_tag()))
        for copy in copies.listed():
            lines.add(self._day, copy.captured_file, copy.captured_index, copy.line())
        self._adds += lines.finish()
