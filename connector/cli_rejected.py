"""``connector rejected …``: options in, exit codes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from connector.cli_options import config_option, data_option, day_option, mapping_option, settings_of


@click.group()
def rejected() -> None:
    """Events that were received and not taken: look at them, understand them, bring them back.

    Every one is kept whole, with the reason. list shows the reasons, show explains one of them.
    """


@rejected.command("list")
@config_option
@data_option
@click.option("--source", metavar="NAME", help="Only what this source sent.")
@day_option("--since", "Only what was received on this UTC day and later, as 2026-03-01.")
@click.option("--reason", metavar="CODE", help="Only this reason, such as schema_violation.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(
    config: str | None, source: str | None, since: datetime | None, reason: str | None, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Count rejected events by reason and event: when first and last, at which path, and one example.

    The event is its name as sent, or the type of call; path is the place of a violation in the example. A
    terminal gets columns, with the example as short as show takes it; a pipe gets tab-separated values.

    \b
      connector rejected list --since 2026-03-01
      connector rejected show h-3f2a9c01:4
    """
    from connector.commands.rejected import Chosen, show_list

    chosen = Chosen(source, since.date() if since else None, reason)
    show_list(settings_of(config, **options), chosen, as_json=as_json)


@rejected.command("show")
@config_option
@data_option
@mapping_option
@click.option(
    "--raw",
    is_flag=True,
    help="Print the event's bytes as they were kept, and nothing else; --json adds them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("event", metavar="EVENT")
def show(config: str | None, event: str, raw: bool, as_json: bool, **options: Any) -> None:
    """Explain one rejected event: the reason, and each violation with the line of the schema behind it.

    EVENT is <captured_file>:<captured_index> as list prints it, its file by the beginning or the end of the
    name if that is enough, or a message id. The kept bytes are checked again under the mapping and the
    schemas of now: when they pass, that is said.

    What rejects comes first, the best match on top; of alternatives (anyOf) it is told what each one lacked.
    Nothing that the sender wrote is printed but names and ids, unless --raw asks for it.

    \b
      connector rejected show h-3f2a9c01:4
      connector rejected show --raw h-3f2a9c01:4 | connector map -
    """
    from connector.commands.rejected_show import show as run

    run(settings_of(config, **options), event, raw=raw, as_json=as_json)
