"""The receiver in process, asked as SDKs ask it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from receive_fakes import Clock, MemoryJournal, figure
from werkzeug.test import TestResponse

from connector.events import SourceKeys
from connector.receive.bodies import Limits
from connector.receive.http import create_app
from connector.receive.metrics import Metrics
from connector.receive.sources import Sources

NOW_MS = 1_795_297_924_123

WEB = SourceKeys("web", secrets=(b"abc",), write_keys=(b"web-key",), events_per_second=5)

APP = SourceKeys("app", write_keys=(b"app-key", b"app-key-before"))

TRACK = b'{"type":"track","event":"Product Viewed","messageId":"m1"}'

BATCH = b'{"batch":[' + TRACK + b"," + TRACK + b'],"writeKey":"app-key"}'

PATHS = {
    "batch": "batch", "b": "batch", "import": "import", "track": "track", "t": "track",
    "identify": "identify", "i": "identify", "page": "page", "p": "page", "screen": "screen", "s": "screen",
    "group": "group", "g": "group", "alias": "alias", "a": "alias",
}  # fmt: skip

TIGHT = Limits(max_body_bytes=4_000, public_body_bytes=1_000, max_in_flight_bytes=16_000)

ROOMY = Limits(max_body_bytes=100_000)


class App:
    """A receiver with two sources, all of its parts at hand."""

    def __init__(
        self,
        *known: SourceKeys,
        journal: MemoryJournal | None = None,
        sources: Sources | None = None,
        limits: Limits = TIGHT,
        **options: Any,
    ) -> None:
        self.journal = journal or MemoryJournal()
        self.metrics = Metrics()
        self.clock = Clock()
        app = create_app(
            self.journal,
            sources or Sources(known or (WEB, APP)),
            limits=limits,
            metrics=self.metrics,
            clock_ms=lambda: NOW_MS,
            monotonic=self.clock,
            **options,
        )
        self.client: FlaskClient = app.test_client()

    def post(
        self, body: bytes = BATCH, headers: Mapping[str, str] | None = None, path: str = "/v1/batch"
    ) -> Any:
        return self.client.post(path, data=body, headers=dict(headers or {}))

    def counted(self, name: str, **labels: str) -> float:
        return figure(self.metrics, f"connector_{name}_total", **labels)


def told(answer: TestResponse) -> tuple[int, str]:
    """Status and code of an error, which SDKs want with both keys (segment-delivery 2.4)."""
    body = json.loads(answer.data)
    assert body["message"]
    return answer.status_code, body["code"]
