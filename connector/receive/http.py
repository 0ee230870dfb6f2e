"""The Flask app: an HTTP request becomes a RawRequest, and a Reply becomes an answer again."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import BaseConverter

from connector.errors import CannotKeep, RequestRefused
from connector.events import RawRequest, Reply
from connector.receive.bodies import BodyReader, Limits
from connector.receive.handle import Sources, answer, make_handler
from connector.receive.journal_port import Journal
from connector.receive.metrics import CONTENT_TYPE, INTERNAL, UNKNOWN, Metrics

log = logging.getLogger(__name__)

_WEBHOOK_METHODS = ("POST", "PUT", "PATCH")
_INTERNAL_RETRY_AFTER_SECONDS = 5


class SlugConverter(BaseConverter):
    """Slug of a source in a path; anything else is no such path."""

    regex = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"


def create_app(
    journal: Journal,
    sources: Sources,
    *,
    limits: Limits,
    metrics: Metrics,
    clock_ms: Callable[[], int],
) -> Flask:
    """
    Return the receiver as a WSGI app.

    Routes: ``POST|PUT|PATCH /webhook/<source>``, ``GET /healthz``, ``/readyz`` and ``/metrics``. Every error
    is JSON, ``{"code": str, "message": str}``. Nothing redirects, and no Content-Type is judged
    (segment-delivery 1.1, 1.4). An error nobody foresaw is 503, so that the sender comes again; its log line
    names the error's type and place, never its text, which could hold a customer's value.

    Args:
        journal: where captures go.
        sources: slug -> what it accepts, or None.
        limits: how much is taken at once.
        metrics: counters of this app.
        clock_ms: milliseconds since the epoch, UTC; read once per request, at its arrival.
    """
    app = Flask("connector", static_folder=None)
    app.url_map.converters["slug"] = SlugConverter
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    _add_webhook(app, make_webhook(journal, sources, limits=limits, metrics=metrics, clock_ms=clock_ms))
    _add_probes(app, journal, metrics)
    _add_error_answers(app, metrics)
    return app


def make_webhook(
    journal: Journal, sources: Sources, *, limits: Limits, metrics: Metrics, clock_ms: Callable[[], int]
) -> Callable[[str, Mapping[str, Any]], Reply]:
    """Return the function that answers a webhook: slug and WSGI environ in, Reply out, never an exception."""
    bodies = BodyReader(limits, metrics.in_flight)
    handle = make_handler(journal, sources, metrics)

    def webhook(source: str, environ: Mapping[str, Any]) -> Reply:
        started = time.perf_counter()
        received_at_ms = clock_ms()
        label = UNKNOWN
        try:
            label = UNKNOWN if sources(source) is None else source
            with bodies.reading(environ) as received:
                return handle(
                    RawRequest(
                        source=source,
                        route="webhook",
                        body=received.body,
                        headers=headers_of(environ),
                        received_at_ms=received_at_ms,
                        encoded=received.encoded,
                    )
                )
        except (RequestRefused, CannotKeep) as trouble:
            return answer(trouble, label, metrics)
        except Exception as error:
            return _unforeseen(error, label, metrics)
        finally:
            metrics.took(time.perf_counter() - started)

    return webhook


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """Return the request's headers with names in lower case, from a WSGI environ."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if content_type := environ.get("CONTENT_TYPE"):
        headers["content-type"] = content_type
    return headers


def _add_webhook(app: Flask, webhook: Callable[[str, Mapping[str, Any]], Reply]) -> None:
    @app.route("/webhook/<slug:source>", methods=_WEBHOOK_METHODS, provide_automatic_options=False)
    def receive(source: str) -> Response:
        return _respond(webhook(source, request.environ))


def _add_probes(app: Flask, journal: Journal, metrics: Metrics) -> None:
    @app.get("/healthz", provide_automatic_options=False)
    def alive() -> Response:
        return _respond(Reply(200, {"status": "ok"}))

    @app.get("/readyz", provide_automatic_options=False)
    def ready() -> Response:
        why_not = journal.not_ready()
        if why_not is None:
            return _respond(Reply(200, {"status": "ok"}))
        return _respond(Reply(503, {"code": "not_ready", "message": why_not}))

    @app.get("/metrics", provide_automatic_options=False)
    def figures() -> Response:
        return Response(metrics.exposition(), content_type=CONTENT_TYPE)


def _add_error_answers(app: Flask, metrics: Metrics) -> None:
    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        status = error.code or 500
        code = error.name.lower().replace(" ", "_")
        headers = {}
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return _respond(Reply(status, {"code": code, "message": error.name}, headers))

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        return _respond(_unforeseen(error, UNKNOWN, metrics))


def _unforeseen(error: Exception, source: str, metrics: Metrics) -> Reply:
    metrics.replied(source, INTERNAL)
    places = (
        f"{place.filename}:{place.lineno} {place.name}" for place in traceback.extract_tb(error.__traceback__)
    )
    log.error("request of source %s failed with %s at %s", source, type(error).__name__, " < ".join(places))
    return Reply(
        503,
        {"code": INTERNAL, "message": "something failed on our side; nothing was acknowledged"},
        {"Retry-After": str(_INTERNAL_RETRY_AFTER_SECONDS)},
    )


def _respond(reply: Reply) -> Response:
    text = json.dumps(reply.body, separators=(",", ":"))
    return Response(text, reply.status, reply.headers, content_type="application/json")
