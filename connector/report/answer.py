"""What a report says, with everything needed to trust it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connector.report.question import Question

Row = dict[str, Any]


@dataclass(frozen=True)
class Mark:
    """An annotation: what happened on which local day."""

    day: date
    text: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """
    The rows of a report.

    ``rows``: dictionaries with the columns of the question, in its order; money is Decimal, ratios are float
    from 0 to 1 or None where nothing can be divided, days are ``date``, moments ``datetime`` in UTC.
    """

    question: Question
    as_of: datetime
    complete: bool
    """False while rows can still change because their time, or the window after it, is not over."""
    rows: Sequence[Row]
    range: Mapping[str, str | None]
    """``from``, ``to`` (local days, included) and ``timezone``."""
    notes: Sequence[str] = ()
    """What a reader must know beside the figures: left out, approximate, assumed."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Figures that belong to the whole report and not to a row."""
    parts: Mapping[str, Answer] = field(default_factory=dict)
    """Answers that this one is made of."""

    def definition(self) -> dict[str, Any]:
        """What was computed, so that the figures can be had again."""
        asked = self.question
        return {
            "report": asked.KIND,
            "says": asked.SAYS,
            "parameters": asked.model_dump(
                mode="json", by_alias=True, exclude={"from_day", "to_day", "as_of"}
            ),
            "range": dict(self.range),
            "columns": dict(asked.COLUMNS),
        }

    def document(self) -> dict[str, Any]:
        """``definition``, ``as_of``, ``complete``, ``rows``; ``notes``, ``totals`` and ``parts`` if any."""
        document: dict[str, Any] = {
            "definition": self.definition(),
            "as_of": plain(self.as_of),
            "complete": self.complete,
            "rows": [{name: plain(value) for name, value in row.items()} for row in self.rows],
        }
        if self.extra:
            document["totals"] = {name: plain(value) for name, value in self.extra.items()}
        if self.notes:
            document["notes"] = list(self.notes)
        if self.parts:
            document["parts"] = {name: part.document() for name, part in self.parts.items()}
        return document


def plain(value: Any) -> Any:
    """A value as JSON has it: amounts as numbers, days and moments in ISO 8601."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
