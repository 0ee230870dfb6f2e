"""Which rejected events are meant, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connector import jsontext
from connector.events import Fate
from connector.tables.layout import day_of
from connector.values.times import read_time
from connector.write.rejected import kept_bytes


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rejected events are meant; None: all of them."""

    reason: str | None = None
    since: date | None = None
    """First UTC day of arrival; of an event that came in a file, what its ``receivedAt`` says. Events that
    nobody dates are left out then."""
    source: str | None = None
    event: str | None = None
    """Name as it was sent."""

    def holds(self, line: Mapping[str, Any]) -> bool:
        """Whether a decoded line of a rejected file is meant."""
        return (
            (self.reason is None or line["code"] == self.reason)
            and (self.source is None or line["source"] == self.source)
            and (self.event is None or line["event"] == self.event)
            and (self.since is None or _day_seen(line) >= self.since.isoformat())
        )


def _day_seen(line: Mapping[str, Any]) -> str:
    """UTC day of arrival; empty when nobody says it."""
    arrived = line["received_at_ms"]
    if arrived is None:
        event = jsontext.decode(kept_bytes(line)).value
        stated = event.get("receivedAt") if type(event) is dict else None
        arrived = read_time(stated).ms if type(stated) is str else None
    return "" if arrived is None else day_of(arrived)


@dataclass(slots=True)
class Redriven:
    """What became, or would become, of the selected events."""

    selected: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    """``stored``, ``unmatched``, ``duplicate`` of one that passed before it, or ``rejected`` again."""
    still: Counter[str] = field(default_factory=Counter)
    """Reason of now -> events that do not pass."""
    changes: int = 0
    """Entries of the ledger that this made."""
    left_for_later: int = 0
    """Events that pass and whose files changed again and again."""

    @property
    def passing(self) -> int:
        return self.selected - self.fates["rejected"]

    def add(self, more: Redriven) -> None:
        self.selected += more.selected
        self.fates += more.fates
        self.still += more.still
        self.changes += more.changes
        self.left_for_later += more.left_for_later
