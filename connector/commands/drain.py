"""``connector drain``: everything captured before the call is in the ledger when it returns."""

from __future__ import annotations

import os
import time

from connector.config import Settings
from connector.errors import Busy, ConfigError
from connector.journal.folders import JournalFolders
from connector.journal.owner import check_configuration, check_data
from connector.journal.writer import ROLL_REQUEST
from connector.replay import Progress
from connector.rounds import Writer, Written
from connector.wiring import configure, data_folder, journal_folders, open_data

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 600.0


def drain(settings: Settings, progress: Progress = lambda _: None, *, force: bool = False) -> Written:
    """Write everything that is in the journal.

    Without a running ``serve`` this process writes, for good, so a slip must not pass: the settings have to
    be those that the last ``serve`` ran under. Beside a running one it asks the receivers to close their
    files and waits until the ledger has every file that was there (journal-protocol 3.3).

    Args:
        force: the settings may differ from those of ``serve``; the data folder may not.

    Raises:
        Busy: a running server did not get on within ten minutes.
        ConfigError: there is no journal, it belongs to another data folder, or it was received under other
            settings.
    """
    journal = journal_folders(settings)
    if not journal.root.is_dir():
        raise ConfigError(f"{journal.root}: no such journal, so there is nothing to write")
    check_data(journal.root, settings.data_address)
    folder = data_folder(settings)
    journal.make()
    try:
        with folder.serve():
            return _write(settings, progress, force=force)
    except Busy:
        return _wait_for_server(settings, journal, force=force)


def _write(settings: Settings, progress: Progress = lambda _: None, *, force: bool) -> Written:
    configured = configure(settings)
    if not force:
        check_configuration(settings.journal_path, configured.stated)
    writer = Writer(settings, configured)
    written = writer.write_journal(progress)
    writer.sweep()
    return written


def _wait_for_server(settings: Settings, journal: JournalFolders, *, force: bool) -> Written:
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
        return _write(settings, force=force)


def _is_waiting(journal: JournalFolders, name: str) -> bool:
    return (journal.open / f"{name}.open").exists() or (journal.closed / name).exists()


def _ask_to_roll(journal: JournalFolders) -> None:
    """Touch the file that the receivers look at (its time is compared with that of their open file)."""
    path = journal.root / ROLL_REQUEST
    path.touch()
    os.utime(path)
