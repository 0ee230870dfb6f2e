"""``connector rejected redrive``: options in, exit codes out."""

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
@click.option("--reason", metavar="CODE", help="Only this reason, such as schema_violation.")
@click.option("--event", metavar="NAME", help="Only events of this name, as it was sent.")
@click.option("--source", metavar="NAME", help="Only what this source sent.")
@day_option("--since", "Only what was received on this UTC day and later, as 2026-03-01.")
@click.option("--dry-run", is_flag=True, help="Say how many would pass; move nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def redrive(
    config: str | None, reason: str | None, event: str | None, source: str | None,
    since: datetime | None, dry_run: bool, as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Put rejected events through the mapping and the schemas of now; what passes moves into the tables.

    What does not pass stays as it is. Give the same --config and --mapping as serve. A moved event has the
    rows it would have had in the first place, and the ledger counts it anew.

    \b
      connector rejected redrive --reason schema_violation --dry-run
      connector rejected redrive --reason schema_violation --since 2026-03-01
    """
    from connector.commands.redrive import run
    from connector.redrive import Selection

    selection = Selection(reason, since.date() if since else None, source, event)
    sys.exit(run(settings_of(config, **options), selection, dry_run=dry_run, as_json=as_json))
