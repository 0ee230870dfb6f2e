"""What is known of people now: addresses, names and chosen columns of their profiles."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from connector.report.clock import Clock
from connector.report.compose import Composition
from connector.report.desks.desk import Desk
from connector.report.people import people_view

ADDRESSES = ("email", "phone")
USUAL = (*ADDRESSES, "first_name", "last_name")
Contact = Mapping[str, Any]
"""Key of a column (``key_of``) -> text, number or bool; what is not known is not there."""
Requires = Literal["any", "email", "phone", "none"]


def contacts_of(desk: Desk, people: Collection[str], columns: Sequence[str] = ()) -> dict[str, Contact]:
    """
    The contacts of people.

    Args:
        columns: beside the usual ones: a column of ``profiles``, or ``traits.<key>``, as text.

    Returns:
        uid -> contact, for everyone asked for.

    Raises:
        ConfigError: the name of a column is none.
    """
    composition = Composition({"as_of_ms": None, "source": None}, desk.given)
    wanted = people_view(composition, [key_of(name) for name in (*USUAL, *columns)])
    shown = {key: wanted[key] for key in dict.fromkeys(map(key_of, (*USUAL, *columns)))}
    asked = frozenset(people)
    known: dict[str, Contact] = {
        row["uid"]: {key: _plain(row[name]) for key, name in shown.items() if row[name] not in (None, "")}
        for row in desk.rows(composition.query("people"), Clock())
        if row["uid"] in asked
    }
    return {uid: known.get(uid, {}) for uid in people}


def key_of(column: str) -> str:
    """What a column is called in a contact: ``traits.plan`` -> ``plan``."""
    return column.removeprefix("traits.")


def unreachable(contact: Contact, requires: Requires) -> str | None:
    """Why a person cannot be reached: ``no_email``, ``no_phone``, ``no_address``; None: can be."""
    there = [name for name in ADDRESSES if contact.get(name)]
    if requires == "none" or requires in there or (requires == "any" and there):
        return None
    return "no_address" if requires == "any" else f"no_{requires}"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
