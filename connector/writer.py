"""The writer process of ``connector serve``: every few seconds, closed journal files become table files."""

from __future__ import annotations

import logging
import os
import signal
import time

from prometheus_client import Counter

from connector.config import Settings, load_settings
from connector.errors import ConnectorError
from connector.events import FATES
from connector.journal.retention import expire, expire_refused
from connector.rounds import Writer, Written
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
    writer: Writer | None = None
    figures = _Figures()
    tidied = 0.0
    while not stopping and os.getppid() == parent:
        began = time.monotonic()
        try:
            writer = writer or Writer(settings, configure(settings))
            written = writer.write_journal()
            if written.files:
                log.info(written.said)
                figures.count(written)
            if began - tidied >= _RETENTION_SECONDS or not tidied:
                tidied = began
                _tidy(settings, writer)
        except ConnectorError as trouble:
            log.warning("this round did not finish, the next one tries again: %s", trouble)
        except OSError as trouble:
            log.error("this round did not finish, the next one tries again: %s", trouble.strerror or trouble)
        while not stopping and time.monotonic() - began < settings.publish_seconds:
            time.sleep(0.05)


class _Figures:
    """What the writer adds to ``/metrics``: every process of the service counts into one folder."""

    def __init__(self) -> None:
        self._events = Counter("connector_written_events", "Events written, by fate.", ["fate"])
        self._rejected = Counter("connector_rejected_events", "Rejected events, by reason.", ["reason"])
        self._unproven = Counter(
            "connector_delete_unproven", "Delete notices that no proof covers: nobody was forgotten."
        )

    def count(self, written: Written) -> None:
        for fate in FATES:
            self._events.labels(fate).inc(written.counts.of(fate))
        for reason, events in written.rejected.items():
            self._rejected.labels(reason).inc(events)
        self._unproven.inc(written.rejected["delete_unproven"])


def _tidy(settings: Settings, writer: Writer) -> None:
    writer.sweep()
    now_ms = time.time_ns() // 1_000_000
    folders = journal_folders(settings)
    expired = expire(folders, settings.retention_days * _DAY_MS, now_ms, writer.is_recorded)
    refused = expire_refused(folders, _REFUSED_DAYS * _DAY_MS, now_ms)
    if expired.paused or refused.paused:
        log.warning("the clock moved by more than a day: nothing is removed from the journal for a day")
    if expired.removed:
        log.info("retention removed %d journal files", len(expired.removed))


if __name__ == "__main__":
    log_to_stderr()
    run(load_settings())
