"""Captured files that the ledger has, mapped once more, in lots of staged files."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from connector.config import Settings
from connector.errors import ConnectorError
from connector.journal.places import ObjectPlace, Place
from connector.journal.reader import Identity
from connector.replay import Progress
from connector.rounds.mapping import Mapping
from connector.rounds.sources import SourceNames
from connector.rounds.tasks import Task, identify_for
from connector.rounds.writer import ROUND_BYTES, ROUND_FILES, Done
from connector.rounds.written import Written
from connector.tables.layout import day_in
from connector.wiring import Configured, data_folder

if TYPE_CHECKING:
    from connector.write.entries import Record
    from connector.write.ledger import Fold
    from connector.write.sink import StagedFile

log = logging.getLogger("connector.writer")


class EventDays:
    """Days of events that are wanted, both ends included; None leaves an end open."""

    def __init__(self, first: date | None, last: date | None) -> None:
        self._first = first.isoformat() if first else ""
        self._last = last.isoformat() if last else "9999-12-31"

    def touch(self, days: Iterable[str]) -> bool:
        return any(self._first <= day <= self._last for day in days)


class Again:
    """Maps recorded captured files under the configuration of now. Nothing is committed.

    Args:
        state: the ledger that says what is recorded.
        attempt: part of every output name; what nobody has had before.
        days: captured files are passed over that have rows in none of these days, neither then nor now.
    """

    def __init__(
        self, settings: Settings, configured: Configured, state: Fold, attempt: str, days: EventDays
    ) -> None:
        self._settings = settings
        self._state = state
        self._attempt = attempt
        self._days = days
        self._folder = data_folder(settings)
        self._mapping = Mapping(settings, configured, self._folder)
        self.unknown: list[Place] = []
        """Captured files that are not recorded."""
        self.failed: list[Place] = []
        """Captured files that cannot be read, or whose bytes are others than those recorded."""
        self._seen: set[str] = set()
        self.passed_over = 0
        """Captured files without rows in the wanted days."""

    def lots(
        self,
        places: Iterable[Place],
        written: Written,
        *,
        source: str | None = None,
        progress: Progress = lambda _: None,
        done: Done = lambda _: None,
        workers: int = 1,
    ) -> Iterator[list[StagedFile]]:
        """Yield staged files, so many at a time as ``Writer`` would publish in one entry.

        Args:
            written: told of what failed; other arguments as for ``Writer.write``.
        """
        lot: list[StagedFile] = []
        size = 0
        tasks = self._tasks(places, SourceNames(self._settings, source), source, done)
        for task, staged in self._mapping.mapped(tasks, written, progress, workers):
            done(task.place)
            if staged is None:
                continue
            if not self._days.touch(self._days_of(staged)):
                self.passed_over += 1
                self._folder.drop_staging(staged.staging)
                continue
            lot.append(staged)
            size += int(staged.record.identity["bytes"])
            if len(lot) >= ROUND_FILES or size >= ROUND_BYTES:
                yield lot
                lot, size = [], 0
        if lot:
            yield lot

    def _days_of(self, staged: StagedFile) -> set[str]:
        """Days of its rows, then and now; the day of arrival when it has none."""
        name = staged.record.captured_file
        now = {day_in(output.name) for output in staged.record.files}
        return now | self._state.days_of(name)

    def _tasks(
        self, places: Iterable[Place], sources: SourceNames, given: str | None, done: Done
    ) -> Iterator[Task]:
        for place in places:
            name, identity = self._identified(place)
            record = self._state.records.get(name)
            if record is None or (identity and record.identity["sha256"] != identity.sha256):
                (self.unknown if name and record is None else self.failed).append(place)
                done(place)
                continue
            first = name not in self._seen
            self._seen.add(name)
            if not first or not self._may_touch(name):
                self.passed_over += first
                done(place)
                continue
            staging = self._folder.new_staging()
            fetched = None if identity else self._folder.new_staging()
            named = _recorded_source(record) if place.source_id is None and given is None else None
            yield Task(
                place, name, identity, staging, fetched, named or sources.of(place), False, self._attempt
            )

    def absent(self) -> int:
        """Recorded captured files with rows in the wanted days that were not among those that were named."""
        return sum(
            self._days.touch(self._state.days_of(name))
            for name in self._state.records
            if name not in self._seen
        )

    def _may_touch(self, name: str) -> bool:
        """Whether it has, or might get, rows in the wanted days; of events without rows nobody knows it."""
        counts = self._state.counts[name]
        had = self._state.days_of(name)
        return not had or counts.rejected + counts.unmatched > 0 or self._days.touch(had)

    def _identified(self, place: Place) -> tuple[str, Identity | None]:
        """Name of a captured file, and what it is proven by; an object is read when it is mapped."""
        if isinstance(place, ObjectPlace):
            return place.captured_file, None
        try:
            identity = identify_for(self._settings, self._folder, place.path)
        except (ConnectorError, FileNotFoundError, PermissionError, IsADirectoryError) as trouble:
            log.error("%s cannot be read: %s", place.path.name, trouble)
            return "", None
        return identity.name, identity


def _recorded_source(record: Record) -> str | None:
    """Who sent the events of a plain file, as it was said the first time."""
    source = record.identity.get("source")
    return None if source is None else str(source)
