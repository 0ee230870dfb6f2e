"""``connector replay``: options in, exit codes out."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Any

import click

from connector.cli_options import config_option, data_option, day_option, mapping_option, settings_of


@click.command()
@config_option
@data_option
@mapping_option
@click.option("--source", metavar="NAME", help="Who sent the events of plain files; default: file.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True,
    help="Processes that map files side by side.",
)  # fmt: skip
@day_option("--since", "Only folders of this day and later, as 2026-03-01.")
@day_option("--until", "Only folders of this day and earlier.")
@click.option("--diff", is_flag=True, help="Preview what running recorded files again would change.")
@click.option("--rebuild", is_flag=True, help="Replace what differs, all of it in one step.")
@day_option("--from", "With --diff and --rebuild: only files with events of this day and later.")
@day_option("--to", "With --diff and --rebuild: only files with events of this day and earlier.")
@click.option("--json", "as_json", is_flag=True, help="With --diff and --rebuild: print JSON.")
@click.argument("paths", nargs=-1, metavar="PATH...")
def replay(
    config: str | None, paths: tuple[str, ...], source: str | None, workers: int, diff: bool, rebuild: bool,
    as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Write captured files: Segment's archive, journal files, NDJSON, JSON arrays, each also gzipped.

    PATH is a file, a folder, a glob or s3://bucket/prefix. Folders of Segment's archive
    (segment-logs/<source id>/<day>/) name their source by its source_ids. What the ledger has already is
    passed over, so an interrupted replay is simply started again.

    After a change of the mapping, the schemas or the settings, --diff shows what it changes in files that are
    written already, by table and column, and --rebuild replaces their rows: readers of the views see the old
    ones or the new ones. Without PATH both take what the journal keeps. A file is rebuilt whole, so --from
    and --to choose files by the days of their events. Restart serve under the new configuration first: what
    it writes meanwhile under the old one is not rebuilt.

    \b
      connector replay s3://bucket/segment-logs --since 2026-03-01
      connector replay --diff --mapping new.yaml
      connector replay --rebuild --mapping new.yaml --from 2026-03-01 --to 2026-03-07
    """
    received = _day(options.pop("since")), _day(options.pop("until"))
    events = _day(options.pop("from")), _day(options.pop("to"))
    if diff and rebuild:
        raise click.UsageError("--diff shows and --rebuild replaces: give one of them")
    if diff or rebuild:
        from connector.commands.rerun import Wanted
        from connector.commands.rerun import run as rerun

        wanted = Wanted(paths, source, workers, received, events, rebuild, as_json)
        sys.exit(rerun(settings_of(config, **options), wanted))
    if as_json or any(events):
        raise click.UsageError("--from, --to and --json go with --diff or --rebuild")
    if not paths:
        raise click.UsageError("Missing argument 'PATH...'.")
    from connector.commands.replay import run

    sys.exit(run(settings_of(config, **options), paths, source, workers, *received))


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None
