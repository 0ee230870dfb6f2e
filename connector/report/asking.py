"""One question at one desk: its range in ms and days, and the views it composes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

from connector.errors import ConfigError
from connector.report.answer import Answer, Mark, Row
from connector.report.clock import DAY_MS, Clock, date_of, number_of
from connector.report.compose import Composition, Value
from connector.report.desks.desk import Desk
from connector.report.question import Question
from connector.tables.layout import FIRST_DAY

_FIRST_MS = 1_262_304_000_000
"""2010-01-01, before which no row lies."""
_READ_IN_PLACE = ("resolved", "activity")
"""Views of all rows: wherever they are used, DuckDB is to read only the columns and events of that use."""
MembersOf = Callable[[str], Collection[str]]


def _no_cohorts(name: str) -> Collection[str]:
    raise ConfigError(f"cohort {name}: there are no cohorts here")


class Asking:
    """
    The range of a question, resolved against the data, and its way to the engine.

    Args:
        now: the moment that counts as now where the question names none.
        members_of: the people of a cohort by its name.
        marks: what happened when, as it is noted beside the data.
    """

    def __init__(
        self,
        question: Question,
        desk: Desk,
        now: datetime,
        members_of: MembersOf = _no_cohorts,
        marks: Sequence[Mark] = (),
    ) -> None:
        self.question = question
        self.desk = desk
        self.members_of = members_of
        self.marks = marks
        self.as_of = question.as_of or now
        self._extents: dict[tuple[str | None, datetime | None], Row] = {}
        self._zone = Clock(question.timezone, _FIRST_MS, _FIRST_MS)
        self._zone.offset_ms(_FIRST_MS)
        if question.from_day and question.to_day and question.from_day > question.to_day:
            raise ConfigError("from: the first day lies after the last one (to)")

    @property
    def as_of_ms(self) -> int:
        return round(self.as_of.timestamp() * 1_000)

    @property
    def extent(self) -> Row:
        """First and last time of rows, ms; None where there are no rows. The same for ``other`` questions."""
        of = (self.question.source, self.question.as_of)
        if of not in self._extents:
            self._extents[of] = self._asked_extent()
        return self._extents[of]

    def _asked_extent(self) -> Row:
        composition = Composition({**self._basics(), **self._outer_days()}, self.desk.given)
        rows = self.desk.rows(composition.query("extent"), self._zone)
        return rows[0] if rows else {"first_ms": None, "last_ms": None}

    def _outer_days(self) -> dict[str, Value]:
        """The days with the first and the last time, where rows of all sources and arrivals count.

        Not where the first day is the one of rows without a time.
        """
        days, asked = self.desk.days, self.question
        if days is None or asked.source is not None or asked.as_of is not None or days[0] <= FIRST_DAY:
            return {"earliest_day": None, "latest_day": None}
        return {"earliest_day": days[0], "latest_day": days[1]}

    @cached_property
    def first(self) -> int:
        """The first local day of the range, a day number."""
        if self.question.from_day:
            return number_of(self.question.from_day)
        first_ms = self.extent["first_ms"]
        if first_ms is None:
            return (
                number_of(self.question.to_day)
                if self.question.to_day and self.desk.runs
                else number_of(date_of(_FIRST_MS // DAY_MS))
            )
        return self._zone.day_of(first_ms)

    @cached_property
    def last(self) -> int:
        """The last local day of the range, included."""
        if self.question.to_day:
            return number_of(self.question.to_day)
        last_ms = self.extent["last_ms"]
        if last_ms is None:
            return self.first if self.desk.runs else self._zone.day_of(self.as_of_ms)
        return max(self._zone.day_of(last_ms), self.first)

    @cached_property
    def from_ms(self) -> int:
        """The first moment of the range."""
        return self._zone.start_ms(self.first)

    @cached_property
    def to_ms(self) -> int:
        """The first moment after the range."""
        return self._zone.start_ms(self.last + 1)

    @cached_property
    def clock(self) -> Clock:
        """The time zone, exact for the range and a year on either side."""
        return Clock(self.question.timezone, self.from_ms - 366 * DAY_MS, self.to_ms + 366 * DAY_MS)

    def composition(
        self, parameters: Mapping[str, Value] | None = None, *, before_ms: int = 0, after_ms: int = 0
    ) -> Composition:
        """
        Views over the range of the question.

        Args:
            parameters: values beside ``from_ms``, ``to_ms`` (exclusive), ``source``, ``as_of_ms``.
            before_ms: how much earlier than the range rows are wanted in ``activity``,
            after_ms: and how much later.
        """
        values: dict[str, Value] = {
            **self._basics(),
            "from_ms": self.from_ms,
            "to_ms": self.to_ms,
            "first_day": _utc_day(self.from_ms - before_ms - DAY_MS),
            "last_day": _utc_day(self.to_ms + after_ms + DAY_MS),
            **(parameters or {}),
        }
        composition = Composition(values, self.desk.given)
        for name in _READ_IN_PLACE:
            composition.define(name, name, materialized=False)
        return composition

    def _basics(self) -> dict[str, Value]:
        as_of = self.question.as_of
        return {"as_of_ms": None if as_of is None else self.as_of_ms, "source": self.question.source}

    def rows(self, composition: Composition, root: str, order: str | None = None) -> list[Row]:
        """Answer a view of a composition."""
        return self.desk.rows(composition.query(root, order), self.clock)

    def is_over(self, end_ms: int) -> bool:
        """Whether a moment had passed as of which the question is answered."""
        return end_ms <= self.as_of_ms

    def other(self, question: Question, members_of: MembersOf | None = None) -> Asking:
        """Another question of the same data at the same moment."""
        asking = Asking(question, self.desk, self.as_of, members_of or self.members_of, self.marks)
        asking._extents = self._extents
        return asking

    def ask(self, question: Question, members_of: MembersOf | None = None) -> Answer:
        """The answer to another question of the same data at the same moment."""
        from connector.report.kinds import kind_of

        return kind_of(question.KIND).answer(self.other(question, members_of))

    def answer(
        self,
        rows: list[Row],
        *,
        complete: bool | None = None,
        notes: tuple[str, ...] = (),
        parts: Mapping[str, Answer] | None = None,
        **extra: Any,
    ) -> Answer:
        """The rows as the answer. ``complete``: None: when the whole range is over."""
        return Answer(
            question=self.question,
            as_of=self.as_of.astimezone(UTC),
            complete=self.is_over(self.to_ms) if complete is None else complete,
            rows=rows,
            range={
                "from": date_of(self.first).isoformat(),
                "to": date_of(self.last).isoformat(),
                "timezone": self.question.timezone,
            },
            notes=notes,
            extra=extra,
            parts=parts or {},
        )


def _utc_day(at_ms: int) -> date:
    return date_of(at_ms // DAY_MS)
