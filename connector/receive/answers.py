"""A Reply becomes an HTTP answer: JSON whatever happens, and readable from any web page below ``/v1``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from connector.events import Reply
from connector.receive.handle import Desk

TRACKING_ROOT = "/v1/"
WEBHOOK_ROOT = "/webhook/"

_ANY_PAGE = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type, x-retry-count",
    "Access-Control-Max-Age": "86400",
}


def respond(reply: Reply) -> Response:
    """Return a reply as HTTP."""
    text = json.dumps(reply.body, separators=(",", ":"))
    return Response(text, reply.status, reply.headers, content_type="application/json")


def respond_to_any_page(reply: Reply) -> Response:
    """Return a reply that a script of any web page may read, ``Retry-After`` included."""
    return respond(replace(reply, headers={**reply.headers, **_ANY_PAGE}))


def preflight() -> Response:
    """The answer to a browser that asks what it may send; the same for all, nothing asked is repeated."""
    return Response(status=204, headers=_PREFLIGHT)


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


def add_error_answers(app: Flask, desk: Desk) -> None:
    """Answer what no route answers: unknown paths, other methods, and errors nobody foresaw.

    The first two are counted where senders send: a path that is misspelt there is an event that is not kept.
    """

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        status = error.code or 500
        code = error.name.lower().replace(" ", "_")
        if f"{request.path}/".startswith((TRACKING_ROOT, WEBHOOK_ROOT)):
            desk.turned_away(code)
        headers = {}
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return _by_path(Reply(status, {"code": code, "message": error.name}, headers))

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        return _by_path(desk.unforeseen(error))


def _by_path(reply: Reply) -> Response:
    return (respond_to_any_page if request.path.startswith(TRACKING_ROOT) else respond)(reply)
