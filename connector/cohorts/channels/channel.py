"""What a channel is asked to do, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from connector.cohorts.contacts import Contact

Action = Literal["members", "add_members", "remove_members"]
"""Replace everybody; let people enter; let people leave."""


class Person(NamedTuple):
    """One person of a page."""

    uid: str
    entered_at: str
    """ISO 8601, UTC."""
    contact: Contact


class Page(NamedTuple):
    """A part of one action. The same page has the same key each time it is sent."""

    cohort_id: str
    cohort_name: str
    cohort_description: str
    session: str
    """Names the delivery, the same for all of its pages."""
    as_of: datetime
    """When it was found who is in the cohort."""
    action: Action
    number: int
    """Number of the page within its action, from 1,"""
    total: int
    """of so many."""
    people: Sequence[Person]
    key: str
    """Idempotency key: of cohort, session and page."""


class Outcome(NamedTuple):
    """What became of a page."""

    status: Literal["ok", "again", "refused"]
    """``again``: a later try can help. ``refused``: none can until a person has looked."""
    code: int | None = None
    """HTTP status, where there is one."""
    reason: str = ""
    """For a person; holds nothing of a customer."""
    retry_after_seconds: float = 0.0
    """What the receiver asked for."""


OK = Outcome("ok")


class Channel(Protocol):
    """Delivers pages, at least once: a page whose answer was lost comes again, with the same key."""

    kind: str
    page_people: int
    """The most people of a page."""
    replaces: bool
    """Whether it understands ``members``; else everybody enters once more instead."""
    columns: tuple[str, ...]
    """What it needs of a profile beside the usual contacts."""

    def unreachable(self, contact: Contact) -> str | None:
        """Why a person is left out, in a word such as ``no_email``; None: is sent."""

    def deliver(self, page: Page) -> Outcome:
        """Send a page and wait for what became of it."""

    def close(self) -> None:
        """End what is open: connections, threads."""


def outcome_of_status(status: int) -> Outcome:
    """
    What an HTTP status means for a page.

    400, 401, 403, 404 and whatever else no retry helps against: refused. 408, 429 and 5xx: again. A redirect
    is never followed, so it is refused.
    """
    if 200 <= status < 300:
        return Outcome("ok", status)
    if status in (408, 429) or status >= 500:
        return Outcome("again", status, f"the receiver answered {status}")
    what = "redirects, which are not followed" if 300 <= status < 400 else f"answered {status}"
    return Outcome("refused", status, f"the receiver {what}")
