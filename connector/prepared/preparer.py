"""Resolve beside compaction, so that readers find it done."""

from __future__ import annotations

from collections.abc import Mapping

from connector.lake.open import show_tables
from connector.prepared.days import DayFiles, TableDay, days_of
from connector.prepared.resolution import Resolution, resolve
from connector.write.data import DataReader
from connector.write.folder import DataFolder
from connector.write.ledger import Fold
from connector.write.scratch import scratch_duckdb

MEMORY_LIMIT = "512MB"
"""Of DuckDB, which spills beyond it."""


class Preparer:
    """Keeps what lies prepared of a data folder up to date.

    Args:
        data: the folder as readers see it.
        folder: for what DuckDB spills.
    """

    def __init__(self, data: DataReader, folder: DataFolder) -> None:
        self._data = data
        self._folder = folder
        self._state = Fold()
        self._prepared: Mapping[TableDay, DayFiles] = {}

    def run(self) -> Resolution | None:
        """Resolve and save; None: there is nothing new since the last time.

        Raises:
            StoreError, LedgerError, LakeUnreadable: the files of the lake are not to be had. OSError: the
            disk refused.
        """
        self._state = self._data.fold(self._state)
        if days_of(self._state) == self._prepared:
            return None
        staging = self._folder.new_staging()
        try:
            with scratch_duckdb(staging / "spill", MEMORY_LIMIT) as lake:
                shown = show_tables(lake, self._data, state=self._state)
                done = resolve(lake, self._data, shown)
        finally:
            self._folder.drop_staging(staging)
        self._prepared = days_of(shown)
        return done
