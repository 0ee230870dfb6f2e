"""trackEvent: one event of ``/import``.

Source: action-destinations 3.497.0, mixpanel/trackEvent; mixpanel-actions 3.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.events import Json
from connector.mixpanel.browser import browser_of
from connector.mixpanel.ids import derived_id, event_time, lake_id
from connector.mixpanel.records import Arrival, Payload, Perform, Record
from connector.mixpanel.settings import MixpanelSettings

RESERVED = ("time", "id", "$anon_id", "distinct_id", "$group_id", "$insert_id", "$user_id")
"""Properties that a sender cannot set: they are taken out of the event's own."""

_SENT_AS: tuple[tuple[str, str], ...] = (
    ("ip", "ip"), ("id", "distinct_id"), ("$anon_id", "anonymous_id"), ("$app_build_number", "app_build"),
    ("$app_version_string", "app_version"), ("$app_namespace", "app_namespace"), ("$app_name", "app_name"),
    ("$bluetooth_enabled", "bluetooth"), ("$cellular_enabled", "cellular"), ("$carrier", "carrier"),
    ("$current_url", "url"), ("$device", "device_name"), ("$device_id", "anonymous_id"),
    ("$device_type", "device_type"), ("$device_name", "device_name"), ("$group_id", "group_id"),
    ("$identified_id", "user_id"), ("$ios_ifa", "idfa"), ("$lib_version", "library_version"),
    ("$locale", "language"), ("$manufacturer", "device_manufacturer"), ("$model", "device_model"),
    ("$os", "os_name"), ("$os_version", "os_version"), ("$referrer", "referrer"),
    ("$screen_height", "screen_height"), ("$screen_width", "screen_width"),
    ("$screen_density", "screen_density"), ("$user_id", "user_id"), ("$wifi_enabled", "wifi"),
    ("mp_country_code", "country"), ("advertising_id", "advertising_id"),
    ("ad_tracking_enabled", "ad_tracking_enabled"), ("timezone", "timezone"),
    ("app_platform", "app_platform"), ("event_original_name", "name"),
)  # fmt: skip
"""Property and the field that is sent as it; what is computed stands in ``event_properties``."""
_SENT: Mapping[str, tuple[str, ...]] = {
    key: tuple(name for name, other in _SENT_AS if other == key) for _, key in _SENT_AS
}
"""Field -> the properties it is sent as."""
_CLIENT_HINTS = ("mobile", "platform", "bitness", "platformVersion", "uaFullVersion", "wow64")


def track_event(settings: MixpanelSettings) -> Perform:
    """The action under these settings: one record."""

    def perform(payload: Payload, arrival: Arrival, occurrence: int) -> list[Record]:
        properties = event_properties(payload, arrival, settings, occurrence)
        return [Record("import", {"event": payload["event"], "properties": properties})]

    return perform


def event_properties(
    payload: Payload, arrival: Arrival, settings: MixpanelSettings, occurrence: int
) -> dict[str, Json]:
    """
    Return the properties of the event that a payload stands for.

    What the sender put into its properties wins over everything computed, except ``RESERVED``; none of it is
    coerced or cleaned. Fields without a value are left out, ``distinct_id`` is then ``""``.
    """
    sent: dict[str, Json] = {"time": event_time(payload, arrival), "distinct_id": ""}
    for key, value in payload.items():
        for name in _SENT.get(key, ()):
            sent[name] = value
    if "distinct_id" in payload:
        sent["distinct_id"] = payload["distinct_id"]
    if user_agent := payload.get("userAgent"):
        sent["$browser"], version = browser_of(user_agent)
        if version is not None:
            sent["$browser_version"] = version
    sent["$insert_id"] = _insert_id(payload, arrival, settings, occurrence)
    sent["$source"] = _source(payload)
    if "library_name" in payload:
        library = payload["library_name"]
        sent["mp_lib"] = f"Segment Actions: {library}" if library else library
    if settings.source_name is not None:
        sent["segment_source_name"] = settings.source_name
    sent.update(payload.get("utm_properties", ()))
    if hints := payload.get("userAgentData"):
        sent.update({f"${key}": hints[key] for key in _CLIENT_HINTS if key in hints})
    if own := payload.get("event_properties"):
        sent.update({key: value for key, value in own.items() if key not in RESERVED})
    return sent


def _insert_id(payload: Payload, arrival: Arrival, settings: MixpanelSettings, occurrence: int) -> str:
    if settings.deterministic_ids:
        return lake_id(arrival, occurrence)
    mapped: str | None = payload.get("insert_id")
    return derived_id(arrival.event, arrival.received_at_ms) if mapped is None else mapped


def _source(payload: Payload) -> str:
    integration = payload.get("context", {}).get("integration")
    iterable = isinstance(integration, dict) and integration.get("name") == "Iterable"
    return "Iterable" if iterable else "segment"
