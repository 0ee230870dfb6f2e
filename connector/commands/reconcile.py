"""``connector reconcile``: Segment's archive against the tables; what never arrived is replayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path

from connector.commands.reconcile_report import Report, print_json, print_report
from connector.config import Settings
from connector.errors import ConfigError
from connector.events import Captured
from connector.journal.archive import Days
from connector.journal.folders import HEALED
from connector.journal.listing import Listing
from connector.journal.owner import check_configuration, check_data
from connector.journal.places import FilePlace, Place
from connector.lake.open import open_lake
from connector.nearest import close_name
from connector.options import SLUG
from connector.reconcile.archive import Archive
from connector.reconcile.compare import Comparison
from connector.reconcile.healed import Healed, HealedFiles
from connector.reconcile.keys import key_of
from connector.reconcile.losses import Losses
from connector.reconcile.waiting import Waiting
from connector.rounds import Writer, Written
from connector.rounds.sources import SourceNames
from connector.rounds.tasks import unpacked_limit
from connector.tables import TABLES
from connector.terminal import FileBar, growing_progress
from connector.wiring import (
    Configured,
    configure,
    data_folder,
    existing_data,
    journal_folders,
    s3_config,
)

_AT_ONCE = 2_000_000
"""Events that are compared at one time, to the end of their day."""
_PROGRESS_EVENTS = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be compared."""

    archive: str
    """A path or ``s3://bucket/prefix``."""
    first: date | None = None
    last: date | None = None
    """Received days, both included; None leaves an end open."""
    source: str | None = None
    """Names the sender of what no configured source has the id of."""


def run(settings: Settings, asked: Asked, *, dry_run: bool, as_json: bool, force: bool) -> int:
    """Compare, list, and unless ``dry_run`` write what never arrived.

    Args:
        force: write although the journal was received under another configuration.

    Returns:
        Exit code 0 when nothing is missing, or not any more; 1 when something is, or was not compared.

    Raises:
        ConfigError: there is no data folder or no archive, or the settings are wrong.
        Busy: another process held the data folder for a minute.
        LakeUnreadable: a file of the lake cannot be read.
        StoreError: S3 could not be reached. What was done stays done.
    """
    _check(settings, asked)
    existing_data(settings)
    configured = configure(settings, preview=dry_run)
    check_data(settings.journal_path, settings.data_address)
    if not (dry_run or force):
        check_configuration(settings.journal_path, configured.stated)
    listing = Listing([asked.archive], Days(asked.first, asked.last), s3_config(settings))
    with _folder(settings) as folder, _Work(settings, configured, folder, asked) as work:
        report = work.compare(listing)
        healed = work.collect(report, heal=not dry_run)
        if healed:
            report.healed, report.written = healed, _write(settings, configured, healed)
        (print_json if as_json else print_report)(report, work.losses)
    return 0 if report.ok else 1


class _Work:
    """One comparison: the keys of an archive first, then the events behind those that are missing."""

    def __init__(self, settings: Settings, configured: Configured, folder: Path, asked: Asked) -> None:
        data = existing_data(settings)
        self._asked = asked
        self._pipeline = configured.pipeline
        self._journal = journal_folders(settings)
        self._comparison = Comparison(
            lambda rejected: open_lake(data, configured.tables, rejected=rejected),
            data.uri,
            [table.name for table in TABLES],
            folder,
        )
        self._archive = Archive(
            s3_config(settings),
            folder,
            SourceNames(settings, asked.source).of,
            lambda: unpacked_limit(folder, settings),
        )
        self._places: dict[int, Place] = {}
        """Files of which something was not found yet, by their number."""

    def __enter__(self) -> _Work:
        return self

    def __exit__(self, *_: object) -> None:
        self._comparison.close()

    def compare(self, listing: Listing) -> Report:
        """Count what arrived; what did not is in the comparison afterwards."""
        report = Report(self._asked.archive, self._asked.first, self._asked.last, self._archive.not_read)
        with growing_progress("comparing") as bar:
            self._read(bar.counted(listing), bar, report)
        waiting = Waiting(self._journal, self._pipeline)
        found = self._comparison.finish(waiting)
        report.waiting, report.waiting_files, report.copies = found.waiting, waiting.files, found.copies
        report.arrived = report.compared - report.unreadable - found.missing - found.copies
        report.without_day = listing.without_day
        return report

    def collect(self, report: Report, *, heal: bool) -> list[Healed]:
        """Look at what is missing, event by event; with ``heal``, make captured files of it."""
        self.losses = Losses(self._comparison.lake)
        files = HealedFiles(self._journal.root / HEALED, self._journal.disk)
        with growing_progress("looking at what is missing") as bar:

            def take(place: Place, captured: Captured) -> None:
                bar.events(1)
                if heal:
                    files.add(place.day, captured)

            try:
                missing, archive = self._comparison.missing(), self._archive
                self.losses.collect(missing, self._places, archive, self._pipeline, take, bar.done)
                healed = files.finish()
            finally:
                files.drop()
        report.missing, report.apart = self.losses.total, self.losses.apart
        return healed

    def _read(self, places: Iterator[Place], bar: FileBar, report: Report) -> None:
        """Add the keys of every file; settle them when they are many, and where dated files begin."""
        first: Place | None = None
        last: Place | None = None
        settled = 0
        for number, place in enumerate(places):
            if last and place.day != last.day and (not last.day or report.compared - settled >= _AT_ONCE):
                self._settle(first, last)
                first, settled = None, report.compared
            first, last = first or place, place
            self._places[number] = place
            before = report.compared
            self._add(number, place, bar, report)
            bar.events((report.compared - before) % _PROGRESS_EVENTS)
            bar.done()
            report.files += 1
        if last:
            self._settle(first, last)

    def _add(self, number: int, place: Place, bar: FileBar, report: Report) -> None:
        for count, captured in enumerate(self._archive.events(place), start=1):
            report.compared += 1
            key = key_of(captured, self._pipeline)
            if key is None:
                report.unreadable += 1
            else:
                self._comparison.add(key, number, captured.captured_index)
            if not count % _PROGRESS_EVENTS:
                bar.events(_PROGRESS_EVENTS)

    def _settle(self, first: Place | None, last: Place) -> None:
        """Days come in their order; of the files before them nobody knows a day."""
        self._comparison.settle(first.day if first else None, last.day)
        wanted = self._comparison.files_with_candidates()
        self._places = {number: place for number, place in self._places.items() if number in wanted}


@contextmanager
def _folder(settings: Settings) -> Iterator[Path]:
    """A folder of one's own on the disk of the data, or of the journal when the data is in S3."""
    folder = data_folder(settings)
    path = folder.new_staging()
    try:
        yield path
    finally:
        folder.drop_staging(path)


def _write(settings: Settings, configured: Configured, healed: Iterable[Healed]) -> list[Written]:
    """Bring captured files into the tables, under the names of their sources."""
    writer = Writer(settings, configured)
    written = []
    by_source = sorted(healed, key=lambda file: file.source)
    with growing_progress("replaying") as bar:
        for source, files in groupby(by_source, key=lambda file: file.source):
            places = bar.counted(FilePlace(file.path) for file in files)
            done = writer.write(places, source=source, progress=bar.events, done=lambda _: bar.done())
            written.append(done)
    return written


def _check(settings: Settings, asked: Asked) -> None:
    if asked.first and asked.last and asked.first > asked.last:
        raise ConfigError(f"--from {asked.first} is after --to {asked.last}")
    if asked.source is None:
        return
    if not SLUG.fullmatch(asked.source):
        raise ConfigError("--source: a name has small letters, digits, - and _, at most 64 of them")
    if settings.sources and asked.source not in settings.sources:
        there = close_name(asked.source, settings.sources) or ", ".join(sorted(settings.sources))
        raise ConfigError(f"--source: no source {asked.source} is configured; there is {there}")
