"""One body becomes events: batches are opened, and broken ones split so that the good events land."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any, NamedTuple

import orjson

from connector import jsontext
from connector.events import Body, Json

_SHARED_OBJECTS = ("context", "integrations")


class Element(NamedTuple):
    """One event of a body, as ``Captured`` will hold it."""

    position: int
    """Number of the top-level element it came from; 0 when the body is one object."""
    event: Json
    error: str | None
    repaired: bool
    raw: Callable[[], bytes]
    place: str
    """Where in the body: ``element 2``, also ``element 2, element 0`` for a batch within a batch."""


def body_elements(text: Body) -> Iterator[Element]:
    """
    Yield the events of a body in order: elements of an array, of a ``{"batch": [...]}``, or the one object.

    An array is decoded as a whole when it can be, and element by element when one of them is broken or it is
    too long for that. Offsets of elements are looked for only when somebody asks for their bytes.
    """
    if not jsontext.is_array(text):
        yield from object_elements(text, 0, "")
        return
    whole = _decoded_at_once(text)
    if whole is None:
        for index, (start, end) in enumerate(jsontext.elements(text)):
            yield from object_elements(text[start:end], index, f"element {index}")
        return
    slices = _Slices(lambda: text, jsontext.elements)
    for index, event in enumerate(whole):
        raw = partial(slices.cut, index)
        if is_batch(event):
            yield from opened(event, raw, index, f"element {index}")
        else:
            yield Element(index, event, None, False, raw, f"element {index}")


def object_elements(text: Body, position: int, place: str = "") -> Iterator[Element]:
    """Yield the one event, or the batch's events, of a text that is not taken as an array."""
    value, error, repaired = (
        jsontext.decode(bytes(text[:]))
        if len(text) <= jsontext.MAX_EVENT_BYTES
        else jsontext.Decoded(None, "too_large", False)
    )
    raw = partial(_whole, text)
    if is_batch(value) and not repaired:
        yield from opened(value, raw, position, place)
    elif (error is not None or is_batch(value)) and (envelope := _envelope_of_odd(text)) is not None:
        yield from _opened_piecewise(text, envelope, position, place)
    else:
        yield Element(position, value, error, repaired, raw, place or "element 0")


def is_batch(value: Json) -> bool:
    """Return True for an object without ``type`` whose ``batch`` is a list, Segment's batch call."""
    return type(value) is dict and "type" not in value and type(value.get("batch")) is list


def opened(batch: dict[str, Any], raw: Callable[[], bytes], position: int, place: str) -> Iterator[Element]:
    """
    Yield the events of a batch object, each with the batch's ``context``, ``integrations`` and ``sentAt``.

    What the event states itself wins, and null states nothing (Python's SDK writes explicit nulls); the two
    objects are merged one level deep. The batch's ``writeKey`` is
    dropped with its envelope. ``raw`` gives the bytes of the whole object.
    """
    slices = _Slices(raw, _batch_ranges)
    for number, event in enumerate(batch["batch"]):
        where = f"{place}, element {number}" if place else f"element {number}"
        merged = _with_shared(event, batch)
        yield Element(position, merged, None, False, partial(slices.cut, number), where)


def _decoded_at_once(text: Body) -> list[Json] | None:
    """Decode a short, strict array in one go; None when its elements need a look each."""
    if len(text) > jsontext.MAX_EVENT_BYTES:
        return None
    raw = bytes(text[jsontext.opening(text) :])
    try:
        events = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    if jsontext.long_digits(raw):
        return None
    brackets = raw.count(b"[") + raw.count(b"{")
    return None if brackets > jsontext.MAX_DEPTH and not _shallow(events) else list(events)


def _shallow(events: list[Json]) -> bool:
    """Return True when nothing is nested too deeply; orjson refuses to write more than 254 levels."""
    try:
        for event in events:
            orjson.dumps(event)
    except TypeError:
        return False
    return True


class _Envelope(NamedTuple):
    """What a batch object holds beside its list, and where the list lies."""

    shared: dict[str, Any]
    start: int
    end: int
    repaired: bool
    """What all events get from it held something that JSON forbids."""


def _envelope_of_odd(text: Body) -> _Envelope | None:
    """Read a batch object that is no strict JSON as a whole; None when the text is none."""
    ranges = {key: (start, end) for key, start, end in jsontext.members(text)}
    if "batch" not in ranges or "type" in ranges:
        return None
    start, end = ranges["batch"]
    if text[start : start + 1] != b"[":
        return None
    present = [key for key in (*_SHARED_OBJECTS, "sentAt") if key in ranges]
    decoded = {key: jsontext.decode(text[slice(*ranges[key])]) for key in present}
    shared = {key: found.value for key, found in decoded.items() if found.error is None}
    return _Envelope(shared, start, end, any(found.repaired or found.error for found in decoded.values()))


def _opened_piecewise(text: Body, envelope: _Envelope, position: int, place: str) -> Iterator[Element]:
    """Yield the events of a batch, each decoded alone: what is odd about one says nothing of the others."""
    array = text[envelope.start : envelope.end]
    for number, (first, last) in enumerate(jsontext.elements(array)):
        raw = array[first:last]
        value, error, repaired = jsontext.decode(raw)
        where = f"{place}, element {number}" if place else f"element {number}"
        if error is None:
            value, repaired = _with_shared(value, envelope.shared), repaired or envelope.repaired
        yield Element(position, value, error, repaired, partial(bytes, raw), where)


def _with_shared(event: Json, batch: dict[str, Any]) -> Json:
    """Return the event with what the batch says for all of its events."""
    if type(event) is not dict:
        return event
    merged = dict(event)
    for key in _SHARED_OBJECTS:
        shared, own = batch.get(key), event.get(key)
        if type(shared) is dict and type(own) is dict:
            merged[key] = {**shared, **own}
        elif key in batch and own is None:
            merged[key] = shared
    if "sentAt" in batch and event.get("sentAt") is None:
        merged["sentAt"] = batch["sentAt"]
    return merged


class _Slices:
    """The byte ranges of a list's elements, found at the first question."""

    def __init__(self, text: Callable[[], Body], find: Callable[[Body], Iterator[tuple[int, int]]]) -> None:
        self._text = text
        self._find = find

    @cached_property
    def _ranges(self) -> list[tuple[int, int]]:
        return list(self._find(self._text()))

    def cut(self, number: int) -> bytes:
        """Return the bytes of one element."""
        start, end = self._ranges[number]
        return self._text()[start:end]


def _batch_ranges(text: Body) -> Iterator[tuple[int, int]]:
    """Yield the ranges of the elements of the last ``batch`` member, which is the one that counts."""
    start, end = [(start, end) for key, start, end in jsontext.members(text) if key == "batch"][-1]
    for first, last in jsontext.elements(text[start:end]):
        yield start + first, start + last


def _whole(text: Body) -> bytes:
    return text[:]
