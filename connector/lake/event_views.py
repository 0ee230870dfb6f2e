"""One view per event of the ecommerce spec, named as Segment Data Lakes names its tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

from connector.events import Json
from connector.schemas.properties import properties_of
from connector.schemas.resolve import resolve
from connector.tables import EVENTS, Column, Table

_RETURNS = ("Order Refunded", "Order Cancelled")
_ONLY_OF: Mapping[str, tuple[str, ...]] = {
    "order_revenue": ("Order Completed",),
    "order_revenue_from": ("Order Completed",),
    "line_count": ("Order Completed",),
    "refund_amount": _RETURNS,
    "line_index": (),
    "line_revenue": (),
    "page_name": (),
    "page_category": (),
}
"""Columns that hold no property as sent -> the events that have them."""


class EventView(NamedTuple):
    """The rows of one event, with the columns that it can fill."""

    name: str
    """``order_completed``."""
    event: str
    """``Order Completed``."""
    columns: tuple[str, ...]

    @property
    def query(self) -> str:
        """
        The SELECT over ``events``, in DuckDB's dialect.

        Main rows only. Product lines all have the event ``Product Purchased``, which is none of the spec;
        ``order_lines`` has them.
        """
        listed = ",\n    ".join(self.columns)
        return f"SELECT\n    {listed}\nFROM events\nWHERE event = '{self.event}' AND line_index IS NULL"


def event_views(documents: Mapping[str, Json], events: Table = EVENTS) -> dict[str, EventView]:
    """
    The views of all events that documents are about, by name.

    A view has every column of ``events`` but those of properties that are none of its event: typed columns of
    its own properties, identity, times, context, JSON, notes, ``day``. Columns of a user's own are in all.

    Args:
        documents: the shipped schemas (``connector.schemas.read_schemas``).
        events: the table, with a user's own columns where there are any.
    """
    titles = {name: str(document["title"]) for name, document in documents.items() if "title" in document}
    views = (_view(title, _keys_of(name, documents), events) for name, title in titles.items())
    return {view.name: view for view in views}


def event_view_names() -> frozenset[str]:
    """The names of the views of the shipped schemas, from a look at their folder; no document is read."""
    stems = (file.name.removesuffix(".json") for file in files("connector.schemas").iterdir())
    return frozenset(stem for stem in stems if "_" in stem and "." not in stem and not stem.startswith("_"))


def _keys_of(name: str, documents: Mapping[str, Json]) -> frozenset[str]:
    """The properties of an event, those inside products left out."""
    return frozenset(each.path for each in properties_of(resolve(name, documents)) if "." not in each.path)


def _view(event: str, keys: frozenset[str], events: Table) -> EventView:
    columns = (column.name for column in events.columns if _is_of(column, event, keys))
    return EventView(event.lower().replace(" ", "_"), event, (*columns, "day"))


def _is_of(column: Column, event: str, keys: frozenset[str]) -> bool:
    if column.name in _ONLY_OF:
        return event in _ONLY_OF[column.name]
    first = column.sources[0] if column.sources else ""
    if column.name not in EVENTS.by_name or not first.startswith("properties."):
        return True
    return first.removeprefix("properties.") in keys
