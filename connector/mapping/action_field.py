"""How an action declares its fields. Source: mapping-kit 9 (actions-core 3.170.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connector.events import Json

FieldType = Literal["string", "text", "password", "datetime", "number", "integer", "boolean", "object"]


@dataclass(frozen=True, slots=True)
class ActionField:
    """One field of an action, or one property of an object field, as Segment declares it."""

    key: str
    label: str = ""
    """Name for people; begins the messages about the field."""
    type: FieldType = "string"
    description: str = ""
    required: bool = False
    multiple: bool = False
    """The value is a list of the type; anything else than a list is wrapped into one."""
    allow_null: bool = False
    choices: tuple[Json, ...] = ()
    minimum: float | None = None
    """Least length of a ``string`` in code points, least value of a ``number``. Segment ignores 0, and the
    limits of every other type."""
    maximum: float | None = None
    format: str | None = None
    """Format that texts must have, a name of ``field_formats.FORMATS``; fixed for ``datetime``, ``text`` and
    ``password``."""
    properties: tuple[ActionField, ...] = ()
    """Declared properties of an object, or of the objects of a list; () declares none."""
    additional_properties: bool = False
    """Keep undeclared keys of an object that declares properties."""
    default: Json = None
    """What a new mapping is pre-filled with; never applied to a missing value."""
    hidden: bool = False
