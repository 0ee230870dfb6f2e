"""What goes in and out of an action: an event that arrived, and the records it becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from connector.events import Json

Endpoint = Literal["import", "engage", "groups", "track"]


class Record(NamedTuple):
    """One object that Mixpanel would be sent."""

    table: Endpoint
    """Last part of the endpoint's path: ``/import``, ``/engage``, ``/groups``, ``/track``."""
    row: dict[str, Json]
    """The object: one event of the list that ``/import`` gets, elsewhere what the form field ``data`` holds.
    Values of the event are in it as they are, not copied."""


class Arrival(NamedTuple):
    """The event that an action runs for, and what Segment would ask a clock or a die for."""

    event: dict[str, Json]
    """As Segment delivered it."""
    name: Json
    """Its name, in the spec's spelling when the settings fold names."""
    received_at_ms: int | None
    """The captured arrival, ms since the epoch; None: the event came from a plain file."""
    key: Callable[[], str]
    """Event key of the lake's row ids (tables 3); asked for only when a setting wants them."""


Payload = dict[str, Json]
"""What an action's fields hold after mapping, coercion and check."""

Perform = Callable[[Payload, Arrival, int], list[Record]]
"""``(payload, arrival, occurrence) -> records`` in the order they are sent; ``MappingError`` when Segment's
action refuses the payload. ``occurrence`` counts the matched subscriptions that send events, from 0."""
