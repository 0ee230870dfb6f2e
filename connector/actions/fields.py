"""What an action declares: its fields once, for validation, defaults and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connector.events import Json


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an action, in Segment's terms."""

    key: str
    type: Literal["object", "boolean"]
    label: str
    description: str
    required: bool = False
    default: Json = None
    """Taken when the mapping does not name the field."""


@dataclass(frozen=True, slots=True)
class Action:
    """A partnerAction of the lake."""

    partner_action: str
    table: str
    title: str
    description: str
    fields: tuple[Field, ...]


EVENT = Field(
    "event",
    "object",
    "Event",
    "The event that becomes rows. By default the whole event.",
    required=True,
    default={"@path": "$."},
)
COLUMNS = Field(
    "columns",
    "object",
    "Columns",
    "Column name to directive: values that take the place of the ones read from the event.",
)
PER_PRODUCT = Field(
    "generatePurchaseEventPerProduct",
    "boolean",
    "Generate purchase event per product",
    "One `Product Purchased` row per product of an Order Completed, behind the order's own row.",
    default=True,
)

LAKE_ACTIONS: tuple[Action, ...] = (
    Action("storeEvent", "events", "Store event", "One row of `events` per call.", (EVENT, COLUMNS)),
    Action(
        "storePurchase",
        "events",
        "Store purchase",
        "One row of `events` for the order, and one per product.",
        (EVENT, COLUMNS, PER_PRODUCT),
    ),
    Action("storeProfile", "profiles", "Store profile", "One row of `profiles` per identify call.",
           (EVENT, COLUMNS)),
    Action("storeGroup", "groups", "Store group", "One row of `groups` per group call.", (EVENT, COLUMNS)),
    Action("storeAlias", "aliases", "Store alias", "One row of `aliases` per alias call.", (EVENT, COLUMNS)),
    Action("storeDeletion", "deletions", "Store deletion",
           "One row of `deletions` per proven delete notice, with a keyed hash of the id.", (EVENT, COLUMNS)),
)  # fmt: skip
