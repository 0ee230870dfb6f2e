"""The line of a JSON document that a path leads to. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from connector import jsontext

MAX_LINE_CHARS = 120


class Line(NamedTuple):
    """A line of a file, for a person."""

    number: int
    """From 1."""
    text: str
    """Without the blanks around it; of a longer line ``MAX_LINE_CHARS`` from the place on."""


class _Place(NamedTuple):
    start: int
    """Of the key for a member of an object."""
    value: int
    end: int


def line_at(document: bytes, path: Iterable[str | int]) -> Line:
    """
    Return the line on which the key or element at a path begins.

    Args:
        document: JSON text, UTF-8.
        path: tokens of a JSON Pointer, decoded; digits count elements of an array. Where it leads nowhere,
            the line of the nearest place around it is meant. Of equal keys the last counts.
    """
    place = _Place(jsontext.opening(document), jsontext.opening(document), len(document))
    for token in path:
        inner = _child(document, place, str(token))
        if inner is None:
            break
        place = inner
    return _line(document, place.start)


def _child(document: bytes, around: _Place, token: str) -> _Place | None:
    text = document[around.value : around.end]
    ranges = [(start, end) for start, end, _ in jsontext.split(text, 0)] if text[:1] in (b"{", b"[") else []
    if text[:1] == b"[":
        return _moved(around.value, *ranges[int(token)]) if _counts(token, ranges) else None
    found = None
    for (key, value, end), (start, _) in zip(jsontext.members(text), ranges, strict=False):
        if key == token:
            found = _Place(around.value + start, around.value + value, around.value + end)
    return found


def _counts(token: str, ranges: list[tuple[int, int]]) -> bool:
    return token.isdecimal() and int(token) < len(ranges)


def _moved(by: int, start: int, end: int) -> _Place:
    return _Place(by + start, by + start, by + end)


def _line(document: bytes, offset: int) -> Line:
    begins = document.rfind(b"\n", 0, offset) + 1
    ends = document.find(b"\n", offset)
    whole = document[begins : ends if ends >= 0 else None].decode(errors="replace").strip()
    if len(whole) > MAX_LINE_CHARS:
        rest = document[offset : ends if ends >= 0 else None].decode(errors="replace").strip()
        whole = f"{rest[:MAX_LINE_CHARS]}…" if len(rest) > MAX_LINE_CHARS else rest
    return Line(document.count(b"\n", 0, offset) + 1, whole)
