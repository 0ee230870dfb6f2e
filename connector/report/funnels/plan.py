"""A funnel that was asked for, read and checked: what the views are built from. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from connector.errors import ConfigError
from connector.report.filters import Step, row_filter, step_of, value_of
from connector.report.periods import Cut

Order = Literal["specific", "any"]
Counting = Literal["uniques", "reentry", "totals", "sessions"]
_GAPS = re.compile(r"\s*([0-9]+)\s*-\s*([0-9]+)\s*:(.*)", re.DOTALL)


@dataclass(frozen=True)
class Plan:
    """One funnel. Steps have the numbers 1 to n; gap g lies between step g and step g + 1."""

    steps: tuple[Step, ...]
    window_ms: int
    ordered: bool
    """Whether every step follows the one before; else see ``blocks``."""
    blocks: tuple[tuple[int, ...], ...]
    """Steps in the order in which they are matched; those of one block in any sequence."""
    counting: Counting
    hold: tuple[exp.Expr, ...]
    """Properties that are the same on every step."""
    exclusions: Mapping[int, tuple[Step, ...]]
    """Gap -> what ends an attempt in it."""
    values: tuple[exp.Expr, ...]
    """Properties of which an attempt has one value: what it is broken down by, what it is kept by."""
    attribution: str
    """``first``, ``last`` or the number of a step: whose value an attempt has."""
    broken_down: bool
    """Whether the first of ``values`` is the segment."""
    kept: exp.Expr | None
    """Condition on attempts, over the columns ``value_1``, ``value_2``, ..."""
    trend: Cut | None = None
    split: Cut | None = None
    members: frozenset[str] | None = field(default=None)

    @property
    def numbers(self) -> range:
        return range(1, len(self.steps) + 1)

    @property
    def free_entry(self) -> bool:
        """Whether several steps can be the first."""
        return len(self.blocks[0]) > 1

    @property
    def segment_is_held(self) -> bool:
        return self.broken_down and self.values[0] in self.hold

    @property
    def chained(self) -> bool:
        """Whether an attempt begins where the one before has ended."""
        by_segment = self.broken_down and not self.segment_is_held
        return self.counting == "totals" or (self.counting != "reentry" and by_segment)

    @property
    def gaps(self) -> list[int]:
        """Of gaps with the same exclusions one each: the lowest."""
        return sorted({self.ends(gap) for gap in self.exclusions})

    def ends(self, gap: int) -> int:
        """The lowest gap with the exclusions of this one."""
        return min(other for other in self.exclusions if self.exclusions[other] == self.exclusions[gap])

    def block_of(self, number: int) -> int:
        """The place of the block that holds a step."""
        return next(place for place, block in enumerate(self.blocks) if number in block)

    def before(self, number: int) -> list[int]:
        """The steps that must be matched before this one is looked for."""
        return [step for block in self.blocks[: self.block_of(number)] for step in block]

    def rivals(self, number: int) -> list[int]:
        """Steps matched earlier that may have taken a row of this one: those of the same event."""
        event = self.steps[number - 1].event
        return [other for other in self.numbers if other < number and self.steps[other - 1].event == event]


def steps_of(texts: Sequence[str]) -> tuple[Step, ...]:
    return tuple(step_of(text, f"step {number}") for number, text in enumerate(texts, 1))


def blocks_of(count: int, order: Order, anchored: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """
    Steps that are matched together.

    In any order, steps that follow each other without an anchored one between them are a block.

    Raises:
        ConfigError: an anchored step that there is not, or in a specific order.
    """
    if order == "specific" and anchored:
        raise ConfigError("anchored: in a specific order every step keeps its place")
    for number in anchored:
        if not 1 <= number <= count:
            raise ConfigError(f"anchored: there is no step {number}; steps are 1 to {count}")
    blocks: list[list[int]] = []
    for number in range(1, count + 1):
        loose = order == "any" and number not in anchored
        if loose and blocks and number > 1 and number - 1 not in anchored:
            blocks[-1].append(number)
        else:
            blocks.append([number])
    return tuple(map(tuple, blocks))


def exclusions_of(texts: Sequence[str], count: int, order: Order) -> dict[int, tuple[Step, ...]]:
    """
    ``Order Cancelled`` for every gap, ``2-3: Product Removed where ...`` between step 2 and step 3.

    Raises:
        ConfigError: a gap that there is not, or one in any order, where gaps have no place.
    """
    by_gap: dict[int, list[Step]] = {}
    for number, text in enumerate(texts, 1):
        place = f"exclude {number}"
        found = _GAPS.fullmatch(text)
        first, last = (int(found[1]), int(found[2])) if found else (1, count)
        if not 1 <= first < last <= count:
            raise ConfigError(f"{place}: gaps lie between steps, from 1-2 to {count - 1}-{count}")
        if found and order == "any":
            raise ConfigError(f"{place}: in any order an exclusion is for all gaps")
        step = step_of(found[3] if found else text, place)
        for gap in range(first, last):
            by_gap.setdefault(gap, []).append(step)
    return {gap: tuple(steps) for gap, steps in by_gap.items()}


def attribution_of(text: str, count: int) -> str:
    """``first``, ``last`` or a number. Raises ``ConfigError``: there is no such step."""
    named = text.strip().lower().removeprefix("step").strip()
    if named in ("first", "last") or (named.isdecimal() and 1 <= int(named) <= count):
        return named if named in ("first", "last") else str(int(named))
    raise ConfigError(f"attribution: first, last or a step, as step 2; steps are 1 to {count}")


def property_of(text: str, place: str) -> exp.Expr:
    """A column or a key of the properties, without parentheses around it."""
    return value_of(text, place)[0].unnest()


def values_of(breakdown: str | None, where: str | None) -> tuple[list[exp.Expr], exp.Expr | None]:
    """
    The properties that attempts need, what they are broken down by first, and the condition over them.

    Returns:
        The properties, and the condition with ``value_<n>`` in place of the n-th.
    """
    values = [] if breakdown is None else [property_of(breakdown, "breakdown")]
    if where is None:
        return values, None
    kept = row_filter(where, "where")
    for leaf in list(kept.find_all(exp.Column, exp.JSONExtractScalar)):
        if leaf.find_ancestor(exp.JSONExtractScalar):
            continue
        if leaf not in values:
            values.append(leaf.copy())
        new = exp.column(f"value_{values.index(leaf) + 1}")
        if leaf is kept:
            return values, new
        leaf.replace(new)
    return values, kept
