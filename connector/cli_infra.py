"""``connector infra …``: options in, exit codes out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli_infra_views import views
from connector.cli_options import config_option, settings_of

if TYPE_CHECKING:
    from connector.config import Settings

_format = click.option(
    "--format", "kind", type=click.Choice(["sam", "cloudformation"]), default="sam", show_default=True,
    help="SAM, or plain CloudFormation (needs the extra infra).",
)  # fmt: skip
_stack = click.option("--stack", required=True, metavar="NAME", help="The deployed stack.")


@click.group(context_settings={"max_content_width": 110})
def infra() -> None:
    """Run the receiver and the writer on AWS: package, deploy, look after.

    \b
      connector infra validate --largest-event-bytes 20000
      connector infra package --config connector.yaml --bucket my-artifacts
      aws cloudformation deploy --stack-name lake --template-file build/packaged.yaml \\
          --s3-bucket my-artifacts --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND
      connector infra outputs --stack lake
      connector infra views --stack lake

    Without --config the sender is called web, signs with the secret that the template makes, and nothing is
    promoted to columns. infra/README.md says what is created, what it costs, and how to upgrade.
    """


@infra.command()
@config_option
@_format
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to; else standard output."
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 when --out, or the shipped template, differs."
)
def render(config: str | None, kind: str, out: Path | None, check: bool) -> None:
    """Print the template, with the Glue tables of this configuration: promoted columns are columns there too.

    \b
      connector infra render --config connector.yaml --out template.yaml
      connector infra render --format cloudformation --out template.json
    """
    from connector.commands.infra import render as run

    sys.exit(run(_settings(config), kind, out, check=check))


@infra.command()
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Default: the shipped one.",
)
@click.option(
    "--largest-event-bytes", type=click.IntRange(min=1), metavar="N",
    help="The largest event you expect; default: the template's parameter LargestEventBytes.",
)  # fmt: skip
@click.option(
    "--parameter", "given", multiple=True, metavar="NAME=VALUE",
    help="As it will be given at deployment; may be given several times.",
)  # fmt: skip
def validate(template: Path | None, largest_event_bytes: int | None, given: tuple[str, ...]) -> None:
    """Lint and translate the template, find limits that contradict each other, and name the batch size in
    Segment that is safe.

    Faults (✗) make the exit code 1; what works but has a price is marked with !. Needs the extra infra, not
    AWS.

    \b
      connector infra validate --largest-event-bytes 20000
      connector infra validate --parameter WriterTimeoutSeconds=600
    """
    from connector.commands.infra import validate as run

    sys.exit(run(template, largest_event_bytes, given))


@infra.command()
@config_option
@click.option(
    "--arch", type=click.Choice(["arm64", "x86_64"]), default="arm64", show_default=True,
    help="Processor of the functions; arm64 costs a fifth less.",
)  # fmt: skip
@click.option(
    "--python", default="3.13", show_default=True, metavar="3.N",
    help="Python of the functions. Lambda's 3.11 is too old a system for pyarrow.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("build"), show_default=True,
    help="Folder for the zip files, made when it is not there.",
)  # fmt: skip
@click.option(
    "--bucket", metavar="BUCKET", help="Upload them there, and write the template to deploy into --out."
)
@click.option("--prefix", default="", metavar="PREFIX", help="With --bucket: what the names begin with.")
@_format
def package(
    config: str | None, arch: str, python: str, out: Path, bucket: str | None, prefix: str, kind: str
) -> None:
    """Build the code of the functions: receiver.zip, writer.zip and janitor.zip.

    Each has the packages that it imports, in the versions that are installed here, for the functions'
    processor; this package; and your configuration, mapping and schemas. What is not read is left out.
    Everything is fetched by pip from where your pip fetches. The same versions give the same bytes.

    \b
      connector infra package --config connector.yaml --bucket my-artifacts --prefix lake
    """
    from connector.commands.infra_package import run
    from connector.infra.wheels import Target

    chosen = Path(config) if config else _shipped_config()
    sys.exit(run(_settings(config), chosen, Target(arch, _checked_python(python)), out, bucket, prefix, kind))


@infra.command()
@config_option
@_stack
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def outputs(config: str | None, stack: str, as_json: bool) -> None:
    """Print what a deployment made: the URL for Segment, the safe batch size, the first query, addresses."""
    from connector.commands.infra_stack import outputs as run

    run(settings_of(config), stack, as_json=as_json)


@infra.command()
@config_option
@_stack
def redrive(config: str | None, stack: str) -> None:
    """Put journal objects that could not be written back into the queue, after their cause is gone.

    They wait in the dead-letter queue; connector audit lists them as open. Nothing is written twice: an
    object that is in the ledger is passed over.
    """
    from connector.commands.infra_stack import redrive_stack

    sys.exit(redrive_stack(settings_of(config), stack))


infra.add_command(views)


def _shipped_config() -> Path:
    from connector.infra.template import shipped

    return shipped("connector.yaml")


def _settings(config: str | None) -> Settings:
    return settings_of(config or str(_shipped_config()))


def _checked_python(python: str) -> str:
    major, _, minor = python.partition(".")
    if major != "3" or not minor.isdecimal():
        raise click.BadParameter("is written 3.13", param_hint="--python")
    return python
