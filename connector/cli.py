"""The command line: options in, exit codes out. What a command does lies in ``connector/commands``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from connector import __version__
from connector.cli_cohort import cohort
from connector.cli_compact import compact
from connector.cli_infra import infra
from connector.cli_mappings import mappings
from connector.cli_options import config_option, data_option, mapping_option, settings_of
from connector.cli_reconcile import reconcile
from connector.cli_redrive import redrive
from connector.cli_rejected import rejected
from connector.cli_replay import replay
from connector.cli_report import report
from connector.cli_schemas import schemas
from connector.errors import ConfigError, ConnectorError

F = TypeVar("F", bound=Callable[..., Any])

_EPILOG = """\
Start with `connector demo`. Point Segment at `connector serve`, then ask with `connector sql` or any other
reader of Parquet. Exit codes: 0 done, 1 a check failed, 2 wrong usage or settings.
"""


def source_filter(function: F) -> F:
    return click.option("--source", metavar="NAME", help="Only what this source sent.")(function)


class _Group(click.Group):
    """Turns errors meant for people into one line (or several) and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            click.echo(f"connector: {error}", err=True)
            ctx.exit(2)
        except ConnectorError as error:
            click.echo(f"connector: {error}", err=True)
            ctx.exit(1)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            click.echo(f"connector: {where}{error.strerror or type(error).__name__}", err=True)
            ctx.exit(1)


@click.group(cls=_Group, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="connector")
def main() -> None:
    """A Segment-compatible destination that puts ecommerce events into your own lake, and loses none."""


main.add_command(cohort)
main.add_command(compact)
main.add_command(infra)
main.add_command(mappings)
main.add_command(reconcile)
main.add_command(rejected)
rejected.add_command(redrive)
main.add_command(replay)
main.add_command(report)
main.add_command(schemas)


@main.command()
@config_option
@data_option
@mapping_option
@click.option("--host", help="Address to listen on; default 127.0.0.1.")
@click.option("--port", type=int, help="Port to listen on; default 8080, 0 takes a free one.")
@click.option("--workers", type=int, help="Receiver processes; default 2.")
def serve(config: str | None, **options: Any) -> None:
    """Receive, keep and write events until told to stop (SIGTERM or Ctrl-C).

    Segment's webhook goes to http://HOST:PORT/webhook/<source>; SDKs take http://HOST:PORT as their host.
    Also there: /healthz, /readyz, /metrics.
    """
    from connector.commands.serve import run

    sys.exit(run(settings_of(config, **options), config, options))


@main.command()
@config_option
@data_option
@mapping_option
@click.option("--force", is_flag=True, help="Write although serve ran under another configuration.")
def drain(config: str | None, force: bool, **options: Any) -> None:
    """Write everything still in the journal, then exit. Works beside a running serve.

    Give the same --config and --mapping as serve: what is written keeps the settings it was written under.
    """
    from connector.commands.drain import drain as run
    from connector.terminal import err, progress

    with progress("draining", 1) as (events, _):
        written = run(settings_of(config, **options), events, force=force)
    for place in written.failed:
        err.print(f"✗ {place.name}: could not be written and stays in the journal", markup=False)
    err.print(written.said)
    sys.exit(1 if written.failed else 0)


@main.command()
@config_option
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--deep", is_flag=True, help="Also read every row again and compare the hashes of the rows.")
@click.option(
    "--journal", metavar="s3://BUCKET/PREFIX", help="Journal of receivers on AWS; default aws.journal."
)
def audit(config: str | None, as_json: bool, deep: bool, journal: str | None, **options: Any) -> None:
    """Prove that nothing is lost: exit 0 only if the ledger equation holds and every listed file is there."""
    from connector.commands.audit import run

    aws = {"journal": journal} if journal else None
    sys.exit(run(settings_of(config, aws=aws, **options), as_json, deep))


@main.command("map")
@config_option
@mapping_option
@click.option("--source", default="file", show_default=True, metavar="NAME", help="Who sent the events.")
@click.argument("file", default="-", metavar="[FILE|-]")
def map_(config: str | None, file: str, source: str, **options: Any) -> None:
    """Show what events become: one JSON line per row, nothing written.

    FILE holds NDJSON, a JSON array or one JSON object; - is standard input.
    """
    from connector.commands.map import run

    run(settings_of(config, **options), file, source)


@main.command()
@config_option
@click.option("--strict", is_flag=True, help="A trap counts as a fault.")
@click.argument("paths", nargs=-1, metavar="[FILE|FOLDER]...")
def check(config: str | None, paths: tuple[str, ...], strict: bool, **options: Any) -> None:
    """Compile mappings, run the cases beside them, list every fault with its path, and warn of traps (!).

    Without an argument the configured mapping is checked. Cases of x.yaml lie in x.cases.yaml.
    """
    from connector.commands.check import run

    sys.exit(run(settings_of(config, **options), paths, strict=strict))


@main.command()
@config_option
@data_option
@source_filter
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(config: str | None, source: str | None, as_json: bool, **options: Any) -> None:
    """Backlog, oldest unwritten event, last event per source, rejected by reason, disk."""
    from connector.commands.status import report, show

    found = report(settings_of(config, **options), source)
    click.echo(json.dumps(found, indent=2)) if as_json else show(found)


@main.command()
@config_option
@data_option
@source_filter
@click.argument("query", required=False)
def sql(config: str | None, query: str | None, source: str | None, **options: Any) -> None:
    """Ask DuckDB. Views: events, profiles, groups, aliases, deletions, order_lines, orders, rejected and
    duplicates, and one per ecommerce event, such as product_viewed; events_raw and the like show copies too.

    Without QUERY, statements are read from the terminal or from standard input.
    """
    from connector.commands.sql import run

    sys.exit(run(settings_of(config, **options), query, source))


@main.command()
@click.option(
    "--data", metavar="DIR", help="Made anew each time; default ./demo-data, with --s3 ./demo-data-s3."
)
@click.option("--s3", is_flag=True, help="Keep the tables in S3: a SeaweedFS server of the demo's own.")
@click.option(
    "--people",
    default=2_000,
    show_default=True,
    type=click.IntRange(1_000, 20_000),
    help="Of the sample store, rounded up to thousands; some 20 events each.",
)
@click.option(
    "--seed", default=20, show_default=True, type=int, help="Another seed is another shop's traffic."
)
def demo(data: str | None, s3: bool, people: int, seed: int) -> None:
    """Start a receiver, send it a sample store's signed events over HTTP, and answer the recipe."""
    from connector.commands.demo import run

    folder = Path(data or ("./demo-data-s3" if s3 else "./demo-data"))
    sys.exit(run(folder, people, seed, in_s3=s3))


@main.command()
@click.option(
    "--people", type=click.IntRange(1, 100_000), help="Of the store, rounded up to thousands; default 2000."
)
@click.option("--promotion", is_flag=True, help="The store and 30 days more, with an experiment.")
@click.option(
    "--events", type=click.IntRange(min=0), help="So many messages of traffic instead of the store."
)
@click.option("--duplicates", type=click.FloatRange(0, 1), help="With --events: share sent again; default 0.")
@click.option(
    "--days", type=click.IntRange(min=1), help="Of the store, 30 or more, default 60; of traffic, default 10."
)
@click.option("--seed", default=20, show_default=True, type=int, help="Another seed is another shop.")
def sample(
    people: int | None,
    promotion: bool,
    events: int | None,
    duplicates: float | None,
    days: int | None,
    seed: int,
) -> None:
    """Print a made-up shop's Segment messages as NDJSON, the same for the same options.

    Without --events it is a store whose figures are known: of those who look at Home Supplies 40.45 % buy
    there within 7 days, in Entertainment 39.71 %, whatever the seed. About 14 messages a person.

    With --events it is endless traffic, for load: so many messages, spread over --days.

    \b
      connector sample > store.ndjson
      connector sample --people 10000 --promotion > store.ndjson
      connector sample --events 100000 --days 3 > traffic.ndjson
    """
    from connector.commands.sample import store, traffic
    from connector.sample.store import LEAST_DAYS

    if events is None:
        if duplicates is not None:
            raise click.UsageError("--duplicates goes with --events; of the store 1 % is sent again")
        if days is not None and days < LEAST_DAYS:
            raise click.UsageError(f"the store needs --days {LEAST_DAYS} or more; --events does with fewer")
        return store(people or 2_000, days or 60, seed, promotion=promotion)
    if people is not None or promotion:
        raise click.UsageError("--people and --promotion make the store, --events makes traffic: give one")
    traffic(events, days or 10, seed, duplicates or 0.0)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script: eval "$(connector completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "connector", "_CONNECTOR_COMPLETE").source())


if __name__ == "__main__":
    main(prog_name="connector")
