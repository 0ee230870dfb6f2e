"""``connector cohort create | list | show | snapshot | delete``: who they are."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from connector.cohorts.catalogue import Cohort, Cohorts, Snapshot, entered, hash_of, moment_text
from connector.cohorts.contacts import USUAL, Contact, contacts_of
from connector.cohorts.definition import Definition
from connector.cohorts.people import Members
from connector.commands.cohort_parts import cohorts_of, desk_of
from connector.config import Settings
from connector.errors import ConfigError
from connector.saved import slug_of
from connector.terminal import err, out, table
from connector.wiring import read_document


def create(
    settings: Settings, definition: Definition, *, replace: bool, snapshot: bool, label: str
) -> Cohort:
    """
    Save a definition whose people could be found; with ``snapshot`` keep who they are now.

    Raises:
        ConfigError: the definition has a fault, or there is such a cohort and ``replace`` was not said.
    """
    cohorts, now = cohorts_of(settings), datetime.now(UTC)
    with desk_of(settings) as desk:
        people = Members(cohorts, desk, now).of(definition, slug_of(definition.name))
    cohort = cohorts.save(definition, now, replace=replace)
    err.print(f"cohort {cohort.id}, version {cohort.version}: {len(people):,} people now", markup=False)
    if snapshot:
        say_snapshot(cohorts.take(cohort, people, now, label))
    return cohort


def read_definition(path: Path, name: str) -> dict[str, Any]:
    """A definition in a file, JSON or YAML; its own name is replaced. Raises ``ConfigError``."""
    document = read_document(path)
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: should hold a definition, each part as key: value")
    known = {key: value for key, value in document.items() if key not in ("id", "version", "created")}
    return {**known, "name": name}


def take(settings: Settings, name: str, label: str) -> None:
    """Keep who is in a cohort now."""
    cohorts, now = cohorts_of(settings), datetime.now(UTC)
    cohort = cohorts.get(name)
    with desk_of(settings) as desk:
        people = Members(cohorts, desk, now)(name)
    say_snapshot(cohorts.take(cohort, people, now, label))


def say_snapshot(snapshot: Snapshot) -> None:
    err.print(
        f"snapshot {snapshot.cohort}@{snapshot.name}: {snapshot.size:,} people, sha256 {snapshot.sha256}",
        markup=False,
    )


def show_all(settings: Settings, *, as_json: bool) -> None:
    """Every cohort with its newest snapshot."""
    cohorts = cohorts_of(settings)
    found = [_summary(cohorts, cohort) for cohort in cohorts.all()]
    if as_json:
        _print_json(found)
        return
    columns = ("id", "name", "defined by", "size", "snapshot", "sha256")
    rows = [
        (each["id"], each["name"], each["by"], each["size"], each["snapshot"], (each["sha256"] or "")[:12])
        for each in found
    ]
    _table("Cohorts, sizes as of their newest snapshot", columns, rows)


def show(
    settings: Settings,
    name: str,
    *,
    members: bool,
    with_contacts: bool,
    columns: Sequence[str],
    as_json: bool,
) -> None:
    """
    A cohort as of now, or one of its snapshots (``name@snapshot``).

    Args:
        members: list the people, not only how many there are.
        with_contacts: with addresses and names as they are now, and chosen columns of their profiles.
    """
    cohorts, now = cohorts_of(settings), datetime.now(UTC)
    plain, _, wanted = name.partition("@")
    cohort = cohorts.get(plain)
    contacts: Mapping[str, Contact] = {}
    with desk_of(settings) as desk:
        if wanted:
            since = cohorts.members(cohorts.snapshot(cohort.id, wanted))
        else:
            newest = cohorts.snapshots(cohort.id)[-1:]
            before = cohorts.members(newest[0]) if newest else {}
            since = entered(Members(cohorts, desk, now)(plain), before, now)
        if members and with_contacts:
            contacts = contacts_of(desk, since, columns)
    if members:
        _show_members(cohort.id, since, contacts, (*USUAL, *columns) if with_contacts else (), as_json)
        return
    _print_json(
        {
            "id": cohort.id, "version": cohort.version, **cohort.definition.stated(),
            "as_of": moment_text(cohorts.snapshot(cohort.id, wanted).as_of if wanted else now),
            "size": len(since), "sha256": hash_of(since),
            "snapshots": [_snapshot(each) for each in cohorts.snapshots(cohort.id)],
        }
    )  # fmt: skip


def delete(settings: Settings, name: str) -> None:
    """Take a cohort off the list; snapshots and deliveries stay as files. Raises ``ConfigError``: none."""
    cohorts_of(settings).delete(name)


def _show_members(
    id_: str, since: Mapping[str, str], contacts: Mapping[str, Contact], columns: Sequence[str], as_json: bool
) -> None:
    keys = [column.removeprefix("traits.") for column in columns]
    rows = [
        {"cohort_id": id_, "uid": uid, "entered_at": at, **{key: contacts[uid].get(key) for key in keys}}
        for uid, at in since.items()
    ]
    if as_json:
        _print_json(rows)
        return
    names = ("cohort_id", "uid", "entered_at", *keys)
    _table(f"{len(rows):,} people", names, [[row[name] for name in names] for row in rows])


def _summary(cohorts: Cohorts, cohort: Cohort) -> dict[str, Any]:
    newest = cohorts.snapshots(cohort.id)[-1:]
    report = cohort.definition.report
    return {
        "id": cohort.id,
        "name": cohort.definition.name,
        "by": f"report {report.kind}" if report else "conditions",
        "version": cohort.version,
        "size": newest[0].size if newest else None,
        "snapshot": newest[0].name if newest else None,
        "as_of": moment_text(newest[0].as_of) if newest else None,
        "sha256": newest[0].sha256 if newest else None,
    }


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {**snapshot._asdict(), "as_of": moment_text(snapshot.as_of)}


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on a terminal; tab-separated values in a pipe."""
    if out.is_terminal:
        table(title, columns, rows)
        return
    writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _print_json(found: Any) -> None:
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
