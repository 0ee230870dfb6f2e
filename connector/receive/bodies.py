"""Reading a body from a WSGI server: whole or not at all, within limits, transport encoding undone."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from connector.errors import BodyIncomplete, CannotKeep, ConfigError
from connector.events import Body
from connector.receive.codings import PIECE_BYTES, BrokenCoding, inflate, is_known
from connector.receive.in_flight import InFlight, Lease
from connector.receive.spool import Spool, too_large

Environ = Mapping[str, Any]

DRAIN_BYTES = 1024 * 1024
"""Read and thrown away of a body that is refused unread: a sender that is still writing sees no answer."""

_LENGTH = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a receiver takes upon itself, in bytes."""

    max_body_bytes: int = 134_217_728
    """Largest body, before and after decoding: 4,000 events of 32 KB fit (segment-delivery 1.5)."""
    spool_bytes: int = 4 * 1024 * 1024
    """Largest body held in memory; a larger one lies in a file without a name."""
    max_in_flight_bytes: int = 512 * 1024 * 1024
    """All bodies of webhooks in a process, from arrival to answer, the coded form counted too."""
    public_body_bytes: int = 4 * 1024 * 1024
    """Largest body that comes with a write key; SDKs stop at 500 KB (segment-delivery 2.4)."""
    spool_folder: Path | None = None
    """Folder of those files; None: the system's folder for temporary files."""

    def __post_init__(self) -> None:
        if self.max_in_flight_bytes < self.max_body_bytes:
            raise ConfigError(
                "max_in_flight_bytes is below max_body_bytes: a large body could never be taken"
            )

    def of_public(self) -> Limits:
        """The limits of bodies that come with a write key: an account of their own, an eighth of the other's.

        It is never too small for one body in both its forms.
        """
        body_bytes = min(self.public_body_bytes, self.max_body_bytes)
        in_flight_bytes = max(2 * body_bytes, self.max_in_flight_bytes // 8)
        return replace(self, max_body_bytes=body_bytes, max_in_flight_bytes=in_flight_bytes)


class ReceivedBody(NamedTuple):
    """A body as it came in."""

    body: Body
    """Decoded; as it travelled when there was no coding, an unknown one, or a broken one."""
    encoded: Body | None
    """The bytes as they travelled, when a coding was undone."""


class BodyReader:
    """Reads the bodies of one app and accounts for the bytes they hold."""

    def __init__(self, limits: Limits, moved: Callable[[int], None]) -> None:
        """``moved`` is told every change of the bytes in flight."""
        self._limits = limits
        self._in_flight = InFlight(limits.max_in_flight_bytes, moved)

    @contextmanager
    def reading(self, environ: Environ) -> Iterator[ReceivedBody]:
        """
        Yield the body of a request; it is gone when the block ends.

        With ``Content-Length`` exactly that many bytes are the body and fewer are never taken for it. A
        chunked body ends where the server says; some servers report a connection that broke the same way,
        so there it is the brackets of the JSON that tell a part from the whole.

        Raises:
            BodyTooLarge: above the limit, said without keeping a byte when ``Content-Length`` tells.
            BodyIncomplete: the sender stopped early.
            CannotKeep: ``over_capacity`` (said without reading where possible), ``spool_failed``, or
                ``length_unknown``: the server hands on chunked bodies in a way that cannot be read.
        """
        with self._in_flight.lease() as lease, ExitStack() as opened:
            body = self._collect(self._arriving(environ, lease), opened)
            decoded = self._decode(body, environ.get("HTTP_CONTENT_ENCODING", ""), lease, opened)
            yield ReceivedBody(body, None) if decoded is None else ReceivedBody(decoded, body)

    def _arriving(self, environ: Environ, lease: Lease) -> Iterator[bytes]:
        """The pieces of the body, counted as they arrive; a length alone is compared with the limits."""
        length = _content_length(environ)
        if length is None:
            return _paid(_until_end(_open_ended(environ)), lease)
        if length > self._limits.max_body_bytes:
            drain(environ)
            raise too_large(self._limits.max_body_bytes)
        self._in_flight.check(length)
        return _paid(_exactly(length, environ["wsgi.input"]), lease)

    def _decode(self, body: Body, coding: str, lease: Lease, opened: ExitStack) -> Body | None:
        """The decoded body, or None where there is nothing to undo or it cannot be undone."""
        if not is_known(coding):
            return None
        try:
            return self._collect(_paid(inflate(body, coding), lease), opened)
        except BrokenCoding:
            return None

    def _collect(self, pieces: Iterator[bytes], opened: ExitStack) -> Body:
        spool = Spool(
            max_bytes=self._limits.max_body_bytes,
            spool_bytes=self._limits.spool_bytes,
            folder=self._limits.spool_folder,
        )
        try:
            for piece in pieces:
                spool.write(piece)
            body = spool.body()
        finally:
            spool.close()
        if isinstance(body, mmap.mmap):
            opened.callback(_close, body)
        return body


def drain(environ: Environ) -> None:
    """Throw away up to ``DRAIN_BYTES`` of a body that is not wanted, so that its sender reads the answer."""
    with suppress(BodyIncomplete, CannotKeep):
        length = _content_length(environ)
        stream = _open_ended(environ) if length is None else environ["wsgi.input"]
        for _ in _exactly(DRAIN_BYTES if length is None else min(length, DRAIN_BYTES), stream):
            pass


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _content_length(environ: Environ) -> int | None:
    """The announced length; None for a chunked body and where the server marks the end itself."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return None
    text = environ.get("CONTENT_LENGTH") or ""
    if not text:
        return None if environ.get("wsgi.input_terminated") else 0
    if not _LENGTH.fullmatch(text):
        raise BodyIncomplete("Content-Length is not a number, so the end of the body cannot be told")
    return int(text)


def _open_ended(environ: Environ) -> _Stream:
    """The stream of a body without a length, if the server marks its end."""
    if not environ.get("wsgi.input_terminated"):
        raise CannotKeep("the server in front does not decode chunked bodies", code="length_unknown")
    stream: _Stream = environ["wsgi.input"]
    return stream


def _exactly(length: int, stream: _Stream) -> Iterator[bytes]:
    """Pieces of ``length`` bytes together."""
    missing = length
    while missing:
        piece = _read(stream, min(missing, PIECE_BYTES))
        if not piece:
            raise BodyIncomplete(f"the body ended {missing} bytes before its announced length")
        missing -= len(piece)
        yield piece


def _until_end(stream: _Stream) -> Iterator[bytes]:
    while piece := _read(stream, PIECE_BYTES):
        yield piece


def _paid(pieces: Iterator[bytes], lease: Lease) -> Iterator[bytes]:
    """The same pieces, each counted as in flight once taken: one too large is refused, not put off."""
    for piece in pieces:
        yield piece
        lease.take(len(piece))


def _read(stream: _Stream, size: int) -> bytes:
    try:
        return stream.read(size)
    except OSError:
        raise BodyIncomplete("the connection broke before the body ended") from None


def _close(body: mmap.mmap) -> None:
    """Unmap now; where somebody still looks into the map, it is unmapped when they are done."""
    with suppress(BufferError):
        body.close()
