"""``dropped``: the people behind a category's conversion: who viewed it and did not buy in it, or who did."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from connector.report.answer import Answer, Row
from connector.report.asking import Asking
from connector.report.compose import Composition
from connector.report.kinds import categories
from connector.report.kinds.people import moment
from connector.report.people import people_view

State = Literal["dropped", "converted"]
_NO_CONTACT: Row = {"email": None, "phone": None}


class Asked(categories.Asked):
    KIND: ClassVar[str] = "dropped"
    SAYS: ClassVar[str] = (
        "The people whom the report categories counts: whoever viewed a product of the category in the "
        "range, from the first view. Dropped: did not buy in the category within the window after it. "
        "Converted: did."
    )
    COLUMNS: ClassVar[dict[str, str]] = {
        "uid": "the person: user id, or $device: and the id of a device without a user",
        "first_view": "first view of the category in the range; UTC",
        "last_view": "last view of the category in the range; UTC",
        "views": "views of the category in the range",
        "last_product": "name, else id, of the product viewed last",
        "bought_outside": "first purchase in the category before the first view or after the window; UTC",
        "email": "current, as sent; only with contacts",
        "phone": "current, as sent; only with contacts",
    }
    SHOWN: ClassVar[tuple[str, ...]] = ()

    category: str | None = Field(
        None, description="Product category, as sent; not given: the one with the highest opportunity."
    )
    state: State = Field("dropped", description="Who is wanted.")
    with_contacts: bool = Field(False, description="Show email addresses and phone numbers.")


def answer(asking: Asking) -> Answer:
    """Rows by ``uid``."""
    asked = asking.question
    assert isinstance(asked, Asked)
    category, notes = _category(asking, asked)
    composition = _composed(asking, category, asked.state)
    people = asking.rows(composition, "dropped_people", "uid")
    contacts = _contacts(asking, composition) if asked.with_contacts else {}
    rows = [_row(person, contacts.get(person["uid"], _NO_CONTACT)) for person in people]
    notes += _outside(rows, asked.state)
    if not asked.with_contacts:
        notes.append("Email addresses and phone numbers are left out; ask for them with contacts.")
    complete = asking.is_over(asking.to_ms + asked.window)
    return asking.answer(rows, complete=complete, notes=tuple(notes), category=category)


def dropped_people(asking: Asking, category: str, state: State = "dropped") -> list[str]:
    """
    The uids of the people who viewed a category and did not buy in it within the window, or who did; sorted.

    Args:
        asking: its question is an ``Asked`` of this report or of ``categories``: events, window and range.
    """
    composition = _composed(asking, category, state)
    return [row["uid"] for row in asking.rows(composition, "dropped_people", "uid")]


def _composed(asking: Asking, category: str, state: State) -> Composition:
    asked = asking.question
    assert isinstance(asked, categories.Asked)
    composition = categories.composed(asking, asked)
    composition.parameters.update(category=category, state=state)
    all_days = {"first_day": date(1970, 1, 1), "last_day": date(9999, 12, 31)}
    composition.define("activity_of_all_days", "activity", all_days)
    composition.define("every_purchase_line", "purchase_lines", tables={"activity": "activity_of_all_days"})
    return composition


def _category(asking: Asking, asked: Asked) -> tuple[str, list[str]]:
    """The category that is asked for, else the first by opportunity; and what is to be said of the choice."""
    if asked.category is not None:
        return asked.category, []
    shared = asked.model_dump(by_alias=True, include=set(categories.Asked.model_fields))
    rows = [row for row in asking.ask(categories.Asked(**shared)).rows if row["viewers"]]
    if not rows:
        return "", ["Nobody viewed a product of any category in the range."]
    chosen = max(rows, key=lambda row: (row["opportunity"] or 0.0, row["purchases"], row["viewers"]))
    category = str(chosen["category"])
    return category, [f"Category {category}: the one with the highest opportunity in the report categories."]


def _contacts(asking: Asking, composition: Composition) -> dict[str, Row]:
    people_view(composition)
    return {row["uid"]: row for row in asking.rows(composition, "dropped_contacts", "uid")}


def _outside(rows: list[Row], state: State) -> list[str]:
    if state == "converted":
        return []
    count = sum(row["bought_outside"] is not None for row in rows)
    return [
        f"{count} of {len(rows)} bought in the category outside the window: before their first view in the "
        "range, or later. By definition they dropped all the same."
    ]


def _row(person: Row, contact: Row) -> Row:
    return {
        "uid": person["uid"],
        "first_view": moment(person["first_view_ms"]),
        "last_view": moment(person["last_view_ms"]),
        "views": person["views"],
        "last_product": person["last_product"],
        "bought_outside": moment(person["bought_outside_ms"]),
        "email": contact["email"],
        "phone": contact["phone"],
    }
