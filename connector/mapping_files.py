"""Segment's Public API answers to a mapping document and back: what goes out is what came in. Pure.

The API answers ``GET /destinations/ID/subscriptions`` with ``{"data": {"subscriptions": [...], "pagination":
{...}}}``, one of them with ``{"data": {"subscription": {...}}}`` (the answer to creating one says
``destinationSubscription``), and ``GET /destinations/ID`` with ``{"data": {"destination": {...}}}``. A
subscription is ``{id, name, actionId, actionSlug, destinationId, enabled, trigger, settings}`` and perhaps
``modelId`` and ``reverseETLSchedule``; its ``settings`` are the mapping. Sources: segmentio/
public-api-sdk-typescript model/destinationSubscription.ts, model/getSubscriptionFromDestinationAlphaOutput.ts
and model/destinationV1.ts at 01df53d, model/listSubscriptionsFromDestinationAlphaOutput.ts at 00f1066;
segmentio/terraform-provider-segment internal/provider/destination_subscription_resource_test.go at 1e0a564.

What a document has no place for stands in ``x-segment``, as it came. A secret must not land in a file by the
way: its place holds ``env:NAME``, ``x-segment`` remembers which places those are, and the export puts back
what the variables hold. So the way there and back changes nothing once they are set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from connector.errors import Fault, MappingError
from connector.events import Json
from connector.mapping_secrets import put_back, take_out

X_SEGMENT = "x-segment"
"""Key of what is kept for the way back; it means nothing to a mapping."""
_BOOKKEEPING = "x-"
_ACTION = "x-action"
_SECRETS = "x-secrets"
_LISTS = "subscriptions"
_SINGLE = ("subscription", "destinationSubscription")
_USED = ("name", "trigger", "enabled", "settings")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of Segment's answers."""

    document: dict[str, Json]
    """``{"settings", "subscriptions", "x-segment"}``."""
    secrets: Mapping[str, str]
    """Variable to the value that stands in no file."""
    notes: tuple[str, ...]
    """What a person should know, a sentence each; no value of a secret is in one."""


def import_answers(answers: Sequence[Json], known_actions: Collection[str]) -> Imported:
    """Make one mapping document of what Segment answered.

    Args:
        answers: whole answers in any of the forms above (several: pages, or a destination beside its
            subscriptions), a bare list of subscriptions, or a bare one.
        known_actions: the partnerActions that can run here; others are kept and noted.

    Raises:
        MappingError: something is none of those forms; every fault with its path.
    """
    faults: list[Fault] = []
    data = _merged(answers, faults)
    listed = data.pop(_LISTS, [])
    for place, item in enumerate(listed):
        faults.extend(_faults_of(item, f"/data/subscriptions/{place}"))
    destination = data.pop("destination", None)
    if destination is not None and not isinstance(destination, dict):
        faults.append(Fault("/data/destination", "should be an object"))
    elif destination and not isinstance(destination.get("settings"), dict | None):
        faults.append(Fault("/data/destination/settings", "should be an object"))
    if not listed and destination is None:
        faults.append(Fault("/data", "holds no subscription and no destination"))
    if faults:
        raise MappingError(faults)
    return _imported(listed, destination, data, known_actions)


def export_document(document: Json, variables: Mapping[str, str]) -> tuple[dict[str, Json], list[str]]:
    """Make Segment's list form of a mapping document.

    Returns:
        ``{"data": {"subscriptions": [...], ...}}``, and the variables that are not set: their places hold
        the reference still.

    Raises:
        MappingError: it is no mapping document; every fault with its path.
    """
    subscriptions = document.get("subscriptions") if isinstance(document, dict) else None
    if not isinstance(subscriptions, list):
        raise MappingError([Fault("/subscriptions", "should be a list")])
    faults = [
        Fault(f"/subscriptions/{place}", "should be an object with name, subscribe and partnerAction")
        for place, item in enumerate(subscriptions)
        if not _is_subscription(item)
    ]
    if faults:
        raise MappingError(faults)
    unset: list[str] = []
    data: dict[str, Json] = {_LISTS: [_exported(item, variables, unset) for item in subscriptions]}
    kept = _kept(document)
    if "destination" in kept:
        settings = put_back(document.get("settings") or {}, _secrets_of(document), variables, unset)
        data["destination"] = kept["destination"] | ({"settings": settings} if settings else {})
    data |= kept.get("data", {})
    return {"data": data}, sorted(set(unset))


def _merged(answers: Sequence[Json], faults: list[Fault]) -> dict[str, Json]:
    """Return the ``data`` of all answers in one, single subscriptions among the list."""
    merged: dict[str, Json] = {_LISTS: []}
    for answer in answers:
        data = _data_of(answer)
        if data is None:
            faults.append(Fault("/", "is no answer of Segment's Public API about subscriptions"))
            continue
        for key, value in data.items():
            if key == _LISTS and isinstance(value, list):
                merged[_LISTS] += value
            elif key in _SINGLE:
                merged[_LISTS].append(value)
            elif key == _LISTS:
                faults.append(Fault("/data/subscriptions", "should be a list"))
            else:
                merged[key] = value
    return merged


def _data_of(answer: Json) -> dict[str, Json] | None:
    if isinstance(answer, list):
        return {_LISTS: answer}
    if not isinstance(answer, dict):
        return None
    if "trigger" in answer:
        return {_LISTS: [answer]}
    data = answer.get("data")
    return data if isinstance(data, dict) else None


def _faults_of(item: Json, path: str) -> Iterable[Fault]:
    if not isinstance(item, dict):
        yield Fault(path, "should be an object")
        return
    for key in ("name", "trigger"):
        if not isinstance(item.get(key), str):
            yield Fault(f"{path}/{key}", "should be a text")
    if not isinstance(item.get("enabled"), bool):
        yield Fault(f"{path}/enabled", "should be true or false")
    if not isinstance(item.get("settings"), dict):
        yield Fault(f"{path}/settings", "should be an object: the mapping")
    if not any(_is_named(item.get(key)) for key in ("actionSlug", "actionId")):
        yield Fault(path, "should have an actionSlug or an actionId")
    yield from (Fault(f"{path}/{key}", "cannot be kept") for key in item if key.startswith(_BOOKKEEPING))


def _is_named(value: Json) -> bool:
    return isinstance(value, str) and bool(value)


def _imported(
    listed: list[Json], destination: Json, rest: Mapping[str, Json], known_actions: Collection[str]
) -> Imported:
    secrets: dict[str, str] = {}
    notes: list[str] = []
    kept: dict[str, Json] = {"data": dict(rest)} if rest else {}
    settings: Json = {}
    if destination is not None:
        slug = _slug(destination)
        settings, places = take_out(destination.get("settings") or {}, slug, secrets, notes)
        kept["destination"] = {key: value for key, value in destination.items() if key != "settings"}
        if "settings" in destination and not destination["settings"]:
            kept["destination"]["settings"] = destination["settings"]
        if places:
            kept[_SECRETS] = places
    names: set[str] = set()
    subscriptions = [_subscription(item, names, known_actions, secrets, notes) for item in listed]
    document: dict[str, Json] = {"settings": settings, "subscriptions": subscriptions}
    return Imported(document | ({X_SEGMENT: kept} if kept else {}), secrets, tuple(notes))


def _slug(destination: Mapping[str, Json]) -> str:
    metadata = destination.get("metadata")
    slug = metadata.get("slug") or metadata.get("name") if isinstance(metadata, dict) else None
    return slug if isinstance(slug, str) else "destination"


def _subscription(
    item: Mapping[str, Json],
    names: set[str],
    known_actions: Collection[str],
    secrets: dict[str, str],
    notes: list[str],
) -> dict[str, Json]:
    """One subscription of the document, its name unlike all others."""
    kept = {key: value for key, value in item.items() if key not in _USED}
    action = kept.pop("actionSlug") if _is_named(kept.get("actionSlug")) else None
    if action is None:
        action, kept[_ACTION] = kept.pop("actionId"), "actionId"
    name = _own_name(item["name"], names)
    if name != item["name"]:
        kept["name"] = item["name"]
        said = (
            f"is named {item['name']!r} in Segment, as another is"
            if item["name"]
            else "has no name in Segment"
        )
        notes.append(f"{name}: {said}; names must differ here, and the export gives Segment's back")
    mapping, places = take_out(item["settings"], action, secrets, notes, place=name)
    if places:
        kept[_SECRETS] = places
    notes.extend(_about(name, item, action, _ACTION in kept, known_actions))
    written: dict[str, Json] = {"name": name, "subscribe": item["trigger"], "partnerAction": action}
    if not item["enabled"]:
        written["enabled"] = False
    return {**written, "mapping": mapping, X_SEGMENT: kept}


def _own_name(name: str, names: set[str]) -> str:
    base, number = name or "Subscription", 1
    own = base
    while own in names:
        number += 1
        own = f"{base} ({number})"
    names.add(own)
    return own


def _about(
    name: str, item: Mapping[str, Json], action: str, by_id: bool, known_actions: Collection[str]
) -> Iterable[str]:
    if not item["enabled"]:
        yield f"{name}: is disabled in Segment, and stays so"
    if by_id:
        yield f"{name}: Segment gave no slug of its action, so partnerAction holds the id {action}"
    elif action not in known_actions:
        yield f"{name}: the action {action} does not run here; it is kept, and connector check refuses it"


def _is_subscription(item: Json) -> bool:
    texts = ("name", "subscribe", "partnerAction")
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(key), str) for key in texts)
        and isinstance(item.get("mapping", {}), dict)
    )


def _kept(value: Mapping[str, Json]) -> dict[str, Json]:
    kept = value.get(X_SEGMENT)
    return kept if isinstance(kept, dict) else {}


def _secrets_of(value: Mapping[str, Json]) -> Mapping[str, str]:
    places = _kept(value).get(_SECRETS)
    return places if isinstance(places, dict) else {}


def _exported(item: Mapping[str, Json], variables: Mapping[str, str], unset: list[str]) -> dict[str, Json]:
    kept = _kept(item)
    action = "actionId" if kept.get(_ACTION) == "actionId" else "actionSlug"
    said: dict[str, Json] = {
        "name": item["name"],
        action: item["partnerAction"],
        "enabled": item.get("enabled", True),
        "trigger": item["subscribe"],
        "settings": put_back(item.get("mapping", {}), _secrets_of(item), variables, unset),
    }
    return said | {key: value for key, value in kept.items() if not key.startswith(_BOOKKEEPING)}
