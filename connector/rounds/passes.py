"""Passes over a data folder: small files become large ones, and copies go, whatever happens to one day."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from connector.background import Stopping
from connector.compaction import ALL, RECENT, Compacted, Compactor, Rules
from connector.config import Settings
from connector.errors import ConnectorError
from connector.rounds.backoff import Backoff
from connector.rounds.sweeping import sweep_store
from connector.wiring import make_changes, make_compactor, make_preparer, open_data, rules_of
from connector.write.checkpoints import Checkpoints
from connector.write.folding import Fold

log = logging.getLogger("connector.janitor")

_CLOSED_SECONDS = 3_600.0
_ONE_NAME = "compaction"


class Figures(Protocol):
    """What the passes count."""

    def count(self, done: Compacted) -> None:
        """A day was dealt with."""

    def failed(self) -> None:
        """A day, or all of a pass, was given up; the next pass tries again."""


class Passes:
    """Pass after pass, whatever goes wrong in one of them.

    Args:
        sweeps: also remove what dead attempts left in S3, which beside ``connector serve`` its writer does.
    """

    def __init__(self, settings: Settings, figures: Figures, *, sweeps: bool = False) -> None:
        self._settings = settings
        self._compactor: Compactor | None = None
        self._figures = figures
        self._sweeps = sweeps
        self._backoff = Backoff(settings.compact_seconds, _CLOSED_SECONDS)
        self._closed_at: float | None = None

    def next(self, stopping: Stopping = lambda: False) -> float:
        """One pass; return after how many seconds the next is due. What goes wrong with one day, or with all
        of them, is logged and hinders nothing else."""
        try:
            well = self._pass(stopping)
        except Exception as trouble:
            self._give_up("the tables were not compacted", trouble)
            self._compactor = None
            well = False
        if not well:
            return self._backoff.put_off(_ONE_NAME)
        self._backoff.forget(_ONE_NAME)
        return self._settings.compact_seconds

    def _pass(self, stopping: Stopping) -> bool:
        """Days that still grow every time, every day once an hour; True when nothing went wrong.

        The newest days come first: they change, and there may be no time for all.
        """
        if self._compactor is None:
            self._changes = make_changes(self._settings)
            self._compactor = make_compactor(self._settings, self._changes)
            self._preparer = make_preparer(self._settings)
            self._checkpoints = Checkpoints(open_data(self._settings).checkpoints())
        compactor = self._compactor
        days = compactor.days()
        self._keep_checkpoint(compactor.state)
        well = self._run(compactor, RECENT, [day for day in days if day >= _yesterday()], stopping)
        now = time.monotonic()
        if self._closed_at is None or now - self._closed_at >= _CLOSED_SECONDS:
            well &= self._run(compactor, ALL, reversed(days), stopping)
            self._closed_at = self._closed_at if stopping() else now
        gc.collect()
        old = self._changes.remove_old(int(self._settings.grace_seconds * 1_000))
        if old:
            log.info("removed %d files that were replaced %d s ago", len(old), self._settings.grace_seconds)
        if self._sweeps:
            well &= sweep_store(self._changes, self._settings.data)
        if not stopping():
            self._prepare()
        return well

    def _keep_checkpoint(self, state: Fold) -> None:
        """For those who fold the ledger next: first of all, since there may be no time for anything after it.
        It is a cache: compaction goes on without."""
        try:
            name = self._checkpoints.keep(state)
        except Exception as trouble:
            self._give_up("no checkpoint of the ledger was written", trouble)
            return
        if name is not None:
            log.info("wrote %s", name)

    def _prepare(self) -> None:
        """Duplicates and identities, for those who ask next. They are a cache: compaction goes on without."""
        try:
            done = self._preparer.run()
        except Exception as trouble:
            self._give_up("duplicates and identities were not prepared", trouble)
            return
        if done is not None:
            log.info("prepared: %s", done)

    def _run(self, compactor: Compactor, rules: Rules, days: Iterable[str], stopping: Stopping) -> bool:
        well = True
        for day in days:
            if stopping():
                break
            try:
                done = compactor.run(rules_of(self._settings, rules), [day])
            except Exception as trouble:
                self._give_up(f"the files of {day} were not compacted", trouble)
                well = False
                continue
            self._figures.count(done)
            if done.days:
                log.info(
                    "%s: %d files became %d, %d duplicates taken out",
                    day, done.files_before, done.files_after, done.duplicates,
                )  # fmt: skip
        return well

    def _give_up(self, what: str, trouble: Exception) -> None:
        """A defect of ours is logged with its place in the code, anything else in one line."""
        self._figures.failed()
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
