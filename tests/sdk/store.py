"""A shop's service with a write key per source, and what its journal and tables hold of a source."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from system.service import HOST, Lake, Service, running

from connector.journal.frames import Frame, FrameScan

SETTINGS: Mapping[str, Any] = {"workers": 1, "threads": 32}
"""One receiver, so that a source's budget is whole and not shared out."""


SLOW_EVENTS_PER_SECOND = 3
_OTHER_TABLES = ("profiles", "groups", "aliases")


def write_key(source: str) -> str:
    return f"wk-{source}-7f3c"


def address(service: Service) -> str:
    """What is written into an SDK in place of Segment's own host."""
    return f"http://{HOST}:{service.port}"


@contextmanager
def shop(folder: Path, sources: Iterable[str], *, slow: Iterable[str] = ()) -> Iterator[Service]:
    """A running service. Its sources take write keys alone, each its own.

    Args:
        slow: further sources, which take no more than ``SLOW_EVENTS_PER_SECOND``.
    """
    limits: dict[str, dict[str, Any]] = {source: {} for source in sources}
    limits |= {source: {"events_per_second": SLOW_EVENTS_PER_SECOND} for source in slow}
    names = {source: f"WRITE_KEY_{number}" for number, source in enumerate(limits)}
    configured = {source: {"write_keys": [f"env:{names[source]}"], **limits[source]} for source in limits}
    keys = {name: write_key(source) for source, name in names.items()}
    with running(folder, settings=SETTINGS, sources=configured, environment=keys) as service:
        yield service


class Received(NamedTuple):
    """What every table knows of a call. Times in ms since the epoch."""

    kind: str
    """The event's name, or the type of another call."""
    user_id: str | None
    anonymous_id: str | None
    message_id: str
    timestamp_ms: int
    original_ms: int
    sent_ms: int
    received_ms: int
    proven: str


def received(lake: Lake, source: str) -> list[Received]:
    """One row per call of a source, from the views, without the lines that an order generates."""
    shared = (
        "user_id, anonymous_id, message_id, epoch_ms(timestamp), epoch_ms(original_timestamp), "
        "epoch_ms(sent_at), epoch_ms(received_at), proven"
    )
    tables = [f"SELECT event, {shared} FROM events WHERE source = $1 AND line_index IS NULL"]
    tables += [f"SELECT type, {shared} FROM {name} WHERE source = $1" for name in _OTHER_TABLES]
    return [Received(*row) for row in lake.query(" UNION ALL ".join(tables) + " ORDER BY ALL", source)]


def frames(lake: Lake, source: str) -> list[dict[str, Any]]:
    """Headers of the requests that the journal holds of a source. Drain before, so that no file moves."""
    open_files = [*lake.journal.glob("open/*.open"), *lake.journal.glob("closed/*")]
    texts = {path.name.removesuffix(".open"): path.read_bytes() for path in open_files}
    done = {path.stem: gzip.decompress(path.read_bytes()) for path in lake.journal.glob("done/*/*.gz")}
    found = [each for name, text in {**texts, **done}.items() for each in FrameScan(text, name)]
    headers = [each.header for each in found if isinstance(each, Frame)]
    return [header for header in headers if header["source"] == source]
