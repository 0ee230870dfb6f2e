"""Undoing Content-Encoding, a piece at a time, so that a small body cannot become a large one unnoticed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from connector.events import Body

PIECE_BYTES = 256 * 1024
"""Largest piece that is read, inflated or yielded at once."""

_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_DEFLATE = 8


class BrokenCoding(Exception):
    """The bytes are not what their Content-Encoding says."""


def is_known(coding: str) -> bool:
    """Return True for the codings that ``inflate`` undoes: gzip and deflate, in any case."""
    return _normal(coding) in ("gzip", "x-gzip", "deflate")


def inflate(body: Body, coding: str) -> Iterator[bytes]:
    """
    Yield the decoded body in pieces of at most ``PIECE_BYTES``.

    ``deflate`` is read as zlib, which the standard says, or as the bare stream that some senders write. A
    second gzip member is not read on: no sender writes one, and a body of many empty ones costs much.

    Raises:
        BrokenCoding: damaged, cut short, or followed by something else. What was yielded before is worthless.
    """
    inflater = zlib.decompressobj(_deflate_window(body) if _normal(coding) == "deflate" else _GZIP_WINDOW)
    try:
        for start in range(0, len(body), PIECE_BYTES):
            yield from _pieces(inflater, body[start : start + PIECE_BYTES])
    except zlib.error:
        raise BrokenCoding from None
    if not inflater.eof:
        raise BrokenCoding


def _pieces(inflater: zlib._Decompress, rest: bytes) -> Iterator[bytes]:
    """All that ``rest`` decodes to; after a full piece the inflater may still hold output back."""
    if inflater.eof:
        raise BrokenCoding
    piece = b""
    while not inflater.eof and (rest or len(piece) == PIECE_BYTES):
        piece = inflater.decompress(rest, PIECE_BYTES)
        rest = inflater.unconsumed_tail
        yield piece
    if inflater.unused_data:
        raise BrokenCoding


def _deflate_window(body: Body) -> int:
    """Zlib's two first bytes carry the method and a checksum; without them the stream is bare."""
    head = body[:2]
    is_zlib = len(head) == 2 and head[0] & 0x0F == _DEFLATE and int.from_bytes(head, "big") % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS


def _normal(coding: str) -> str:
    return coding.strip().lower()
