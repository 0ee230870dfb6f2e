"""``segment``: one identify call per person who enters or leaves, through Segment's Python library.

Source: analytics definitions, section 4.
"""

from __future__ import annotations

import atexit
import logging
from hashlib import sha256
from typing import Any

from connector.cohorts.channels.channel import OK, Outcome, Page, Person, outcome_of_status
from connector.cohorts.contacts import Contact, Requires, key_of, unreachable
from connector.cohorts.holdout import person_of

PAGE_PEOPLE = 1_000
_BATCH_MESSAGES = 100
_BATCH_SECONDS = 0.05
"""How long the library waits for a batch to fill: all messages of a page are there at once."""


class Segment:
    """
    Sends to one Segment source, or to what speaks Segment's tracking API.

    The library sends in a thread of its own and retries nothing here: a page whose batches did not all arrive
    is sent again as a whole, with the same message ids.
    """

    kind = "segment"
    page_people = PAGE_PEOPLE
    replaces = False

    def __init__(
        self,
        write_key: str,
        host: str,
        *,
        trait: str,
        requires: Requires,
        columns: tuple[str, ...],
        timeout_seconds: float,
    ) -> None:
        self._write_key = write_key
        self._host = host
        self._trait = trait
        self._requires = requires
        self._timeout_seconds = timeout_seconds
        self._client: Any = None
        self._troubles: list[Exception] = []
        self.columns = columns

    def unreachable(self, contact: Contact) -> str | None:
        return unreachable(contact, self._requires)

    def deliver(self, page: Page) -> Outcome:
        if self._client is None:
            self._client = _client(self._write_key, self._host, self._timeout_seconds, self._troubles)
        self._troubles.clear()
        for person in page.people:
            if not _queued(self._client, self._call(page, person)):
                return Outcome("refused", None, "a person's traits are more than Segment takes, 32 KB")
        self._client.flush()
        return _outcome(self._troubles)

    def close(self) -> None:
        if self._client is not None:
            self._client.join()
            atexit.unregister(self._client.join)
            _session().close()
            self._client = None

    def _call(self, page: Page, person: Person) -> dict[str, Any]:
        ids = person_of(person.uid)
        trait = self._trait.replace("{name}", page.cohort_name)
        keys = map(key_of, self.columns)
        more = {key: person.contact[key] for key in keys if key in person.contact}
        digest = sha256(f"{page.key}\n{person.uid}".encode("utf-8", "surrogatepass")).hexdigest()
        return {
            "user_id": ids.get("userId"),
            "anonymous_id": ids.get("anonymousId"),
            "traits": {**more, trait: page.action != "remove_members"},
            "timestamp": page.as_of,
            "message_id": f"connector-{digest[:32]}",
        }


def _client(write_key: str, host: str, timeout_seconds: float, troubles: list[Exception]) -> Any:
    """A client that says what did not arrive, follows no redirect, and logs no message."""
    from segment.analytics.client import Client

    logging.getLogger("segment").setLevel(logging.CRITICAL)
    _session().max_redirects = 0
    return Client(
        write_key, host=host, gzip=True, timeout=timeout_seconds, max_retries=0, max_rate_limit_duration=0,
        upload_size=_BATCH_MESSAGES, upload_interval=_BATCH_SECONDS, max_queue_size=2 * PAGE_PEOPLE,
        on_error=lambda trouble, _: troubles.append(trouble),
    )  # fmt: skip


def _session() -> Any:
    """The one HTTP session that the library has."""
    from segment.analytics import request

    return request._session


def _queued(client: Any, call: dict[str, Any]) -> bool:
    """False for a message that the library takes for too large; its error would show the message."""
    try:
        return bool(client.identify(**call)[0])
    except RuntimeError:
        return False


def _outcome(troubles: list[Exception]) -> Outcome:
    """The worst of what happened to the batches of a page."""
    if not troubles:
        return OK
    found = [_of_trouble(trouble) for trouble in troubles]
    return next((each for each in found if each.status == "refused"), found[0])


def _of_trouble(trouble: Exception) -> Outcome:
    status = getattr(trouble, "status", None)
    if isinstance(status, int):
        return outcome_of_status(status)
    if type(trouble).__name__ == "TooManyRedirects":
        return outcome_of_status(302)
    return Outcome("again", None, f"no answer: {type(trouble).__name__}")
