"""``GET /healthz``, ``/readyz`` and ``/metrics``: for whoever watches the receiver."""

from __future__ import annotations

from flask import Flask, Response

from connector.events import Reply
from connector.receive.answers import respond
from connector.receive.journal_port import Journal
from connector.receive.metrics import CONTENT_TYPE, Metrics

_OK = Reply(200, {"status": "ok"})


def add_probes(app: Flask, journal: Journal, metrics: Metrics) -> None:
    """Add the probes to an app: the process lives, the journal can keep, and the figures."""

    @app.get("/healthz", provide_automatic_options=False)
    def alive() -> Response:
        return respond(_OK)

    @app.get("/readyz", provide_automatic_options=False)
    def ready() -> Response:
        why_not = journal.not_ready()
        return respond(Reply(503, {"code": "not_ready", "message": why_not}) if why_not else _OK)

    @app.get("/metrics", provide_automatic_options=False)
    def figures() -> Response:
        return Response(metrics.exposition(), content_type=CONTENT_TYPE)
