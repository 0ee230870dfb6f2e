"""``connector mappings …``: options in, exit codes out."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group()
def mappings() -> None:
    """Take mappings over from Segment, and give them back.

    A mapping file is a Segment destination written down. Segment's Public API answers with the same things
    under other names: trigger is subscribe here, actionSlug is partnerAction, and the settings of a
    subscription are its mapping.
    """


@mappings.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Mapping file to write, .yaml or .json. Default: standard output, as YAML.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def import_(files: tuple[str, ...], output: Path | None, force: bool) -> None:
    """Turn what Segment's Public API answers into a mapping file.

    FILE holds an answer to GET /destinations/ID/subscriptions, to the same with a subscription's id, or to
    GET /destinations/ID, whose settings go with the mappings; several files make one mapping. - is standard
    input. Keys that a mapping has no use for are kept in x-segment, so that an export gives the same JSON.

    Secrets are not written: env:NAME stands in their place, and standard error tells which variables an
    export needs. It also tells what is disabled in Segment, which actions do not run here, and the traps
    that connector check finds.

    \b
      connector mappings import subscriptions.json destination.json -o mappings/mixpanel.yaml
      connector check mappings/mixpanel.yaml
    """
    from connector.commands.mappings import import_files

    sys.exit(import_files(files, output, force=force))


@mappings.command("export")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="JSON file to write, readable by you alone: it holds the secrets. Default: standard output.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def export(file: Path, output: Path | None, force: bool) -> None:
    """Turn a mapping file into the JSON of Segment's Public API: {"data": {"subscriptions": [...]}}.

    What was imported and not changed comes out as it was. Each env:NAME that an import left is replaced by
    what the variable NAME holds; when one is not set, its name is told, nothing is written and the exit code
    is 1.

    \b
      connector mappings export mappings/mixpanel.yaml -o subscriptions.json
    """
    from connector.commands.mappings import export_file

    sys.exit(export_file(file, output, force=force))
