"""The whole promise in one function: keep the bytes, then say so."""

from __future__ import annotations

from collections.abc import Callable

from connector.errors import CannotKeep, ConnectorError, RequestRefused
from connector.events import RawRequest, Reply, SourceKeys
from connector.receive.admit import Unreadable, admit
from connector.receive.journal_port import Journal
from connector.receive.metrics import OK, UNKNOWN, Metrics

Sources = Callable[[str], SourceKeys | None]
"""Slug of a source -> what it accepts, or None when it is not configured."""

_KEPT = Reply(200, {"status": "ok"})


def make_handler(journal: Journal, sources: Sources, metrics: Metrics) -> Callable[[RawRequest], Reply]:
    """
    Return the function that answers one request.

    200 is answered only after ``journal.append`` has returned. What is refused for good gets its 4xx;
    every trouble of ours is 503 with ``Retry-After``, and Segment comes again for four hours. A proven
    body that is not JSON is kept before its 400 is given; if that fails too, the answer is 503.

    Source: segment-delivery 1.4, journal-protocol 1.4 and 2.4.
    """

    def keep(request: RawRequest, keys: SourceKeys | None) -> int:
        try:
            capture = admit(request, keys)
        except Unreadable as unreadable:
            if unreadable.keep and not journal.keep_refused(unreadable.capture):
                metrics.refused_not_kept()
            raise
        journal.append(capture)
        return len(capture.body)

    def handle(request: RawRequest) -> Reply:
        keys = sources(request.source)
        label = UNKNOWN if keys is None else request.source
        try:
            body_bytes = keep(request, keys)
        except (RequestRefused, CannotKeep) as trouble:
            return answer(trouble, label, metrics)
        metrics.replied(label, OK)
        metrics.kept(body_bytes)
        return _KEPT

    return handle


def answer(trouble: RequestRefused | CannotKeep, source: str, metrics: Metrics) -> Reply:
    """Count a trouble under a source's label and return its answer, ``{"code": str, "message": str}``."""
    metrics.replied(source, trouble.code)
    if isinstance(trouble, CannotKeep):
        metrics.could_not_keep(trouble.code)
        return Reply(trouble.status, describe(trouble), {"Retry-After": str(trouble.retry_after_seconds)})
    return Reply(trouble.status, describe(trouble))


def describe(error: ConnectorError) -> dict[str, str]:
    """The body of an error's answer. ``message`` is what Segment shows its user (segment-delivery 1.4)."""
    return {"code": error.code, "message": error.message}
