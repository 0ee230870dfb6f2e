"""``people``: who they are, when they were first and last seen, what they bought."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import Field

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.people import people_view
from connector.report.question import Question

_CONTACTS = ("first_name", "last_name", "email", "phone")
NO_CONTACTS = "Names and addresses are left out; ask for them with contacts."


class Asked(Question):
    KIND: ClassVar[str] = "people"
    SAYS: ClassVar[str] = (
        "One row per person with a row in the range; where neither range nor source is given, everyone, "
        "also people known by identify calls alone. First and last seen are event times over all data, "
        "events and orders are of the range. Names, addresses and country are current: what the last "
        "identify call said, by event time, whatever its source. An order counts once, at its first Order "
        "Completed."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "uid": "the person: user id, or $device: and the id of a device without a user",
        "first_seen": "time of the person's first row, after linking; UTC",
        "last_seen": "time of the person's last row; UTC",
        "events": "rows in the range",
        "orders": "orders in the range",
        "gross": "sum of order_revenue of these orders in one currency, before refunds, currency units",
        "first_name": "current; only with contacts",
        "last_name": "current; only with contacts",
        "email": "current; only with contacts",
        "phone": "current, as sent; only with contacts",
        "country": "current country of the address, as sent",
    }

    currency: str | None = Field(
        None, description="Currency of gross; not needed where all orders have the same."
    )
    with_contacts: bool = Field(False, description="Show names, email addresses and phone numbers.")


def moment(at_ms: int | None) -> datetime | None:
    """ms since the epoch as a moment in UTC."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1_000, UTC)


def answer(asking: Asking) -> Answer:
    """Rows by ``uid``."""
    asked = asking.question
    assert isinstance(asked, Asked)
    everyone = asked.from_day is None and asked.to_day is None and asked.source is None
    composition = asking.composition({"everyone": everyone})
    people_view(composition)
    people = asking.rows(composition, "people_listed", "uid")
    orders = asking.rows(composition, "people_orders", "uid, currency")
    currencies = {row["currency"] for row in orders}
    currency = asked.currency if asked.currency else next(iter(currencies), None)
    known = asked.currency is not None or len(currencies) <= 1
    bought = _bought(orders, currency)
    rows = [
        _row(person, *bought.get(person["uid"], (0, Decimal(0))), asked.with_contacts) for person in people
    ]
    if not known:
        rows = [{**row, "gross": None} for row in rows]
    return asking.answer(rows, notes=_notes(asked, currencies, currency, known))


def _bought(orders: list[Row], currency: str | None) -> dict[str, tuple[int, Decimal]]:
    """Person -> orders of every currency, and what those in one currency are worth."""
    found: dict[str, tuple[int, Decimal]] = {}
    for row in orders:
        count, gross = found.get(row["uid"], (0, Decimal(0)))
        own = row["gross"] if row["currency"] == currency and row["gross"] is not None else Decimal(0)
        found[row["uid"]] = (count + row["orders"], gross + own)
    return found


def _row(person: Row, orders: int, gross: Decimal, with_contacts: bool) -> Row:
    contacts: dict[str, Any] = {name: person[name] if with_contacts else None for name in _CONTACTS}
    return {
        "uid": person["uid"],
        "first_seen": moment(person["first_seen_ms"]),
        "last_seen": moment(person["last_seen_ms"]),
        "events": person["active_events"],
        "orders": orders,
        "gross": gross,
        **contacts,
        "country": person["address_country"],
    }


def _notes(asked: Asked, currencies: set[str | None], currency: str | None, known: bool) -> tuple[str, ...]:
    notes = [] if asked.with_contacts else [NO_CONTACTS]
    if not known:
        names = ", ".join(sorted(name or "none stated" for name in currencies))
        notes.append(
            f"Orders are in several currencies ({names}), which are never added: name one for gross."
        )
    elif currencies:
        notes.append(f"gross is in {currency or 'the currency that orders do not state'}.")
    return tuple(notes)
