"""A delivery on its way: page after page, each until it is acknowledged, refused, or left for later."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from connector.cohorts.catalogue import Cohort
from connector.cohorts.channels import Channel, Outcome, Page, Person
from connector.cohorts.contacts import Contact
from connector.cohorts.pages import Part, key_of_page, parts_of
from connector.cohorts.sessions import Session, Sessions
from connector.saved import Lease

RETRIES = 5
RETRY_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 1.0


class Patience(NamedTuple):
    """How time passes between tries: real, or a test's."""

    sleep: Callable[[float], None] = time.sleep
    clock_seconds: Callable[[], float] = time.monotonic


class Line(NamedTuple):
    """Everything between a cohort and one channel."""

    cohort: Cohort
    channel_name: str
    channel: Channel
    sessions: Sessions
    lease: Lease
    contacts: Callable[[Collection[str]], Mapping[str, Contact]]
    """What is known of people now."""
    expose: Callable[[bytes, str], None]
    """Brings exposures to where reports find them; called again with the same ones after a crash."""
    now_ms: Callable[[], int]
    patience: Patience


class Sent(NamedTuple):
    """How far a delivery came."""

    session: Session
    pages: int
    """Acknowledged in this run."""
    people: int
    """In these pages."""
    stopped: Outcome | None = None
    """Why it did not come to its end."""


def deliver(line: Line, session: Session, known: Mapping[str, Contact] | None = None) -> Sent:
    """
    Send what is left of a delivery, from the first page that is not known to have arrived.

    A page that is refused pauses the channel. One that fails is tried again up to five times within a minute,
    with growing pauses; then the delivery waits for the next run. A crash at any moment sends a page twice at
    worst, with the same key.

    Args:
        known: contacts that were asked for a moment ago.

    Raises:
        LeaseLost: it took so long that somebody else went on.
    """
    sessions = line.sessions
    if exposures := sessions.exposures(session):
        line.expose(exposures, sessions.exposures_name(session))
    before, after = base_of(sessions, session), sessions.planned(session)
    entered = {**before, **after}
    left = parts(line, session, before, after)[sessions.acknowledged(session) :]
    contacts = known if known is not None else line.contacts([uid for part in left for uid in part.people])
    sent = 0
    for number, part in enumerate(left):
        page, left_out = _page(line, session, part, entered, contacts)
        outcome = _until_clear(line, session, part, page, left_out)
        if outcome.status == "refused":
            sessions.pause(
                outcome.reason, datetime.fromtimestamp(line.now_ms() / 1_000, session.as_of.tzinfo)
            )
        if outcome.status != "ok":
            return Sent(session, number, sent, outcome)
        sent += len(page.people)
    sessions.finish(session, line.now_ms())
    return Sent(session, len(left), sent)


def parts(line: Line, session: Session, before: Collection[str], after: Collection[str]) -> list[Part]:
    """All pages of a delivery, the same each time."""
    channel = line.channel
    full = session.mode == "full"
    return parts_of(before, after, full=full, replaces=channel.replaces, at_most=channel.page_people)


def base_of(sessions: Sessions, session: Session) -> dict[str, str]:
    """Who was in at the receiver before, as far as it matters for the delivery."""
    base = None if session.base is None else sessions.of_number(session.base)
    return {} if base is None else sessions.delivered(base)


def _page(
    line: Line, session: Session, part: Part, entered: Mapping[str, str], contacts: Mapping[str, Contact]
) -> tuple[Page, list[str]]:
    """The page, and who is left out of it because nobody can reach them any more."""
    left_out = []
    if part.action != "remove_members":
        left_out = [uid for uid in part.people if line.channel.unreachable(contacts.get(uid, {}))]
    gone = frozenset(left_out)
    people = [Person(uid, entered[uid], contacts.get(uid, {})) for uid in part.people if uid not in gone]
    page = Page(
        line.cohort.id, line.cohort.definition.name, line.cohort.definition.description, session.session,
        session.as_of, part.action, part.number, part.total, people,
        key_of_page(line.cohort.id, session.session, part.at),
    )  # fmt: skip
    return page, left_out


def _until_clear(line: Line, session: Session, part: Part, page: Page, left_out: Sequence[str]) -> Outcome:
    """Try until the page has arrived, or is refused, or it has been enough."""
    patience = line.patience
    begun = patience.clock_seconds()
    pause = _FIRST_PAUSE_SECONDS
    for retry in range(RETRIES + 1):
        line.lease.keep()
        outcome = line.channel.deliver(page)
        line.sessions.log(session, part, outcome, page.key, len(page.people), left_out, line.now_ms())
        wait = max(pause, outcome.retry_after_seconds)
        over = patience.clock_seconds() + wait - begun > RETRY_SECONDS
        if outcome.status != "again" or retry == RETRIES or over:
            break
        patience.sleep(wait)
        pause *= 2
    return outcome
