"""Copies and identities on a connection: from what lies prepared, brought up to date where it must be."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from connector.lake.faults import lake_errors
from connector.prepared.columns import GROUPS, rows_in
from connector.prepared.copies import find_groups, show_copies, write_keys
from connector.prepared.days import RESOLVED, DayFiles, TableDay, changed, days_of
from connector.prepared.links import days_to_link, show_identities, write_identities, write_links
from connector.prepared.manifest import Manifest, PreparedFile, without
from connector.prepared.shelf import FOLDER, Before, PreparedGone, Shelf, shelf_of
from connector.prepared.work import Work, described
from connector.write.data import DataReader
from connector.write.ledger import Fold

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("connector.prepared")

_TRIES = 3
_TYPICAL_ROW_ID = "00000000-0000-5000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was found, and what it took."""

    days: int
    """Days with rows of events, profiles or aliases."""
    days_read: int
    """Of these, the days that were read anew."""
    rows_read: int
    """Rows of the tables of the days that were read anew."""
    copies: int
    """Rows that are left out."""
    devices: int
    """Devices that belong to a user."""
    reused: bool
    """Whether anything that lay prepared was used."""
    saved: bool
    """Whether new files lie prepared now."""

    def __str__(self) -> str:
        saved = ", saved" if self.saved else ""
        return (
            f"{self.copies:,} copies, {self.devices:,} devices with a user; "
            f"{self.days_read:,} of {self.days:,} days read ({self.rows_read:,} rows){saved}"
        )


def resolve(
    lake: duckdb.DuckDBPyConnection, data: DataReader, state: Fold, *, keep: bool = True
) -> Resolution:
    """Make the relations that every report starts from, on a connection made by ``lake.open.open_lake``.

    ``copies``
        ``table_name, row_id, captured_file, captured_index`` of each row of ``events``, ``profiles`` and
        ``aliases`` that is a copy of another and was not the first received.
    ``identities``
        ``anonymous_id, user_id, linked_at_ms, row_id``: each device with the user whom the first row about
        both names; ``linked_at_ms`` is its time, ms since the epoch, null when it has none.
    ``unique_events``, ``unique_profiles``, ``unique_aliases``
        ``<table>_raw`` without the copies. Days without copies are read as they are, and filters on ``day``
        and ``event`` reach the files.

    What lies prepared in ``<data>/derived/resolution`` is used for days whose files are the same; other days
    are read. Damaged files there count as absent. The relations hold their rows themselves: they outlast the
    prepared files. Without a ledger nothing is used and nothing saved.

    Args:
        lake: its views show all sources, and exactly the live files of ``state``.
        state: the ledger that the views show.
        keep: save what was brought up to date. A folder or a store that refuses is no error.

    Raises:
        LakeUnreadable: a file could not be read, or the views show other files than those of ``state``.
    """
    with lake_errors(data.uri), TemporaryDirectory(prefix="connector-") as folder:
        if not state.entries:
            return _Resolving(lake, Path(folder), _shown_days(lake), None).run(Before(), Manifest())
        shelf = shelf_of(data)
        resolving = _Resolving(lake, Path(folder), days_of(state), shelf, keep)
        return _from_what_there_is(resolving, shelf, _made_with(lake))


def _from_what_there_is(resolving: _Resolving, shelf: Shelf, made_with: str) -> Resolution:
    """From the manifest there is, again when another took its place, and from nothing where that fails. What
    cannot be read of the tables is no reason to read all of them."""
    import duckdb

    before = Before()
    for _ in range(_TRIES):
        last, before = before, _look(shelf, made_with)
        if not before.manifest.days or before.content == last.content:
            break
        try:
            return resolving.run(before, before.manifest)
        except (PreparedGone, duckdb.IOException, duckdb.BinderException) as trouble:
            if isinstance(trouble, duckdb.IOException) and FOLDER not in str(trouble):
                raise
            log.info("what lies prepared is not used: %s", str(trouble).partition("\n")[0])
    return resolving.run(before, Manifest(made_with))


class _Fresh(NamedTuple):
    """Files of this call."""

    days: frozenset[TableDay]
    """Those whose keys were read."""
    keys: Path
    linked: frozenset[TableDay]
    """Those whose statements were read."""
    links: Path
    identities: Path


class _Resolving:
    """One call of ``resolve``, which may take several runs.

    Args:
        folder: for files of this call.
        now: the days that there are.
        shelf: where prepared files lie; None: nowhere.
    """

    def __init__(
        self,
        lake: duckdb.DuckDBPyConnection,
        folder: Path,
        now: Mapping[TableDay, DayFiles],
        shelf: Shelf | None,
        keep: bool = False,
    ) -> None:
        self._lake = lake
        self._folder = folder
        self._now = now
        self._shelf = shelf
        self._keep = keep

    def run(self, before: Before, base: Manifest) -> Resolution:
        """Resolve from ``base``. Raises ``PreparedGone``."""
        days = changed(base.days, self._now)
        self._lake.execute("DROP SCHEMA IF EXISTS prepared CASCADE; CREATE SCHEMA prepared")
        try:
            return self._renewed(before, base, days) if days or not base.results else self._shown(base)
        finally:
            self._lake.execute("DROP SCHEMA IF EXISTS prepared CASCADE")

    def _shown(self, base: Manifest) -> Resolution:
        """Nothing has changed."""
        groups, identities = self._work(base).paths_of(base.results)
        self._lake.execute(f"CREATE VIEW prepared.groups AS {rows_in(GROUPS, [groups])}")
        copies = show_copies(self._lake, self._now)
        devices = show_identities(self._lake, identities)
        return self._resolution(frozenset(), copies, devices, reused=True)

    def _renewed(self, before: Before, base: Manifest, days: frozenset[TableDay]) -> Resolution:
        """The days are read anew; days in which rows are copies no more, or are now, too."""
        work = self._work(base)
        keys = write_keys(work, days)
        find_groups(work, keys, days)
        copies = show_copies(self._lake, self._now)
        linked = days_to_link(work, days)
        links = write_links(work, linked)
        identities = write_identities(work, links, linked)
        devices = show_identities(self._lake, identities)
        done = self._resolution(linked, copies, devices, reused=bool(base.results))
        if self._shelf is None or not self._keep:
            return done
        manifest, new = _prepared(work, _Fresh(days, keys, linked, links, identities))
        return replace(done, saved=self._shelf.save(manifest, new, before))

    def _work(self, base: Manifest) -> Work:
        def fetch(files: Sequence[PreparedFile]) -> Mapping[str, Path]:
            assert self._shelf is not None
            return self._shelf.fetch(files, self._folder)

        return Work(self._lake, self._folder, self._now, base, fetch)

    def _resolution(
        self, read: frozenset[TableDay], copies: int, devices: int, *, reused: bool
    ) -> Resolution:
        here = [day for day in read if day in self._now]
        return Resolution(
            days=len({day.day for day in self._now}),
            days_read=len({day.day for day in here}),
            rows_read=sum(self._now[day].rows for day in here),
            copies=copies,
            devices=devices,
            reused=reused,
            saved=False,
        )


def _prepared(work: Work, fresh: _Fresh) -> tuple[Manifest, list[Path]]:
    """What is to lie prepared from now on, and the files of it that are new."""
    keys, new_keys = work.with_new("keys", without(work.base.keys, fresh.days), fresh.keys)
    links, new_links = work.with_new("links", without(work.base.links, fresh.linked), fresh.links)
    groups = work.write("groups", "SELECT * FROM prepared.groups")
    digests = {day: files.digest for day, files in work.now.items()}
    manifest = Manifest(
        work.base.made_with, digests, keys, links, described(groups), described(fresh.identities)
    )
    return manifest, [*new_keys, *new_links, groups, fresh.identities]


def _look(shelf: Shelf, made_with: str) -> Before:
    content = shelf.manifest()
    found = None if content is None else Manifest.decoded(content, made_with)
    return Before(content, found or Manifest())


def _made_with(lake: duckdb.DuckDBPyConnection) -> str:
    """What the keys depend on: DuckDB does not promise that its hash stays as it is."""
    found = lake.execute("SELECT version() || ' ' || hash($1)", [_TYPICAL_ROW_ID]).fetchall()
    return str(found[0][0])


def _shown_days(lake: duckdb.DuckDBPyConnection) -> dict[TableDay, DayFiles]:
    """The days that the views show, where no ledger says it."""
    queries = (
        f"SELECT '{table}', CAST(day AS VARCHAR), count(*) FROM {table}_raw GROUP BY ALL"
        for table in RESOLVED
    )
    found = lake.execute(" UNION ALL ".join(queries)).fetchall()
    return {TableDay(table, day): DayFiles("", rows) for table, day, rows in sorted(found)}
