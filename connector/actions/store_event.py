"""Rows of ``events``: the main row of a call, and the lines of an order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.actions.call import NO_RULES, Call, Columns, LakeSettings, SourceRules
from connector.actions.common import (
    SHARED_KEYS,
    bookkeeping,
    finish,
    keep_unread,
    note_identity,
    put_distinct,
    put_json,
    put_people,
    put_text,
    put_times,
)
from connector.actions.context import ContextReader
from connector.actions.money import (
    note_currency,
    note_totals,
    put_order_revenue,
    put_refund,
    to_major_units,
)
from connector.actions.products import (
    ProductList,
    fill_from_only_product,
    line_of,
    product_readers,
    read_products,
)
from connector.actions.readers import SourceReaders
from connector.actions.reading import coercers, is_missing, read_paths
from connector.events import Cells, Flag, Json, Row
from connector.jsontext import dumps
from connector.tables.events_table import CONTEXT, EVENTS
from connector.tables.model import Table
from connector.values.coerce import text
from connector.values.currencies import MINOR_DIGITS, minor_digits
from connector.values.ids import row_id
from connector.values.names import SINGLE_PRODUCT_EVENTS

LINE_EVENT = "Product Purchased"
_PAGE_KEYS = ("path", "referrer", "search", "title", "url")
_NOT_READ_HERE = frozenset("products position_text categories coupons order_revenue refund_amount".split())
_READ_FROM_PROPERTIES = tuple(
    column
    for column in EVENTS.columns
    if column.name not in _NOT_READ_HERE and column.sources and column.sources[0].startswith("properties.")
)
_SHARED_BY_LINES = frozenset(
    "message_id source user_id anonymous_id distinct_id group_id channel timestamp original_timestamp "
    "sent_at received_at order_id checkout_id affiliation currency line_count type received_event proven "
    "mapping subscription".split()
)
_OWN = frozenset(column.name for column in EVENTS.columns)

Overrides = Callable[[Columns, list[Flag]], None]


class EventRows:
    """Builds rows of ``events`` from calls. Made once per configuration and set of source rules.

    Raises nothing on a value: what does not fit is null, flagged, and stays readable in a JSON column.
    """

    def __init__(self, table: Table, settings: LakeSettings, rules: SourceRules = NO_RULES) -> None:
        self._settings = settings
        self._rules = rules
        self._properties = SourceReaders(_READ_FROM_PROPERTIES, "properties.", rules)
        self._products = product_readers(rules)
        elsewhere = (EVENTS.by_name["group_id"], EVENTS.by_name["channel"])
        self._context = ContextReader(CONTEXT, elsewhere)
        self._promoted = tuple(column for column in table.columns if column.name not in _OWN)
        self._amounts = tuple(column.name for column in table.columns if column.code == "M")
        scales = MINOR_DIGITS if rules.minor_units else (0,)
        self._coercers = {digits: coercers(rules, digits) for digits in scales}

    def rows(
        self,
        call: Call,
        event: dict[str, Json],
        subscription: str,
        occurrence: int,
        override: Overrides | None = None,
        *,
        with_lines: bool = False,
    ) -> list[Row]:
        """The main row, and with ``with_lines`` one row per product of an Order Completed behind it.

        Args:
            call: the event's identity and arrival.
            event: what the mapping's ``event`` field gave; by default the event itself.
            override: writes the mapping's ``columns`` into the main row.
        """
        flags = list(call.flags)
        row, cells, products = self._main(call, event, subscription, occurrence, flags, override)
        lines: list[Columns] = []
        completed = row["event"] == "Order Completed"
        if completed:
            lines, notes = self._lines(call, row, products, occurrence, flags)
            if with_lines:
                flags.extend(notes)
            put_order_revenue(row, lines, self._settings, flags)
            note_totals(row, lines, flags)
        if not (completed and with_lines):
            return [Row("events", finish(row, call, flags), cells)]
        finish(row, call, flags)
        return [Row("events", row, cells), *(Row("events", line, cells) for line in lines)]

    def _main(
        self,
        call: Call,
        event: dict[str, Json],
        subscription: str,
        occurrence: int,
        flags: list[Flag],
        override: Overrides | None,
    ) -> tuple[Columns, Cells, ProductList]:
        rest = {key: value for key, value in event.items() if key not in SHARED_KEYS}
        row = bookkeeping(call, "events", subscription, row_id("events", occurrence, None, call.key))
        note_identity(call, event, flags, rest)
        put_people(event, row, flags, rest)
        put_text(event, "groupId", "group_id", row, flags, rest)
        put_text(event, "channel", "channel", row, flags, rest)
        put_times(call, event, self._settings, row, flags, rest)
        currency = self._currency(call, event, override) if self._rules.minor_units else None
        products = self._put_properties(call, event, row, flags, rest, currency)
        cells = self._context.cells()
        self._put_context(event, cells, row, flags, rest)
        if call.type != "track":
            _put_page(event, row, flags, rest)
            keep_unread(event, ("event",), rest)
            self._put_page_address(event, cells, flags)
        digits = minor_digits(currency) if self._rules.minor_units else 0
        if self._promoted:
            read_paths(self._promoted, event, row, flags, self._coercers[digits])
        if override is not None:
            chosen: Columns = {}
            override(chosen, flags)
            to_major_units(chosen, self._amounts, digits, flags)
            row.update(chosen)
            for name in row.keys() & self._context.at.keys():
                cells[self._context.at[name]] = row.pop(name)
        put_distinct(row, flags)
        if call.type == "track":
            self._conclude(row, products, flags)
        put_json(row, "envelope", rest)
        return row, Cells(self._context.names, cells), products

    def _currency(self, call: Call, event: dict[str, Json], override: Overrides | None) -> str | None:
        """What the event's amounts are in: amounts in minor units cannot be read before that is known."""
        chosen: Columns = {}
        if override is not None:
            override(chosen, [])
        properties = event.get("properties")
        own = None
        if call.type == "track" and type(properties) is dict:
            own = self._properties.currency_of(properties, call.event["event"])
        return chosen.get("currency") or own or self._rules.currency

    def _put_properties(
        self,
        call: Call,
        event: dict[str, Json],
        row: Columns,
        flags: list[Flag],
        rest: dict[str, Json],
        currency: str | None,
    ) -> ProductList:
        properties = event.get("properties")
        if type(properties) is not dict:
            if not is_missing(properties):
                flags.append(Flag("properties_not_object", "properties"))
                rest["properties"] = properties
            properties = {}
        elif properties:
            row["properties"] = dumps(properties)
        if call.type != "track":
            row["event"] = call.type
            return read_products(None)
        name = row["event"] = call.event["event"]
        row["received_event"] = call.received_event
        reader = self._properties.only or self._properties.reader(name, currency)
        reader.read(properties, row, flags, name)
        products = read_products(properties.get("products"), self._products, currency)
        flags.extend(products.flags)
        if products.structs is not None:
            row["products"] = products.structs
        return products

    def _conclude(self, row: Columns, products: ProductList, flags: list[Flag]) -> None:
        """What follows from the columns of a track call once all are set, the mapping's own included."""
        name = row["event"]
        if name in SINGLE_PRODUCT_EVENTS:
            if "product_id" not in row and "sku" not in row:
                fill_from_only_product(row, products, flags)
            if "product_id" not in row and "sku" not in row:
                flags.append(Flag("product_key_missing", "properties.product_id"))
            if name == "Product Removed" and row.get("quantity") == 0:
                del row["quantity"]
        elif name in ("Order Refunded", "Order Cancelled"):
            put_refund(row, flags)
        note_currency(row, self._rules, flags)

    def _put_context(
        self, event: dict[str, Json], cells: list[Any], row: Columns, flags: list[Flag], rest: dict[str, Json]
    ) -> None:
        context = event.get("context")
        if type(context) is dict:
            put_json(row, "context", self._context.read(context, cells, row, flags))
        elif not is_missing(context) and context != []:
            flags.append(Flag("context_not_object", "context"))
            rest["context"] = context

    def _put_page_address(self, event: dict[str, Json], cells: list[Any], flags: list[Flag]) -> None:
        """Page and screen calls: the page keys that ``context.page`` did not give."""
        properties = event.get("properties")
        if type(properties) is dict:
            for key in _PAGE_KEYS:
                at = self._context.at[f"context_page_{key}"]
                if cells[at] is None and not is_missing(value := properties.get(key)):
                    cells[at] = text(value, f"properties.{key}", flags) or None

    def _lines(
        self, call: Call, order: Columns, products: ProductList, occurrence: int, flags: list[Flag]
    ) -> tuple[list[Columns], list[Flag]]:
        if not products.structs:
            flags.append(Flag("products_missing", "properties.products"))
        if products.sent_count is not None:
            order["line_count"] = products.sent_count
        shared = {key: value for key, value in order.items() if key in _SHARED_BY_LINES}
        lines: list[Columns] = []
        made: list[Flag] = []
        for product in products.products:
            row, notes = line_of(product, shared)
            row["row_id"] = row_id("events", occurrence, product.line_index, call.key)
            row["event"] = LINE_EVENT
            row["flags"] = list(dict.fromkeys((*product.flags, *notes)))
            row["violations"] = []
            made.extend(notes)
            lines.append(row)
        return lines, made


def _put_page(event: dict[str, Json], row: Columns, flags: list[Flag], rest: dict[str, Json]) -> None:
    """Page and screen calls: their name and category."""
    properties = event.get("properties")
    if type(properties) is not dict:
        properties = {}
    for key, column in (("name", "page_name"), ("category", "page_category")):
        if is_missing(event.get(key)):
            rest.pop(key, None)
            value, path = properties.get(key), f"properties.{key}"
        else:
            value, path = rest.pop(key), key
        if not is_missing(value):
            noticed = len(flags)
            if typed := text(value, path, flags):
                row[column] = typed
            if path == key and len(flags) > noticed:
                rest[key] = value
