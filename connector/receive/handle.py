"""The whole promise in one place: keep the bytes, then say so; and the answer when they are not kept."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import ParamSpec

from connector.errors import CannotKeep, ConnectorError, RequestRefused, TooManyEvents
from connector.events import Capture, Reply
from connector.receive.admit import Unreadable
from connector.receive.journal_port import Journal
from connector.receive.metrics import INTERNAL, OK, UNKNOWN, Metrics
from connector.receive.refusals import Refusals

log = logging.getLogger(__name__)

_INTERNAL_RETRY_AFTER_SECONDS = 5

P = ParamSpec("P")


class Visit:
    """A request that is being answered."""

    __slots__ = ("source",)

    def __init__(self) -> None:
        self.source = UNKNOWN
        """The label it is counted under, once its source is known."""


class Desk:
    """Answers requests one after the other, in as many threads as there are."""

    def __init__(self, journal: Journal, metrics: Metrics, refusals: Refusals) -> None:
        self._journal = journal
        self._metrics = metrics
        self._refusals = refusals

    def keep(self, admit: Callable[P, Capture], *args: P.args, **kwargs: P.kwargs) -> None:
        """
        Return when what ``admit`` returns is durable.

        A body that is not JSON and is owed a place is kept before its refusal is raised; if that fails too,
        the trouble is ours: ``CannotKeep``, and the sender comes again (journal-protocol 1.4 and 2.4).
        """
        try:
            capture = admit(*args, **kwargs)
        except Unreadable as unreadable:
            if unreadable.keep and not self._journal.keep_refused(unreadable.capture):
                self._metrics.refused_not_kept()
            raise
        self._journal.append(capture)
        self._metrics.replied(capture.source, OK)
        self._metrics.kept(len(capture.body))

    def attend(self, work: Callable[[Visit], Reply]) -> Reply:
        """
        Return the answer of ``work``, or the one to what it raised; never raises.

        What is refused for good gets its 4xx; every trouble of ours, an error nobody foresaw included, is
        503 with ``Retry-After``, and the sender comes again (segment-delivery 1.4 and 2.4).
        """
        started = time.perf_counter()
        visit = Visit()
        try:
            return work(visit)
        except (RequestRefused, CannotKeep) as trouble:
            return self._refused(trouble, visit)
        except Exception as error:
            return self.unforeseen(error, visit.source)
        finally:
            self._metrics.took(time.perf_counter() - started)

    def turned_away(self, outcome: str) -> None:
        """Count a request that no route answers: a path or a method that is none."""
        self._metrics.replied(UNKNOWN, outcome)

    def unforeseen(self, error: Exception, source: str = UNKNOWN) -> Reply:
        """Count and log an error nobody foresaw: its type and place, never its text, which may be data."""
        self._metrics.replied(source, INTERNAL)
        places = (
            f"{place.filename}:{place.lineno} {place.name}"
            for place in traceback.extract_tb(error.__traceback__)
        )
        name = type(error).__name__
        log.error("request of source %s failed with %s at %s", source, name, " < ".join(places))
        return Reply(
            503,
            {"code": INTERNAL, "message": "something failed on our side; nothing was acknowledged"},
            {"Retry-After": str(_INTERNAL_RETRY_AFTER_SECONDS)},
        )

    def _refused(self, trouble: RequestRefused | CannotKeep, visit: Visit) -> Reply:
        self._metrics.replied(visit.source, trouble.code)
        self._refusals.note(visit.source, trouble)
        headers = {}
        if isinstance(trouble, (CannotKeep, TooManyEvents)):
            headers["Retry-After"] = str(trouble.retry_after_seconds)
        if isinstance(trouble, CannotKeep):
            self._metrics.could_not_keep(trouble.code)
        return Reply(trouble.status, describe(trouble), headers)


def describe(error: ConnectorError) -> dict[str, str]:
    """The body of an error's answer. ``message`` is what Segment shows its user (segment-delivery 1.4)."""
    return {"code": error.code, "message": error.message}
