"""Signed requests of the sample shop that happen now: each with ids and times of its own."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple

from connector.sample import sample_events

TEMPLATES = 2_000
BATCH_EVERY = 25
"""One request in so many is a batch, the others are single events."""
BATCH_EVENTS = 20
_ID, _NOW = "@message-id@", "@now@"
_TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")


class Sent(NamedTuple):
    """One request."""

    head_and_body: bytes
    first: int
    """Number of its first event; the id is ``message_id`` of it."""
    events: int


def message_id(name: str, number: int) -> str:
    return f"{name}-{number}"


def templates() -> list[bytes]:
    """Events of the sample shop with places for their id and their times."""
    return [
        json.dumps({**event, "messageId": _ID, **dict.fromkeys(_TIMES, _NOW)}, separators=(",", ":")).encode()
        for event in sample_events(events=TEMPLATES)
    ]


def requests(name: str, host: str, source: str, secret: str) -> Iterator[Sent]:
    """Whole HTTP requests without end; ``name`` makes their message ids differ from those of others."""
    texts, key, made = templates(), secret.encode(), 0
    start = (
        f"POST /webhook/{source} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nX-Signature: "
    )

    def event() -> bytes:
        nonlocal made
        text = texts[made % TEMPLATES].replace(_ID.encode(), message_id(name, made).encode())
        made += 1
        return text.replace(_NOW.encode(), now)

    for number in count(1):
        now = datetime.now(UTC).isoformat(timespec="milliseconds").encode()
        first = event()
        size = BATCH_EVENTS if number % BATCH_EVERY == 0 else 1
        body = first if size == 1 else b"[%b]" % b",".join([first, *(event() for _ in range(size - 1))])
        signed = hmac.digest(key, first, "sha1").hex()
        head = f"{start}{signed}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        yield Sent(head + body, made - size, size)
