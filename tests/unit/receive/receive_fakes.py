"""A journal that keeps in memory what a real one would keep on disk, and small helpers around it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from prometheus_client.parser import text_string_to_metric_families

from connector.errors import CannotKeep
from connector.events import Capture, RawRequest
from connector.receive.metrics import Metrics

SECRET = b"abc"
EVENT = b'{"type":"track","event":"Order Completed","userId":"u1","messageId":"m1"}'
SECOND = b'{"type":"track","event":"Order Refunded","userId":"u1","messageId":"m2"}'


@dataclass
class MemoryJournal:
    """Honest: it copies the bytes before it answers, and says no when it is told that the disk is full."""

    trouble: CannotKeep | None = None
    refused_room: int = 10
    why_not_ready: str | None = None
    kept: list[Capture] = field(default_factory=list)
    refused: list[Capture] = field(default_factory=list)
    mapped: list[bool] = field(default_factory=list)
    closed: bool = False

    def append(self, capture: Capture) -> None:
        if self.trouble:
            raise self.trouble
        self.mapped.append(isinstance(capture.body, mmap.mmap))
        self.kept.append(replace(capture, body=bytes(capture.body)))

    def keep_refused(self, capture: Capture) -> bool:
        if self.trouble:
            raise self.trouble
        if len(self.refused) >= self.refused_room:
            return False
        self.refused.append(replace(capture, body=bytes(capture.body)))
        return True

    def not_ready(self) -> str | None:
        return self.why_not_ready

    def close(self) -> None:
        self.closed = True


def sign(message: bytes, secret: bytes = SECRET) -> str:
    """What Segment writes into X-Signature for a message."""
    return hmac.new(secret, message, hashlib.sha1).hexdigest()


def raw_request(
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    source: str = "web",
    encoded: bytes | None = None,
) -> RawRequest:
    return RawRequest(
        source=source,
        route="webhook",
        body=body,
        headers=headers or {},
        received_at_ms=1_795_297_924_123,
        encoded=encoded,
    )


def signed(body: bytes, message: bytes | None = None) -> dict[str, str]:
    """The headers of a body that is signed as a whole, or over another message."""
    return {"x-signature": sign(body if message is None else message)}


def basic(user: bytes, password: bytes = b"") -> dict[str, str]:
    """The Basic header of an SDK or of a Developer-Center sender."""
    return {"authorization": "Basic " + base64.b64encode(user + b":" + password).decode()}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def figure(metrics: Metrics, name: str, **labels: str) -> float:
    """One sample out of the text that Prometheus reads; 0 where it has never been counted."""
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return 0.0
