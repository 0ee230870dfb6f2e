"""identifyUser, groupIdentifyUser, alias and incrementProperties: what is said about people and groups.

Source: action-destinations 3.497.0, mixpanel/{identifyUser,groupIdentifyUser,alias,incrementProperties};
mixpanel-actions 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from connector.errors import MappingError
from connector.events import Json
from connector.mapping.jsvalues import UNDEFINED, is_truthy, number_of, text_of
from connector.mixpanel.records import Arrival, Payload, Perform, Record
from connector.mixpanel.settings import MixpanelSettings

MOST_INCREMENTS = 20
_CREATED = ("created", "createdAt", "created_at")
_LARGEST_EXACT = 2**53


def identify_user(settings: MixpanelSettings) -> Perform:
    """``$identify`` for a device that is known, then the traits. No record when there is neither."""

    def perform(payload: Payload, _arrival: Arrival, _occurrence: int) -> list[Record]:
        _require_token(settings)
        records = []
        if payload.get("anonymous_id"):
            properties = {
                "$identified_id": payload.get("user_id", UNDEFINED),
                "$anon_id": payload["anonymous_id"],
                "token": settings.project_token,
                "segment_source_name": _source_name(settings),
            }
            records.append(Record("track", {"event": "$identify", "properties": _defined(properties)}))
        if traits := payload.get("traits"):
            profile = {**_person(settings, payload), "$set": _person_traits(traits)}
            records.append(Record("engage", profile))
        return records

    return perform


def group_identify_user(settings: MixpanelSettings) -> Perform:
    """The group's traits.

    The perform raises:
        MappingError: the group call has no traits.
    """

    def perform(payload: Payload, _arrival: Arrival, _occurrence: int) -> list[Record]:
        traits = payload.get("traits")
        if traits is None:
            raise MappingError('"traits" is a required field')
        key = payload.get("group_key") or "$group_id"
        named = traits.get(key)
        group = {
            "$token": settings.project_token,
            "$group_key": key,
            "$group_id": named if is_truthy(named) else payload["group_id"],
            "$set": _renamed(traits, {"name": "$name"}, {"$created": _created(traits)}),
        }
        return [Record("groups", group)]

    return perform


def alias(settings: MixpanelSettings) -> Perform:
    """``$create_alias``, also when both ids are missing."""

    def perform(payload: Payload, _arrival: Arrival, _occurrence: int) -> list[Record]:
        properties = {
            "distinct_id": payload.get("distinct_id", UNDEFINED),
            "alias": payload.get("alias", UNDEFINED),
            "token": settings.project_token,
            "segment_source_name": _source_name(settings),
        }
        return [Record("track", {"event": "$create_alias", "properties": _defined(properties)})]

    return perform


def increment_properties(settings: MixpanelSettings) -> Perform:
    """What is added to numbers of a profile.

    The perform raises:
        MappingError: more than 20 properties, or a text that is no number.
    """

    def perform(payload: Payload, _arrival: Arrival, _occurrence: int) -> list[Record]:
        _require_token(settings)
        increment: Mapping[str, Json] = payload["increment"]
        if not increment:
            return []
        if len(increment) > MOST_INCREMENTS:
            raise MappingError(f"Exceeded maximum of {MOST_INCREMENTS} properties for increment call")
        added = {
            key: _number(key, value)
            for key, value in increment.items()
            if isinstance(value, str | int | float) and not isinstance(value, bool)
        }
        return [Record("engage", {**_person(settings, payload), "$add": added})]

    return perform


def _number(key: str, value: Json) -> Json:
    """The number that JavaScript's unary plus makes of a value; what JSON cannot hold becomes null."""
    number = number_of(value)
    if math.isnan(number):
        raise MappingError(f'The key "{key}" was not numeric')
    if not math.isfinite(number):
        return None
    return int(number) if number == int(number) and abs(number) <= _LARGEST_EXACT else number


def _require_token(settings: MixpanelSettings) -> None:
    if not settings.project_token:
        raise MappingError("Missing project token")


def _person(settings: MixpanelSettings, payload: Payload) -> dict[str, Json]:
    """Token, whom it is about, and from where."""
    user = payload.get("user_id")
    person = payload.get("anonymous_id", UNDEFINED) if user is None else user
    return _defined(
        {"$token": settings.project_token, "$distinct_id": person, "$ip": payload.get("ip", UNDEFINED)}
    )


def _person_traits(traits: Mapping[str, Json]) -> dict[str, Json]:
    first, last, name = traits.get("firstName"), traits.get("lastName"), traits.get("name")
    if name is None:
        both = is_truthy(first) and is_truthy(last)
        name = f"{text_of(first)} {text_of(last)}" if both else UNDEFINED
    named = {
        "email": "$email",
        "firstName": "$first_name",
        "lastName": "$last_name",
        "username": "$username",
        "phone": "$phone",
    }
    return _renamed(traits, named, {"$created": _created(traits), "$name": name}, ("name",))


def _renamed(
    traits: Mapping[str, Json],
    names: Mapping[str, str],
    computed: Mapping[str, Json],
    left_out: tuple[str, ...] = (),
) -> dict[str, Json]:
    """
    Return traits under Mixpanel's names.

    A property that has a special name is Segment's to set: what a sender put under it is lost, also when
    there is nothing to take its place.
    """
    gone = (*names, *names.values(), *computed, *_CREATED, *left_out)
    kept = {key: value for key, value in traits.items() if key not in gone}
    kept.update({name: traits[key] for key, name in names.items() if key in traits})
    return {**kept, **_defined(computed)}


def _created(traits: Mapping[str, Json]) -> Json:
    """JavaScript's ``created ?? createdAt ?? created_at``."""
    found = next((traits[key] for key in _CREATED[:2] if traits.get(key) is not None), UNDEFINED)
    return traits.get(_CREATED[2], UNDEFINED) if found is UNDEFINED else found


def _source_name(settings: MixpanelSettings) -> Json:
    return UNDEFINED if settings.source_name is None else settings.source_name


def _defined(values: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in values.items() if value is not UNDEFINED}
