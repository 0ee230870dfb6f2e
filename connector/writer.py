"""The writer process of ``connector serve``: every few seconds, closed journal files become table files."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Collection, Sequence

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from connector.background import run_rounds
from connector.config import Settings, load_settings
from connector.errors import ConnectorError, StoreError
from connector.events import FATES
from connector.journal.retention import expire, expire_refused
from connector.rounds import Writer, Written
from connector.rounds.backoff import Backoff
from connector.terminal import log_to_stderr
from connector.wiring import configure, journal_folders

log = logging.getLogger("connector.writer")

_RETENTION_SECONDS = 3_600.0
_REFUSED_DAYS = 90
_DAY_MS = 86_400_000
_LONGEST_PAUSE_SECONDS = 60.0
_SAME_WARNING_SECONDS = 60.0
_STORE = "store"


def run(settings: Settings) -> None:
    """Write until SIGTERM, or until the process that started this one is gone."""
    rounds = Rounds(settings)
    run_rounds(lambda _: rounds.next())


class Rounds:
    """Round after round, whatever goes wrong in one of them."""

    def __init__(self, settings: Settings, registry: CollectorRegistry = REGISTRY) -> None:
        self._settings = settings
        self._writer: Writer | None = None
        self._figures = Figures(registry)
        self._tidying = Tidying(settings)
        self._backoff = Backoff(settings.publish_seconds, _LONGEST_PAUSE_SECONDS)
        self._said: dict[str, float] = {}

    def next(self) -> float:
        """Write what waits; return how many seconds after its beginning the next round is due.

        While S3 refuses, rounds are further and further apart. Where it refuses the credentials, those of the
        next round are looked up anew: something else may renew them in a file. What the old ones made holds
        itself in cycles, which mapping lets pile up (``rounds.tasks``).
        """
        try:
            self._round()
        except StoreError as trouble:
            if trouble.code == "store_forbidden":
                self._writer = None
                gc.collect()
            self._warn(str(trouble))
            return max(self._backoff.put_off(_STORE), self._settings.publish_seconds)
        except ConnectorError as trouble:
            self._warn(str(trouble))
        except OSError as trouble:
            self._warn(trouble.strerror or str(trouble), logging.ERROR)
        else:
            self._backoff.forget(_STORE)
        return self._settings.publish_seconds

    def _round(self) -> None:
        self._writer = self._writer or Writer(self._settings, configure(self._settings))
        written = self._writer.write_journal()
        if written.files:
            log.info(written.said)
            self._figures.count(written)
        self._tidying.when_due(self._writer)

    def _warn(self, trouble: str, level: int = logging.WARNING) -> None:
        """Say it, once a minute as long as it stays the same."""
        now = time.monotonic()
        self._said = {text: at for text, at in self._said.items() if now - at < _SAME_WARNING_SECONDS}
        if trouble not in self._said:
            self._said[trouble] = now
            log.log(level, "this round did not finish, the next one tries again: %s", trouble)


class Tidying:
    """What is done once an hour: the leavings of dead attempts, and journal files that are old enough."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._last: float | None = None
        self._unknown: set[str] = set()
        """Written journal files that the ledger does not have: another's, or their record is lost."""

    def when_due(self, writer: Writer) -> None:
        """Tidy up when it was not done for an hour."""
        now = time.monotonic()
        if self._last is None or now - self._last >= _RETENTION_SECONDS:
            self._last = now
            writer.sweep()
            self.retain(writer.recorded)

    def retain(self, recorded: Callable[[Sequence[str]], Collection[str]]) -> None:
        """Remove journal files that are older than their retention and that the ledger has.

        Args:
            recorded: asks the ledger as it is now: after this, the tables have the only copy.
        """

        def known(names: Sequence[str]) -> Collection[str]:
            wanted = [name for name in names if name not in self._unknown]
            found = recorded(wanted) if wanted else ()
            self._keep([name for name in wanted if name not in found])
            return found

        now_ms = time.time_ns() // 1_000_000
        folders = journal_folders(self._settings)
        expired = expire(folders, self._settings.retention_days * _DAY_MS, now_ms, known)
        refused = expire_refused(folders, _REFUSED_DAYS * _DAY_MS, now_ms)
        if expired.paused or refused.paused:
            log.warning("the clock moved by more than a day: nothing is removed from the journal for a day")
        if expired.removed:
            log.info("retention removed %d journal files", len(expired.removed))

    def _keep(self, names: Sequence[str]) -> None:
        self._unknown.update(names)
        if names:
            log.error(
                "%d journal files in done/ are old enough to go and kept: %s has no whole record of them; "
                "the first is %s; either they are another data folder's, or run connector audit",
                len(names), self._settings.data, min(names),
            )  # fmt: skip


class Figures:
    """What the writer adds to ``/metrics``: every process of the service counts into one folder."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter(
            "connector_written_events", "Events written, by fate.", ["fate"], registry=registry
        )
        self._rejected = Counter(
            "connector_rejected_events", "Rejected events, by reason.", ["reason"], registry=registry
        )
        self._unproven = Counter(
            "connector_delete_unproven", "Delete notices that no proof covers: nobody was forgotten.",
            registry=registry,
        )  # fmt: skip

    def count(self, written: Written) -> None:
        for fate in FATES:
            self._events.labels(fate).inc(written.counts.of(fate))
        for reason, events in written.rejected.items():
            self._rejected.labels(reason).inc(events)
        self._unproven.inc(written.rejected["delete_unproven"])


if __name__ == "__main__":
    log_to_stderr()
    run(load_settings())
