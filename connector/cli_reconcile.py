"""``connector reconcile``: options in, exit codes out."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from connector.cli_options import config_option, data_option, day_option, mapping_option, settings_of


@click.command()
@config_option
@data_option
@mapping_option
@click.option(
    "--archive", required=True, metavar="PREFIX",
    help="Segment's archive, or a part of it: a folder, a file or s3://bucket/prefix.",
)  # fmt: skip
@day_option("--from", "First received day, as 2026-03-01.")
@day_option("--to", "Last received day.")
@click.option(
    "--source", metavar="NAME", help="Who sent what lies in no folder of a configured source; as for replay."
)
@click.option("--dry-run", is_flag=True, help="List what is missing, write nothing.")
@click.option("--force", is_flag=True, help="Write although serve ran under another configuration.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with the message ids of all that is missing."
)
def reconcile(
    config: str | None,
    archive: str,
    source: str | None,
    dry_run: bool,
    force: bool,
    as_json: bool,
    to: datetime | None,
    **options: Any,
) -> None:
    """Find what never arrived by comparing Segment's archive with the tables, and replay exactly that.

    Segment drops an event when nobody took it for four hours, or when it was refused; its S3 archive has it
    still. Events are the same when their messageId is. One has arrived when it is in a table, among the
    rejected, or in a journal file that waits to be written. What no action of the mapping subscribes to
    leaves no trace, so it is counted apart, and is neither listed as missing nor replayed.

    The missing events are kept in <journal>/healed/<day>/, their bytes as they were, and replayed from there
    under the configuration of now. Doing it twice adds nothing. Name days that are over: what Segment still
    tries to deliver is missing until it comes, and then a copy of what was replayed.

    Give the same --config and --mapping as serve. Exit codes: 0 nothing is missing, or it is written now; 1
    something is missing (--dry-run), or could not be compared or written; 2 wrong usage or settings.

    \b
      connector reconcile --archive s3://your-bucket/segment-logs --from 2026-03-01 --to 2026-03-07 --dry-run
    """
    from connector.commands.reconcile import Asked, run

    first: datetime | None = options.pop("from")
    asked = Asked(archive, first.date() if first else None, to.date() if to else None, source)
    sys.exit(
        run(settings_of(config, **options), asked, dry_run=dry_run, as_json=as_json, force=force)
    )  # fmt: skip
