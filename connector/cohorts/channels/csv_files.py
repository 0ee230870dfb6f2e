"""``csv``: a file of people per action."""

from __future__ import annotations

from pathlib import Path

from connector.cohorts.channels.channel import OK, Outcome, Page
from connector.cohorts.channels.files import csv_text, write_whole
from connector.cohorts.contacts import USUAL, Contact, Requires, key_of, unreachable

FIRST_COLUMNS = ("cohort_id", "uid", "entered_at")
_ALL = 1 << 62


class CsvFiles:
    """
    Writes ``<cohort>-<session>-<action>.csv`` into a folder.

    Args:
        with_contacts: False: the columns of addresses, names and profiles stay empty.
    """

    kind = "csv"
    page_people = _ALL
    replaces = True

    def __init__(
        self, folder: Path, *, requires: Requires, columns: tuple[str, ...], with_contacts: bool
    ) -> None:
        self._folder = folder
        self._requires = requires
        self._with_contacts = with_contacts
        self.columns = columns
        self._keys = (*USUAL, *map(key_of, columns))
        self.written: list[Path] = []

    def unreachable(self, contact: Contact) -> str | None:
        return unreachable(contact, self._requires)

    def deliver(self, page: Page) -> Outcome:
        rows = []
        for person in page.people:
            contact = person.contact if self._with_contacts else {}
            known = [contact.get(name) for name in self._keys]
            rows.append([page.cohort_id, person.uid, person.entered_at, *known])
        path = self._folder / f"{page.cohort_id}-{page.session[:15]}-{page.action}.csv"
        text = csv_text((*FIRST_COLUMNS, *self._keys), rows)
        write_whole(path, text.encode("utf-8", "replace"))
        self.written.append(path)
        return OK

    def close(self) -> None:
        """Nothing is open."""
