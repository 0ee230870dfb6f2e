"""The times of raw SDK traffic, computed as Segment does on ingest, before anything reads the event.

Source: segment-delivery 1.8. Archives and webhooks carry times that Segment has computed already.
"""

from __future__ import annotations

from connector.actions.reading import is_missing
from connector.events import Flag, Json
from connector.values.times import FIRST_MS, LAST_MS, iso_ms, read_time

_CLIENT_TIMES = ("timestamp", "originalTimestamp")
_COMPUTED = (*_CLIENT_TIMES, "receivedAt")


def on_arrival(
    event: dict[str, Json], received_at_ms: int, flags: list[Flag]
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Give an event the times it would have behind Segment.

    ``receivedAt`` is the arrival, whatever the client says of it. ``originalTimestamp`` is the client's
    ``timestamp``, else its ``originalTimestamp``. ``timestamp`` is the arrival less the client's time between
    call and sending; the client's own time when ``sentAt`` is missing or unreadable; the arrival when the
    client says no time.

    Args:
        event: as sent, the batch's ``sentAt`` in it; not modified.
        received_at_ms: the captured arrival.
        flags: gets what was noticed; nothing when the correction is the normal case.

    Returns:
        The event with these three in ISO milliseconds, and what the client sent in their places.
    """
    sent = {key: event[key] for key in _COMPUTED if not is_missing(event.get(key))}
    stamped = {key: value for key, value in event.items() if key not in _COMPUTED}
    stamped["receivedAt"] = iso_ms(received_at_ms)
    original_ms = _client_time(sent, flags)
    if original_ms is None:
        stamped["timestamp"] = stamped["receivedAt"]
        return stamped, sent
    stamped["originalTimestamp"] = iso_ms(original_ms)
    sent_at_ms = read_time(event.get("sentAt")).ms
    happened_ms = original_ms if sent_at_ms is None else received_at_ms - (sent_at_ms - original_ms)
    # Either end lies outside every bound, so a time that no calendar holds is replaced where bounds are kept.
    stamped["timestamp"] = iso_ms(min(max(happened_ms, FIRST_MS), LAST_MS))
    return stamped, sent


def _client_time(sent: dict[str, Json], flags: list[Flag]) -> int | None:
    """The first of the client's times that can be read, flagged when it is not its ``timestamp``."""
    for key in _CLIENT_TIMES:
        if key in sent:
            read = read_time(sent[key])
            if read.code is not None:
                flags.append(Flag(read.code, key))
            if read.ms is not None:
                if key != "timestamp" and "timestamp" in sent:
                    flags.append(Flag("time_replaced", "timestamp"))
                return read.ms
    flags.append(Flag("time_replaced", "timestamp"))
    return None
