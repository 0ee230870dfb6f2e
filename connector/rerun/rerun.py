"""Staged files of another run -> what differs -> one change that replaces what the first run made."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson

from connector.compaction.copies import captured_files_in
from connector.compaction.files import TableFiles, table_files
from connector.compaction.merge import Input, LeftOut, Merge, groups_of
from connector.compaction.plan import MEMORY_LIMIT
from connector.compaction.rules import TARGET_BYTES
from connector.errors import LedgerError
from connector.lake.views import list_of
from connector.rerun.difference import Comparison, Difference, name_rerun_files
from connector.tables import TABLES
from connector.tables.layout import day_in, table_of
from connector.write.change import Change, Changes, lines_change_file, new_tag, table_change_file, touched
from connector.write.data import DataReader
from connector.write.entries import Counts, Output
from connector.write.folder import DataFolder
from connector.write.ledger import Fold, LedgerConflict, Live
from connector.write.lines import DayLines
from connector.write.scratch import scratch_duckdb
from connector.write.sink import StagedFile

if TYPE_CHECKING:
    import duckdb

TRIES = 5
_TABLES = {table.name: table for table in TABLES}


class Rerun:
    """Takes staged files of recorded captured files, lot by lot; then ``commit`` replaces what differs.

    Args:
        folder: for staging; the staged files lie in folders of it.
        fingerprint: of the configuration of the new run.
        keep: False: only tell what differs, and drop every staged file.
    """

    def __init__(self, data: DataReader, folder: DataFolder, fingerprint: str, *, keep: bool) -> None:
        self.difference = Difference()
        self._data = data
        self._folder = folder
        self._fingerprint = fingerprint
        self._keep = keep
        self._state = data.fold()
        self._kept: list[StagedFile] = []
        self._with_copies: list[StagedFile] = []
        """Captured files that differ in nothing but copies of rows that others have. The others
        may be run again too and have the rows no more: then these have them."""
        self._fetched = folder.new_staging()
        self._files: TableFiles = table_files(data, self._fetched)

    @property
    def state(self) -> Fold:
        """The ledger that the comparison rests on."""
        return self._state

    def compare(self, lot: Sequence[StagedFile]) -> None:
        """Compare some captured files with what is live of them.

        Raises:
            StoreError, LedgerError: a file is not to be had. OSError: the disk refused.
        """
        captured_files = {file.record.captured_file: file for file in lot}
        found = self._rows_differing(captured_files)
        for name, file in captured_files.items():
            had, has = self._state.counts[name], file.record.counts
            for fate in ("rejected", "unmatched"):
                more = has.of(fate) - had.of(fate)
                if more:
                    found.fates[fate] += more
                    found.captured_files.add(name)
        self.difference.add(found)
        self._files.keep(())
        for name, file in captured_files.items():
            if self._keep and name in found.captured_files:
                self._kept.append(file)
            elif self._keep and name in found.with_copies:
                self._with_copies.append(file)
            else:
                self._folder.drop_staging(file.staging)

    def commit(self, changes: Changes) -> int | None:
        """Replace what the kept captured files have with what they are to have, in one change.

        Returns:
            Its number; None when nothing differs.

        Raises:
            LedgerConflict: the files of these days changed again and again; nothing is done.
            StoreError, LedgerError, Busy, OSError: nothing is done, or all of it.
        """
        if not self._kept:
            return None
        self._kept += self._with_copies
        self._with_copies = []
        for _ in range(TRIES):
            self._state = self._data.fold(self._state)
            staging = self._folder.new_staging()
            try:
                number = changes.change(self._change(staging))
                if number is not None:
                    return number
            finally:
                self._folder.drop_staging(staging)
        raise LedgerConflict("the files of these days changed again and again; run it again")

    def close(self) -> None:
        """Drop what was fetched and what was not committed."""
        for file in (*self._kept, *self._with_copies):
            self._folder.drop_staging(file.staging)
        self._folder.drop_staging(self._fetched)

    def _rows_differing(self, captured_files: Mapping[str, StagedFile]) -> Difference:
        found = Difference()
        new = [
            (output.name, file.staging / output.name)
            for file in captured_files.values()
            for output in file.record.outputs
        ]
        days = {day_in(name) for name, _ in new}
        live = self._live_of(captured_files)
        with scratch_duckdb(self._fetched / "spill", MEMORY_LIMIT) as database:
            comparison = Comparison(database, captured_files)
            for table in _TABLES:
                mine = [name for name in live if table_of(name) == table]
                staged = [path for name, path in new if table_of(name) == table]
                others = [
                    name for name in self._state.tables if table_of(name) == table and day_in(name) in days
                ]
                keys = self._files.keys(others)
                found.add(comparison.compare(table, self._files.whole(mine), staged, list(keys.values())))
        return found

    def _live_of(self, captured_files: Mapping[str, object]) -> list[str]:
        """Live table files that may hold rows of these captured files."""
        days = {day for name in captured_files for day in self._state.days_of(name)}
        return [
            name
            for name, live in self._state.tables.items()
            if live.captured_file in captured_files or (live.captured_file is None and day_in(name) in days)
        ]

    def _change(self, staging: Path) -> Change:
        files = {file.record.captured_file: file for file in self._kept}
        counts: dict[str, Counts] = {name: file.record.counts for name, file in files.items()}
        removes = [name for name, live in self._state.live.items() if live.captured_file in files]
        adds: list[Output] = []
        others: set[str] = set()
        mixed = [name for name in self._live_of(files) if self._state.tables[name].captured_file is None]
        with scratch_duckdb(staging / "spill", MEMORY_LIMIT) as database:
            name_rerun_files(database, files)
            holding = self._holding(mixed, database)
            for table, day in sorted({(table_of(name), day_in(name)) for name in holding}):
                names = [name for name in holding if (table_of(name), day_in(name)) == (table, day)]
                inputs = [
                    Input.of(path, self._state.tables[name].output)
                    for name, path in zip(names, self._files.whole(names), strict=True)
                ]
                merge = Merge(database, _TABLES[table], staging, _namer(table, day), TARGET_BYTES)
                for group in groups_of(_TABLES[table], inputs):
                    adds += merge.merge(group, LeftOut(captured_files=frozenset(files)))
                others.update(captured_files_in(database, (each.path for each in inputs)))
            removes += holding
        for kind in ("rejected", "duplicates"):
            gone, left, owners = self._lines(kind, files, staging)
            removes += gone
            adds += left
            others |= owners
        counts.update({name: self._state.counts[name] for name in others - files.keys()})
        places = {output.name: file.staging for file in self._kept for output in file.record.files}
        adds += [output for file in self._kept for output in file.record.files]
        return Change(
            "rerun", (staging, *(file.staging for file in self._kept)), tuple(removes), tuple(adds), counts,
            touched(self._state, counts), dict.fromkeys(files, self._fingerprint),
            f"{len(files)} captured files run again", places,
        )  # fmt: skip

    def _holding(self, names: Sequence[str], database: duckdb.DuckDBPyConnection) -> list[str]:
        """Those of the mixed table files that hold rows of ``rerun_files``."""
        if not names:
            return []
        keys = self._files.keys(names)
        by_path = {str(path.absolute()): name for name, path in keys.items()}
        rows = f"read_parquet({list_of(keys.values())}, hive_partitioning = false, filename = '__file')"
        found = database.execute(
            f"SELECT DISTINCT __file FROM {rows} SEMI JOIN rerun_files USING (captured_file)"
        ).fetchall()
        return sorted(by_path[path] for (path,) in found)

    def _lines(
        self, kind: Literal["rejected", "duplicates"], files: Mapping[str, object], staging: Path
    ) -> tuple[list[str], list[Output], set[str]]:
        """Mixed files of lines that speak of these captured files: their names, what is left of them, and
        whose lines are in them."""
        live: Mapping[str, Live] = getattr(self._state, kind)
        gone: list[str] = []
        left: list[Output] = []
        owners: set[str] = set()
        for name in sorted(name for name, each in live.items() if each.captured_file is None):
            mine = {owner for owner, _, _ in self._lines_of(name)}
            if mine.isdisjoint(files):
                continue
            gone.append(name)
            owners |= mine
            lines = DayLines(staging, partial(_lines_name, kind, new_tag()))
            for owner, index, line in self._lines_of(name):
                if owner not in files:
                    lines.add(day_in(name), owner, index, line)
            left += lines.finish()
        return gone, left, owners

    def _lines_of(self, name: str) -> Iterable[tuple[str, int, bytes]]:
        try:
            with self._data.file(name) as path, gzip.open(path) as lines:
                for line in lines:
                    value = orjson.loads(line)
                    yield value["captured_file"], value["captured_index"], line
        except FileNotFoundError:
            raise LedgerError(f"{name} is in the ledger and not in its place") from None


def _lines_name(kind: Literal["rejected", "duplicates"], tag: str, day: str) -> str:
    return lines_change_file(kind, day, tag)


def _namer(table: str, day: str) -> Callable[[], str]:
    return lambda: table_change_file(table, day, new_tag())
