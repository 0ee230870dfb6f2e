"""
The journal's unit: one request as a JSON header line, the untouched body and a newline. Pure.

Reading goes by length, never by line, and trusts nothing: a frame is good when its CRC is. What follows a
damaged frame is found again by searching for the next frame of the same file that checks out.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from connector.events import Body, Capture
from connector.jsontext import dumps

BEGINS = b'{"capture":'
"""The first bytes of every frame, by which the format is known."""
MAX_HEADER_BYTES = 64 * 1024
_VERSION = b'{"capture":1,'
_MAX_TEXT = 200
_SEAL_LENGTH = len('"crc32":"00000000"}')
_FILE = re.compile(rb'\{"capture":1,"file":"([A-Za-z0-9_][A-Za-z0-9._-]{0,199})"')
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}\Z", re.ASCII)
"""What a file may be called: its name becomes part of paths."""


class Frame(NamedTuple):
    """One good frame and where it lies."""

    header: dict[str, Any]
    start: int
    body_start: int
    body_end: int
    end: int
    """Offset after the closing newline."""


class Damage(NamedTuple):
    """Bytes that are no frame, between good ones or where the last one should be."""

    start: int
    end: int


class _Bad(NamedTuple):
    """Why no frame begins here."""

    torn: bool
    """The bytes end before the frame does: what a crash leaves at the end of a file."""


def frame_header(capture: Capture, file: str, seq: int) -> bytes:
    """
    Return the header line of a capture's frame, newline included.

    Args:
        capture: what came in. Texts of the sender are cut at 200 characters and escaped, so that no value can
            break out of the line.
        file: name of the journal file.
        seq: number of the frame in that file, from 0.

    The CRC-32 is over the header text before ``"crc32"`` and the body.
    """
    return _header_line(capture, f'"file":"{file}","seq":{seq}')


def receipt_frame(capture: Capture, receipt: str) -> bytes:
    """
    Return a capture's whole frame for a journal whose files nobody here numbers (journal-protocol 6).

    Args:
        capture: as in ``frame_header``.
        receipt: 32 hex digits, which identify the capture wherever its frame ends up, in place of file and
            number.
    """
    return b"".join((_header_line(capture, f'"receipt":"{receipt}"'), capture.body, b"\n"))


def _header_line(capture: Capture, identity: str) -> bytes:
    optional = (
        _text("content_type", capture.content_type),
        _text("content_encoding", capture.content_encoding),
        f',"proven":"{capture.proven}"',
        "" if capture.key is None else f',"key":{capture.key}',
        _text("refused", capture.refused),
    )
    sealed = (
        f'{{"capture":1,{identity},"received_at_ms":{capture.received_at_ms}'
        f"{_text('source', capture.source)}{_text('route', capture.route)}{''.join(optional)}"
        f',"bytes":{len(capture.body)},'
    ).encode()
    return b"%b%b\n" % (sealed, _seal(sealed, capture.body))


def file_of(text: Body) -> str | None:
    """Return the file name that the header at the very beginning states, even if its frame is not whole."""
    match = _FILE.match(text)
    return match[1].decode(errors="replace") if match else None


class FrameScan:
    """
    One pass over a journal file: iterate to get its frames and damages in order; then read the counts.

    ``file`` is the name in the first good frame (None before it, or when frames carry none, as on AWS). When
    the file begins with damage, ``hint`` says which name to look for first.
    """

    def __init__(self, text: Body, hint: str | None = None) -> None:
        self.file: str | None = None
        self.torn_bytes = 0
        """Bytes of an unfinished last frame: never acknowledged, no alarm."""
        self.corrupt_bytes = 0
        """Bytes of all damages."""
        self.missing_seq = 0
        """Frames that the numbering says are lost although nothing is damaged."""
        self._text = text
        self._hints = (hint, file_of(text), None)
        self._expected = 0
        self._seen = False

    def __iter__(self) -> Iterator[Frame | Damage]:
        position, end = 0, len(self._text)
        while position < end:
            found = self._check(position)
            if isinstance(found, _Bad):
                following = self._next_good(position)
                if following is None and (found.torn or not self._is_ended()):
                    self.torn_bytes = end - position
                    return
                damage = Damage(position, following.start if following else end)
                self.corrupt_bytes += damage.end - damage.start
                yield damage
                if following is None:
                    return
                found = following
            elif "seq" in found.header:
                self.missing_seq += found.header["seq"] - self._expected
            yield self._accept(found)
            position = found.end

    def _is_ended(self) -> bool:
        """False for a file that stops without the newline of a last frame, as one that a power loss left with
        zeros where its end should be: nothing there was ever acknowledged."""
        return self._text[len(self._text) - 1 :] == b"\n"

    def _accept(self, frame: Frame) -> Frame:
        if not self._seen:
            self.file = frame.header.get("file")
            self._seen = True
        self._expected = frame.header.get("seq", 0) + 1
        return frame

    def _check(self, start: int) -> Frame | _Bad:
        """Return the frame at an offset if it is good and belongs here."""
        frame = _read_frame(self._text, start)
        if isinstance(frame, _Bad) or not self._seen:
            return frame
        foreign = frame.header.get("file") != self.file
        return (
            _Bad(torn=False) if foreign or frame.header.get("seq", self._expected) < self._expected else frame
        )

    def _next_good(self, position: int) -> Frame | None:
        """Search on for a frame of this file that checks out; while its name is unknown, of a likely one."""
        for name in (self.file,) if self._seen else self._hints:
            mark = b"\n" + _VERSION + (b'"file":"%b"' % name.encode() if name else b"")
            at = self._text.find(mark, position)
            while at >= 0:
                frame = self._check(at + 1)
                if isinstance(frame, Frame):
                    return frame
                at = self._text.find(mark, at + 1)
        return None


def _read_frame(text: Body, start: int) -> Frame | _Bad:
    """Read one frame: header, length, CRC, in this order. The file name and number are not judged."""
    newline = text.find(b"\n", start, start + MAX_HEADER_BYTES)
    if newline < 0:
        return _Bad(torn=len(text) - start < MAX_HEADER_BYTES)
    header = _header(text[start:newline])
    if header is None:
        return _Bad(torn=False)
    body_start, body_end = newline + 1, newline + 1 + header["bytes"]
    if body_end + 1 > len(text):
        return _Bad(torn=True)
    sealed = text[start : newline - _SEAL_LENGTH]
    with memoryview(text) as view:
        seal = _seal(sealed, view[body_start:body_end])
    if text[newline - _SEAL_LENGTH : newline] != seal:
        return _Bad(torn=False)
    return Frame(header, start, body_start, body_end, body_end + 1)


def _header(line: bytes) -> dict[str, Any] | None:
    """Return the decoded header when it is one of ours, None otherwise."""
    try:
        header = orjson.loads(line) if line.startswith(_VERSION) else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(header, dict):
        return None
    counts = (header.get("bytes"), header.get("seq", 0))
    if not all(type(count) is int and count >= 0 for count in counts):
        return None
    if type(header.get("received_at_ms")) is not int:
        return None
    texts = (header.get("source"), header.get("route"), header.get("file", ""))
    if not all(isinstance(text, str) for text in texts):
        return None
    known = header.get("proven") in ("all", "first", "none")
    named = "file" not in header or _FILE_NAME.match(header["file"])
    return header if known and named else None


def _seal(sealed: bytes, body: Body | memoryview) -> bytes:
    return b'"crc32":"%08x"}' % zlib.crc32(body, zlib.crc32(sealed))


def _text(name: str, value: str | None) -> str:
    return "" if value is None else f',"{name}":{dumps(value[:_MAX_TEXT])}'
