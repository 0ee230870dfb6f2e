"""``connector schemas …``: options in, exit codes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from connector.cli_options import config_option, settings_of

F = TypeVar("F", bound=Callable[..., Any])


def _folder_options(function: F) -> F:
    for option in (
        click.option(
            "--schemas", "folder", type=click.Path(exists=True, file_okay=False), metavar="FOLDER",
            help="Folder with your own schemas; default: the setting schemas.",
        ),
        config_option,
    ):  # fmt: skip
        function = option(function)
    return function


def _folder(config: str | None, folder: str | None) -> Path | None:
    return Path(folder) if folder else settings_of(config).schemas


@click.group()
def schemas() -> None:
    """See, export and import the schemas that events are checked against.

    A document holds for the event that its title names, for the call type of its x-call, or, being
    envelope.json, for every call. Your own lie in a folder (setting schemas): a file with the name of a
    shipped one replaces it, any other joins. A violation is a note on the row; where a schema says
    "x-policy": "reject", it rejects the event.
    """


@schemas.command("list")
@_folder_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(config: str | None, folder: str | None, as_json: bool) -> None:
    """Show every document: what it holds for, its file, whose it is, what it requires and what that costs."""
    from connector.commands.schemas import Documents, show_list

    show_list(Documents(_folder(config, folder)), as_json=as_json)


@schemas.command()
@_folder_options
@click.option(
    "--resolved", is_flag=True, help="Put what is referred to in its place, so the document stands alone."
)
@click.argument("name", metavar="NAME")
def show(config: str | None, folder: str | None, name: str, resolved: bool) -> None:
    """Print one document, to read or to begin your own with.

    NAME is an event in any spelling that counts as its name (order_completed, "Completed Order"), a call
    type (identify), or a file (product, envelope.json).

    \b
      connector schemas show order_completed > schemas/order_completed.json
    """
    from connector.commands.schemas import Documents
    from connector.commands.schemas import show as run

    run(Documents(_folder(config, folder)), name, resolved=resolved)


@schemas.command()
@_folder_options
@click.option(
    "--format", "kind", type=click.Choice(["tracking-plan", "json-schema"]), default="tracking-plan",
    show_default=True, help="Rules for Segment's Protocols, or JSON Schemas that stand alone.",
)  # fmt: skip
@click.option(
    "--event", "names", multiple=True, metavar="NAME", help="Only this one; may be given several times."
)
@click.option(
    "-o", "--output", type=click.Path(), metavar="FILE|FOLDER",
    help="Where to: a file for a tracking plan, a folder for JSON Schemas. Default: standard output.",
)  # fmt: skip
def export(
    config: str | None, folder: str | None, kind: str, names: tuple[str, ...], output: str | None
) -> None:
    """Hand the schemas on, for example to Segment, so that both sides check the same.

    A tracking plan has the form in which Segment's Public API takes rules (PUT /tracking-plans/ID/rules),
    draft-07. What a violation costs is not part of it: in Segment that is a setting of the source.

    \b
      connector schemas export -o tracking-plan.json
      connector schemas export --format json-schema --event "Order Completed"
    """
    from connector.commands.schemas import Documents
    from connector.commands.schemas import export as run

    run(Documents(_folder(config, folder)), kind, names, output)


@schemas.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option(
    "--into", required=True, type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help="Your folder of schemas; made when it is not there.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over documents that are there and say something else.")
def import_(file: Path, into: Path, force: bool) -> None:
    """Turn a Segment tracking plan into schemas of your own.

    FILE holds the rules as Segment's Public API answers them (GET /tracking-plans/ID/rules), a list of rules,
    or a single rule. When anything in it cannot be taken over, every such place is told and nothing is
    written.

    \b
      connector schemas import plan.json --into schemas
      connector schemas list --schemas schemas
    """
    from connector.commands.schemas import import_plan

    import_plan(file, into, force=force)
