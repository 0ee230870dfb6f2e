"""``connector drain``: everything captured before the call is in the ledger when it returns."""

from __future__ import annotations

import os
import time

from connector.config import Settings
from connector.errors import Busy
from connector.journal.folders import JournalFolders
from connector.journal.writer import ROLL_REQUEST
from connector.replay import Progress
from connector.rounds import Writer, Written
from connector.wiring import configure, data_folder, journal_folders, open_data

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 600.0


def drain(settings: Settings, progress: Progress = lambda _: None) -> Written:
    """Write everything that is in the journal.

    Without a running ``serve`` this process writes. Beside one it asks the receivers to close their files and
    waits until the ledger has every file that was there (journal-protocol 3.3).

    Raises:
        Busy: a running server did not get on within ten minutes.
    """
    folder, journal = data_folder(settings), journal_folders(settings)
    journal.make()
    try:
        with folder.serve():
            return Writer(settings, configure(settings)).write_journal(progress)
    except Busy:
        return _wait_for_server(settings, journal)


def _wait_for_server(settings: Settings, journal: JournalFolders) -> Written:
    wanted = {path.stem for path in journal.open.glob("*.open")} | set(journal.waiting())
    _ask_to_roll(journal)
    folder = data_folder(settings)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    data = open_data(settings)
    state = data.fold()
    before = len(state.records), state.total
    while missing := wanted - state.records.keys():
        if time.monotonic() > deadline:
            raise Busy(f"the running server has not written {len(missing)} journal files yet; see its log")
        time.sleep(_POLL_SECONDS)
        missing = {
            name for name in missing
            if not ((journal.open / f"{name}.open").exists() or (journal.closed / name).exists())
        }  # fmt: skip
        state = data.fold(state)
        wanted -= missing - state.records.keys()
        try:
            with folder.serve():
                pass
        except Busy:
            continue
        return Writer(settings, configure(settings)).write_journal()
    written = state.total - before[1]
    return Written(files=len(state.records) - before[0], events=written.received, counts=written)


def _ask_to_roll(journal: JournalFolders) -> None:
    """Touch the file that the receivers look at (its time is compared with that of their open file)."""
    path = journal.root / ROLL_REQUEST
    path.touch()
    os.utime(path)
