"""The destination: its subscriptions compiled once, then one call per event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from connector.errors import Fault, MappingError
from connector.events import Json
from connector.mapping import Matching, compile_subscription
from connector.mapping.fields import compile_fields
from connector.mapping.jsvalues import Resolver
from connector.mixpanel import people
from connector.mixpanel.events import track_event
from connector.mixpanel.fields import MIXPANEL_ACTIONS
from connector.mixpanel.lookups import compile_payload
from connector.mixpanel.purchase import track_purchase
from connector.mixpanel.records import Arrival, Perform, Record
from connector.mixpanel.settings import MixpanelSettings, read_settings
from connector.values.names import spec_name

_PERFORMS: Mapping[str, Callable[[MixpanelSettings], Perform]] = {
    "trackEvent": track_event,
    "trackPurchase": track_purchase,
    "identifyUser": people.identify_user,
    "groupIdentifyUser": people.group_identify_user,
    "alias": people.alias,
    "incrementProperties": people.increment_properties,
}
_SEND_EVENTS = frozenset(("trackEvent", "trackPurchase"))


class Subscribed(NamedTuple):
    """One enabled subscription of a document whose shape is checked, nothing compiled."""

    name: str
    subscribe: str
    partner_action: str
    """A key of ``MIXPANEL_ACTIONS``."""
    mapping: Json
    path: str
    """``/subscriptions/2``, for messages."""


class _Compiled(NamedTuple):
    matches: Callable[[Json], bool]
    resolve: Resolver
    check: Callable[[Json, bool], dict[str, Json]]
    perform: Perform
    batch: bool
    sends_events: bool


class MixpanelDestination:
    """A document with Mixpanel's actions. ``rows`` is called once per event."""

    def __init__(self, settings: Mapping[str, Json], subscriptions: Sequence[Subscribed]) -> None:
        """
        Args:
            settings: of the document; unknown keys are the caller's to find.

        Raises:
            MappingError: every fault of settings, subscriptions and mappings, each with its path.
        """
        self.settings, faults = read_settings(settings)
        compiled = [_compile(item, self.settings, faults) for item in subscriptions]
        if faults:
            raise MappingError(faults)
        self._matching = Matching(
            (item.subscribe, made.matches, made)
            for item, made in zip(subscriptions, compiled, strict=True)
            if made is not None
        )

    def rows(
        self,
        event: dict[str, Json],
        *,
        received_at_ms: int | None = None,
        key: Callable[[], str] = lambda: "",
    ) -> list[Record] | None:
        """
        Return the records of one event in the order they are sent; None when no subscription matches.

        Args:
            event: as Segment delivers it; not modified, and its values are in the records.
            received_at_ms: the captured arrival, for an event that says no time.
            key: gives the event key of the lake's ids (tables 3), which ``deterministicIds`` needs.

        Raises:
            MappingError: Segment refuses the event, with its words; none of its records is sent.
        """
        if self.settings.refusal is not None:
            raise MappingError(self.settings.refusal)
        named = _folded(event) if self.settings.fold_event_names else event
        matched = self._matching.of(named)
        if not matched:
            return None
        arrival = Arrival(event, named.get("event"), received_at_ms, key)
        records: list[Record] = []
        occurrence = 0
        for item in matched:
            payload = item.check(item.resolve(named), item.batch)
            records.extend(item.perform(payload, arrival, occurrence))
            occurrence += item.sends_events
        return records


def _compile(item: Subscribed, settings: MixpanelSettings, faults: list[Fault]) -> _Compiled | None:
    action = MIXPANEL_ACTIONS[item.partner_action]
    before = len(faults)
    try:
        matches = compile_subscription(item.subscribe)
    except MappingError as error:
        faults.extend(Fault(f"{item.path}/subscribe", str(fault)) for fault in error.faults)
    try:
        resolve = compile_payload(item.mapping)
    except MappingError as error:
        for fault in error.faults:
            faults.append(Fault(f"{item.path}/mapping{fault.path.rstrip('/')}", fault.text))
    if len(faults) > before:
        return None
    return _Compiled(
        matches,
        resolve,
        compile_fields(action.fields),
        _PERFORMS[item.partner_action](settings),
        settings.batch and action.batches,
        item.partner_action in _SEND_EVENTS,
    )


def _folded(event: dict[str, Json]) -> dict[str, Json]:
    """The event under the spec's spelling of its name."""
    name = event.get("event")
    if event.get("type") != "track" or type(name) is not str or (folded := spec_name(name)) == name:
        return event
    return {**event, "event": folded}
