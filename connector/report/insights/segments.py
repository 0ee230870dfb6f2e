"""By what ``insights`` is broken down: a column, a key of the JSON, or the items of a list. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from connector.errors import ConfigError
from connector.report.compose import expression
from connector.report.filters import value_of
from connector.tables import EVENTS, STRUCT_FIELDS, Table

OVERALL = "$overall"
"""Segment of all rows."""


@dataclass(frozen=True)
class Breakdown:
    """What tells the segments of rows apart."""

    value: exp.Expr
    """Beside each row: its segment, or the list that holds them."""
    item: exp.Expr | None = None
    """Of a list: one segment, as ``insight_items`` reaches it."""


NO_BREAKDOWN = Breakdown(expression("CAST(NULL AS VARCHAR)"))


def breakdown_of(text: str, place: str, table: Table = EVENTS) -> Breakdown:
    """
    A column, ``properties ->> '$.key'``, a list, or a field of a list of records: ``products.category``.

    Raises:
        ConfigError: there is none of this name, or it is a moment or a record.
    """
    name, _, field = text.strip().partition(".")
    column = table.by_name.get(name)
    if column is not None and column.code in STRUCT_FIELDS and field:
        if STRUCT_FIELDS[column.code].get(field) != "S":
            raise ConfigError(f"{place}: {name} has no text {field}")
        return Breakdown(exp.column(name), expression(f"item(listed.segment, numbers.item_number).{field}"))
    if column is not None and column.code == "LS" and not field:
        return Breakdown(exp.column(name), expression("item(listed.segment, numbers.item_number)"))
    value, kind = value_of(text, place, table)
    if kind == "moment":
        raise ConfigError(f"{place}: a moment is no segment; the unit cuts time")
    return Breakdown(value)


def segment_text(value: object) -> str | None:
    """A segment as text; None: the property is not there."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
