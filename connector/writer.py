"""The writer process of ``connector serve``: every few seconds, closed journal files become table files."""

from __future__ import annotations

import logging
import os
import signal
import time

from connector.config import Settings, load_settings
from connector.errors import ConnectorError
from connector.journal.retention import expire, expire_refused
from connector.rounds import Writer
from connector.terminal import log_to_stderr
from connector.wiring import configure, journal_folders

log = logging.getLogger("connector.writer")

_RETENTION_SECONDS = 3_600.0
_REFUSED_DAYS = 90
_DAY_MS = 86_400_000


def run(settings: Settings) -> None:
    """Write until SIGTERM, or until the process that started this one is gone."""
    stopping = False
    parent = os.getppid()

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    writer = Writer(settings, configure(settings))
    tidied = 0.0
    while not stopping and os.getppid() == parent:
        began = time.monotonic()
        try:
            written = writer.write_journal()
            if written.files:
                log.info(written.said)
            if began - tidied >= _RETENTION_SECONDS or not tidied:
                tidied = began
                _tidy(settings, writer)
        except ConnectorError as trouble:
            log.warning("this round did not finish, the next one tries again: %s", trouble)
        except OSError as trouble:
            log.error("this round did not finish, the next one tries again: %s", trouble.strerror or trouble)
        while not stopping and time.monotonic() - began < settings.publish_seconds:
            time.sleep(0.05)


def _tidy(settings: Settings, writer: Writer) -> None:
    recorded = set(writer.recorded)
    now_ms = time.time_ns() // 1_000_000
    folders = journal_folders(settings)
    expired = expire(folders, settings.retention_days * _DAY_MS, now_ms, recorded.__contains__)
    refused = expire_refused(folders, _REFUSED_DAYS * _DAY_MS, now_ms)
    if expired.paused or refused.paused:
        log.warning("the clock moved by more than a day: nothing is removed from the journal for a day")
    if expired.removed:
        log.info("retention removed %d journal files", len(expired.removed))


if __name__ == "__main__":
    log_to_stderr()
    run(load_settings())
