"""``connector cohort export | sync | log``: people to channels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson

from connector.cohorts.catalogue import Cohort, Cohorts
from connector.cohorts.channels import Channel
from connector.cohorts.contacts import contacts_of
from connector.cohorts.delivering import Line, Patience, Sent
from connector.cohorts.holdout import Holdout
from connector.cohorts.people import Members
from connector.cohorts.send import Prepared, Wish, prepare, run
from connector.cohorts.sessions import Sessions
from connector.commands.cohort_baseline import baseline_of
from connector.commands.cohort_parts import channel_of, cohorts_of, desk_of, write_exposures
from connector.config import Settings
from connector.report.desks.desk import Desk
from connector.report.statistics import smallest_detectable_lift
from connector.saved import Lease
from connector.terminal import err, table


class Asked(NamedTuple):
    """What a person wants sent."""

    name: str
    """A cohort, or ``cohort@snapshot``."""
    channel: str
    full: bool
    """Everybody; False: the difference to the last success."""
    with_contacts: bool = False
    holdout: Holdout | None = None
    end_holdout: bool = False
    baseline: float | None = None
    dry_run: bool = False
    resume: bool = False


def send(settings: Settings, asked: Asked) -> int:
    """
    Deliver a cohort to a channel and say what left.

    Returns:
        Exit code 1 when the delivery did not come to its end: the next run goes on.

    Raises:
        ConfigError: there is no such cohort or channel, or a secret is not set.
        Paused: the receiver refused before.
        Busy: another run is under way.
    """
    cohorts, now = cohorts_of(settings), datetime.now(UTC)
    plain, _, wanted = asked.name.partition("@")
    cohort = cohorts.get(plain)
    channel = channel_of(settings, asked.channel, with_contacts=asked.with_contacts)
    try:
        with desk_of(settings) as desk:
            line = _line(settings, cohorts, cohort, channel, asked.channel, desk)
            snapshot = cohorts.snapshot(cohort.id, wanted) if wanted else None

            def people() -> Mapping[str, str] | Collection[str]:
                return cohorts.members(snapshot) if snapshot else Members(cohorts, desk, now)(cohort.id)

            def announce(prepared: Prepared) -> None:
                _announce(line, prepared, baseline=_baseline(asked, cohort, prepared, desk, now))

            name = snapshot.name if snapshot else ""
            wish = Wish(people, now, asked.full, asked.holdout, asked.end_holdout, name)
            if asked.dry_run:
                announce(prepare(line, wish))
                err.print("dry run: nothing was sent and nothing written")
                return 0
            sent = run(line, wish, announce, resume=asked.resume)
    finally:
        channel.close()
    return _say(line, sent)


def show_log(settings: Settings, name: str, channel: str, *, as_json: bool) -> None:
    """Every page of the newest delivery: sent, status, attempt."""
    cohort = cohorts_of(settings).get(name)
    sessions = Sessions(cohorts_of(settings).files, cohort.id, channel)
    last = sessions.last()
    entries = [] if last is None else sessions.entries(last)
    if as_json:
        click.echo(orjson.dumps(entries, option=orjson.OPT_INDENT_2).decode())
        return
    if last is None:
        err.print(f"nothing of {cohort.id} was sent to {channel} yet", markup=False)
        return
    names = ("page", "action", "sent", "status", "http_status", "attempt", "idempotency_key")
    state = "done" if sessions.is_done(last) else sessions.paused() or "not finished"
    title = f"Delivery {last.session}, {last.mode}, {last.pages:,} pages: {state}"
    table(title, names, [[entry[key] for key in names] for entry in entries])


def _line(
    settings: Settings, cohorts: Cohorts, cohort: Cohort, channel: Channel, channel_name: str, desk: Desk
) -> Line:
    sessions = Sessions(cohorts.files, cohort.id, channel_name)
    what = f"cohort {cohort.id} is being sent to {channel_name}"
    return Line(
        cohort=cohort,
        channel_name=channel_name,
        channel=channel,
        sessions=sessions,
        lease=Lease(cohorts.files, sessions.folder, what),
        contacts=lambda people: contacts_of(desk, people, channel.columns),
        expose=lambda messages, name: write_exposures(settings, messages, name),
        now_ms=cohorts.files.clock_ms,
        patience=Patience(),
    )


def _baseline(
    asked: Asked, cohort: Cohort, prepared: Prepared, desk: Desk, now: datetime
) -> tuple[float, str] | None:
    if not prepared.session.experiment:
        return None
    if asked.baseline is not None:
        return asked.baseline, "as given"
    return baseline_of(cohort.definition, desk, now)


def _announce(line: Line, prepared: Prepared, baseline: tuple[float, str] | None) -> None:
    session = prepared.session
    if prepared.is_nothing:
        err.print(f"{line.cohort.id}: nothing has changed since the last delivery", markup=False)
        return
    skipped = "".join(f", {count:,} left out ({reason})" for reason, count in session.skipped.items())
    err.print(f"{line.cohort.id} to {line.channel_name}: {session.size:,} people{skipped}", markup=False)
    kind = "everybody" if session.mode == "full" else "the difference"
    err.print(
        f"{session.pages:,} pages of {kind} leave: {session.added:,} people enter, {session.removed:,} leave",
        markup=False,
    )
    if session.experiment:
        for text in _of_experiment(prepared, baseline):
            err.print(text, markup=False)


def _of_experiment(prepared: Prepared, baseline: tuple[float, str] | None) -> list[str]:
    session = prepared.session
    told = [
        f"experiment {session.experiment}: {session.size:,} people are sent to, {session.control:,} are "
        f"control ({session.share:.0%}) and are not"
    ]
    if baseline is None:
        return [
            *told,
            "smallest detectable lift: give the conversion you expect without treatment: --baseline",
        ]
    conversion, origin = baseline
    lift = smallest_detectable_lift(session.control, session.size, conversion)
    found = "none with so few people" if lift is None else f"{lift:+.0%}"
    return [
        *told,
        f"smallest detectable lift: {found}, at a baseline of {conversion:.1%} ({origin}), with 80 % power",
    ]


def _say(line: Line, sent: list[Sent]) -> int:
    for each in (each for each in sent if each.pages or not each.stopped):
        what = "the rest of an interrupted delivery" if each is not sent[-1] else "delivered"
        err.print(f"{what}: {each.pages:,} pages, {each.people:,} people", markup=False)
    for path in _files_of(line.channel):
        err.print(f"wrote {path}", markup=False)
    stopped = sent[-1].stopped if sent else None
    if stopped is None:
        return 0
    if stopped.status == "refused":
        text = f"✗ {stopped.reason}: {line.channel_name} is paused; look at it, then run with --resume"
    else:
        text = f"✗ {stopped.reason}: the rest leaves with the next run"
    err.print(text, markup=False)
    return 1


def _files_of(channel: Any) -> list[Path]:
    return list(getattr(channel, "written", ()))
