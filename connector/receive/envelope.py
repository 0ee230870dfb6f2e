"""What the receiver reads of an SDK's body: whose it is and how many events it brings. Judges no event."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import orjson

from connector import jsontext
from connector.events import Body, Json

_KEY_ANYWHERE = re.compile(rb'"writeKey"[ \t\n\r]*:[ \t\n\r]*"([^"\\]{1,256})"')
_COMMAS_PER_EVENT = 20
_UNREADABLE = object()


class Envelope(NamedTuple):
    """What a body says about itself."""

    write_key: bytes | None
    """The ``writeKey`` at its top level, when it is a text."""
    events: int
    """As many as the journal's reader will split off, at least 1; estimated when the body does not parse."""
    is_json: bool | None
    """Whether it is one object or array; None when it does not parse: then its brackets tell."""


def read_envelope(body: Body) -> Envelope:
    """
    Return the envelope of a body sent to the HTTP Tracking API.

    Strict JSON first, then the standard library's reader, which takes ``NaN``, lone surrogates and control
    characters. What neither can read (a comma is missing in one event) may still hold good events: then the
    last key in the text counts, and as many events as there are message ids or, where that is more, one for
    every 20 commas: what leaves the ids out is no way around the rates.
    """
    value = _value(body)
    if value is _UNREADABLE:
        keys = _KEY_ANYWHERE.findall(body)
        return Envelope(keys[-1] if keys else None, _estimate(body), None)
    key = value.get("writeKey") if isinstance(value, dict) else None
    return Envelope(
        key.encode(errors="replace") if isinstance(key, str) and key else None,
        max(1, _events(value)),
        isinstance(value, (dict, list)),
    )


def _value(body: Body) -> Json:
    with memoryview(body) as whole, whole[jsontext.opening(body) :] as text:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
        try:
            return json.loads(bytes(text).decode(errors="replace"), strict=False)
        except (ValueError, RecursionError):
            return _UNREADABLE


def _events(value: Json) -> int:
    """One, or those of a batch, or those of an array's elements, which may be batches."""
    return sum(map(_batched, value)) if isinstance(value, list) else _batched(value)


def _estimate(body: Body) -> int:
    text = body[:]
    return max(text.count(b'"messageId"'), text.count(b",") // _COMMAS_PER_EVENT + 1)


def _batched(value: Json) -> int:
    is_batch = isinstance(value, dict) and "type" not in value and isinstance(value.get("batch"), list)
    return len(value["batch"]) if is_batch else 1
