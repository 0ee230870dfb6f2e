"""The settings of a Mixpanel document: Segment's five, and switches of ours that are off at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.errors import Fault
from connector.events import Json
from connector.mapping.fields import PayloadInvalid, compile_fields
from connector.mixpanel.fields import SETTINGS_FIELDS

_SWITCH = "should be true or false"


@dataclass(frozen=True, slots=True)
class MixpanelSettings:
    """What an action is told beside the event. Holds secrets: never printed."""

    project_token: str = field(default="", repr=False)
    source_name: str | None = None
    batch: bool = False
    """Run trackEvent and trackPurchase as Segment does for a batch: empty texts at the root are kept."""
    deterministic_ids: bool = False
    """``$insert_id`` is the lake's row id, 36 characters."""
    keep_product_keys: bool = False
    """Product events hold all keys of the product, and the order's currency."""
    fold_event_names: bool = False
    """The spelling of the ecommerce spec counts: ``order completed`` is an Order Completed."""
    purchases_only_on_orders: bool = False
    """Only an Order Completed gives product events."""
    refusal: str | None = None
    """Why Segment refuses every event under these settings; None: it does not."""


SWITCHES: Mapping[str, str] = {
    "batch": "batch",
    "deterministicIds": "deterministic_ids",
    "keepProductKeys": "keep_product_keys",
    "foldEventNames": "fold_event_names",
    "purchasesOnlyOnOrders": "purchases_only_on_orders",
}
"""Key of the document's settings to field; each false unless it is set."""
SEGMENTS_KEYS = tuple(declared.key for declared in SETTINGS_FIELDS)

_check = compile_fields(SETTINGS_FIELDS)


def read_settings(said: Mapping[str, Json]) -> tuple[MixpanelSettings, list[Fault]]:
    """
    Read the settings of a document.

    Segment checks its own settings whenever an event comes and refuses the event, so what is wrong with those
    is no fault of the document but ``refusal``. A switch of ours that is neither true nor false is a fault.
    """
    wrong = [key for key in SWITCHES if type(said.get(key, False)) is not bool]
    faults = [Fault(f"/settings/{key}", _SWITCH) for key in wrong]
    switches: dict[str, Any] = {name: said.get(key, False) is True for key, name in SWITCHES.items()}
    # Segment removes nothing here: a null becomes an empty text, and an empty text is one.
    own = {key: "" if said[key] is None else said[key] for key in SEGMENTS_KEYS if key in said}
    try:
        checked = _check(own, True)
    except PayloadInvalid as invalid:
        return MixpanelSettings(**switches, refusal=str(invalid)), faults
    return (
        MixpanelSettings(checked["projectToken"], checked.get("sourceName"), **switches),
        faults,
    )
