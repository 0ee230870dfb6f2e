"""Lot after lot of rejected events: look, plan, commit, and plan again where somebody else was quicker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from connector.pipeline import Pipeline
from connector.redrive.lot import Lot, SinkOf
from connector.redrive.values import Redriven, Selection
from connector.tables.layout import FIRST_DAY, day_in
from connector.write.change import Changes
from connector.write.data import DataReader
from connector.write.folder import DataFolder
from connector.write.ledger import Fold, Live
from connector.write.sink import RowFailed

log = logging.getLogger("connector.redrive")

LOT_EVENTS = 50_000
LOT_BYTES = 64 * 1024 * 1024
"""So many rejected events, or bytes of their packed files, are looked at for one change."""
TRIES = 5
_MOST_FAILED = 20
_UNDATED = FIRST_DAY.isoformat()

Progress = Callable[[int], None]


class Redrive:
    """Moves rejected events of one data folder."""

    def __init__(self, data: DataReader, pipeline: Pipeline) -> None:
        self._data = data
        self._pipeline = pipeline

    def preview(self, selection: Selection, progress: Progress = lambda _: None) -> Redriven:
        """Count what would pass; nothing is written. Raises ``StoreError``, ``LedgerError``."""
        found = Redriven()
        for files in _lots(self._data.fold(), selection):
            seen = found.selected
            for _ in Lot(self._data, files, self._pipeline).passing(selection, found):
                pass
            progress(found.selected - seen)
        return found

    def run(
        self,
        selection: Selection,
        changes: Changes,
        folder: DataFolder,
        sink_of: SinkOf,
        progress: Progress = lambda _: None,
    ) -> Redriven:
        """Move what passes.

        Args:
            folder: for staging.

        Raises:
            StoreError, LedgerError, Busy, OSError: what is committed stays; run it again.
        """
        found = Redriven()
        state = self._data.fold()
        for files in _lots(state, selection):
            for _ in range(TRIES):
                state = self._data.fold(state)
                present = [live for live in files if live.output.name in state.rejected]
                lot = Lot(self._data, present, self._pipeline)
                moved, is_done = self._moved(lot, state, selection, changes, folder, sink_of)
                if is_done:
                    break
            else:
                moved.left_for_later = moved.passing
            found.add(moved)
            progress(moved.selected)
        return found

    def _moved(
        self, lot: Lot, state: Fold, selection: Selection, changes: Changes, folder: DataFolder,
        sink_of: SinkOf,
    ) -> tuple[Redriven, bool]:  # fmt: skip
        """What became of one lot, and whether that is so: False when it is to be planned again."""
        failed: frozenset[tuple[str, int]] = frozenset()
        while True:
            moved, staging = Redriven(), folder.new_staging()
            try:
                change = lot.change(state, selection, sink_of, staging, failed, moved)
                if change is None:
                    return moved, True
                is_done = changes.change(change) is not None
                moved.changes += is_done
                return moved, is_done
            except RowFailed as defect:
                name, index = defect.captured_file, defect.captured_index
                if name is None or index is None or len(failed) >= _MOST_FAILED:
                    raise
                log.error("event %d of %s passes and cannot be written: please report this", index, name)
                failed |= {(name, index)}
            finally:
                folder.drop_staging(staging)


def _lots(state: Fold, selection: Selection) -> Iterator[list[Live]]:
    """The rejected files that may hold selected events, in lots of bounded size."""
    lot: list[Live] = []
    events = size = 0
    for name in sorted(state.rejected):
        live = state.rejected[name]
        day = day_in(live.output.name)
        if selection.since is not None and _UNDATED < day < selection.since.isoformat():
            continue
        if lot and (events + live.output.rows > LOT_EVENTS or size + live.output.bytes > LOT_BYTES):
            yield lot
            lot, events, size = [], 0, 0
        lot.append(live)
        events += live.output.rows
        size += live.output.bytes
    if lot:
        yield lot
