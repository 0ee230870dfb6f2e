"""What is counted at the door. Labels are few and known; nothing of a customer is ever one of them."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

OK = "ok"
INTERNAL = "internal"
UNKNOWN = "unknown"
OTHER = "other"

SOURCE_LABELS = 100
"""Names of sources that become label values; those beyond share ``other``."""

_ALARMS = {
    "signature_missing": ("signature_missing", "Requests refused because they carried no proof."),
    "signature_mismatch": ("signature_mismatch", "Requests refused because their proof was wrong."),
    "unknown_source": ("unknown_source", "Requests for a source that is not configured, answered 503."),
    "secret_missing": (
        "secret_missing",
        "Requests that an unset secret kept from being judged, answered 503.",
    ),
    "webhook_not_configured": (
        "webhook_not_configured",
        "Webhooks of a source that is configured without a proof for them, answered 503.",
    ),
    "unknown_write_key": ("unknown_write_key", "Requests refused because no source has their write key."),
    "rate_limited": ("rate_limited", "Requests above what a source's write keys may bring, answered 429."),
    "too_many_events": (
        "too_many_events",
        "Requests with a write key refused because they bring more events than one request may.",
    ),
    "public_busy": (
        "public_busy",
        "Requests with a write key answered 503: the other request threads are for webhooks.",
    ),
    "public_no_room": (
        "public_no_room",
        "Requests with a write key answered 503: the rest of the journal's room is for webhooks.",
    ),
    "body_not_json": ("refused_bodies", "Bodies refused because they are not JSON, proven or not."),
    "body_too_large": ("body_too_large", "Bodies refused because they are above the limit."),
    "body_incomplete": ("body_incomplete", "Bodies that ended before their announced length."),
    INTERNAL: ("internal_errors", "Requests answered 503 because of an error nobody foresaw."),
}
"""Outcome -> name and meaning of the counter that an alarm watches; there from the start, at 0."""

_DURATION_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """
    Counters of one app, each app with its own registry.

    When ``PROMETHEUS_MULTIPROC_DIR`` is set (before the first import of ``prometheus_client``), every
    worker writes its figures into files there and any worker's ``exposition`` sums over all of them.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._sources: set[str] = set()
        self._requests = self._counter("requests", "Requests by outcome.", "source", "outcome")
        self._alarms = {code: self._counter(name, text) for code, (name, text) in _ALARMS.items()}
        self._refused_not_kept = self._counter(
            "refused_not_kept", "Proven bodies that are not JSON and were not kept: their folder is full."
        )
        self._cannot_keep = self._counter("cannot_keep", "Requests answered 503, by reason.", "code")
        self._body_bytes = self._counter("body_bytes", "Bytes of the bodies that were kept.")
        self._in_flight_bytes = Gauge(
            "connector_in_flight_bytes",
            "Bytes of bodies between their arrival and their answer.",
            registry=self._registry,
            multiprocess_mode="livesum",
        )
        self._duration_seconds = Histogram(
            "connector_request_duration_seconds",
            "From the request's arrival in the app to its answer, in seconds.",
            registry=self._registry,
            buckets=_DURATION_BUCKETS_SECONDS,
        )

    def replied(self, source: str, outcome: str) -> None:
        """Count an answer: ``ok`` or the error's code, under a configured source's slug or ``unknown``."""
        self._requests.labels(self._source_label(source), outcome).inc()
        if outcome in self._alarms:
            self._alarms[outcome].inc()

    def kept(self, body_bytes: int) -> None:
        """Count the bytes of a body that was acknowledged."""
        self._body_bytes.inc(body_bytes)

    def could_not_keep(self, code: str) -> None:
        """Count a 503 by its reason; reasons are a short list in the code."""
        self._cannot_keep.labels(code).inc()

    def refused_not_kept(self) -> None:
        """Count a proven, unreadable body that found the folder of refused bodies full."""
        self._refused_not_kept.inc()

    def in_flight(self, change_bytes: int) -> None:
        """Move the gauge of bytes in flight up or down."""
        self._in_flight_bytes.inc(change_bytes)

    def took(self, seconds: float) -> None:
        """Observe how long a request took."""
        self._duration_seconds.observe(seconds)

    def exposition(self) -> bytes:
        """Return every figure in Prometheus' text format, media type ``CONTENT_TYPE``."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"connector_{name}", text, labels, registry=self._registry)

    def _source_label(self, source: str) -> str:
        """The source itself while there are few; the set only grows, so a race can only add a few more."""
        if source in self._sources or source == UNKNOWN:
            return source
        if len(self._sources) >= SOURCE_LABELS:
            return OTHER
        self._sources.add(source)
        return source
