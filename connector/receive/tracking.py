"""``POST /v1/<call>``: Segment's HTTP Tracking API as its SDKs speak it, and the settings they ask for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, request

from connector import jsontext
from connector.errors import CannotKeep, TooManyEvents, UnknownWriteKey
from connector.events import TRACKING_ROUTES, Body, RawRequest, Reply, SourceKeys
from connector.receive.admit_public import admit_public, source_of
from connector.receive.answers import TRACKING_ROOT, headers_of, preflight, respond_to_any_page
from connector.receive.basic import basic_user
from connector.receive.bodies import BodyReader, drain
from connector.receive.envelope import read_envelope
from connector.receive.handle import Desk, Visit
from connector.receive.rates import Rates
from connector.receive.sdk_settings import address_of, is_loopback, sdk_settings
from connector.receive.sources import Sources
from connector.receive.throttle import Throttle

log = logging.getLogger(__name__)

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
    """
    Takes what comes with a write key. Thread-safe.

    Anybody may send it, at any pace: it has at most half of the request threads, so that webhooks find one.
    """

    def __init__(
        self,
        desk: Desk,
        sources: Sources,
        bodies: BodyReader,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float],
        *,
        threads: int,
        public_url: str | None,
    ) -> None:
        """
        Args:
            bodies: a reader of its own, so that these bodies cannot use up what webhooks may hold.
            threads: request threads of the process.
            public_url: as in ``create_app``.
        """
        self._desk = desk
        self._sources = sources
        self._bodies = bodies
        self._clock_ms = clock_ms
        self._rates = Rates(monotonic)
        self._throttle = Throttle(monotonic)
        self._public_url = public_url
        self._slots = threading.BoundedSemaphore(max(1, threads // 2))
        self._large_bodies = threading.Lock()

    def keep(self, route: str, environ: Mapping[str, Any], visit: Visit) -> Reply:
        """
        Keep the body of one request, and say so with exactly 200: other 2xx make older SDKs send it again.

        The key in the header counts if it is known, else the one in the body.

        Source: segment-delivery 2.1, 2.2 and 2.4.
        """
        if not self._slots.acquire(blocking=False):
            raise CannotKeep(
                "too many requests with write keys at once", code="public_busy", retry_after_seconds=1
            )
        try:
            self._keep(route, environ, visit)
        finally:
            self._slots.release()
        return _KEPT

    def _keep(self, route: str, environ: Mapping[str, Any], visit: Visit) -> None:
        received_at_ms = self._clock_ms()
        headers = headers_of(environ)
        key = basic_user(headers)
        by_header = self._sources.with_write_key(key) if key else None
        if by_header is not None:
            visit.source = by_header.name
        self._check_rate(by_header, environ)
        with self._bodies.reading(environ) as received:
            body = received.body
            with self._turn(body):
                envelope = read_envelope(body)
            keys = by_header or self._owner(key, envelope.write_key, len(body))
            visit.source = keys.name
            self._rates.admit(keys, envelope.events, len(body))
            self._desk.keep(
                admit_public,
                RawRequest(keys.name, route, body, headers, received_at_ms),
                is_json=self._closes(body) if envelope.is_json is None else envelope.is_json,
                key_in_header=by_header is not None,
            )

    def _check_rate(self, by_header: SourceKeys | None, environ: Mapping[str, Any]) -> None:
        """Turn a request away before it costs anything; its sender comes again."""
        try:
            self._rates.check(by_header)
        except TooManyEvents:
            drain(environ)
            raise

    def _owner(self, key: bytes | None, key_inside: bytes | None, body_bytes: int) -> SourceKeys:
        """Whose a request is; one that is nobody's has been parsed in vain, and all such pay together."""
        try:
            return source_of(self._sources, key, key_inside)
        except (UnknownWriteKey, CannotKeep):
            self._rates.charge_strangers(body_bytes)
            raise

    def _closes(self, body: Body) -> bool:
        with self._turn(body):
            return jsontext.closes(body)

    def _turn(self, body: Body) -> AbstractContextManager[object]:
        """Large bodies are looked into one at a time: decoded they need many times their size, and scanning
        hostile ones takes seconds."""
        return self._large_bodies if len(body) > jsontext.WHOLE_PARSE_BYTES else nullcontext()

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
        address = address_of(environ, self._public_url)
        if address and not self._public_url and self._sources.configured and is_loopback(address.host):
            self._warn_of_loopback()
        return sdk_settings(write_key, address)

    def _warn_of_loopback(self) -> None:
        """Behind a proxy that does not pass Host on, SDKs would be sent to their own machine."""
        if self._throttle.untold("loopback") is not None:
            log.warning(
                "an SDK that asked for its settings is told to send to a loopback address: the request came "
                "to that name and public_url is not set"
            )


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
