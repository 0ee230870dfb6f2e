"""The Flask app: an HTTP request becomes a RawRequest, and a Reply becomes an answer again."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask

from connector.receive.answers import add_error_answers
from connector.receive.bodies import BodyReader, Limits
from connector.receive.handle import Desk
from connector.receive.journal_port import Journal
from connector.receive.metrics import Metrics
from connector.receive.probes import add_probes
from connector.receive.refusals import Refusals
from connector.receive.sources import Sources
from connector.receive.throttle import Throttle
from connector.receive.tracking import Tracking, add_tracking
from connector.receive.webhook import add_webhook


def create_app(
    journal: Journal,
    sources: Sources,
    *,
    limits: Limits,
    metrics: Metrics,
    clock_ms: Callable[[], int],
    monotonic: Callable[[], float] = time.monotonic,
    threads: int = 32,
    public_url: str | None = None,
) -> Flask:
    """
    Return the receiver as a WSGI app.

    Routes: ``/webhook/<source>``, Segment's HTTP Tracking API below ``/v1``, ``/healthz``, ``/readyz`` and
    ``/metrics``. Every error is JSON, ``{"code": str, "message": str}``. Nothing redirects, and no
    Content-Type is judged (segment-delivery 1.1, 1.4 and 2.4). An error nobody foresaw is 503, so that the
    sender comes again; its log line names the error's type and place, never its text, which could hold a
    customer's value.

    Args:
        journal: where captures go.
        sources: what each source accepts.
        limits: how much is taken at once.
        metrics: counters of this app.
        clock_ms: milliseconds since the epoch, UTC; read once per request, at its arrival.
        monotonic: seconds on a clock that never steps, for limits and log lines.
        threads: request threads of this process; at most half of them serve ``/v1`` at a time.
        public_url: address under which SDKs reach this receiver, such as ``https://lake.example``; None: the
            one they asked.
    """
    app = Flask("connector", static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    desk = Desk(journal, metrics, Refusals(Throttle(monotonic)))
    public_bodies = BodyReader(limits.of_public(), metrics.in_flight)
    add_webhook(app, desk, sources, BodyReader(limits, metrics.in_flight), clock_ms)
    tracking = Tracking(
        desk, sources, public_bodies, clock_ms, monotonic, threads=threads, public_url=public_url
    )
    add_tracking(app, desk, tracking)
    add_probes(app, journal, metrics)
    add_error_answers(app, desk)
    return app
