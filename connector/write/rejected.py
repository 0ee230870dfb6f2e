"""Rejected events with their original bytes: gzip NDJSON per day. Source: tables 7.3."""

from __future__ import annotations

import base64
import gzip
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from connector.events import Captured, Rejected
from connector.tables.layout import day_of, rejected_file
from connector.write.disk import sealed
from connector.write.entries import Output


class RejectedWriter:
    """Writes the rejected events of one captured file below ``staging``, under their final names.

    A day is the UTC date of the arrival, ``2010-01-01`` for plain files, which have none. The same events in
    the same order give the same bytes.
    """

    def __init__(self, staging: Path, captured_file: str, tag: str) -> None:
        self._staging = staging
        self._captured_file = captured_file
        self._tag = tag
        self._days: dict[str, _DayFile] = {}
        self.codes: Counter[str] = Counter()

    def add(self, captured: Captured, rejected: Rejected) -> None:
        """Take one rejected event; raises ``OSError`` when the disk refuses."""
        day = day_of(captured.received_at_ms)
        file = self._days.get(day)
        if file is None:
            name = rejected_file(day, self._captured_file, self._tag)
            file = self._days[day] = _DayFile.create(self._staging / name, name)
        file.add(captured.captured_index, rejected_line(captured, rejected))
        self.codes[rejected.code] += 1

    def finish(self) -> list[Output]:
        """Make every file durable, return the outputs sorted by name; ``rows`` counts the lines."""
        return [self._days[day].finish() for day in sorted(self._days)]


def rejected_line(captured: Captured, rejected: Rejected) -> bytes:
    """One JSON line with all that is needed to drive the event again, its newline included."""
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
        **_raw(captured.raw()),
    }
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return orjson.dumps(_encodable(value), option=orjson.OPT_APPEND_NEWLINE)


def _raw(raw: bytes) -> dict[str, str]:
    try:
        return {"raw": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode("ascii")}


def _encodable(value: Any) -> Any:
    """Lone surrogates, which JSON text may spell and UTF-8 cannot hold, become U+FFFD; ``raw`` keeps them."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {key: _encodable(part) for key, part in value.items()}
    return value


@dataclass(slots=True)
class _DayFile:
    path: Path
    name: str
    file: BinaryIO
    lines: gzip.GzipFile
    rows: int = 0
    events: int = 0
    last_index: int = -1

    @classmethod
    def create(cls, path: Path, name: str) -> _DayFile:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb")
        return cls(path, name, file, gzip.GzipFile("", "wb", 6, file, mtime=0))

    def add(self, captured_index: int, line: bytes) -> None:
        self.lines.write(line)
        self.rows += 1
        if captured_index != self.last_index:
            self.last_index = captured_index
            self.events += 1

    def finish(self) -> Output:
        self.lines.close()
        self.file.close()
        size, sha256 = sealed(self.path)
        return Output(self.name, self.rows, self.events, size, sha256)
