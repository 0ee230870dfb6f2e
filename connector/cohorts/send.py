"""Cohorts to channels: everybody (``export``), or what has changed since the last success (``sync``).

Source: analytics definitions, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from connector.cohorts.catalogue import entered, hash_of
from connector.cohorts.contacts import Contact
from connector.cohorts.delivering import Line, Sent, deliver
from connector.cohorts.holdout import Holdout, exposures
from connector.cohorts.pages import parts_of
from connector.cohorts.sessions import Session, session_name, skipped_of
from connector.errors import ConfigError, ConnectorError

FULL_AGAIN = timedelta(days=3)
"""A difference is made to a delivery that is no older."""


class Paused(ConnectorError):
    """The receiver refused: nothing is sent until a person has looked, and says --resume."""

    code = "paused"


class Wish(NamedTuple):
    """What a run is to do."""

    people: Callable[[], Mapping[str, str] | Collection[str]]
    """Who is in the cohort; a snapshot also says since when."""
    now: datetime
    full: bool
    """Everybody, not the difference alone."""
    holdout: Holdout | None = None
    """None: as the last delivery had it, unless it is to end."""
    end_holdout: bool = False
    """The control group is sent to from now on."""
    snapshot: str = ""


class Prepared(NamedTuple):
    """A delivery before it begins."""

    session: Session
    members: dict[str, str]
    control: list[str]
    newcomers: list[str]
    """Those who take part in the experiment from now on."""
    contacts: Mapping[str, Contact]

    @property
    def is_nothing(self) -> bool:
        """Nobody enters or leaves, here or in the control group."""
        return self.session.mode == "difference" and not self.session.pages and not self.newcomers


def prepare(line: Line, wish: Wish) -> Prepared:
    """Find out who is to be sent; nothing is written, nothing leaves."""
    base = line.sessions.last_done()
    before = line.sessions.delivered(base) if base else {}
    is_old = base is None or wish.now - base.as_of > FULL_AGAIN
    full = wish.full or is_old
    found = wish.people()
    contacts = line.contacts({*found, *before})
    reasons = {uid: line.channel.unreachable(contacts[uid]) for uid in found}
    reachable = [uid for uid in found if reasons[uid] is None]
    holdout = _holdout(base, wish)
    control, treatment = holdout.split(reachable) if holdout else ([], reachable)
    since = {**(found if isinstance(found, Mapping) else {}), **before}
    members = entered(treatment, since, wish.now)
    parts = parts_of(
        before, members, full=full, replaces=line.channel.replaces, at_most=line.channel.page_people
    )
    number = line.sessions.next_number()
    session = Session(
        number=number,
        session=session_name(line.cohort.id, line.channel_name, number, wish.now),
        mode="full" if full else "difference",
        as_of=wish.now,
        definition_version=line.cohort.version,
        base=base.number if base else None,
        size=len(members),
        sha256=hash_of(members),
        added=len(members.keys() - before.keys()),
        removed=len(before.keys() - members.keys()),
        pages=len(parts),
        snapshot=wish.snapshot,
        experiment=holdout.experiment if holdout else "",
        share=holdout.share if holdout else 0.0,
        control=len(control),
        skipped=skipped_of([reason for reason in reasons.values() if reason]),
    )
    known = (
        {*before, *line.sessions.control(base)} if base and base.experiment == session.experiment else set()
    )
    newcomers = sorted({*members, *control} - known) if holdout else []
    return Prepared(session, members, sorted(control), newcomers, contacts)


def run(line: Line, wish: Wish, announce: Callable[[Prepared], None], *, resume: bool = False) -> list[Sent]:
    """
    Finish a delivery that was interrupted, then make the one that is wished for.

    Two runs for the same cohort and channel never overlap.

    Args:
        announce: told what is about to be sent, before it is.
        resume: go on although the channel was paused.

    Returns:
        The deliveries of this run; the last one may have been stopped. Empty: nothing has changed.

    Raises:
        Paused: the receiver refused before, and ``resume`` was not said.
        Busy: another run is under way.
        LeaseLost: another run took over, because this one was too slow.
    """
    with line.lease.held():
        reason = line.sessions.paused()
        if reason is not None and not resume:
            raise Paused(
                f"cohort {line.cohort.id}: {line.channel_name} is paused: {reason}; look at the receiver, "
                "then run it again with --resume"
            )
        line.sessions.resume(wish.now)
        sent = _finish_open(line, wish)
        if sent and (sent[-1].stopped or _is_what_is_wished(sent[-1].session, wish)):
            return sent
        prepared = prepare(line, wish)
        announce(prepared)
        if prepared.is_nothing:
            return sent
        session = _begin(line, wish, prepared)
        return [*sent, deliver(line, session, prepared.contacts)]


def _begin(line: Line, wish: Wish, prepared: Prepared) -> Session:
    session = prepared.session
    messages = b""
    if session.experiment and prepared.newcomers:
        holdout = Holdout(session.experiment, session.share)
        messages = exposures(holdout, prepared.newcomers, line.cohort.id, wish.now)
    return line.sessions.begin(session, prepared.members, prepared.control, messages)


def _finish_open(line: Line, wish: Wish) -> list[Sent]:
    """
    A delivery that was begun and not finished is finished first: what of it has arrived is part of what the
    receiver has. Where a new full one replaces everything, an old one is left as it is.
    """
    session = line.sessions.last()
    if session is None or line.sessions.is_done(session):
        return []
    is_old = wish.now - session.as_of > FULL_AGAIN
    other = wish.full and not _is_what_is_wished(session, wish)
    if line.channel.replaces and (is_old or other):
        return []
    return [deliver(line, session)]


def _is_what_is_wished(session: Session, wish: Wish) -> bool:
    """The export of a snapshot that was interrupted, asked for again."""
    if not (wish.full and wish.snapshot and session.mode == "full"):
        return False
    asked = wish.holdout or Holdout(session.experiment, session.share)
    return (session.snapshot, session.experiment, session.share) == (wish.snapshot, *asked)


def _holdout(base: Session | None, wish: Wish) -> Holdout | None:
    """The control group stays one as long as the cohort is sent to this channel."""
    before = Holdout(base.experiment, base.share) if base and base.experiment else None
    if wish.end_holdout:
        return None
    if before and wish.holdout and before.experiment == wish.holdout.experiment and before != wish.holdout:
        raise ConfigError(
            f"--holdout: experiment {before.experiment} has a control group of {before.share:.0%}; its share "
            "stays, or people would change sides"
        )
    return wish.holdout or before
