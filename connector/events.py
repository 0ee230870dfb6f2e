"""The values that travel from the socket to the tables. Frozen, and free of any effect."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Json = Any
"""A decoded JSON value: dict, list, str, int, float, bool or None."""

Proven = Literal["all", "first", "none"]
"""What a signature proves. Of a request: every element, element 0 alone, nothing. Of one event: ``all``
(the proof covered it), ``first`` (it is element 0 of a batch that was signed that way), ``none``."""

Fate = Literal["stored", "rejected", "unmatched", "duplicate", "suppressed"]
FATES: tuple[Fate, ...] = ("stored", "rejected", "unmatched", "duplicate", "suppressed")

TRACKING_ROUTES = frozenset(("batch", "import", "track", "identify", "page", "screen", "group", "alias"))
"""Dialects of Segment's HTTP Tracking API, the short paths (``/v1/t``) under their long names. What comes so
comes from an SDK itself: nobody has computed its times yet (segment-delivery 1.8)."""

Body = bytes | mmap.mmap
"""The raw bytes of a request: in memory, or a memory-mapped spool file when they are many."""


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One HTTP request as it came in, transport encoding undone, nothing interpreted."""

    source: str
    """Slug from the path, ``[a-z0-9][a-z0-9_-]*``, at most 64 characters."""
    route: str
    """Dialect that the path spoke: ``webhook``, or one of ``TRACKING_ROUTES``."""
    body: Body
    headers: Mapping[str, str]
    """Names in lower case."""
    received_at_ms: int
    """Our clock at arrival, milliseconds since the epoch, UTC. Stamped once, here."""
    encoded: Body | None = None
    """The bytes as they travelled, when a Content-Encoding was undone: a signature may cover these."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One request that is to be kept: what a journal frame holds."""

    source: str
    route: str
    received_at_ms: int
    body: Body
    proven: Proven
    key: int | None = None
    """Index of the secret that proved it, never the secret."""
    content_type: str | None = None
    content_encoding: str | None = None
    refused: str | None = None
    """Code of the refusal when the body is kept although it was refused."""
    public: bool = False
    """It came with a write key, which is no secret: it may fill a share of the journal only."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, before it is HTTP again."""

    status: int
    body: Mapping[str, Json]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceKeys:
    """What a source accepts as proof. Holds secrets: never logged, never printed."""

    name: str
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """Shared secrets of the webhook, newest first; all are accepted."""
    second_header: str | None = None
    """Name, in lower case, of a header whose right value proves every element."""
    second_values: tuple[bytes, ...] = field(default=(), repr=False)
    api_keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Keys of Developer-Center senders (Basic, the key as user); a right one proves every element."""
    unsigned: bool = False
    """True: a request without any proof is accepted, as ``none``."""
    missing: tuple[str, ...] = ()
    """Names of the secrets that are configured but not set: the webhook answers 503 until they are."""
    write_keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Keys of SDKs. Public: they name a source and prove nothing."""
    missing_write_keys: tuple[str, ...] = ()
    """Names of the write keys that are configured but not set."""
    events_per_second: float = 1_000.0
    """Events that all its write keys together may bring, on average, to one receiver process."""
    bytes_per_second: float = 10_485_760.0


class Captured(NamedTuple):
    """One event read back from a captured file, or one record that could not be read."""

    captured_file: str
    """Identity of the captured file: a frame's file name, ``h-<32 hex>`` or ``s-<32 hex>``."""
    captured_index: int
    """Number of the event in the captured file, from 0, in reading order."""
    source: str
    route: str
    """Dialect of the frame, or ``file`` for NDJSON and JSON arrays."""
    received_at_ms: int | None
    """Arrival at this receiver in ms since the epoch; None for plain files."""
    proven: Proven
    """What is proven for this very element."""
    event: Json
    """The decoded value; None when ``error`` is set."""
    error: str | None
    """None, or the rejected reason: ``not_json``, ``truncated``, ``too_large``, ``too_deep``,
    ``journal_corrupt``."""
    repaired: bool
    """True when decoding had to accept what JSON forbids (NaN, lone surrogates and the like)."""
    raw: Callable[[], bytes]
    """The event's own bytes, cut out of the captured file when asked for."""
    place: str
    """Where it lies, for a person: ``line 12``, ``frame 3, element 0``. Lines and frames count from 0."""


class Flag(NamedTuple):
    """A note on a row: a code of the closed list in ``tables.py`` and the place in the received event."""

    code: str
    path: str


class Violation(NamedTuple):
    """One finding of the schema. Never holds the customer's value."""

    path: str
    """JSON Pointer into the event."""
    rule: str
    """JSON Schema keyword."""
    expected: str
    """The schema's own text."""
    got_type: str
    """JSON type name of what was found, ``missing`` when nothing was."""


class Cells(NamedTuple):
    """Values of neighbouring columns, one or None each: an order and its lines share those of its context."""

    names: Sequence[str]
    values: Sequence[Any]


class Row:
    """One row of one table: only the columns that are not null.

    Values by column type: S, J ``str``; T ``int`` (ms since the epoch, UTC); M, Q ``Decimal``; I, L ``int``;
    D ``float``; B ``bool``; LS ``list[str]``; K, P, F, V ``list[dict[str, value]]``.
    """

    __slots__ = ("cells", "own", "table")

    def __init__(self, table: str, own: dict[str, Any], cells: Cells | None = None) -> None:
        """
        Args:
            own: column name to value.
            cells: columns that are not in ``own``, as positions.
        """
        self.table = table
        self.own = own
        self.cells = cells

    @property
    def columns(self) -> dict[str, Any]:
        """Column name to value, for all columns that are not null."""
        if self.cells is None:
            return self.own
        named = zip(*self.cells, strict=True)
        return {**self.own, **{name: value for name, value in named if value is not None}}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self.table, self.columns) == (other.table, other.columns)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Row({self.table!r}, {len(self.columns)} columns)"


class Rejected(NamedTuple):
    """Why an event is not in the tables. Its bytes are kept beside this."""

    code: str
    """A reason of ``tables.md`` 7.3, also listed in ``tables.REJECTED_REASONS``."""
    message: str
    violations: Sequence[Violation] = ()
    type: str | None = None
    event: str | None = None
    message_id: str | None = None


class Outcome(NamedTuple):
    """The one fate of one event under one mapping (``duplicate`` is decided later, beside its neighbours)."""

    fate: Fate
    rows: Sequence[Row] = ()
    rejected: Rejected | None = None
