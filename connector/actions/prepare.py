"""From a decoded event to a call: its type, its name in the spec's spelling, its identity.

Source: tables 2.3, 3 and 4; quirks 1 to 5, 53, 58.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connector.actions.call import Call, Refusal
from connector.actions.clock import on_arrival
from connector.actions.reading import is_missing
from connector.events import TRACKING_ROUTES, Flag, Json, Proven, Violation
from connector.values.coerce import text
from connector.values.ids import event_key, message_key
from connector.values.names import spec_name

CALL_TYPES = frozenset(("track", "page", "screen", "identify", "group", "alias", "delete"))


def prepare(
    event: Json,
    *,
    source: str,
    route: str = "file",
    proven: Proven = "none",
    received_at_ms: int | None = None,
    repaired: bool = False,
    mapping: str = "",
    violations: Sequence[Violation] = (),
    names: Callable[[str], str] = spec_name,
) -> Call:
    """Find out what call this is.

    Args:
        event: the decoded value as captured; not modified.
        route: dialect it came by; names the type when the event does not, and says whether its times are
            still to be computed (``TRACKING_ROUTES``).
        repaired: decoding replaced something JSON forbids.
        names: event name as received to the name it counts as.

    Raises:
        Refusal: ``not_an_object``, ``type_unknown`` or ``event_missing``.
    """
    if type(event) is not dict:
        raise Refusal("not_an_object", "the record is JSON but no object")
    flags: list[Flag] = []
    if repaired:
        flags.append(Flag("json_repaired", ""))
    call_type = _type_of(event, route, flags)
    filled: dict[str, Json] = {}
    if event.get("type") != call_type:
        filled["type"] = call_type
    received = None
    if call_type == "track":
        received = _name_of(event, flags)
        name = names(received)
        if name != received:
            flags.append(Flag("event_renamed", "event"))
        if event.get("event") != name:
            filled["event"] = name
    message_id = _message_id(event, flags)
    name_sent, id_sent = _as_sent(event, "event", received), _as_sent(event, "messageId", message_id)
    # From the event as sent: what is computed from the arrival differs between a message and its retries.
    key = event_key(call_type, name_sent or "", message_key(event, id_sent, received_at_ms))
    sent_times: Mapping[str, Json] | None = None
    if route in TRACKING_ROUTES and received_at_ms is not None:
        event, sent_times = on_arrival(event, received_at_ms, flags)
    return Call(
        event={**event, **filled} if filled else event,
        type=call_type,
        received_event=received,
        message_id=message_id,
        key=key,
        source=source,
        proven=proven,
        received_at_ms=received_at_ms,
        route=route,
        flags=flags,
        violations=violations,
        mapping=mapping,
        sent_times=sent_times,
    )


_WHY_UNKNOWN = {
    True: "neither type, action nor an event name says what call this is",
    False: "type is none of track, page, screen, identify, group, alias and delete",
}


def _type_of(event: dict[str, Json], route: str, flags: list[Flag]) -> str:
    stated = event.get("type")
    if type(stated) is str and stated in CALL_TYPES:
        return stated
    if is_missing(stated):
        action = event.get("action")
        if type(action) is str and action in CALL_TYPES:
            flags.append(Flag("type_inferred", "action"))
            return action
        if route in CALL_TYPES:
            flags.append(Flag("type_inferred", "type"))
            return route
        if type(event.get("event")) is str and event["event"]:
            flags.append(Flag("type_inferred", "event"))
            return "track"
    raise Refusal("type_unknown", _WHY_UNKNOWN[is_missing(stated)])


def _name_of(event: dict[str, Json], flags: list[Flag]) -> str:
    sent = event.get("event")
    name = None if is_missing(sent) or type(sent) in (dict, list, bool) else text(sent, "event", flags)
    if not name:
        raise Refusal("event_missing", "a track call needs an event name")
    return name


def _as_sent(event: dict[str, Json], key: str, typed: str | None) -> str | None:
    """The text itself for the row's identity: two broken texts may look alike once they are mended."""
    sent = event.get(key)
    return sent if typed is not None and type(sent) is str else typed


def _message_id(event: dict[str, Json], flags: list[Flag]) -> str | None:
    sent = event.get("messageId")
    if is_missing(sent) or not isinstance(sent, str | int | float) or sent is True or sent is False:
        return None
    return text(sent, "messageId", flags)
