"""``connector replay --diff`` and ``--rebuild``: recorded captured files under the configuration of now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import click

from connector.config import Settings
from connector.errors import ConfigError
from connector.journal.archive import Days
from connector.journal.folders import HEALED
from connector.journal.listing import Listing
from connector.lake.faults import lake_errors
from connector.rerun import Difference, Rerun
from connector.rounds import Written
from connector.rounds.again import Again, EventDays
from connector.terminal import err, growing_progress, out, table
from connector.wiring import (
    configure,
    data_folder,
    existing_data,
    journal_folders,
    make_changes,
    s3_config,
)
from connector.write.change import new_tag

_MOST_COLUMNS = 30


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which captured files are run again, and what for."""

    arguments: Sequence[str]
    source: str | None
    workers: int
    received: tuple[date | None, date | None]
    """First and last received day."""
    events: tuple[date | None, date | None]
    """First and last day of events."""
    rebuild: bool
    as_json: bool


def run(settings: Settings, wanted: Wanted) -> int:
    """Tell what differs and, when asked to, replace it.

    Returns:
        Exit code 1 when a captured file could not be read or mapped: nothing is replaced then.

    Raises:
        ConfigError: no such data folder, an argument leads to nothing, wrong settings.
        StoreError, LedgerError, Busy, OSError: nothing was replaced.
    """
    data = existing_data(settings)
    if wanted.events[0] and wanted.events[1] and wanted.events[0] > wanted.events[1]:
        raise ConfigError(f"--from {wanted.events[0]} is after --to {wanted.events[1]}")
    configured = configure(settings)
    changes = make_changes(settings)
    listing = Listing(_arguments(settings, wanted), Days(*wanted.received), s3_config(settings))
    rerun = Rerun(data, data_folder(settings), configured.fingerprint, keep=wanted.rebuild)
    again = Again(settings, configured, rerun.state, new_tag(), EventDays(*wanted.events))
    written, number, compared = Written(), None, 0
    try:
        with lake_errors(data.uri), growing_progress("running again") as bar:
            for lot in again.lots(
                bar.counted(listing), written, source=wanted.source, progress=bar.events,
                done=lambda _: bar.done(), workers=wanted.workers,
            ):  # fmt: skip
                compared += len(lot)
                rerun.compare(lot)
        if written.stopped:
            raise written.stopped
        failed = len(written.failed) + len(written.changed) + len(again.failed)
        if wanted.rebuild and not failed:
            with lake_errors(data.uri):
                number = rerun.commit(changes)
    finally:
        rerun.close()
    found = _report(rerun.difference, compared, again, failed, number)
    click.echo(json.dumps(found, indent=2)) if wanted.as_json else _say(found, wanted.rebuild)
    return 1 if failed else 0


def _arguments(settings: Settings, wanted: Wanted) -> Sequence[str]:
    """What the person names, else all that the journal still keeps."""
    if wanted.arguments:
        return wanted.arguments
    journal = journal_folders(settings).root
    kept = [str(folder) for name in ("done", HEALED) if (folder := journal / name).is_dir()]
    if not kept:
        raise ConfigError(f"{journal}: the journal keeps no written file; name captured files: PATH...")
    return kept


def _report(
    found: Difference, compared: int, again: Again, failed: int, number: int | None
) -> dict[str, Any]:
    return {
        "captured_files": compared,
        "passed_over": again.passed_over,
        "not_in_the_ledger": len(again.unknown),
        "not_named": again.absent(),
        "failed": failed,
        "affected_captured_files": len(found.captured_files),
        "affected_days": sorted(found.days),
        "tables": {
            name: {"added": each.added, "removed": each.removed, "changed": each.changed,
                   "columns": dict(each.columns.most_common())}
            for name, each in sorted(found.tables.items())
        },
        "copies": found.copies,
        "fates": {fate: found.fates[fate] for fate in ("rejected", "unmatched")},
        "rebuilt": number is not None,
        "ledger_entry": number,
    }  # fmt: skip


def _say(found: dict[str, Any], rebuild: bool) -> None:
    rows = [(name, each["added"], each["removed"], each["changed"]) for name, each in found["tables"].items()]
    if rows:
        table("Rows that differ", ("table", "added", "removed", "changed"), rows)
        columns = [
            (f"{name}.{column}", count)
            for name, each in found["tables"].items()
            for column, count in each["columns"].items()
        ]
        if columns:
            table("Changed rows by column", ("column", "rows"), columns[:_MOST_COLUMNS])
        days = found["affected_days"]
        out.print(f"days      {len(days):,}, {days[0]} to {days[-1]}")
    for fate, more in found["fates"].items():
        if more:
            out.print(f"{fate:<9} {more:+,} events")
    err.print(
        f"{found['affected_captured_files']:,} of {found['captured_files']:,} captured files differ"
        + (f"; {found['passed_over']:,} have no row in these days" if found["passed_over"] else "")
    )
    if found["not_in_the_ledger"]:
        err.print(f"{found['not_in_the_ledger']:,} are not in the ledger: connector replay PATH writes them")
    if found["not_named"]:
        err.print(
            f"{found['not_named']:,} recorded captured files with rows in these days were not among these; "
            "name them too: PATH..."
        )
    if found["failed"]:
        err.print(f"✗ {found['failed']:,} could not be read or mapped; nothing was replaced")
    elif found["rebuilt"]:
        err.print(f"rebuilt, ledger entry {found['ledger_entry']}")
    elif rebuild:
        err.print("nothing to rebuild")
    elif found["affected_captured_files"]:
        err.print("the same with --rebuild replaces them")
