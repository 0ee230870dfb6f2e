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
            return _write(settings, progress)
    except Busy:
        return _wait_for_server(settings, journal)


def _write(settings: Settings, progress: Progress = lambda _: None) -> Written:
    writer = Writer(settings, configure(settings))
    written = writer.write_journal(progress)
    writer.sweep()
    return written


def _wait_for_server(settings: Settings, journal: JournalFolders) -> Written:
    """What the server writes of the files that are there now. The ledger is asked for each by name, once the
    server has let go of it; one that it has dropped without a record was empty."""
    wanted = {path.stem for path in journal.open.glob("*.open")} | set(journal.waiting())
    _ask_to_roll(journal)
    folder, data = data_folder(settings), open_data(settings)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    written = Written()
    while True:
        let_go = {name for name in wanted if not _is_waiting(journal, name)}
        for record in filter(None, map(data.record, sorted(let_go))):
            written.files += 1
            written.events += record.received
            written.counts += record.counts
        wanted -= let_go
        if not wanted:
            return written
        if time.monotonic() > deadline:
            raise Busy(f"the running server has not written {len(wanted)} journal files yet; see its log")
        time.sleep(_POLL_SECONDS)
        try:
            with folder.serve():
                pass
        except Busy:
            continue
        return _write(settings)


def _is_waiting(journal: JournalFolders, name: str) -> bool:
    return (journal.open / f"{name}.open").exists() or (journal.closed / name).exists()


def _ask_to_roll(journal: JournalFolders) -> None:
    """Touch the file that the receivers look at (its time is compared with that of their open file)."""
    path = journal.root / ROLL_REQUEST
    path.touch()
    os.utime(path)
