"""Events through Mixpanel (Actions): the requests that Segment's destination makes beside our records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from hypothesis import strategies as st

from connector.errors import MappingError
from connector.mixpanel import MixpanelDestination, Subscribed
from connector.mixpanel.fields import MIXPANEL_ACTIONS
from connector.mixpanel.ids import derived_id
from tests.oracle.oracle import NOW_MS, Answer, Job
from tests.oracle.strategies import shop
from tests.oracle.strategies.values import decoded

_MADE_BY_SEGMENT = re.compile("4fzzzxjy4fzzzxjy$")
"""What its dice give while they stand still, at the end of an insert id."""
_MADE = "<made>"
_ALONE = "Payload is either invalid or does not match the subscription"

_Change = dict[str, Any]
_Subscription = tuple[str, str, _Change]
_PRESETS: tuple[_Subscription, ...] = (
    ('type = "track" and event != "Order Completed"', "trackEvent", {}),
    ('type = "track" and event = "Order Completed"', "trackPurchase", {}),
    ('type = "page"', "trackEvent", {"event": {"@template": "Viewed {{name}}"}}),
    ('type = "screen"', "trackEvent", {"event": {"@template": "Viewed {{name}}"}}),
    ('type = "identify"', "identifyUser", {}),
    ('type = "group"', "groupIdentifyUser", {}),
)
_ALIAS: _Subscription = ('type = "alias"', "alias", {})
_INCREMENT: _Subscription = ('type = "track"', "incrementProperties", {})
_BATCHED = ("trackEvent", "trackPurchase")
_PURCHASES: tuple[_Change, ...] = (
    {},
    {"products": {"@path": "$.properties.products"}},
    {"generatePurchaseEventPerProduct": False},
    {"generatePurchaseEventPerProduct": {"@path": "$.properties.custom"}},
    {"insert_id": None, "time": None},
    {"event_properties": None, "userAgent": "Mozilla/5.0 Chrome/96.0.1 Safari/605.1", "context": None},
)
_SETTINGS = st.fixed_dictionaries(
    {"projectToken": st.just("t"), "apiSecret": st.just("s")},
    optional={
        "sourceName": st.sampled_from(("web", "", None)),
        "strictMode": st.sampled_from((*("1", "0") * 8, "2")),
        "apiRegion": st.sampled_from((*("US 🇺🇸", "EU 🇪🇺") * 8, "EU")),
    },
)


def _subscription(subscribe: str, action: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Each side fills in the default mapping that it declares itself; a change to null takes a field out."""
    return {"subscribe": subscribe, "partnerAction": action, "changes": dict(changes)}


def _mapping(subscription: Mapping[str, Any]) -> dict[str, Any]:
    declared = MIXPANEL_ACTIONS[subscription["partnerAction"]].default_mapping()
    mapping = {**declared, **subscription["changes"]}
    return {key: value for key, value in mapping.items() if value is not None}


@st.composite
def jobs(draw: st.DrawFn) -> list[Job]:
    """Single events in jobs of their own, or a batch in one."""
    batch = draw(st.booleans())
    if batch or draw(st.sampled_from((True,) * 7 + (False,))):
        changed = draw(st.sampled_from(_PURCHASES))
        listed = [
            (*item[:2], changed) if item[1] == "trackPurchase" else item for item in (*_PRESETS, _ALIAS)
        ]
    else:
        listed = [_INCREMENT]
    subscriptions = [_subscription(*item) for item in listed if not batch or item[1] in _BATCHED]
    if not batch and draw(st.booleans()):
        for subscription in subscriptions:
            if subscription["partnerAction"] == "groupIdentifyUser":
                subscription["changes"]["group_key"] = draw(
                    st.sampled_from(("company", {"@path": "$.traits.plan"}))
                )
    job = {"op": "mixpanel", "settings": draw(_SETTINGS), "subscriptions": subscriptions, "batch": batch}
    drawn = shop.tracks | shop.pages if batch else shop.tracks if listed == [_INCREMENT] else shop.events
    events = draw(st.lists(drawn, min_size=1, max_size=3))
    if batch:
        return [decoded({**job, "events": events})]
    return [decoded({**job, "events": [event]}) for event in events]


def theirs(job: Job, answer: Answer) -> Answer:
    """Segment's answer with its requests as records, sorted for a batch, and its dice's ids replaced."""
    [run] = answer["value"]
    if "failed" in run:
        return {key: value for key, value in run.items() if key != "requests"}
    records = [record for request in run["requests"] for record in _records(request)]
    if job["batch"]:
        return {"value": {"records": _sorted(records), "refused": _refused(run["results"])}}
    if all(result.get("output") == "not subscribed" for result in run["results"]):
        return {"undefined": True}
    return {"value": records}


def _records(request: Mapping[str, Any]) -> list[Any]:
    table = urlsplit(request["url"]).path.removeprefix("/")
    rows = request["body"] if table == "import" else [request["body"]]
    return [[table, _pinned(row, _MADE_BY_SEGMENT)] for row in rows]


def _pinned(row: Any, made: re.Pattern[str]) -> Any:
    insert_id = row.get("properties", {}).get("$insert_id")
    if not isinstance(insert_id, str):
        return row
    return {**row, "properties": {**row["properties"], "$insert_id": made.sub(_MADE, insert_id)}}


def _sorted(records: list[Any]) -> list[Any]:
    return sorted(records, key=lambda record: json.dumps(record, sort_keys=True))


def _refused(results: list[Any]) -> dict[str, str]:
    """Index of an event that a subscription took and refused -> why."""
    return {
        str(index): event["errormessage"]
        for statuses in results
        if isinstance(statuses, list)
        for index, event in enumerate(statuses)
        if event["status"] != 200 and event["errormessage"] != _ALONE
    }


def ours(job: Job) -> Answer:
    """Our answer in the same form."""
    try:
        destination = _destination(json.dumps([job["settings"], job["subscriptions"], job["batch"]]))
        if job["batch"]:
            return _batch(destination, job["events"])
        records = _rows(destination, job["events"][0])
    except MappingError as error:
        return {"failed": type(error).__name__, "message": str(error)}
    return {"undefined": True} if records is None else {"value": records}


@lru_cache(maxsize=8)
def _destination(document: str) -> MixpanelDestination:
    settings, subscriptions, batch = json.loads(document)
    return MixpanelDestination(
        {**settings, "batch": batch},
        [
            Subscribed(str(place), item["subscribe"], item["partnerAction"], _mapping(item), f"/{place}")
            for place, item in enumerate(subscriptions)
        ],
    )


def _batch(destination: MixpanelDestination, events: list[Any]) -> Answer:
    records: list[Any] = []
    refused: dict[str, str] = {}
    if destination.settings.refusal is not None:
        raise MappingError(destination.settings.refusal)
    for index, event in enumerate(events):
        try:
            records += _rows(destination, event) or []
        except MappingError as error:
            refused[str(index)] = str(error)
    return {"value": {"records": _sorted(records), "refused": refused}}


def _rows(destination: MixpanelDestination, event: Any) -> list[Any] | None:
    records = destination.rows(event, received_at_ms=NOW_MS)
    if records is None:
        return None
    made = re.compile(re.escape(derived_id(event, NOW_MS)) + "$")
    rows: list[Any] = decoded([list(record) for record in records])
    return [[table, _pinned(row, made)] for table, row in rows]
