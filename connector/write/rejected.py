"""Rejected events with their original bytes: gzip NDJSON per day. Source: tables 7.3."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from connector import jsontext
from connector.events import Captured, Json, Rejected
from connector.tables.layout import day_of, rejected_file
from connector.write.entries import Output
from connector.write.lines import DayLines

_OF_A_BATCH = ("context", "integrations", "sentAt")
"""What a batch says for all of its events (segment-delivery 1.8)."""


class RejectedWriter:
    """Writes the rejected events of one captured file below ``staging``, under their final names.

    A day is the UTC date of the arrival, ``2010-01-01`` for plain files, which have none. The same events in
    the same order give the same bytes.
    """

    def __init__(self, staging: Path, captured_file: str, tag: str) -> None:
        self._lines = DayLines(staging, lambda day: rejected_file(day, captured_file, tag))
        self.codes: Counter[str] = Counter()

    def add(self, captured: Captured, rejected: Rejected) -> None:
        """Take one rejected event; raises ``OSError`` when the disk refuses."""
        day, line = day_of(captured.received_at_ms), rejected_line(captured, rejected)
        self._lines.add(day, captured.captured_file, captured.captured_index, line)
        self.codes[rejected.code] += 1

    def finish(self) -> list[Output]:
        """Make every file durable, return the outputs sorted by name; ``rows`` counts the lines."""
        return self._lines.finish()


def rejected_line(captured: Captured, rejected: Rejected) -> bytes:
    """One JSON line with all that is needed to drive the event again, its newline included."""
    raw = captured.raw()
    value: dict[str, Any] = {
        "captured_file": captured.captured_file,
        "captured_index": captured.captured_index,
        "code": rejected.code,
        "message": rejected.message,
        "violations": [violation._asdict() for violation in rejected.violations],
        "source": captured.source,
        "route": captured.route,
        "received_at_ms": captured.received_at_ms,
        "type": rejected.type,
        "event": rejected.event,
        "message_id": rejected.message_id,
        "proven": captured.proven,
        **_raw(raw),
        **_shared(captured.event, raw),
    }
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return orjson.dumps(_encodable(value), option=orjson.OPT_APPEND_NEWLINE)


def kept_bytes(line: Mapping[str, Any]) -> bytes:
    """The event's own bytes, out of a decoded line or a row of the view ``rejected``."""
    if line.get("raw_base64") is not None:
        return base64.b64decode(line["raw_base64"])
    return str(line.get("raw") or "").encode("utf-8")


def captured_again(line: Mapping[str, Any]) -> Captured:
    """What was captured, out of a decoded line; damaged bytes of a journal stay damaged."""
    raw = kept_bytes(line)
    decoded = jsontext.decode(raw)
    event = decoded.value
    if line.get("shared") is not None and type(event) is dict:
        event = {**event, **json.loads(line["shared"])}
    error = line["code"] if line["code"] == "journal_corrupt" else decoded.error
    return Captured(
        line["captured_file"], line["captured_index"], line["source"], line["route"],
        line["received_at_ms"], line["proven"] or "none", event, error, decoded.repaired, raw.__bytes__,
        "as kept",
    )  # fmt: skip


def _raw(raw: bytes) -> dict[str, str]:
    try:
        return {"raw": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode("ascii")}


def _shared(event: Json, raw: bytes) -> dict[str, str]:
    """What the event has from the batch around it, as JSON text: its own bytes do not say it."""
    if type(event) is not dict:
        return {}
    own = jsontext.decode(raw).value
    if type(own) is not dict:
        return {}
    shared = {key: event[key] for key in _OF_A_BATCH if key in event and event[key] != own.get(key)}
    return {"shared": json.dumps(shared)} if shared else {}


def _encodable(value: Any) -> Any:
    """Lone surrogates, which JSON text may spell and UTF-8 cannot hold, become U+FFFD; ``raw`` keeps them."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {key: _encodable(part) for key, part in value.items()}
    return value
