"""``connector sample``: made-up Segment messages on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import orjson

from connector.sample import sample_events, store_events


def traffic(events: int, days: int, seed: int, duplicates: float) -> None:
    """Print so many messages of endless traffic as NDJSON."""
    _print(sample_events(events=events, days=days, seed=seed, duplicates=duplicates))


def store(people: int, days: int, seed: int, *, promotion: bool) -> None:
    """Print the store with known figures as NDJSON; ``days`` at least 30."""
    _print(store_events(people=people, days=days, seed=seed, promotion=promotion))


def _print(messages: Iterable[dict[str, Any]]) -> None:
    out = sys.stdout.buffer
    for message in messages:
        out.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))
    out.flush()
