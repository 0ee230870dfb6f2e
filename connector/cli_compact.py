"""``connector compact``: options in, exit codes out."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from connector.cli_options import config_option, data_option, day_option, settings_of


@click.command()
@config_option
@data_option
@day_option("--from", "Only this day of events and later, as 2026-03-01.")
@day_option("--to", "Only this day of events and earlier.")
@click.option(
    "--grace", type=click.FloatRange(min=0), metavar="SECONDS",
    help="How long replaced files stay for those who read them; default: grace_seconds, half an hour.",
)  # fmt: skip
def compact(config: str | None, grace: float | None, **options: Any) -> None:
    """Merge the small files of each day into sorted ones, and take copies of events out.

    serve does this by itself, recent days every few minutes and the others once an hour. Works beside serve,
    replay and readers: the views show the old files or the new ones, and replaced files go after the grace.
    What is taken out is counted as duplicate and listed: connector sql "FROM duplicates". Safe to interrupt.
    """
    from connector.commands.compact import run

    first: datetime | None = options.pop("from")
    last: datetime | None = options.pop("to")
    settings = settings_of(config, **options, grace_seconds=grace)
    sys.exit(run(settings, first.date() if first else None, last.date() if last else None))
