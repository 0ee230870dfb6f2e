"""``twilio``: a file with one row for each person who may be sent a text message; nothing is sent from here.

Source: analytics definitions, section 4.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import orjson

from connector.cohorts.channels.channel import OK, Outcome, Page, Person
from connector.cohorts.channels.files import csv_text, write_whole
from connector.cohorts.contacts import Contact, key_of

COLUMNS = ("to", "cohort_id", "idempotency_key")
_ALL = 1 << 62


class Twilio:
    """
    Writes ``<cohort>-<session>-<action>.ndjson`` (or ``.csv``) into a folder; who leaves gets no row.

    Args:
        consent: the trait that must be true: as true, or as the text ``true``.
        region: country of numbers that do not say theirs; None: these are left out.
    """

    kind = "twilio"
    page_people = _ALL
    replaces = True

    def __init__(
        self,
        folder: Path,
        *,
        form: Literal["ndjson", "csv"],
        consent: str,
        region: str | None,
        columns: tuple[str, ...],
    ) -> None:
        self._folder = folder
        self._form = form
        self._consent = key_of(consent)
        self._region = region
        self._more = tuple(map(key_of, columns))
        self.columns = (*columns, f"traits.{self._consent}")
        self.written: list[Path] = []

    def unreachable(self, contact: Contact) -> str | None:
        if contact.get(self._consent) not in (True, "true"):
            return "no_consent"
        if not contact.get("phone"):
            return "no_phone"
        return None if e164(str(contact["phone"]), self._region) else "phone_invalid"

    def deliver(self, page: Page) -> Outcome:
        if page.action == "remove_members":
            return OK
        rows = [self._row(page, person) for person in page.people]
        path = self._folder / f"{page.cohort_id}-{page.session[:15]}-{page.action}.{self._form}"
        if self._form == "csv":
            names = (*COLUMNS, *self._more)
            content = csv_text(names, ([row.get(name) for name in names] for row in rows)).encode()
        else:
            content = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        write_whole(path, content)
        self.written.append(path)
        return OK

    def close(self) -> None:
        """Nothing is open."""

    def _row(self, page: Page, person: Person) -> dict[str, Any]:
        """The key is the same for one stay of a person in the cohort, whatever is sent again."""
        stay = f"{page.cohort_id}\n{person.uid}\n{person.entered_at}"
        more = {name: person.contact[name] for name in self._more if name in person.contact}
        return {
            "to": e164(str(person.contact["phone"]), self._region),
            "cohort_id": page.cohort_id,
            "idempotency_key": sha256(stay.encode("utf-8", "surrogatepass")).hexdigest()[:32],
            **more,
        }


def e164(phone: str, region: str | None) -> str | None:
    """``(030) 901820`` in ``DE`` -> ``+4930901820``; None: it is no valid number."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
