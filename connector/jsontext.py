"""JSON as text: where it begins and closes, its elements by offset, tolerant decoding, canonical output.

Works on ``bytes`` and on memory maps alike. Nothing here recurses over the input, and the scanner needs
memory for the open brackets only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from connector.events import Body, Json

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Longest text of one event (``too_large`` above it)."""
MAX_DEPTH = 256
"""Deepest nesting of one event: brackets open at the same time (``too_deep`` above it)."""
MAX_OPEN_BRACKETS = 1_000_000
"""A body with more brackets open at the same time counts as one that does not close."""
WHOLE_PARSE_BYTES = 256 * 1024
"""Up to this size a body is parsed instead of scanned: faster, and the memory is small."""

_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\n\r]*")
_BLANKS = re.compile(rb"[ \t\n\r]*")
_BLANK_BYTES = b" \t\n\r"
# Repeated groups are bounded: the regex engine keeps a record of each repetition until the match ends.
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*){0,200}"'
_TO_BRACKET = re.compile(rb'[^"\[\]{}]*(?:' + _STRING + rb'[^"\[\]{}]*){0,500}', re.DOTALL)
_TO_BRACKET_OR_COMMA = re.compile(rb'[^",\[\]{}]*(?:' + _STRING + rb'[^",\[\]{}]*){0,500}', re.DOTALL)
_IN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*){0,500}', re.DOTALL)

_QUOTE, _COMMA, _OPEN_SQUARE = b'",['
_CLOSING = {ord("["): ord("]"), ord("{"): ord("}")}
_MARKS = bytes.maketrans(b"123456789", b"000000000")
_NINETEEN_DIGITS = b"0" * 19
_LONGEST_INTEGER = 4300
_SURROGATES = re.compile("[\ud800-\udfff]")


class Decoded(NamedTuple):
    """What a text means."""

    value: Json
    error: str | None
    """None, ``not_json``, ``truncated`` (its brackets do not close), ``too_large`` or ``too_deep``."""
    repaired: bool
    """True when the text holds what JSON forbids and was read nevertheless."""


class _Shape(NamedTuple):
    depth: int
    closed: bool
    """Every bracket has its partner and only blanks follow the last one."""
    cut: bool
    """The text ends inside a bracket or a string."""


def opening(body: Body) -> int:
    """Return the offset of the first byte after a UTF-8 byte-order mark and JSON blanks."""
    match = _OPENING.match(body)
    return match.end() if match else 0


def skip_blanks(text: Body, position: int) -> int:
    """Return the offset of the first byte at or after ``position`` that is no JSON blank."""
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def is_array(body: Body) -> bool:
    """Return True when the first byte that counts is ``[``."""
    start = opening(body)
    return body[start : start + 1] == b"["


def closes(body: Body) -> bool:
    """
    Return True when the text is one object or array by its brackets.

    After a byte-order mark and blanks it begins with ``{`` or ``[``; brackets outside strings match in kind
    and the last one closes at the end (blanks may follow). What lies between them is not judged, so a number
    such as ``NaN`` or a missing comma does not matter here.
    """
    start = opening(body)
    if body[start : start + 1] not in (b"{", b"["):
        return False
    if len(body) <= WHOLE_PARSE_BYTES and _parses(body[start:]):
        return True
    return _shape(body, start).closed


def elements(text: Body) -> Iterator[tuple[int, int]]:
    """
    Yield ``(start, end)`` of each top-level element of an array, without the blanks around it, in order.

    Lazy and tolerant: elements are not judged, an element between two commas may be empty (``start == end``),
    and in a text that breaks off the last element ends where the text does. Not an array: nothing.
    """
    bracket = opening(text)
    if text[bracket : bracket + 1] == b"[":
        for start, end, stop in split(text, bracket):
            if end > start or text[stop : stop + 1] == b",":
                yield start, end


def split(text: Body, bracket: int) -> Iterator[tuple[int, int, int]]:
    """
    Yield ``(start, end, stop)`` of the pieces between the bracket at this offset and its partner.

    Pieces are cut at commas; ``stop`` is the offset of the comma or bracket that ended one, or the length of
    a text that breaks off. There is always at least one piece; the last may be empty. For arrays and objects.
    """
    stop, more = bracket, True
    while more:
        start = skip_blanks(text, stop + 1)
        stop = _element_end(text, start)
        more = text[stop : stop + 1] == b","
        yield start, _without_trailing_blanks(text, start, stop), stop


def members(text: Body) -> Iterator[tuple[str, int, int]]:
    """Yield ``(key, start, end)`` of each member of an object: the range is its value's."""
    bracket = opening(text)
    if text[bracket : bracket + 1] == b"{":
        for start, end, _ in split(text, bracket):
            colon = skip_blanks(text, max(_after_string(text, start + 1), start))
            key = decode(text[start:colon]).value if text[colon : colon + 1] == b":" else None
            if isinstance(key, str):
                yield key, skip_blanks(text, colon + 1), end


def first_element(body: Body) -> tuple[int, int] | None:
    """Return ``(start, end)`` of element 0 of an array; None when there is none."""
    return next(elements(body), None)


def nesting(text: Body) -> int:
    """Return how many brackets are open at the same time at most, brackets in strings not counted."""
    return _shape(text, 0).depth


def is_plain(raw: bytes) -> bool:
    """
    Return True when strict JSON needs no second look.

    It has too few brackets to be nested too deeply, and nowhere 19 digits in a row, which could be an integer
    beyond 64 bits: orjson makes a float of that.
    """
    return _NINETEEN_DIGITS not in raw.translate(_MARKS) and raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH


def long_digits(raw: bytes) -> bool:
    """Return True when 19 or more digits follow each other."""
    return _NINETEEN_DIGITS in raw.translate(_MARKS)


def decode(raw: bytes) -> Decoded:
    """
    Decode one event.

    Strict JSON first. What it refuses is read once more: ``NaN``, ``Infinity`` and numbers beyond a double
    become floats that are not finite, control characters in strings are kept, lone surrogates stay as they
    are, and bytes that are not UTF-8 become U+FFFD; all of these set ``repaired``. Of equal keys the last
    wins. Integers are exact whatever their size (up to 4,300 digits, then infinite). A byte-order mark is
    skipped.
    """
    if len(raw) > MAX_EVENT_BYTES:
        return Decoded(None, "too_large", False)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return _decode_tolerantly(raw)
    if is_plain(raw):
        return Decoded(value, None, False)
    if nesting(raw) > MAX_DEPTH:
        return Decoded(None, "too_deep", False)
    return _decode_tolerantly(raw) if long_digits(raw) else Decoded(value, None, False)


def dumps(value: Json) -> str:
    """Return compact RFC 8259 JSON: lone surrogates as U+FFFD, NaN and infinities as null, integers exact."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return _SURROGATES.sub("\ufffd", _stdlib_dumps(value, ensure_ascii=False))


def canonical(value: Json) -> bytes:
    """
    Return the one canonical text of a value: keys sorted by code point, no blanks, ASCII, shortest floats.

    Lone surrogates are written as their escape, so two different strings never share a text. Floats are
    written the way Python's ``repr`` does (``25.0``, ``1e+16``); NaN and infinities as ``null``.
    """
    return _stdlib_dumps(value, ensure_ascii=True, sort_keys=True).encode("ascii")


def _parses(text: Body) -> bool:
    try:
        orjson.loads(bytes(text))
    except orjson.JSONDecodeError:
        return False
    return True


def _shape(text: Body, start: int) -> _Shape:
    """Read the brackets from ``start`` to the end, or to the first that has no partner."""
    awaited = bytearray()
    depth = 0
    position = _next_mark(text, start, _TO_BRACKET)
    while 0 <= position < len(text):
        mark = text[position]
        if mark in _CLOSING:
            awaited.append(_CLOSING[mark])
            depth = max(depth, len(awaited))
            if depth > MAX_OPEN_BRACKETS:
                return _Shape(depth, closed=False, cut=False)
        elif not awaited or awaited.pop() != mark:
            return _Shape(depth, closed=False, cut=False)
        elif not awaited:
            return _Shape(depth, closed=skip_blanks(text, position + 1) == len(text), cut=False)
        position = _next_mark(text, position + 1, _TO_BRACKET)
    return _Shape(depth, closed=False, cut=bool(awaited) or position < 0)


def _next_mark(text: Body, position: int, span: re.Pattern[bytes]) -> int:
    """Return the offset of the next byte outside strings that ``span`` stops at; length: none, -1: cut."""
    while True:
        match = span.match(text, position)
        position = match.end() if match else position
        if position >= len(text) or text[position] != _QUOTE:
            return position
        position = _after_string(text, position + 1)
        if position < 0:
            return -1


def _after_string(text: Body, position: int) -> int:
    """Return the offset after the quote that ends the string around ``position``; -1 if there is none."""
    while True:
        match = _IN_STRING.match(text, position)
        end = match.end() if match else position
        if text[end : end + 1] == b'"':
            return end + 1
        if end == position:
            return -1
        position = end


def _element_end(text: Body, position: int) -> int:
    """Return the offset of the comma or bracket that ends the element; the length if the text breaks off."""
    depth = 0
    while True:
        position = _next_mark(text, position, _TO_BRACKET if depth else _TO_BRACKET_OR_COMMA)
        if not 0 <= position < len(text):
            return len(text)
        mark = text[position]
        if mark in _CLOSING:
            depth += 1
        elif mark != _COMMA:
            depth -= 1
        if depth < 0 or (mark == _COMMA and not depth):
            return position
        position += 1


def _without_trailing_blanks(text: Body, start: int, end: int) -> int:
    if end > start and text[end - 1] in _BLANK_BYTES:
        return start + len(text[start:end].rstrip(_BLANK_BYTES))
    return end


def _decode_tolerantly(raw: bytes) -> Decoded:
    """Read once more with the standard library, which is exact about integers and can be lenient."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and nesting(raw) > MAX_DEPTH:
        return Decoded(None, "too_deep", False)
    reader = _TolerantReader()
    try:
        value = reader.read(raw)
    except ValueError:
        return Decoded(None, "truncated" if _shape(raw, 0).cut else "not_json", False)
    except RecursionError:
        return Decoded(None, "too_deep", False)
    return Decoded(value, None, reader.repaired)


class _TolerantReader:
    """One reading; remembers whether anything had to be accepted that JSON forbids."""

    def __init__(self) -> None:
        self.repaired = False

    def read(self, raw: bytes) -> Json:
        text = self._text(raw)
        try:
            value = self._loads(text, strict=True)
        except json.JSONDecodeError:
            value = self._loads(text, strict=False)
            self.repaired = True
        if "\\ud" in text or "\\uD" in text:
            self.repaired |= _SURROGATES.search(json.dumps(value, ensure_ascii=False)) is not None
        return value

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.repaired = True
            return raw.decode(errors="replace")

    def _loads(self, text: str, *, strict: bool) -> Json:
        return json.loads(
            text, strict=strict, parse_constant=self._float, parse_float=self._float, parse_int=self._int
        )

    def _float(self, text: str) -> float:
        number = float(text)
        self.repaired |= not math.isfinite(number)
        return number

    def _int(self, text: str) -> int | float:
        if len(text) <= _LONGEST_INTEGER:
            return int(text)
        return self._float(f"{text}.0")


def _stdlib_dumps(value: Json, **options: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False, **options)
    except ValueError:
        return json.dumps(_finite(value), separators=(",", ":"), allow_nan=False, **options)


def _finite(value: Json) -> Json:
    """Return a copy with None in place of NaN and infinities."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
