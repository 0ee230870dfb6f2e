"""
One SELECT that follows attempts step by step. Pure: a plan in, SQL text of our own names out.

The table ``started`` says where each attempt begins. Every further step is a join on the number of its row:

- *From the anchor*: the first row not earlier than the latest matched time less the grace. Its number is
  one more than there are rows before that time; that count only grows, so it is the greatest of the matched
  rows'.
- *From any of the first steps*: where several can begin, the others lie behind the entry.
- *Unused*: where an earlier step has the same event, the numbers it took are passed over.
- *Behind the attempt before* (chained attempts): rows up to the last one that it has used are spent.
"""

from __future__ import annotations

from collections.abc import Iterable

from connector.report.funnels.plan import Plan
from connector.report.funnels.rows import GRACE_MS, carried, same_key


class Matching:
    """The expressions of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.joined = [number for number in plan.numbers if number > 1 or plan.free_entry]
        """Steps that are looked for; the first is the entry unless several can be."""
        self.floors = [number for number in self.joined if plan.chained and plan.before(number)]
        """Steps that must not take what the attempt before has used."""

    def select(self) -> str:
        """Attempts: the columns of ``columns``, one row for each row of ``started``."""
        plan = self.plan
        period = " AND entry.period = started.period" if plan.chained and plan.trend else ""
        joins = [
            f"FROM started INNER JOIN funnel_points AS entry ON {same_key(plan, 'entry', 'started')}"
            f" AND entry.entry_number = started.next_entry{period}"
        ]
        joins += [self._step_join(number) for number in self.joined]
        joins += [self._ending_join(alias, gap) for alias, gap in self._endings().items()]
        picked = ", ".join(f"{text} AS {name}" for name, text in self.columns().items())
        return f"SELECT {picked} {' '.join(joins)}"

    def columns(self) -> dict[str, str]:
        """Name -> SQL of what is known of an attempt."""
        plan = self.plan
        found = {name: f"entry.{name}" for name in carried(plan)}
        found |= {
            "entry_place": "entry.place",
            "entry_ms": "entry.time_ms",
            "reached": self._reached(),
            "last_ms": _greatest(["entry.time_ms", *(self._valid(n, "time_ms") for n in self.joined)]),
        }
        found["convert_ms"] = self._convert_ms()
        for place in range(1, len(plan.values) + 1):
            found[f"value_{place}"] = self._attributed(f"value_{place}")
        if plan.chained:
            found["next_entry"] = self._next_entry()
        for number in self.floors:
            name = f"rows_{number}"
            used = (self._valid(other, name) for other in self.joined)
            found[f"spent_{number}"] = _greatest([f"entry.{name}", *used])
        return found

    def _alias(self, number: int) -> str:
        return f"step_{number}" if number in self.joined else "entry"

    def _step_join(self, number: int) -> str:
        step, plan = f"step_{number}", self.plan
        before = plan.blocks[plan.block_of(number) - 1] if plan.before(number) else ()
        reached = "".join(f" AND {self._alias(n)}.place IS NOT NULL" for n in before if n in self.joined)
        return (
            f"LEFT JOIN funnel_points AS {step} ON {same_key(plan, step, 'entry')}"
            f" AND {step}.number_{number} = {self._wanted(number)}"
            f" AND {step}.time_ms <= entry.time_ms + {plan.window_ms}{reached}"
        )

    def _wanted(self, number: int) -> str:
        """The number of the row that a step takes."""
        plan = self.plan
        if not plan.before(number):
            own = " OR ".join(f"entry.is_{other} = 1" for other in plan.blocks[0] if other < number)
            behind = self._unused(f"entry.rows_{number} + 1", number)
            taken = f"entry.is_{number} = 1" + (f" AND NOT coalesce({own}, FALSE)" if own else "")
            return f"CASE WHEN {taken} THEN entry.rows_{number} ELSE {behind} END"
        matched = ["entry", *(f"step_{other}" for other in plan.before(number) if other in self.joined)]
        counts = [f"{alias}.before_{number}" for alias in matched]
        counts += [f"started.spent_{number}"] if number in self.floors else []
        return self._unused(f"{_greatest(counts)} + 1", number)

    def _unused(self, first: str, number: int) -> str:
        """From a number on the first that no earlier step has taken."""
        rivals = [f"coalesce({self._alias(other)}.number_{number}, 0)" for other in self.plan.rivals(number)]
        if not rivals:
            return first
        taken = ", ".join(rivals)
        tries = (
            f"WHEN {first} + {more} NOT IN ({taken}) THEN {first} + {more}" for more in range(len(rivals))
        )
        return f"CASE {' '.join(tries)} ELSE {first} + {len(rivals)} END"

    def _endings(self) -> dict[str, int]:
        """Alias of a row that may end the attempt -> its gap. ``ending_0`` comes after all that matched."""
        plan = self.plan
        if not plan.exclusions:
            return {}
        if plan.ordered:
            return {
                f"ending_{number}": plan.ends(number - 1)
                for number in self.joined
                if number - 1 in plan.exclusions
            }
        return {f"ending_{number}": plan.gaps[0] for number in [*self.joined, 0]}

    def _ending_join(self, alias: str, gap: int) -> str:
        number = int(alias.removeprefix("ending_"))
        counts = [f"entry.graced_{gap}", *self._graced(number, gap)]
        return (
            f"LEFT JOIN funnel_points AS {alias} ON {same_key(self.plan, alias, 'entry')}"
            f" AND {alias}.ending_{gap} = {_greatest(counts)} + 1"
            f" AND {alias}.time_ms <= entry.time_ms + {self.plan.window_ms}"
            f" AND {self._unfollowed(alias, number)}"
        )

    def _graced(self, number: int, gap: int) -> Iterable[str]:
        """How many rows that end it lie before the grace after each step matched so far is over."""
        for other in self.joined:
            count = f"step_{other}.graced_{gap}"
            if self.plan.ordered:
                yield from [count] if other < number else []
            elif number == 0:
                yield count
            elif other != number:
                yield f"CASE WHEN step_{other}.place < step_{number}.place THEN {count} END"

    def _unfollowed(self, alias: str, number: int) -> str:
        """No step follows within the grace."""
        earlier = f"{alias}.time_ms < step_{number}.time_ms - {GRACE_MS}"
        if not self.plan.ordered:
            missing = " OR ".join(f"step_{other}.place IS NULL" for other in self.joined)
            return f"({missing})" if number == 0 else earlier
        there = f"{self._alias(number - 1)}.place IS NOT NULL"
        return f"{there} AND (step_{number}.place IS NULL OR {earlier})"

    def _ended(self, column: str) -> str:
        """A column of the row that ended the attempt; null where none did."""
        return _least([f"{alias}.{column}" for alias in self._endings()])

    def _valid(self, number: int, column: str) -> str:
        """A column of the row that a step took before the attempt ended; else null."""
        value = f"{self._alias(number)}.{column}"
        if not self.plan.exclusions or number not in self.joined:
            return value
        ended = self._ended("place")
        return f"CASE WHEN {ended} IS NULL OR step_{number}.place < {ended} THEN {value} END"

    def _reached(self) -> str:
        """How many steps were matched."""
        ones = [f"CASE WHEN {self._valid(n, 'place')} IS NOT NULL THEN 1 ELSE 0 END" for n in self.joined]
        return " + ".join(ones if self.plan.free_entry else ["1", *ones])

    def _convert_ms(self) -> str:
        last = len(self.plan.steps)
        ends = [f"step_{last}.time_ms"] if self.plan.ordered else [f"step_{n}.time_ms" for n in self.joined]
        late = _greatest([f"{_greatest(ends)} - entry.time_ms", "0"])
        return f"CASE WHEN {self._reached()} = {last} THEN {late} END"

    def _next_entry(self) -> str:
        """The entry that follows where this attempt ended."""
        used = _greatest(["entry.entries", *(f"step_{number}.entries" for number in self.joined)])
        done = f"WHEN {self._reached()} = {len(self.plan.steps)} THEN {used} + 1"
        killed = self._ended("entries")
        ended = f"WHEN {killed} IS NOT NULL THEN {killed} + 1" if self.plan.exclusions else ""
        return f"CASE {ended} {done} ELSE entry.entries_in_window + 1 END"

    def _attributed(self, column: str) -> str:
        """The value of an attempt: of a step, or the first or last that is known."""
        plan = self.plan
        if plan.values[int(column.removeprefix("value_")) - 1] in plan.hold:
            return f"entry.{column}"
        if plan.attribution.isdecimal():
            return self._valid(int(plan.attribution), column)
        numbers = list(plan.numbers) if plan.attribution == "first" else list(plan.numbers)[::-1]
        if plan.ordered:
            return f"coalesce({', '.join(self._valid(number, column) for number in numbers)})"
        return self._by_place(column)

    def _by_place(self, column: str) -> str:
        """In any order, first and last are those of the rows."""
        there = {number: f"{self._valid(number, column)} IS NOT NULL" for number in self.plan.numbers}
        places = {n: f"CASE WHEN {test} THEN {self._alias(n)}.place END" for n, test in there.items()}
        chosen = (_least if self.plan.attribution == "first" else _greatest)(list(places.values()))
        whens = (f"WHEN {self._alias(n)}.place = {chosen} THEN {self._alias(n)}.{column}" for n in places)
        return f"CASE {' '.join(whens)} END"


def _greatest(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"greatest({', '.join(values)})"


def _least(values: list[str]) -> str:
    return values[0] if len(values) == 1 else f"least({', '.join(values)})"
