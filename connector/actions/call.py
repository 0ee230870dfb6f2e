"""What an action is told about the event beside the mapped fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NamedTuple

from connector.events import Flag, Json, Proven, Violation
from connector.tables import TABLES, Table
from connector.tables.layout import FIRST_DAY, ms_of

RevenueSource = Literal["revenue", "subtotal", "total_less_tax_shipping", "items"]


@dataclass(frozen=True, slots=True)
class SourceRules:
    """How the events of one source are read. Nothing of it is guessed: each rule is a setting."""

    currency: str | None = None
    """Assumed when an event names none, flagged (quirk 38)."""
    event_aliases: Mapping[str, str] = field(default_factory=dict)
    """Event name as sent -> name it counts as (quirks 4, 5)."""
    decimal_comma: bool = False
    """``19,99`` and ``1.234,50`` are amounts of this source (quirk 30)."""
    minor_units: bool = False
    """Amounts come in the currency's smallest unit: 1999 is 19.99 USD (quirk 32)."""
    unescape_categories: bool = False
    """``Toys &amp; Games`` is read as ``Toys & Games`` (quirk 48)."""
    key_aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Product field -> further keys it is sent under, dotted paths allowed (quirks 16, 22)."""


NO_RULES = SourceRules()


@dataclass(frozen=True, slots=True)
class LakeSettings:
    """Settings that rows depend on, so they are part of the configuration's fingerprint."""

    tables: tuple[Table, ...] = TABLES
    """The declared tables, the user's promoted columns behind each."""
    first_day: date = FIRST_DAY
    """Sender's times before it are unusable."""
    future_bound_ms: int = 86_400_000
    """Sender's times later than this after the arrival are unusable."""
    revenue_from: tuple[RevenueSource, ...] = ("revenue",)
    """Where ``order_revenue`` may come from, in order."""
    sources: Mapping[str, SourceRules] = field(default_factory=dict)
    """Rules of the sources that have any."""
    past_bound_days: int | None = 400
    """Times of events that came with a public write key are unusable when older than this at arrival."""
    privacy_key: bytes | None = field(default=None, repr=False)
    """Key of the hashes in ``deletions``; None: the hash is null (previews only)."""
    first_ms: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_ms", ms_of(self.first_day))

    def rules(self, source: str) -> SourceRules:
        return self.sources.get(source, NO_RULES)

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


class Call(NamedTuple):
    """One event on its way to its rows."""

    event: dict[str, Json]
    """The event with ``type`` and the spec's ``event`` name filled in, and with the times that count when an
    SDK sent it itself; else as received."""
    type: str
    """``track`` ``page`` ``screen`` ``identify`` ``group`` ``alias`` ``delete``."""
    received_event: str | None
    """Name of a track call as received."""
    message_id: str | None
    key: str
    """Event key: what makes copies of an event one (tables 3)."""
    source: str
    proven: Proven
    received_at_ms: int | None
    route: str = "file"
    """Dialect it came by."""
    flags: Sequence[Flag] = ()
    violations: Sequence[Violation] = ()
    mapping: str = ""
    """Label of the mapping, ``<name>@<8 hex>``."""
    sent_times: Mapping[str, Json] | None = None
    """Times by key as an SDK sent them, where the event holds computed ones; None: nothing was computed."""


class Refusal(Exception):
    """An action refuses the event; the code is a rejected reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


Columns = dict[str, Any]
