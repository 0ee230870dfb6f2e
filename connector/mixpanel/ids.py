"""What Segment rolls dice or asks the clock for, derived from the event instead: the same in every run.

Source of the rules that are replaced: action-destinations 3.497.0, mixpanel/trackEvent/functions.
"""

from __future__ import annotations

from connector.events import Json
from connector.mixpanel.records import Arrival, Payload
from connector.mixpanel.times import mixpanel_ms
from connector.values.ids import message_key, row_id

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_DERIVED_LENGTH = 16


def event_time(payload: Payload, arrival: Arrival) -> int:
    """``time`` in ms since the epoch: the mapped one, else receivedAt, else the captured arrival, else 0."""
    for value in (payload.get("time"), arrival.event.get("receivedAt")):
        if (ms := mixpanel_ms(value)) is not None:
            return ms
    return arrival.received_at_ms or 0


def derived_id(event: dict[str, Json], received_at_ms: int | None) -> str:
    """
    Return the insert id of an event that has none: 16 characters of ``[0-9a-z]``.

    They are the first 16 digits, most significant first, of the SHA-256 of the canonical event (tables 3),
    read as one big-endian number and written in base 36 without leading zeros. Segment draws up to 16 random
    characters of the same alphabet.
    """
    hashed = message_key(event, None, received_at_ms)[1:]
    return base36(int(hashed, 16))[:_DERIVED_LENGTH]


def base36(number: int) -> str:
    """``35`` -> ``z``, ``36`` -> ``10``. Not for negative numbers."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def lake_id(arrival: Arrival, occurrence: int, line: int | None = None) -> str:
    """The id that the lake's row of this event, or of this line of an order, has."""
    return row_id("events", occurrence, line, arrival.key())
