"""``POST /v1/<call>``: Segment's HTTP Tracking API as its SDKs speak it, and the settings they ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, request

from connector.errors import UnknownWriteKey
from connector.events import TRACKING_ROUTES, RawRequest, Reply
from connector.receive.admit_public import admit_public, source_of
from connector.receive.answers import TRACKING_ROOT, headers_of, preflight, respond_to_any_page
from connector.receive.basic import basic_user
from connector.receive.bodies import BodyReader
from connector.receive.envelope import read_envelope
from connector.receive.handle import Desk, Visit
from connector.receive.rates import Rates
from connector.receive.sdk_settings import sdk_settings
from connector.receive.sources import Sources

_SINGLE_LETTER = ("batch", "track", "identify", "page", "screen", "group", "alias")
PATHS: Mapping[str, str] = MappingProxyType(
    {route: route for route in sorted(TRACKING_ROUTES)} | {route[0]: route for route in _SINGLE_LETTER}
)
"""Last step of a path -> the route it stands for (segment-delivery 2.1)."""

_KEPT = Reply(200, {"success": True})


class NoSettings(UnknownWriteKey):
    """There are no settings of this key: the browser's SDK will send nothing."""

    status = 404


class Tracking:
    """Takes what comes with a write key. Thread-safe."""

    def __init__(
        self, desk: Desk, sources: Sources, bodies: BodyReader, rates: Rates, clock_ms: Callable[[], int]
    ) -> None:
        """``bodies``: a reader of its own, so that these bodies cannot use up what webhooks may hold."""
        self._desk = desk
        self._sources = sources
        self._bodies = bodies
        self._rates = rates
        self._clock_ms = clock_ms

    def keep(self, route: str, environ: Mapping[str, Any], visit: Visit) -> Reply:
        """
        Keep the body of one request, and say so with exactly 200: other 2xx make older SDKs send it again.

        The key in the header counts if it is known, else the one in the body.

        Source: segment-delivery 2.1, 2.2 and 2.4.
        """
        received_at_ms = self._clock_ms()
        headers = headers_of(environ)
        key = basic_user(headers)
        by_header = self._sources.with_write_key(key) if key else None
        if by_header is not None:
            visit.source = by_header.name
        with self._bodies.reading(environ) as received:
            envelope = read_envelope(received.body)
            keys = by_header or source_of(self._sources, key, envelope.write_key)
            visit.source = keys.name
            self._rates.admit(keys, envelope.events, len(received.body))
            raw_request = RawRequest(keys.name, route, received.body, headers, received_at_ms)
            self._desk.keep(admit_public, raw_request, envelope, key_in_header=by_header is not None)
        return _KEPT

    def settings(self, write_key: str, environ: Mapping[str, Any], visit: Visit) -> Reply:
        """
        Answer the settings of a write key.

        Raises:
            NoSettings: no source has this key.
            CannotKeep: ``secret_missing``, as for events.
        """
        try:
            source_of(self._sources, write_key.encode(errors="replace"))
        except UnknownWriteKey as unknown:
            raise NoSettings(unknown.message) from None
        return sdk_settings(write_key, environ)


def add_tracking(app: Flask, desk: Desk, tracking: Tracking) -> None:
    """Add every path of the API to an app. All answer a browser's preflight, and scripts of any page."""

    def receive(route: str) -> Response:
        if request.method == "OPTIONS":
            return preflight()
        return respond_to_any_page(desk.attend(partial(tracking.keep, route, request.environ)))

    for name, route in PATHS.items():
        app.add_url_rule(
            TRACKING_ROOT + name,
            f"tracking {name}",
            partial(receive, route),
            methods=("POST", "OPTIONS"),
            provide_automatic_options=False,
        )

    @app.route(
        f"{TRACKING_ROOT}projects/<write_key>/settings",
        methods=("GET", "OPTIONS"),
        provide_automatic_options=False,
    )
    def settings(write_key: str) -> Response:
        if request.method == "OPTIONS":
            return preflight()
        return respond_to_any_page(desk.attend(partial(tracking.settings, write_key, request.environ)))
