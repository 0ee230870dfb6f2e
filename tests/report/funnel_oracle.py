"""Funnels read off one person's rows, attempt by attempt, in plain Python: nothing here knows SQL."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.report import oracle

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
GRACE_MS = 2_000
PAUSE_MS = 1_800_000


@dataclass(frozen=True)
class Funnel:
    """What is asked; properties are columns, conditions are functions of a row."""

    steps: tuple[Test, ...]
    window_ms: int = 604_800_000
    any_order: bool = False
    anchored: tuple[int, ...] = ()
    counting: str = "uniques"
    hold: tuple[str, ...] = ()
    exclude: tuple[tuple[tuple[int, int] | None, Test], ...] = ()
    """From which step to which, or between all, and what ends an attempt."""
    breakdown: str | None = None
    attribution: str = "first"
    where: tuple[str, Callable[[Any], bool]] | None = None
    """A property and the condition on the value that an attempt has of it."""
    trend: str | None = None
    split: str | None = None
    zone: str = "UTC"
    first_day: date | None = None
    last_day: date | None = None


@dataclass
class Attempt:
    """Rows by the number of the step that took them, and where the attempt ended."""

    entry: Row
    taken: dict[int, Row]
    ended_by: Row | None

    def rows(self) -> list[Row]:
        return list(self.taken.values())


@dataclass(frozen=True)
class Counted:
    uid: str
    segment: Any
    period: date | None
    entry_ms: int
    reached: int
    last_ms: int
    convert_ms: int | None


def counted(funnel: Funnel, store: Mapping[str, Sequence[Row]]) -> list[Counted]:
    """Every attempt that counts."""
    people: dict[str, list[Row]] = defaultdict(list)
    for row in oracle.resolved(**store):
        if row["uid"]:
            people[row["uid"]].append(row)
    return [one for uid, rows in people.items() for one in _Person(funnel, uid, rows).counted()]


class _Person:
    """``rows`` in the order of 0.4."""

    def __init__(self, funnel: Funnel, uid: str, rows: list[Row]) -> None:
        self.funnel, self.uid, self.rows = funnel, uid, rows
        self.place = {row["row_id"]: place for place, row in enumerate(rows)}
        self.session = dict(zip(self.place, _sessions(rows, funnel.zone), strict=True))

    def counted(self) -> Iterator[Counted]:
        entries = [row for row in self.rows if self.is_entry(row)]
        by_period: dict[Any, list[Row]] = defaultdict(list)
        for entry in entries:
            by_period[period(entry, self.funnel.trend, self.funnel.zone)].append(entry)
        for start, own in by_period.items():
            for attempt in self.chosen(own):
                when = (
                    period(attempt.entry, self.funnel.split, self.funnel.zone) if self.funnel.split else start
                )
                if self.kept(attempt):
                    yield self.result(attempt, when)

    def chosen(self, entries: list[Row]) -> list[Attempt]:
        """Of the attempts that these entries begin those that count."""
        funnel = self.funnel
        if funnel.counting == "totals":
            return self.totals(entries)
        if funnel.counting == "reentry":
            every = [self.follow(entry, []) for entry in entries]
            return [self.best(group) for group in _grouped(every, self.segment)]
        lot: Callable[[Attempt], Any] = (
            (lambda attempt: self.session[attempt.entry["row_id"]])
            if funnel.counting == "sessions"
            else lambda attempt: None
        )
        if funnel.breakdown is None or funnel.breakdown in funnel.hold:
            every = [self.follow(entry, []) for entry in entries]
        else:
            every = self.totals(entries)
        groups = _grouped(every, lambda attempt: (lot(attempt), self.segment(attempt)))
        return [min(group, key=lambda attempt: self.at(attempt.entry)) for group in groups]

    def best(self, attempts: list[Attempt]) -> Attempt:
        """The deepest, then the one that finished first, then the one that began last."""
        return max(attempts, key=lambda a: (len(a.taken), -last_ms(a), self.at(a.entry)))

    def totals(self, entries: list[Row]) -> list[Attempt]:
        """A new attempt where the one before has ended, for each combination of held values."""
        found = []
        for own in _grouped(entries, self.held):
            spent: list[Row] = []
            over = -1
            for entry in own:
                if self.at(entry) <= over:
                    continue
                attempt = self.follow(entry, spent)
                found.append(attempt)
                last_used = max(map(self.at, attempt.rows()))
                spent = self.rows[: last_used + 1]
                over = self.over(attempt, last_used)
        return found

    def over(self, attempt: Attempt, last_used: int) -> int:
        """The place of the row with which an attempt was over."""
        if attempt.ended_by is not None:
            return self.at(attempt.ended_by)
        if len(attempt.taken) == len(self.funnel.steps):
            return last_used
        end = attempt.entry["time_ms"] + self.funnel.window_ms
        return max(self.at(row) for row in self.rows if row["time_ms"] <= end)

    def at(self, row: Row) -> int:
        return self.place[row["row_id"]]

    def held(self, row: Row) -> tuple[Any, ...]:
        return tuple(row.get(name) for name in self.funnel.hold)

    def is_entry(self, row: Row) -> bool:
        day = oracle.local_day(row, self.funnel.zone)
        if (self.funnel.first_day and day < self.funnel.first_day) or None in self.held(row):
            return False
        if self.funnel.last_day and day > self.funnel.last_day:
            return False
        return any(self.funnel.steps[number - 1](row) for number in blocks(self.funnel)[0])

    def follow(self, entry: Row, spent: Sequence[Row]) -> Attempt:
        """One attempt: the rows that its steps take, until something ends it."""
        funnel = self.funnel
        own = [r for r in self.rows if self.held(r) == self.held(entry)]
        spent_ids = {row["row_id"] for row in spent}
        free = [r for r in own if r["row_id"] not in spent_ids]
        first = blocks(funnel)[0]
        taken = {next(number for number in first if funnel.steps[number - 1](entry)): entry}
        for block in blocks(funnel):
            anchor = max(row["time_ms"] for row in taken.values())
            for number in block:
                if number in taken:
                    continue
                found = next(
                    (
                        r
                        for r in free
                        if self.fits(r, number, entry, anchor, taken, len(first) > 1 and block == first)
                    ),
                    None,
                )
                if found is not None:
                    taken[number] = found
            if len([number for number in block if number in taken]) < len(block):
                break
        return self.until_ended(entry, taken, own)

    def fits(
        self, row: Row, number: int, entry: Row, anchor: int, taken: Mapping[int, Row], behind: bool
    ) -> bool:
        if not self.funnel.steps[number - 1](row) or any(
            row["row_id"] == t["row_id"] for t in taken.values()
        ):
            return False
        if row["time_ms"] > entry["time_ms"] + self.funnel.window_ms:
            return False
        return self.at(row) > self.at(entry) if behind else row["time_ms"] >= anchor - GRACE_MS

    def until_ended(self, entry: Row, taken: dict[int, Row], own: list[Row]) -> Attempt:
        """Walk along what was taken; an excluding row in between takes away what follows."""
        numbers = list(taken)
        numbers.sort(key=(lambda n: self.at(taken[n])) if self.funnel.any_order else None)
        kept = {number: taken[number] for number in numbers if taken[number] is entry}
        anchor = entry["time_ms"]
        for number in [*(n for n in numbers if taken[n] is not entry), None]:
            if number is None and len(taken) == len(self.funnel.steps):
                break
            gap = len(kept)
            before = (
                entry["time_ms"] + self.funnel.window_ms + 1
                if number is None
                else taken[number]["time_ms"] - GRACE_MS
            )
            for row in own:
                if anchor + GRACE_MS < row["time_ms"] < before and self.ends(row, gap):
                    return Attempt(entry, kept, row)
            if number is not None:
                kept[number] = taken[number]
                anchor = max(anchor, taken[number]["time_ms"])
        return Attempt(entry, kept, None)

    def ends(self, row: Row, gap: int) -> bool:
        return any(
            test(row) and (gaps is None or gaps[0] <= gap < gaps[1]) for gaps, test in self.funnel.exclude
        )

    def value(self, attempt: Attempt, name: str) -> Any:
        """The value that an attempt has of a property; of a held one there is only one."""
        if name in self.funnel.hold:
            return attempt.entry.get(name)
        how = self.funnel.attribution
        if how.isdecimal():
            return attempt.taken[int(how)].get(name) if int(how) in attempt.taken else None
        numbers = sorted(attempt.taken)
        if self.funnel.any_order:
            numbers.sort(key=lambda number: self.at(attempt.taken[number]))
        values = [attempt.taken[number].get(name) for number in numbers]
        known = [value for value in values if value is not None]
        return (known[0] if how == "first" else known[-1]) if known else None

    def segment(self, attempt: Attempt) -> Any:
        name = self.funnel.breakdown
        return None if name is None else self.value(attempt, name)

    def kept(self, attempt: Attempt) -> bool:
        if self.funnel.where is None:
            return True
        name, test = self.funnel.where
        value = self.value(attempt, name)
        return value is not None and test(value)

    def result(self, attempt: Attempt, when: date | None) -> Counted:
        done = len(attempt.taken) == len(self.funnel.steps)
        end = (
            last_ms(attempt)
            if self.funnel.any_order or not done
            else attempt.taken[len(self.funnel.steps)]["time_ms"]
        )
        entry_ms = attempt.entry["time_ms"]
        return Counted(
            self.uid, self.segment(attempt), when, entry_ms, len(attempt.taken), last_ms(attempt),
            max(end - entry_ms, 0) if done else None,
        )  # fmt: skip


def blocks(funnel: Funnel) -> list[tuple[int, ...]]:
    """Steps that are matched together: in any order those that follow each other and are not anchored."""
    numbers = range(1, len(funnel.steps) + 1)
    loose = {number: funnel.any_order and number not in funnel.anchored for number in numbers}
    found: list[tuple[int, ...]] = []
    for number in numbers:
        joins = loose[number] and number > 1 and loose[number - 1]
        found[-1:] = [(*found[-1], number)] if joins else [*found[-1:], (number,)]
    return found


def period(row: Row, unit: str | None, zone: str) -> date | None:
    """The first day of the period of a row."""
    day = oracle.local_day(row, zone)
    starts = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}
    return starts[unit] if unit else None


def last_ms(attempt: Attempt) -> int:
    return max(row["time_ms"] for row in attempt.rows())


def percentile(values: Sequence[int], share: float) -> float:
    """Between closest ranks."""
    ranked = sorted(values)
    position = share * (len(ranked) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (position - low)


def _sessions(rows: Sequence[Row], zone: str) -> list[int]:
    """The number of each row's session: 30 minutes without a row end one, and so does local midnight."""
    numbers: list[int] = []
    for before, row in zip([None, *rows], rows, strict=False):
        new = (
            before is None
            or row["time_ms"] - before["time_ms"] >= PAUSE_MS
            or oracle.local_day(row, zone) != oracle.local_day(before, zone)
        )
        numbers.append((numbers[-1] if numbers else 0) + new)
    return numbers


def _grouped(items: Sequence[Any], by: Callable[[Any], Any]) -> list[list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for item in items:
        groups[by(item)].append(item)
    return list(groups.values())
