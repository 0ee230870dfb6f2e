"""Identity of events and rows: the same on every machine, in every run. Source: tables 3."""

from __future__ import annotations

from hashlib import sha1, sha256

from connector.events import Json
from connector.jsontext import canonical
from connector.values.times import iso_ms

_NAMESPACE = bytes.fromhex("95b76182291153f58556563f05d5e6f2")
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""Hex digit -> the same with the two highest bits that mark a UUID of RFC 9562."""
_MISSING = (None, "")
_VOLATILE = ("messageId", "sentAt", "_metadata", "receivedAt")


def message_key(event: dict[str, Json], message_id: str | None, received_at_ms: int | None) -> str:
    """``i`` + messageId, else ``h`` + SHA-256 of the canonical event.

    Args:
        event: the decoded event as received.
        message_id: its ``messageId`` as text, None when it has none.
        received_at_ms: the captured arrival, used only when nothing in the event says a time.
    """
    if message_id:
        return "i" + message_id
    content = {key: value for key, value in event.items() if key not in _VOLATILE}
    if event.get("timestamp") in _MISSING and event.get("originalTimestamp") in _MISSING:
        arrival = event.get("receivedAt")
        if arrival in _MISSING and received_at_ms is not None:
            arrival = iso_ms(received_at_ms)
        if arrival is not None:
            content["receivedAt"] = arrival
    return "h" + sha256(canonical(content)).hexdigest()


def event_key(call_type: str, name: str, key: str) -> str:
    """Type, received name of a track call (else empty) with its length in bytes, and the message key."""
    return f"{call_type}/{len(name.encode('utf-8', 'surrogatepass'))}/{name}/{key}"


def row_id(table: str, occurrence: int, line: int | None, key: str) -> str:
    """UUID version 5 of table, occurrence, line and event key, 36 characters.

    Args:
        occurrence: 0 for the first subscription that matched this event for this table, then 1, ...
        line: None for a main row, else ``line_index``.
    """
    name = f"{table}/{occurrence}/{'' if line is None else line}/{key}"
    named = _NAMESPACE + name.encode("utf-8", "surrogatepass")
    text = sha1(named, usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"
