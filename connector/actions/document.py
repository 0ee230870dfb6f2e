"""A mapping file is a Segment destination written down: read it, and name every fault at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from connector.actions.fields import LAKE_ACTIONS, Action
from connector.errors import Fault, MappingError
from connector.events import Json
from connector.mapping import compile_mapping, compile_subscription

_DOCUMENT_KEYS = ("settings", "subscriptions")
_SUBSCRIPTION_KEYS = ("name", "subscribe", "partnerAction", "mapping", "enabled")
_TEXTS = ("name", "subscribe", "partnerAction")
_ACTIONS: Mapping[str, Action] = {action.partner_action: action for action in LAKE_ACTIONS}


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of a mapping file, its shape checked, nothing compiled."""

    name: str
    subscribe: str
    action: Action
    mapping: Mapping[str, Json]
    path: str
    """``/subscriptions/2``, for messages."""


def read_document(document: Json) -> tuple[list[Subscription], list[Fault]]:
    """Check the shape of a mapping document; enabled subscriptions in order, and every fault found."""
    if not isinstance(document, dict):
        return [], [Fault("/", "should be an object with settings and subscriptions")]
    faults = [*_unknown(document, _DOCUMENT_KEYS, "")]
    settings = document.get("settings", {})
    if not isinstance(settings, dict | None):
        faults.append(Fault("/settings", "should be an object"))
    elif settings:
        faults.extend(Fault(f"/settings/{key}", "is no setting of the lake") for key in settings)
    listed = document.get("subscriptions")
    if not isinstance(listed, list) or not listed:
        return [], [*faults, Fault("/subscriptions", "should be a list of at least one subscription")]
    found: list[Subscription] = []
    names: set[str] = set()
    for place, item in enumerate(listed):
        subscription = _read_subscription(item, f"/subscriptions/{place}", faults)
        if subscription is None:
            continue
        if subscription.name in names:
            faults.append(Fault(f"{subscription.path}/name", "is used by another subscription"))
        names.add(subscription.name)
        if item.get("enabled", True):
            found.append(subscription)
    return found, faults


def _read_subscription(item: Json, path: str, faults: list[Fault]) -> Subscription | None:
    if not isinstance(item, dict):
        faults.append(Fault(path, "should be an object"))
        return None
    faults.extend(_unknown(item, _SUBSCRIPTION_KEYS, path))
    unsaid = [key for key in _TEXTS if not _is_text(item.get(key))]
    faults.extend(Fault(f"{path}/{key}", "should be a text that is not empty") for key in unsaid)
    if not isinstance(item.get("enabled", True), bool):
        faults.append(Fault(f"{path}/enabled", "should be true or false"))
    mapping = item.get("mapping", {})
    if not isinstance(mapping, dict):
        faults.append(Fault(f"{path}/mapping", "should be an object"))
        mapping = {}
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
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"


def raise_faults(faults: list[Fault]) -> None:
    """Raises: MappingError with every fault, when there is one."""
    if faults:
        raise MappingError(faults)
