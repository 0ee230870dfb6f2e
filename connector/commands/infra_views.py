"""``connector infra views``: the shipped views, printed or made in Athena."""

from __future__ import annotations

from collections.abc import Sequence

import click

from connector.config import Settings
from connector.errors import ConfigError
from connector.infra.stack import aws_errors
from connector.infra.views import FIRST_QUERY, View, document, shipped_views
from connector.infra.views_athena import Target, run_statement, target_of
from connector.terminal import out
from connector.wiring import configure
from connector.wiring.aws import service_client


def run(
    settings: Settings, stack: str | None, database: str | None, workgroup: str | None, *, print_only: bool
) -> int:
    """
    Make the views, or print their SQL. Exit code 0.

    Raises:
        ConfigError: it is not said where Athena is to make them.
        AwsFailed: AWS refused, with its own reason.
    """
    views = shipped_views(configure(settings, preview=True).tables)
    if print_only:
        click.echo(document(views), nl=False)
        return 0
    _make(views, _target(settings, stack, database, workgroup), settings)
    return 0


def _target(settings: Settings, stack: str | None, database: str | None, workgroup: str | None) -> Target:
    if stack is not None:
        if database or workgroup:
            raise ConfigError("give --stack, or --database and --workgroup, not both")
        with aws_errors(f"stack {stack}"):
            client = service_client(settings, "cloudformation")
        return target_of(stack, client)
    if database and workgroup:
        return Target(database, workgroup)
    raise ConfigError("say where: --stack NAME, or --database and --workgroup; --print needs neither")


def _make(views: Sequence[View], target: Target, settings: Settings) -> None:
    with aws_errors("Athena"):
        client = service_client(settings, "athena")
    for name, statement in [(view.name, view.statement) for view in views]:
        run_statement(name, statement, target, client)
        out.print(f"✓ {name}", markup=False)
    out.print(f"{len(views)} views in database {target.database}. Ask first:", markup=False)
    click.echo(FIRST_QUERY)
