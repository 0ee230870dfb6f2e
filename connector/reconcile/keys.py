"""What an event is known by, in the archive as in the tables. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from connector.events import Captured, Json, Outcome
from connector.values.coerce import text
from connector.values.ids import message_key

MESSAGE, ROW, CONTENT = 0, 1, 2


class Key(NamedTuple):
    """Two events with one key are copies of one event."""

    kind: int
    """``MESSAGE``: its messageId, as the tables hold it. Without one ``ROW``: the id of its first row, or
    ``CONTENT``, when it has no row: the hash of its content."""
    id: str


def key_of(captured: Captured, pipeline: Callable[[Captured], Outcome]) -> Key | None:
    """
    Return the key of a captured event; None for a record that cannot be read or is no object.

    Args:
        pipeline: asked only for what has no messageId.
    """
    event = captured.event
    if captured.error is not None or type(event) is not dict:
        return None
    message_id = message_id_of(event)
    if message_id:
        return Key(MESSAGE, message_id)
    rows = pipeline(captured).rows
    if rows:
        return Key(ROW, rows[0].own["row_id"])
    return content_key(event, captured.received_at_ms)


def content_key(event: dict[str, Json], received_at_ms: int | None) -> Key:
    """The key of an event that has neither a messageId nor a row."""
    return Key(CONTENT, message_key(event, None, received_at_ms))


def message_id_of(event: dict[str, Json]) -> str | None:
    """The ``messageId`` as the column ``message_id`` has it; None when there is none. Source: tables 2.3."""
    sent = event.get("messageId")
    if isinstance(sent, bool) or not isinstance(sent, str | int | float):
        return None
    return text(sent, "messageId", []) or None
