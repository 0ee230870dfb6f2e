"""``connector cohort …``: options in, exit codes out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from connector.cli_options import config_option, data_option, settings_of
from connector.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])


@click.group(context_settings={"max_content_width": 110})
def cohort() -> None:
    """Groups of people: define them, keep who they are, send them to where they can be reached.

    \b
      connector cohort create "Droppers" --report dropped --category "Home Supplies" --snapshot
      connector cohort export droppers@latest --channel crm --holdout 20% --experiment "Home offer"
      connector cohort sync droppers --channel crm

    Channels are listed in the configuration under channels; nothing else is ever sent to.
    """


@cohort.command(context_settings={"ignore_unknown_options": True})
@config_option
@data_option
@click.option("--report", "kind", metavar="KIND", help="The people of a report; its own options follow.")
@click.option("--of-step", type=click.IntRange(min=1), help="Of a funnel: which step; default the last.")
@click.option("--segment", help="Of a funnel with a breakdown: only this value.")
@click.option(
    "--outcome",
    type=click.Choice(["dropped", "converted"]),
    help="Of a funnel: stopped just before the step (default), or reached it.",
)
@click.option(
    "--where", metavar="CONDITIONS",
    help="People who meet conditions: \"did 'Product Viewed' at least 2 in 30d and not did 'Cart Viewed'\".",
)  # fmt: skip
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A definition, JSON or YAML."
)
@click.option("--description", default="", help="A sentence for people; receivers see it.")
@click.option("--timezone", help="Zone of local days; default UTC.")
@click.option("--replace", is_flag=True, help="Make it the next version of a cohort that is there.")
@click.option("--snapshot", is_flag=True, help="Keep who is in it now.")
@click.option("--label", default="", help="A name for the snapshot.")
@click.argument("name")
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF THE REPORT]")
def create(
    config: str | None, data: str | None, name: str, replace: bool, snapshot: bool,
    label: str, **given: Any,
) -> None:  # fmt: skip
    """Define a cohort by a report, by conditions, or from a file. It is evaluated anew each time it is used.

    Conditions: did EVENT [where (SQL)] [with sum(column)] [at least N] [in 30d | from DAY to DAY], profile
    COLUMN = VALUE, in cohort NAME; and, or, not, brackets. See docs/cohorts.md.
    """
    from connector.commands import cohort as command

    if name.startswith("-"):
        raise click.UsageError("the name comes first, before the options of the report")
    settings = settings_of(config, data=data)
    definition = _definition(name, given)
    command.create(settings, definition, replace=replace, snapshot=snapshot or bool(label), label=label)


def _definition(name: str, given: dict[str, Any]) -> Any:
    from connector.cohorts.definition import definition_of
    from connector.cohorts.language import conditions_of
    from connector.commands.cohort import read_definition

    ways = [way for way in ("kind", "where", "file") if given[way]]
    if ways == ["kind", "where"] and "where" in _kind(given["kind"]).question.model_fields:
        ways = ["kind"]
    if len(ways) != 1:
        raise click.UsageError("give one of --report, --where and --file")
    if given["rest"] and ways != ["kind"]:
        raise click.UsageError(f"No such option: {given['rest'][0]}")
    document: dict[str, Any] = {"name": name, "description": given["description"]}
    if given["timezone"]:
        document["timezone"] = given["timezone"]
    if ways == ["file"]:
        document = {**read_definition(given["file"], name), **_said(document)}
    elif ways == ["where"]:
        document["conditions"] = conditions_of(given["where"])
    else:
        document["report"] = _report(given)
    return definition_of(document, str(given["file"] or f"cohort {name}"))


def _said(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value}


def _kind(name: str) -> Any:
    from connector.report.kinds import kind_of

    return kind_of(name)


def _report(given: dict[str, Any]) -> dict[str, Any]:
    """The report and its options as a definition has them."""
    from connector.report.options import options_of, question_from

    kind = _kind(given["kind"])
    parser = click.Command(f"create --report {given['kind']}", params=list(options_of(kind.question)))
    options = parser.make_context(parser.name, list(given["rest"])).params
    options |= {name: given[name] for name in ("timezone", "where") if given[name]}
    question = question_from(kind.question, options)
    if question.KIND == "dropped" and question.stated().get("category") is None:
        raise ConfigError("--category: name it; else the cohort would go to another category by itself")
    found: dict[str, Any] = {"kind": given["kind"], "parameters": question.stated()}
    funnel = {"step": given["of_step"], "outcome": given["outcome"], "segment": given["segment"]}
    return {**found, **_said(funnel)}


@cohort.command("list")
@config_option
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(config: str | None, as_json: bool, **options: Any) -> None:
    """List the cohorts with size and hash of their newest snapshot."""
    from connector.commands.cohort import show_all

    show_all(settings_of(config, **options), as_json=as_json)


@cohort.command()
@config_option
@data_option
@click.option("--members", is_flag=True, help="List the people.")
@click.option("--with-contacts", is_flag=True, help="With their addresses and names, as they are now.")
@click.option(
    "--column", "columns", multiple=True, help="With --with-contacts: a profile column; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="With --members: print JSON.")
@click.argument("name", metavar="NAME[@SNAPSHOT]")
def show(
    config: str | None, data: str | None, name: str, members: bool, with_contacts: bool,
    columns: tuple[str, ...], as_json: bool,
) -> None:  # fmt: skip
    """Show a cohort as of now, or a snapshot of it: definition, size, hash, snapshots.

    SNAPSHOT is its name, its label, how its name begins (2026-03-01), or latest.
    """
    from connector.commands import cohort as command

    if (with_contacts or columns) and not members:
        raise click.UsageError("--with-contacts and --column go with --members")
    if columns and not with_contacts:
        raise click.UsageError("--column goes with --with-contacts")
    command.show(
        settings_of(config, data=data), name, members=members, with_contacts=with_contacts, columns=columns,
        as_json=as_json,
    )  # fmt: skip


@cohort.command()
@config_option
@data_option
@click.option("--label", default="", help="A name for it.")
@click.argument("name")
def snapshot(config: str | None, name: str, label: str, **options: Any) -> None:
    """Keep who is in a cohort now, under its date and the hash of the ids."""
    from connector.commands.cohort import take

    take(settings_of(config, **options), name, label)


@cohort.command()
@config_option
@data_option
@click.argument("name")
def delete(config: str | None, name: str, **options: Any) -> None:
    """Take a cohort off the list. The files of its snapshots and deliveries stay."""
    from connector.commands import cohort as command

    command.delete(settings_of(config, **options), name)


def _sending(function: F) -> F:
    """Options of whatever sends."""
    for option in (
        click.option("--resume", is_flag=True, help="Send again although the receiver refused before."),
        click.option("--dry-run", is_flag=True, help="Say what would leave, and send nothing."),
        click.option("--with-contacts", is_flag=True, help="CSV files show addresses and names."),
        click.option(
            "--channel", required=True, metavar="NAME", help="One of channels in the configuration."
        ),
        data_option,
        config_option,
    ):
        function = option(function)
    return function


@cohort.command()
@_sending
@click.option("--holdout", metavar="SHARE", help="Share of people who are sent nothing, as 20%: the control.")
@click.option("--experiment", metavar="NAME", help="What the comparison with them is called.")
@click.option("--no-holdout", is_flag=True, help="End the control group of an earlier export.")
@click.option("--baseline", metavar="SHARE", help="Expected conversion without treatment, as 12%.")
@click.argument("name", metavar="NAME[@SNAPSHOT]")
def export(
    config: str | None, data: str | None, name: str, holdout: str | None, experiment: str | None,
    no_holdout: bool, baseline: str | None, **options: Any,
) -> None:  # fmt: skip
    """Send everybody in a cohort, as of now or of a snapshot, to a channel.

    With --holdout and --experiment a control group is held back: who is in it depends on the experiment's
    name and the person alone. Both groups are written to the tables as exposures (Experiment Viewed), before
    anything leaves, and connector report experiment reads them.
    """
    from connector.cohorts.holdout import Holdout, share_of
    from connector.commands.cohort_send import Asked, send

    if bool(holdout) != bool(experiment):
        raise click.UsageError("--holdout and --experiment go together")
    if no_holdout and holdout:
        raise click.UsageError("--no-holdout and --holdout: give one of them")
    group = Holdout(experiment, share_of(holdout)) if holdout and experiment else None
    expected = share_of(baseline, "--baseline") if baseline else None
    asked = Asked(name, full=True, holdout=group, end_holdout=no_holdout, baseline=expected, **options)
    sys.exit(send(settings_of(config, data=data), asked))


@cohort.command()
@_sending
@click.argument("name")
def sync(config: str | None, data: str | None, name: str, **options: Any) -> None:
    """Send what has changed since the last success: who entered and who left. Made for cron.

    The first time, and when the last success is more than three days old, everybody is sent. What was
    interrupted goes on where it stopped. Two runs never overlap: the second one ends at once.
    """
    from connector.commands.cohort_send import Asked, send

    if "@" in name:
        raise click.UsageError("a snapshot never changes: send it with export")
    sys.exit(send(settings_of(config, data=data), Asked(name, full=False, **options)))


@cohort.command()
@config_option
@data_option
@click.option("--channel", required=True, metavar="NAME", help="One of channels in the configuration.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("name")
def log(config: str | None, data: str | None, name: str, channel: str, as_json: bool) -> None:
    """Show the newest delivery to a channel, page by page."""
    from connector.commands.cohort_send import show_log

    show_log(settings_of(config, data=data), name, channel, as_json=as_json)
