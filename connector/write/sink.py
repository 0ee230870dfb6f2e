"""What writing needs, without saying where to: the Protocols that ``replay`` knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from connector.errors import ConnectorError
from connector.events import Captured, Rejected, Row
from connector.write.entries import Output, Record


class RowFailed(ConnectorError):
    """A row that no writer can take: a defect of what built it. Holds no value of the row.

    Whoever catches it drops the staging folder and maps the captured file again with the event
    ``captured_index`` as rejected, reason ``row_failed``.
    """

    code = "row_failed"

    def __init__(
        self, table: str, column: str | None, captured_index: int | None, captured_file: str | None = None
    ) -> None:
        where = table if column is None else f"{table}.{column}"
        super().__init__(f"event {captured_index}: the row cannot be written to {where}")
        self.table = table
        self.column = column
        self.captured_index = captured_index
        self.captured_file = captured_file

    def __reduce__(self) -> tuple[type[RowFailed], tuple[str, str | None, int | None, str | None]]:
        return RowFailed, (self.table, self.column, self.captured_index, self.captured_file)


class TableWriter(Protocol):
    """Takes the rows of one part of one captured file."""

    def add_row(self, row: Row) -> None:
        """Take one row, ``captured_file`` and ``captured_index`` among its own. Raises ``RowFailed``."""

    def finish(self) -> list[Output]:
        """Make every file durable and say what it holds. Raises ``RowFailed``, ``OSError``."""


class RejectedSink(Protocol):
    """Takes the rejected events of one captured file, bytes included."""

    @property
    def codes(self) -> Mapping[str, int]:
        """Reason -> events taken so far."""

    def add(self, captured: Captured, rejected: Rejected) -> None: ...

    def finish(self) -> list[Output]: ...


class DuplicatesSink(Protocol):
    """Takes the duplicates of one captured file: which event is a copy of which."""

    def add(self, captured: Captured, rows: Sequence[Row], kept_captured_index: int) -> None: ...

    def finish(self) -> list[Output]: ...


@dataclass(frozen=True, slots=True)
class StagedFile:
    """One captured file whose outputs lie, durable, below ``staging`` under their final names."""

    staging: Path
    record: Record
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Reason -> rejected events."""
    oldest_received_at_ms: int | None = None
    """The first arrival of an event of it, ms since the epoch; None when it states none."""


class Commits(Protocol):
    """Makes staged files visible, each captured file once."""

    def publish(self, staged: Sequence[StagedFile]) -> int:
        """Return how many captured files this call recorded."""
