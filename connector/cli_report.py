"""``connector report …``: options in, exit codes out. The options of a report come from its question."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from connector.cli_options import config_option, data_option, settings_of


def _outputs() -> list[click.Parameter]:
    path = click.Path(dir_okay=False, writable=True, path_type=Path)
    return [
        click.Option(
            ["--json", "as_json"], is_flag=True, help="Print JSON: definition, as_of, complete, rows."
        ),
        click.Option(["--csv", "as_csv"], is_flag=True, help="Print the rows as CSV."),
        click.Option(
            ["--html", "html"], type=path, metavar="FILE", help="Write a page that needs no network."
        ),
        click.Option(
            ["--png", "png"], type=path, metavar="FILE", help="Write the chart as a picture; no browser."
        ),
    ]


_EPILOG = """\
Defaults: all data, time zone UTC, ratios as fractions from 0 to 1, money in the currency's own units and
never added across currencies. A terminal shows the main columns; a pipe, --csv and --json have all of them.
"""


class _Reports(click.Group):
    """Every kind of report is a command; its module is loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from connector.report.kinds import KINDS

        return [*KINDS, *sorted(super().list_commands(ctx))]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        from connector.report.kinds import KINDS

        return super().get_command(ctx, name) or (_kind_command(name) if name in KINDS else None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from connector.report.kinds import KINDS

        with formatter.section("Reports"):
            formatter.write_dl(list(KINDS.items()))
        others = [(name, self.commands[name].get_short_help_str(90)) for name in sorted(self.commands)]
        if others:
            with formatter.section("Saved reports and annotations"):
                formatter.write_dl(others)


def _kind_command(name: str) -> click.Command:
    from connector.report.kinds import kind_of
    from connector.report.options import options_of

    question = kind_of(name).question

    def run(**options: Any) -> None:
        _answer(name, options)

    parameters: list[click.Parameter] = [
        *options_of(question),
        click.Option(["--engine"], type=click.Choice(["duckdb", "spark", "athena"]), default="duckdb",
                     show_default=True, help="Who computes; athena prints the SQL and runs nothing."),
        click.Option(["--save", "save_as"], metavar="ID", help="Save these options as a report of this id."),
        *_outputs(),
    ]  # fmt: skip
    command = click.Command(
        name, callback=config_option(data_option(run)), params=parameters, help=_help(question),
        epilog=_EPILOG, context_settings={"max_content_width": 110},
    )  # fmt: skip
    command.params += _declared(run)
    return command


def _declared(function: Any) -> list[click.Parameter]:
    """The options that decorators noted on a function, in the order of the decorators."""
    return list(reversed(getattr(function, "__click_params__", [])))


def _help(question: Any) -> str:
    columns = "\n".join(f"  {name}: {meaning}" for name, meaning in question.COLUMNS.items())
    return f"{question.SAYS}\n\n\b\nColumns:\n{columns}"


def _answer(name: str, options: dict[str, Any]) -> None:
    from connector.commands import report, saved
    from connector.report.kinds import kind_of
    from connector.report.options import question_from

    settings = settings_of(options.pop("config"), data=options.pop("data"))
    engine, save_as = options.pop("engine"), options.pop("save_as")
    output = report.Output(
        options.pop("as_json"), options.pop("as_csv"), options.pop("html"), options.pop("png")
    )
    question = question_from(kind_of(name).question, options)
    if save_as:
        saved.save(settings, save_as, question)
    sys.exit(report.run(settings, question, engine, output))


@click.group(cls=_Reports, invoke_without_command=True, context_settings={"max_content_width": 110})
@config_option
@data_option
@click.option("--saved", metavar="ID,ID,...", help="Run saved reports; with --html all of them on one page.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a list of answers.")
@click.option(
    "--html", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE",
    help="Write a page that needs no network.",
)  # fmt: skip
@click.pass_context
def report(
    ctx: click.Context,
    config: str | None,
    data: str | None,
    saved: str | None,
    as_json: bool,
    html: Path | None,
) -> None:
    """Ask the tables: which category is dear and sells badly, who looked and did not buy, what a user brings.

    Answers come from DuckDB in this process, over a folder or s3://bucket/prefix. `connector report recipe
    --html recipe.html` tells the whole story on one page.
    """
    if ctx.invoked_subcommand is not None:
        if saved or html:
            raise click.UsageError("--saved and --html come without the name of a report, or after it.")
        ctx.obj = (config, data)
        return
    if not saved:
        click.echo(ctx.get_help())
        return
    from connector.commands import saved as command

    ids = [part.strip() for part in saved.split(",") if part.strip()]
    sys.exit(command.run(settings_of(config, data=data), ids, as_json=as_json, html=html))


@report.command("saved")
@config_option
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--remove", metavar="ID", help="Remove this one instead.")
def saved_(config: str | None, as_json: bool, remove: str | None, **options: Any) -> None:
    """List the saved reports. A report is saved with --save ID and run with connector report --saved ID."""
    from connector.commands import saved as command

    settings = settings_of(config, **options)
    command.forget(settings, remove) if remove else command.show_saved(settings, as_json=as_json)


@report.command()
@config_option
@data_option
@click.option(
    "--at", metavar="MOMENT", help="When: 2026-03-02, or 2026-03-02T09:00:00+01:00; now when not given."
)
@click.option(
    "--tag", "tags", multiple=True, help="Repeatable; the recipe begins step 4 at the first tagged promotion."
)
@click.argument("text")
def annotate(config: str | None, at: str | None, tags: tuple[str, ...], text: str, **options: Any) -> None:
    """Note what happened when; it is drawn on every chart over time."""
    from connector.commands import saved as command
    from connector.report.question import moment_of

    command.annotate(settings_of(config, **options), moment_of(at, "--at") if at else None, text, tags)


@report.command("annotations")
@config_option
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--remove", metavar="ID", help="Remove this one instead.")
def annotations_(config: str | None, as_json: bool, remove: str | None, **options: Any) -> None:
    """List the annotations."""
    from connector.commands import saved as command

    settings = settings_of(config, **options)
    command.remove_annotation(settings, remove) if remove else command.show_annotations(
        settings, as_json=as_json
    )
