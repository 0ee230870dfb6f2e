"""``connector infra views``: options in, exit codes out."""

from __future__ import annotations

import sys

import click

from connector.cli_options import config_option, settings_of


@click.command()
@config_option
@click.option("--stack", metavar="NAME", help="The deployed stack: its outputs name database and workgroup.")
@click.option("--database", metavar="NAME", help="Instead of --stack: the Glue database with the tables.")
@click.option("--workgroup", metavar="NAME", help="Instead of --stack: the workgroup to run statements in.")
@click.option("--print", "print_only", is_flag=True, help="Print the SQL and run nothing; needs no AWS.")
def views(
    config: str | None, stack: str | None, database: str | None, workgroup: str | None, print_only: bool
) -> None:
    """Make the views in Athena: events without copies, orders, order_lines, identities, people, and one per
    ecommerce event, such as order_completed.

    Run it after a deployment and after an upgrade; a view that is there is replaced. Takes about a minute.
    Give the --config that was deployed: it may promote properties to columns.

    \b
      connector infra views --stack lake
      connector infra views --print > views.sql
    """
    from connector.commands.infra_views import run

    sys.exit(run(settings_of(config), stack, database, workgroup, print_only=print_only))
