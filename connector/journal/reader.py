"""
Captured files in, one ``Captured`` at a time out, whatever their format.

Told apart by their first bytes after gunzip (journal-protocol 1.2): journal frames, a JSON array of events,
or NDJSON, which is what Segment's archives and plain files hold. Memory does not grow with the file's size.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import orjson

from connector import jsontext
from connector.events import Body, Captured, Json, Proven
from connector.journal.content import Content, forget, load
from connector.journal.elements import Element, body_elements, is_batch, object_elements
from connector.journal.frames import BEGINS, Damage, Frame, FrameScan, file_of

PART_BYTES = 256 * 1024 * 1024
MAX_UNCOMPRESSED_BYTES = 64 * 1024 * 1024 * 1024
_STRETCH_BYTES = 256 * 1024
_DIGITS = 18
_UNKNOWN = "unknown"
_LONGEST_TEXT = 256 * 1024 * 1024
_LONGEST_PLAIN = jsontext.MAX_EVENT_BYTES + 1
_JOURNAL_NAME = re.compile(r"\d{8}T\d{9}Z-[A-Za-z0-9.]+-\d+-[0-9a-f]{8}")


class Identity(NamedTuple):
    """What a captured file is called and proven by, whatever its path, name or compression."""

    name: str
    """The file name in its frames, else ``h-`` and 32 hex digits of its content hash; for an object in S3,
    whatever it holds, ``s-`` and 32 hex digits of a hash of bucket, key and ETag."""
    kind: Literal["frames", "content", "object"]
    bytes: int
    """Uncompressed."""
    sha256: str
    """Hex, over the uncompressed bytes."""


def identify(
    path: Path,
    *,
    of_journal: bool = False,
    max_uncompressed_bytes: int = MAX_UNCOMPRESSED_BYTES,
    spool_folder: Path | None = None,
) -> Identity:
    """Return a captured file's identity, reading it once. Raises ``OSError`` and ``CapturedFileTooLarge``.

    ``of_journal`` and ``spool_folder``: as for ``open_captured``.
    """
    return _identity(path, load(path, max_uncompressed_bytes, spool_folder), of_journal)


def open_captured(
    path: Path,
    *,
    source: str | None = None,
    of_journal: bool = False,
    identity: Identity | None = None,
    object_name: str | None = None,
    part_bytes: int = PART_BYTES,
    max_uncompressed_bytes: int = MAX_UNCOMPRESSED_BYTES,
    spool_folder: Path | None = None,
) -> CapturedFile:
    """
    Open a captured file for one pass over its events.

    Args:
        path: the file; its name and suffix mean nothing.
        source: name for events of NDJSON and array files (None: ``file``). Frames state their own.
        of_journal: the file lies in our own journal, so it holds frames even when none is whole (an empty
            file, or the torn beginning of a first frame). Its path then gives the name.
        identity: what ``identify`` said of this file just now, so that it is not hashed again.
        object_name: what the captured file is called when it is a copy of an object in S3.
        part_bytes: a part ends at the first end of a line, frame or element at or after so many bytes.
        max_uncompressed_bytes: limit for what a gzip file may unpack to.
        spool_folder: where large gzip files are unpacked (None: the system's temporary folder).

    Raises ``OSError`` and ``CapturedFileTooLarge``.
    """
    content = load(path, max_uncompressed_bytes, spool_folder, identity)
    if object_name is not None:
        identity = Identity(object_name, "object", len(content.text), content.sha256)
    elif identity is None or identity.sha256 != content.sha256:
        identity = _identity(path, content, of_journal)
    return _kind_of(path, content.text, identity)(content, identity, source or "file", part_bytes)


def _kind_of(path: Path, text: Body, identity: Identity) -> type[CapturedFile]:
    if identity.kind == "frames" or (identity.kind == "object" and _is_frames(path, text)):
        return _Frames
    if jsontext.is_array(text):
        return _Array
    return _One if _is_one_object(text) else _Lines


def _is_one_object(text: Body) -> bool:
    """Return True for one object over several lines, as a person writes it."""
    line_end = text.find(b"\n")
    if not 0 <= line_end < len(text) - 1 or len(text) > jsontext.MAX_EVENT_BYTES:
        return False
    if jsontext.decode(text[:line_end]).error is None:
        return False
    return type(jsontext.decode(text[:]).value) is dict


class CapturedFile(ABC):
    """One pass over a captured file. The three counts are complete once every part has been consumed."""

    names_sources = False
    """True when the file itself says who sent each event; else ``source`` does."""

    def __init__(self, content: Content, identity: Identity, source: str, part_bytes: int) -> None:
        self.identity = identity
        self.torn_bytes = content.torn_bytes
        """Bytes of an unfinished last frame, and compressed bytes behind the break of a gzip stream."""
        self.missing_seq = 0
        """Frames that the numbering says are lost although nothing is damaged: an alarm."""
        self.corrupt_bytes = 0
        """Bytes skipped as damaged; each region is one ``journal_corrupt`` record: an alarm."""
        self.source = source
        """Who sent the events of a plain file."""
        self._text = content.text
        self._part_bytes = part_bytes
        self._position = 0
        self._index = 0

    def parts(self) -> Iterator[Iterator[Captured]]:
        """Yield the parts in order; what is left of a part is consumed before the next one begins."""
        while (start := self._position) < len(self._text):
            part = self._part(start + self._part_bytes)
            yield part
            for _ in part:
                pass
            forget(self._text, start, self._position)

    @abstractmethod
    def _part(self, limit: int) -> Iterator[Captured]:
        """Yield events from the position to the first end at or after ``limit``; move the position there."""

    def _next_index(self) -> int:
        self._index += 1
        return self._index - 1

    def _objects(self, start: int, end: int, place: str) -> Iterator[Captured]:
        """Yield the event or batch between two offsets; what no sender would write is not even looked at."""
        if end - start > _LONGEST_TEXT:
            raw = partial(_cut, self._text, start, end)
            yield self._foreign(Element(0, None, "too_large", False, raw, place))
            return
        for element in object_elements(self._text[start:end], 0, place):
            yield self._foreign(element)

    def _foreign(self, element: Element) -> Captured:
        """Return an event that no frame of ours vouches for: no arrival, nothing proven."""
        name, index = self.identity.name, self._next_index()
        return Captured(name, index, self.source, "file", None, "none", *element[1:])


class _Frames(CapturedFile):
    names_sources = True

    def __init__(self, content: Content, identity: Identity, source: str, part_bytes: int) -> None:
        super().__init__(content, identity, source, part_bytes)
        self._scan = FrameScan(self._text, identity.name)
        self._found = iter(self._scan)
        self._gzip_torn_bytes = content.torn_bytes

    def _part(self, limit: int) -> Iterator[Captured]:
        for found in self._found:
            yield from self._events(found) if isinstance(found, Frame) else self._damaged(found)
            self._position = found.end
            if found.end >= limit:
                break
        else:
            self._position = len(self._text)
        self.torn_bytes = self._gzip_torn_bytes + self._scan.torn_bytes
        self.missing_seq, self.corrupt_bytes = self._scan.missing_seq, self._scan.corrupt_bytes

    def _events(self, frame: Frame) -> Iterator[Captured]:
        header, body = frame.header, self._text[frame.body_start : frame.body_end]
        where = f"frame {header.get('seq', '?')}"
        event = _plain_event(body)
        single = type(event) is dict or not jsontext.is_array(body)
        simple = type(event) is dict and not is_batch(event) and not jsontext.long_digits(body)
        plain = Element(0, event, None, False, body.__bytes__, "element 0")
        for element in (plain,) if simple else body_elements(body):
            yield Captured(
                self.identity.name,
                self._next_index(),
                header["source"],
                header["route"],
                header.get("received_at_ms"),
                _proven(header["proven"], single, element.position),
                *element[1:5],
                f"{where}, {element.place}",
            )

    def _damaged(self, damage: Damage) -> Iterator[Captured]:
        place = f"offset {damage.start}, {damage.end - damage.start} bytes"
        raw = partial(_cut, self._text, damage.start, damage.end)
        record = Element(0, None, "journal_corrupt", False, raw, place)
        yield self._foreign(record)._replace(source=_UNKNOWN, route=_UNKNOWN)


class _Lines(CapturedFile):
    def __init__(self, content: Content, identity: Identity, source: str, part_bytes: int) -> None:
        super().__init__(content, identity, source, part_bytes)
        self._line = 0
        self._position = 3 if self._text[:3] == b"\xef\xbb\xbf" else 0
        self._looked_to = 0
        self._digits_to = 0

    def _has_long_digits(self, start: int, end: int) -> bool:
        """Return True when a stretch of the file around a line holds 19 digits in a row, perhaps the line."""
        while end > self._looked_to:
            stretch = self._looked_to + _STRETCH_BYTES
            if jsontext.long_digits(self._text[max(self._looked_to - _DIGITS, 0) : stretch]):
                self._digits_to = stretch
            self._looked_to = stretch
        return start < self._digits_to

    def _part(self, limit: int) -> Iterator[Captured]:
        # The hot loop of a backfill: what it needs is local, what is rare is elsewhere.
        text, name, source = self._text, self.identity.name, self.source
        position, size, line = self._position, len(self._text), self._line
        while position < size and position < limit:
            end = text.find(b"\n", position)
            end = size if end < 0 else end
            raw = text[position : min(end, position + _LONGEST_PLAIN)]
            event = _plain_event(raw)
            if event is not None and (end > self._looked_to or position < self._digits_to):
                event = None if self._has_long_digits(position, end) and jsontext.long_digits(raw) else event
            if event is None or is_batch(event):
                last = end == size and self.torn_bytes > 0
                yield from self._unusual(position, end, f"line {line}", cut_off=last)
            else:
                index = self._index
                self._index = index + 1
                place = f"line {line}"
                cut = raw.__bytes__
                yield Captured(name, index, source, "file", None, "none", event, None, False, cut, place)
            position, line = end + 1, line + 1
        self._position, self._line = min(position, size), line

    def _unusual(self, start: int, end: int, place: str, cut_off: bool) -> Iterator[Captured]:
        """Yield what a blank, broken, repaired, long or batch line holds."""
        if jsontext.skip_blanks(self._text, start) < end:
            for captured in self._objects(start, end, place):
                cut = cut_off and captured.error == "not_json"
                yield captured._replace(error="truncated") if cut else captured


class _One(CapturedFile):
    def _part(self, limit: int) -> Iterator[Captured]:
        self._position = len(self._text)
        yield from self._objects(0, self._position, "element 0")


class _Array(CapturedFile):
    def __init__(self, content: Content, identity: Identity, source: str, part_bytes: int) -> None:
        super().__init__(content, identity, source, part_bytes)
        self._position = jsontext.opening(self._text)
        self._pieces = jsontext.split(self._text, self._position)
        self._number = 0

    def _part(self, limit: int) -> Iterator[Captured]:
        while self._position < min(limit, len(self._text)):
            start, end, stop = next(self._pieces)
            more = self._text[stop : stop + 1] == b","
            if more or end > start:
                yield from self._objects(start, end, self._place())
            self._position = stop + 1
            if not more:
                yield from self._behind_array()

    def _behind_array(self) -> Iterator[Captured]:
        """Go on with another array if one follows; keep anything else as one broken record."""
        rest, size = jsontext.skip_blanks(self._text, self._position), len(self._text)
        self._position = min(rest, size)
        if self._text[rest : rest + 1] == b"[":
            self._pieces = jsontext.split(self._text, rest)
        elif rest < size:
            self._position = size
            raw = partial(_cut, self._text, rest, size)
            yield self._foreign(Element(0, None, "not_json", False, raw, self._place()))

    def _place(self) -> str:
        self._number += 1
        return f"element {self._number - 1}"


def _identity(path: Path, content: Content, of_journal: bool) -> Identity:
    is_frames = of_journal or _is_frames(path, content.text)
    kind: Literal["frames", "content"] = "frames" if is_frames else "content"
    name = _first_file(path, content.text) if is_frames else None
    if name is None and of_journal:
        name = path.name
    return Identity(name or f"h-{content.sha256[:32]}", kind, len(content.text), content.sha256)


def _is_frames(path: Path, text: Body) -> bool:
    """Return True for journal frames, also when the very first bytes of a file of ours are damaged."""
    if text[: len(BEGINS)] == BEGINS:
        return True
    hint = _hint(path)
    return hint is not None and text.find(b'\n%b1,"file":"%b"' % (BEGINS, hint.encode())) >= 0


def _first_file(path: Path, text: Body) -> str | None:
    """Return the name in the first good frame, else the one that the first header states."""
    scan = FrameScan(text, _hint(path))
    for found in scan:
        if isinstance(found, Frame):
            return scan.file
    return file_of(text)


def _hint(path: Path) -> str | None:
    """Return the name that frames carry unless the file was renamed; only to find the way in damage."""
    name = path.name.removesuffix(".gz")
    return name if _JOURNAL_NAME.fullmatch(name) else None


def _plain_event(raw: bytes) -> Json:
    """Decode a line that needs no second look; None when it does."""
    if len(raw) >= _LONGEST_PLAIN:
        return None
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return event if raw.count(b"{") + raw.count(b"[") <= jsontext.MAX_DEPTH else None


def _proven(frame: Proven, single: bool, position: int) -> Proven:
    """Return what is proven for one element of a frame."""
    if frame != "first":
        return frame
    if single:
        return "all"
    return "none" if position else "first"


def _cut(text: Body, start: int, end: int) -> bytes:
    return text[start:end]
