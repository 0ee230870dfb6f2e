"""What a client calls during one visit, noted down with the time, the page and whether it is signed in."""

from __future__ import annotations

from typing import Literal, NamedTuple

from connector.events import Json
from connector.sample.clock import HOUR_MS
from connector.sample.context import Landing, page
from connector.sample.dice import Dice
from connector.sample.people import Person

CallType = Literal["page", "screen", "track", "identify", "group", "alias"]

_LONGEST_PAUSE_MS = 90_000


class Step(NamedTuple):
    """
    One call, before it has an envelope.

    ``offset_ms`` counts from the start of the visit. ``fields`` are the call's own top-level keys
    (``event``, ``properties``, ``traits``, ``groupId`` and others). ``page`` is None outside a browser.
    """

    offset_ms: int
    type: CallType
    fields: dict[str, Json]
    page: dict[str, Json] | None
    signed_in: bool
    by_server: bool = False


class Calls:
    """
    The notebook of one visit, with its clock and the page it is on.

    ``app`` is True for the phone app, which sends screen calls instead of page calls and knows no address.
    """

    def __init__(self, dice: Dice, person: Person, landing: Landing, *, app: bool, signed_in: bool) -> None:
        self.dice = dice
        self.person = person
        self.app = app
        self.signed_in = signed_in
        self.steps: list[Step] = []
        self._page = page("/", "Home", referrer=landing.referrer, search=landing.search)
        self._now_ms = 0

    def move(self, path: str, title: str) -> None:
        """Go to another page; one in ten says so with a page or screen call of its own."""
        self._page = page(path, title, referrer=self._page["url"])
        if self.dice.chance(0.1, "page call", len(self.steps)):
            self.view_page(title, "Shop")

    def view_page(self, name: str, category: str) -> None:
        names = {"name": name, "category": category}
        if self.app:
            self.add("screen", {**names, "properties": names})
        else:
            self.add("page", {**names, "properties": {**self._page, **names}})

    def track(self, event: str, properties: dict[str, Json]) -> None:
        self.add("track", {"event": event, "properties": properties})

    def add(self, call: CallType, fields: dict[str, Json]) -> None:
        """Note a call, now; then up to a minute and a half passes."""
        self.steps.append(Step(self._now_ms, call, fields, self._visible_page(), self.signed_in))
        self._now_ms += self.dice.between(1_000, _LONGEST_PAUSE_MS, "pause", len(self.steps))

    def track_later(self, hours: int, event: str, properties: dict[str, Json], *, by_server: bool) -> None:
        """Note an event that follows hours after the visit, from the client or from the shop's server."""
        at_ms = self._now_ms + hours * HOUR_MS + self.dice.below(HOUR_MS, event)
        fields = {"event": event, "properties": properties}
        visible = None if by_server else self._visible_page()
        self.steps.append(Step(at_ms, "track", fields, visible, self.signed_in, by_server))

    def _visible_page(self) -> dict[str, Json] | None:
        return None if self.app else self._page
