"""``POST|PUT|PATCH /webhook/<source>``: Segment's webhooks, and Developer-Center subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, request
from werkzeug.routing import BaseConverter

from connector.events import RawRequest, Reply
from connector.receive.admit import admit, judging_keys
from connector.receive.answers import WEBHOOK_ROOT, headers_of, respond
from connector.receive.bodies import BodyReader
from connector.receive.handle import Desk, Visit
from connector.receive.sources import Sources

_METHODS = ("POST", "PUT", "PATCH")
_KEPT = Reply(200, {"status": "ok"})


class SlugConverter(BaseConverter):
    """Slug of a source in a path; anything else is no such path."""

    regex = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"


def add_webhook(
    app: Flask, desk: Desk, sources: Sources, bodies: BodyReader, clock_ms: Callable[[], int]
) -> None:
    """Add the webhook's route to an app. Arguments as in ``create_app``."""
    app.url_map.converters["slug"] = SlugConverter

    def webhook(source: str, environ: Mapping[str, Any], visit: Visit) -> Reply:
        received_at_ms = clock_ms()
        known = sources.named(source)
        if known is not None:
            visit.source = source
        keys = judging_keys(known)
        with bodies.reading(environ) as received:
            raw_request = RawRequest(
                source=source,
                route="webhook",
                body=received.body,
                headers=headers_of(environ),
                received_at_ms=received_at_ms,
                encoded=received.encoded,
            )
            desk.keep(admit, raw_request, keys)
        return _KEPT

    @app.route(f"{WEBHOOK_ROOT}<slug:source>", methods=_METHODS, provide_automatic_options=False)
    def receive(source: str) -> Response:
        return respond(desk.attend(lambda visit: webhook(source, request.environ, visit)))
