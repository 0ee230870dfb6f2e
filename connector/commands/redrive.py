"""``connector rejected redrive``: rejected events that pass now move into the tables."""

from __future__ import annotations

import json
from typing import Any

import click

from connector.config import Settings
from connector.errors import ConfigError
from connector.redrive import Redrive, Redriven, Selection
from connector.tables import REJECTED_REASONS
from connector.terminal import err, progress
from connector.wiring import change_rows, configure, data_folder, existing_data, make_changes


def run(settings: Settings, selection: Selection, *, dry_run: bool, as_json: bool) -> int:
    """Preview or move, and say what came of it.

    Returns:
        Exit code 1 when events pass and could not be moved because their files changed again and again.

    Raises:
        ConfigError: there is no such data folder or reason, or the settings are wrong.
        StoreError, LedgerError, Busy, OSError: what is committed stays; run it again.
    """
    if selection.reason is not None and selection.reason not in REJECTED_REASONS:
        there = ", ".join(sorted(REJECTED_REASONS))
        raise ConfigError(f"--reason: there is no reason {selection.reason}; there are {there}")
    data = existing_data(settings)
    configured = configure(settings, preview=dry_run)
    redrive = Redrive(data, configured.pipeline)
    with progress("looking at rejected events", 0) as (events, _):
        if dry_run:
            found = redrive.preview(selection, events)
        else:
            found = redrive.run(
                selection, make_changes(settings), data_folder(settings), change_rows(configured), events
            )
    if as_json:
        click.echo(json.dumps(_report(found, dry_run), indent=2))
    else:
        _say(found, dry_run)
    return 1 if found.left_for_later else 0


def _report(found: Redriven, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "selected": found.selected,
        "passing": found.passing,
        "fates": dict(sorted(found.fates.items())),
        "still_rejected": dict(found.still.most_common()),
        "left_for_later": found.left_for_later,
    }


def _say(found: Redriven, dry_run: bool) -> None:
    if not found.selected:
        err.print("no rejected event is meant; connector rejected list shows what there is")
        return
    fates = ", ".join(
        f"{count:,} {fate}" for fate, count in sorted(found.fates.items()) if fate != "rejected" and count
    )
    verb = "would pass" if dry_run else "pass" if found.left_for_later else "passed and moved"
    err.print(f"{found.passing:,} of {found.selected:,} events {verb}" + (f": {fates}" if fates else ""))
    if found.still:
        reasons = ", ".join(f"{count:,} {code}" for code, count in found.still.most_common())
        err.print(f"still rejected: {reasons}; connector rejected show explains one", markup=False)
    if found.left_for_later:
        err.print(f"✗ {found.left_for_later:,} events stay: their files changed meanwhile; run it again")
    if dry_run and found.passing:
        err.print("the same without --dry-run moves them")
