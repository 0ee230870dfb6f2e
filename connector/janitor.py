"""The janitor process of ``connector serve``: small files become large ones, and copies go, by themselves."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import time
from datetime import UTC, date, datetime, timedelta

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from connector.background import Stopping, run_rounds
from connector.compaction import ALL, RECENT, Compacted, Compactor, Rules
from connector.config import Settings, load_settings
from connector.errors import ConnectorError
from connector.rounds.backoff import Backoff
from connector.terminal import log_to_stderr
from connector.wiring import make_changes, make_compactor, make_preparer, rules_of

log = logging.getLogger("connector.janitor")

_CLOSED_SECONDS = 3_600.0
_NICENESS = 10
_ONE_NAME = "compaction"


def run(settings: Settings) -> None:
    """Compact until SIGTERM, or until the process that started this one is gone."""
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    run_rounds(Janitor(settings).next)


class Janitor:
    """Pass after pass, whatever goes wrong in one of them."""

    def __init__(self, settings: Settings, registry: CollectorRegistry = REGISTRY) -> None:
        self._settings = settings
        self._compactor: Compactor | None = None
        self._figures = _Figures(registry)
        self._backoff = Backoff(settings.compact_seconds, _CLOSED_SECONDS)
        self._closed_at: float | None = None

    def next(self, stopping: Stopping = lambda: False) -> float:
        """One pass; return after how many seconds the next is due. What goes wrong with one day, or with all
        of them, is logged and hinders nothing else."""
        try:
            well = self._pass(stopping)
        except Exception as trouble:
            _say("the tables were not compacted", trouble)
            self._compactor = None
            well = False
        if not well:
            return self._backoff.put_off(_ONE_NAME)
        self._backoff.forget(_ONE_NAME)
        return self._settings.compact_seconds

    def _pass(self, stopping: Stopping) -> bool:
        """Days that still grow every time, every day once an hour; True when nothing went wrong."""
        if self._compactor is None:
            self._changes = make_changes(self._settings)
            self._compactor = make_compactor(self._settings, self._changes)
            self._preparer = make_preparer(self._settings)
        compactor = self._compactor
        days = compactor.days()
        well = self._run(compactor, RECENT, [day for day in days if day >= _yesterday()], stopping)
        now = time.monotonic()
        if self._closed_at is None or now - self._closed_at >= _CLOSED_SECONDS:
            well &= self._run(compactor, ALL, days, stopping)
            self._closed_at = now
        gc.collect()
        old = self._changes.remove_old(int(self._settings.grace_seconds * 1_000))
        if old:
            log.info("removed %d files that were replaced %d s ago", len(old), self._settings.grace_seconds)
        if not stopping():
            self._prepare()
        return well

    def _prepare(self) -> None:
        """Duplicates and identities, for those who ask next. They are a cache: compaction goes on without."""
        try:
            done = self._preparer.run()
        except Exception as trouble:
            _say("duplicates and identities were not prepared", trouble)
            return
        if done is not None:
            log.info("prepared: %s", done)

    def _run(self, compactor: Compactor, rules: Rules, days: list[str], stopping: Stopping) -> bool:
        well = True
        for day in days:
            if stopping():
                break
            try:
                done = compactor.run(rules_of(self._settings, rules), [day])
            except Exception as trouble:
                _say(f"the files of {day} were not compacted", trouble)
                well = False
                continue
            self._figures.count(done)
            if done.days:
                log.info(
                    "%s: %d files became %d, %d duplicates taken out",
                    day, done.files_before, done.files_after, done.duplicates,
                )  # fmt: skip
        return well


def _say(what: str, trouble: Exception) -> None:
    """A defect of ours with its place in the code, anything else in one line."""
    if isinstance(trouble, ConnectorError):
        log.warning("%s, the next pass tries again: %s", what, trouble)
    elif isinstance(trouble, OSError):
        log.error("%s, the next pass tries again: %s", what, trouble.strerror or trouble)
    else:
        log.error("%s, the next pass tries again: %s", what, type(trouble).__name__, exc_info=trouble)


def _yesterday() -> str:
    """The last day that still grows in the ordinary way: that of the sender may be behind ours."""
    today: date = datetime.now(UTC).date()
    return (today - timedelta(days=1)).isoformat()


class _Figures:
    """What the janitor adds to ``/metrics``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._files = Counter("connector_compacted_files", "Table files merged.", registry=registry)
        self._duplicates = Counter(
            "connector_compacted_duplicates",
            "Events found to be duplicates by compaction.",
            registry=registry,
        )

    def count(self, done: Compacted) -> None:
        self._files.inc(done.files_before)
        self._duplicates.inc(done.duplicates)


if __name__ == "__main__":
    log_to_stderr()
    run(load_settings())
