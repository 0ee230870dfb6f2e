"""What a table is: columns, their types, and where a value comes from. Pure declarations, no engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from connector.errors import ConfigError

TypeCode = Literal["S", "T", "M", "Q", "I", "L", "D", "B", "LS", "J", "K", "P", "F", "V"]

TYPES: Mapping[TypeCode, str] = {
    "S": "text",
    "T": "instant, milliseconds, UTC",
    "M": "money, decimal(18,6)",
    "Q": "quantity, decimal(19,3)",
    "I": "32-bit integer",
    "L": "64-bit integer",
    "D": "64-bit float",
    "B": "boolean",
    "LS": "list of text",
    "J": "text holding one JSON object (RFC 8259)",
    "K": "list of {type, value}: text",
    "P": "list of products, the 12 fields of the spec",
    "F": "list of {code, path}: notes on the row",
    "V": "list of {path, rule, expected, got_type}: schema findings",
}

Pii = Literal["", "id", "direct", "network", "quasi", "free text", "pseudonym", "mixed"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
PROMOTABLE: tuple[TypeCode, ...] = ("S", "T", "M", "Q", "I", "L", "D", "B")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``sources`` are tried in order; the first value that is neither null nor ``""`` is coerced.

    A source is a dotted path into the event: ``properties.order_id``, ``context.page.url``, ``messageId``.
    """

    name: str
    code: TypeCode
    meaning: str
    sources: tuple[str, ...] = ()
    nullable: bool = True
    pii: Pii = ""
    rule: str = ""
    """What happens beyond the type's own coercion."""

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ConfigError(f"column {self.name!r}: lower snake case, at most 40 characters")


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns in file order. The partition ``day`` lies in the path, not in the file."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    sort: tuple[str, ...]
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ConfigError(f"table {self.name}: a column is declared twice")
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    def with_columns(self, more: Iterable[Column]) -> Table:
        """The table with the user's columns behind its own. A name already taken is a ``ConfigError``."""
        added = tuple(more)
        for column in added:
            if column.name in self.by_name or column.name == "day":
                raise ConfigError(f"columns.{self.name}.{column.name}: the table already has this column")
            if column.code not in PROMOTABLE:
                raise ConfigError(
                    f"columns.{self.name}.{column.name}: type must be one of {' '.join(PROMOTABLE)}"
                )
        return replace(self, columns=(*self.columns, *added))


def camel(name: str) -> str:
    """``order_id`` -> ``orderId``."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def spelled(prefix: str, name: str) -> tuple[str, ...]:
    """The spec's spelling and, when it differs, the camelCase one."""
    other = camel(name)
    return (f"{prefix}.{name}",) if other == name else (f"{prefix}.{name}", f"{prefix}.{other}")
