"""``webhook``: pages in the envelope of Mixpanel's cohort webhooks.

Source: analytics definitions, section 4.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import orjson

from connector.cohorts.channels.channel import OK, Outcome, Page, outcome_of_status
from connector.cohorts.channels.post import Poster, Unanswered
from connector.cohorts.contacts import Contact, Requires, unreachable

PAGE_PEOPLE = 1_000


class Webhook:
    """Posts to one address; what it answers decides, see ``read_answer``."""

    kind = "webhook"
    page_people = PAGE_PEOPLE
    replaces = True

    def __init__(
        self,
        poster: Poster,
        *,
        headers: Mapping[str, str],
        secret: bytes | None,
        project_id: str,
        requires: Requires,
        columns: tuple[str, ...],
    ) -> None:
        self._poster = poster
        self._headers = headers
        self._secret = secret
        self._project_id = project_id
        self._requires = requires
        self.columns = columns

    def unreachable(self, contact: Contact) -> str | None:
        return unreachable(contact, self._requires)

    def deliver(self, page: Page) -> Outcome:
        body = orjson.dumps(envelope(page, self._project_id))
        headers = {**self._headers, "Content-Type": "application/json", "Idempotency-Key": page.key}
        if self._secret is not None:
            headers["X-Signature"] = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        try:
            answer = self._poster.post(body, headers)
        except Unanswered as trouble:
            return Outcome("again", None, f"no answer: {trouble}")
        outcome = outcome_of_status(answer.status)
        if outcome.status == "ok":
            outcome = read_answer(answer.body, page.action, answer.status)
        return outcome._replace(retry_after_seconds=answer.retry_after_seconds)

    def close(self) -> None:
        self._poster.close()


def envelope(page: Page, project_id: str) -> dict[str, Any]:
    """The body of one page."""
    return {
        "action": page.action,
        "parameters": {
            "mixpanel_project_id": project_id,
            "mixpanel_cohort_id": page.cohort_id,
            "mixpanel_cohort_name": page.cohort_name,
            "mixpanel_cohort_description": page.cohort_description,
            "mixpanel_session_id": page.session,
            "page_info": {"total_pages": page.total, "page_count": page.number},
            "members": [
                {"mixpanel_distinct_id": person.uid, "entered_at": person.entered_at, **person.contact}
                for person in page.people
            ],
        },
    }


def read_answer(body: bytes, action: str, status: int) -> Outcome:
    """
    ``{action, status: success|failure, error: {message, code}}`` of a receiver that answered 2xx.

    A failure counts as its ``code`` says, and without one as a fault of the moment. What says neither is no
    receiver of cohorts, or something that stands before it: the page counts as not delivered.
    """
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or said.get("status") not in ("success", "failure"):
        return Outcome("again", status, "the answer says neither success nor failure")
    if said["status"] == "success":
        if said.get("action", action) != action:
            return Outcome("again", status, "the answer is about another action")
        return OK._replace(code=status)
    error = said.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code)
    if isinstance(code, int) and not isinstance(code, bool) and not 200 <= code < 300:
        return outcome_of_status(code)
    return Outcome("again", status, "the receiver says failure")
