"""A mapping file is a Segment destination written down: read it, and name every fault at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector.actions.fields import LAKE_ACTIONS, Action
from connector.errors import Fault, MappingError
from connector.events import Json
from connector.mapping import compile_mapping, compile_subscription
from connector.mixpanel import Subscribed
from connector.mixpanel.fields import MIXPANEL_ACTIONS
from connector.mixpanel.settings import SEGMENTS_KEYS, SWITCHES
from connector.nearest import close_name

_DOCUMENT_KEYS = ("settings", "subscriptions", "x-segment")
_SUBSCRIPTION_KEYS = ("name", "subscribe", "partnerAction", "mapping", "enabled", "x-segment")
_TEXTS = ("name", "subscribe", "partnerAction")
_ACTIONS: Mapping[str, Action] = {action.partner_action: action for action in LAKE_ACTIONS}
_MIXPANEL_SETTINGS = (*SEGMENTS_KEYS, *SWITCHES)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of a mapping file, its shape checked, nothing compiled."""

    name: str
    subscribe: str
    action: Action
    mapping: Mapping[str, Json]
    path: str
    """``/subscriptions/2``, for messages."""


def holds_mixpanel(document: Json) -> bool:
    """Whether a document is meant for Mixpanel: a subscription, enabled or not, has one of its actions."""
    listed = document.get("subscriptions") if isinstance(document, dict) else None
    named = [item.get("partnerAction") for item in _items(listed) if isinstance(item, dict)]
    return any(isinstance(name, str) and name in MIXPANEL_ACTIONS for name in named)


def read_document(document: Json) -> tuple[list[Subscription], list[Fault]]:
    """Check the shape of a lake's document; enabled subscriptions in order, and every fault found."""
    settings, items, faults = _read_top(document)
    faults.extend(Fault(f"/settings/{key}", "is no setting of the lake") for key in settings)
    found: list[Subscription] = []
    names: set[str] = set()
    for item, path in items:
        subscription = _read_subscription(item, path, faults)
        if subscription is None:
            continue
        _take_name(subscription.name, names, path, faults)
        if item.get("enabled", True):
            found.append(subscription)
    return found, faults


def read_mixpanel_document(document: Json) -> tuple[dict[str, Json], list[Subscribed], list[Fault]]:
    """Check the shape of a Mixpanel document; settings, enabled subscriptions in order, every fault found."""
    settings, items, faults = _read_top(document)
    faults.extend(_unknown(settings, _MIXPANEL_SETTINGS, "/settings"))
    found: list[Subscribed] = []
    names: set[str] = set()
    for item, path in items:
        mapping, unsaid = _read_shape(item, path, faults)
        named = item.get("partnerAction")
        if isinstance(named, str) and named in MIXPANEL_ACTIONS and not unsaid:
            _take_name(item["name"], names, path, faults)
            if item.get("enabled", True):
                found.append(Subscribed(item["name"], item["subscribe"], named, mapping, path))
            continue
        if isinstance(named, str) and named and named not in MIXPANEL_ACTIONS:
            faults.append(Fault(f"{path}/partnerAction", _no_mixpanel_action(named)))
        faults.extend(_language_faults(item.get("subscribe"), mapping, path))
    return settings, found, faults


def _no_mixpanel_action(named: str) -> str:
    if named in _ACTIONS:
        return f"{named!r} is an action of the lake: a document holds either the lake's actions or Mixpanel's"
    return f"{named!r} is no action of Mixpanel{nearest(named, MIXPANEL_ACTIONS)}"


def _items(listed: Json) -> list[Json]:
    return listed if isinstance(listed, list) else []


def _read_top(document: Json) -> tuple[dict[str, Json], list[tuple[dict[str, Json], str]], list[Fault]]:
    """Settings, the subscriptions that are objects with their paths, and the faults of all of these."""
    if not isinstance(document, dict):
        return {}, [], [Fault("/", "should be an object with settings and subscriptions")]
    faults = [*_unknown(document, _DOCUMENT_KEYS, "")]
    settings = document.get("settings") or {}
    if not isinstance(document.get("settings"), dict | None):
        faults.append(Fault("/settings", "should be an object"))
        settings = {}
    listed = document.get("subscriptions")
    if not isinstance(listed, list) or not listed:
        faults.append(Fault("/subscriptions", "should be a list of at least one subscription"))
    items: list[tuple[dict[str, Json], str]] = []
    for place, item in enumerate(_items(listed)):
        path = f"/subscriptions/{place}"
        if not isinstance(item, dict):
            faults.append(Fault(path, "should be an object"))
            continue
        items.append((item, path))
    return settings, items, faults


def _take_name(name: str, names: set[str], path: str, faults: list[Fault]) -> None:
    if name in names:
        faults.append(Fault(f"{path}/name", "is used by another subscription"))
    names.add(name)


def _read_shape(item: dict[str, Json], path: str, faults: list[Fault]) -> tuple[dict[str, Json], list[str]]:
    """The mapping of a subscription, and its texts that are missing."""
    faults.extend(_unknown(item, _SUBSCRIPTION_KEYS, path))
    unsaid = [key for key in _TEXTS if not _is_text(item.get(key))]
    faults.extend(Fault(f"{path}/{key}", "should be a text that is not empty") for key in unsaid)
    if not isinstance(item.get("enabled", True), bool):
        faults.append(Fault(f"{path}/enabled", "should be true or false"))
    mapping = item.get("mapping", {})
    if not isinstance(mapping, dict):
        faults.append(Fault(f"{path}/mapping", "should be an object"))
        mapping = {}
    return mapping, unsaid


def _read_subscription(item: dict[str, Json], path: str, faults: list[Fault]) -> Subscription | None:
    mapping, unsaid = _read_shape(item, path, faults)
    named = item.get("partnerAction")
    action = _ACTIONS.get(named) if isinstance(named, str) else None
    if action is None:
        if isinstance(named, str) and named:
            text = f"{named!r} is no action of the lake{nearest(named, _ACTIONS)}"
            faults.append(Fault(f"{path}/partnerAction", text))
        faults.extend(_language_faults(item.get("subscribe"), mapping, path))
        return None
    faults.extend(_unknown(mapping, [field.key for field in action.fields], f"{path}/mapping"))
    if unsaid:
        faults.extend(_language_faults(item.get("subscribe"), mapping, path))
        return None
    return Subscription(item["name"], item["subscribe"], action, mapping, path)


def _is_text(value: Json) -> bool:
    """Text that is not empty and that UTF-8 can hold: the name stands in every row."""
    return isinstance(value, str) and bool(value) and not re.search("[\ud800-\udfff]", value)


def _language_faults(subscribe: Json, mapping: Json, path: str) -> Iterable[Fault]:
    """What is wrong with the rest of a subscription that cannot be compiled as a whole."""
    try:
        if isinstance(subscribe, str) and subscribe:
            compile_subscription(subscribe)
    except MappingError as error:
        yield from (Fault(f"{path}/subscribe", str(fault)) for fault in error.faults)
    try:
        compile_mapping(mapping)
    except MappingError as error:
        yield from (Fault(f"{path}/mapping{fault.path.rstrip('/')}", fault.text) for fault in error.faults)


def _unknown(value: Mapping[str, Json], known: Iterable[str], path: str) -> Iterable[Fault]:
    names = list(known)
    for key in value:
        if key not in names:
            yield Fault(f"{path}/{key}", f"is not known here{nearest(str(key), names)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'storeEvent'?`` or the list of what there is."""
    names = list(known)
    close = close_name(name, names)
    return f"; did you mean {close!r}?" if close else f"; known: {', '.join(names)}"


def raise_faults(faults: list[Fault]) -> None:
    """Raises: MappingError with every fault, when there is one."""
    if faults:
        raise MappingError(faults)
