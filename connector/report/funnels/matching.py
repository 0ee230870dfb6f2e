"""
One SELECT that follows attempts step by step. Pure: a plan in, SQL text of our own names out.

The table ``started`` says where each attempt begins. Every further step is a join on the number of its row:

- *From the anchor*: the first row not earlier than the latest matched time less the grace. Its number is
  one more than there are rows before that time; that count only grows, so it is the greatest of the matched
  rows'.
- *From any of the first steps*: where several can begin, the others lie behind the entry.
- *Unused*: where an earlier step has the same event, the numbers it took are passed over.
- *Behind the attempt before* (chained attempts): rows up to the last one that it has used are spent.

Steps are matched as if nothing ended the attempt; then what lies behind its end is taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.report.funnels.endings import Endings
from connector.report.funnels.plan import Plan
from connector.report.funnels.rows import carried, same_key


class Matching:
    """The SQL of one plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.joined = [number for number in plan.numbers if number > 1 or plan.free_entry]
        """Steps that are looked for; the first is the entry unless several can be."""
        self._values = [f"value_{place}" for place in range(1, len(plan.values) + 1)]
        self._endings = Endings(plan, self.joined)

    def select(self) -> str:
        """Attempts with the columns of ``columns``, one row for each row of ``started``."""
        rows = self._taken()
        for name, new in (("taken", self._kept()), ("kept", self._measured())):
            rows = f"SELECT *, {_named(new)} FROM ({rows}) AS {name}"
        return f"SELECT {_named(self.columns())} FROM ({rows}) AS measured"

    def columns(self) -> dict[str, str]:
        """What is known of an attempt: name -> SQL."""
        same = [*carried(self.plan), "entry_place", "entry_ms", "reached", "last_ms"]
        columns = {name: name for name in same} | {"convert_ms": self._convert_ms()}
        columns |= {name: self._attributed(name) for name in self._values}
        if self.plan.chained:
            columns |= {"next_entry": self._next_entry(), "used_place": "used_place"}
        return columns

    def _taken(self) -> str:
        """What every step would take."""
        plan = self.plan
        columns = {name: f"entry.{name}" for name in carried(plan)}
        columns |= {"entry_place": "entry.place", "entry_ms": "entry.time_ms"}
        columns |= {f"taken_{number}": f"{self._alias(number)}.place" for number in plan.numbers}
        columns |= {f"ms_{number}": f"{self._alias(number)}.time_ms" for number in plan.numbers}
        for name in self._values:
            columns |= {f"{name}_{number}": f"{self._alias(number)}.{name}" for number in plan.numbers}
        if plan.chained:
            columns |= {"entries_in_window": "entry.entries_in_window"}
            columns |= {"entries": _greatest(f"{self._alias(number)}.entries" for number in plan.numbers)}
        columns |= self._endings.columns()
        return f"SELECT {_named(columns)} {' '.join([*self._joins(), *self._endings.joins()])}"

    def _joins(self) -> Iterable[str]:
        plan = self.plan
        period = " AND entry.period = started.period" if plan.chained and plan.trend else ""
        yield (
            f"FROM started INNER JOIN funnel_points AS entry ON {same_key(plan, 'entry', 'started')}"
            f" AND entry.entry_number = started.next_entry{period}"
        )
        if plan.chained:
            yield (
                f"LEFT JOIN funnel_points AS used ON {same_key(plan, 'used', 'started')}"
                " AND used.place = started.used_place"
            )
        for number in self.joined:
            yield self._step_join(number)

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
        matched = [f"{self._alias(other)}.before_{number}" for other in plan.before(number)]
        spent = [f"used.rows_{number}"] if plan.chained else []
        return self._unused(f"{_greatest([*matched, *spent, '0'])} + 1", number)

    def _unused(self, first: str, number: int) -> str:
        """From a number on the first that no earlier step has taken."""
        rivals = [f"coalesce({self._alias(other)}.number_{number}, 0)" for other in self.plan.rivals(number)]
        if not rivals:
            return first
        taken = ", ".join(rivals)
        tries = (f"WHEN {first} + {n} NOT IN ({taken}) THEN {first} + {n}" for n in range(len(rivals)))
        return f"CASE {' '.join(tries)} ELSE {first} + {len(rivals)} END"

    def _kept(self) -> dict[str, str]:
        """The places of what was taken before the end."""
        ended = bool(self._endings.columns())
        return {
            f"place_{n}": f"CASE WHEN ended_place IS NULL OR taken_{n} < ended_place THEN taken_{n} END"
            if ended and n in self.joined
            else f"taken_{n}"
            for n in self.plan.numbers
        }

    def _measured(self) -> dict[str, str]:
        ones = (f"CASE WHEN place_{number} IS NOT NULL THEN 1 ELSE 0 END" for number in self.plan.numbers)
        times = (f"CASE WHEN place_{n} IS NOT NULL THEN ms_{n} END" for n in self.plan.numbers)
        places = [f"place_{number}" for number in self.plan.numbers]
        measured = {"reached": " + ".join(ones), "last_ms": _greatest(times), "used_place": _greatest(places)}
        if not self.plan.ordered:
            measured |= {f"{name}_place": self._known_place(name) for name in self._values}
        return measured

    def _known_place(self, name: str) -> str:
        """In any order, first and last are those of the rows."""
        known = (f"CASE WHEN {name}_{n} IS NOT NULL THEN place_{n} END" for n in self.plan.numbers)
        return (_greatest if self.plan.attribution == "last" else _least)(known)

    def _attributed(self, name: str) -> str:
        """The value of an attempt: of a step, or the first or last that is known."""
        plan = self.plan
        if plan.values[self._values.index(name)] in plan.hold:
            return f"coalesce({', '.join(f'{name}_{number}' for number in plan.numbers)})"
        if plan.attribution.isdecimal():
            number = plan.attribution
            return f"CASE WHEN place_{number} IS NOT NULL THEN {name}_{number} END"
        if not plan.ordered:
            whens = (f"WHEN place_{number} = {name}_place THEN {name}_{number}" for number in plan.numbers)
            return f"CASE {' '.join(whens)} END"
        numbers = list(plan.numbers) if plan.attribution == "first" else list(plan.numbers)[::-1]
        known = (f"CASE WHEN place_{n} IS NOT NULL THEN {name}_{n} END" for n in numbers)
        return f"coalesce({', '.join(known)})"

    def _convert_ms(self) -> str:
        last = len(self.plan.steps)
        end = f"ms_{last}" if self.plan.ordered else "last_ms"
        return f"CASE WHEN reached = {last} THEN greatest({end} - entry_ms, 0) END"

    def _next_entry(self) -> str:
        """The entry that follows where this attempt ended."""
        ended = "WHEN ended_place IS NOT NULL THEN ended_entries + 1" if self._endings.columns() else ""
        converted = f"WHEN reached = {len(self.plan.steps)} THEN entries + 1"
        return f"CASE {ended} {converted} ELSE entries_in_window + 1 END"


def _named(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{text} AS {name}" for name, text in columns.items())


def _greatest(values: Iterable[str]) -> str:
    return f"greatest({', '.join(values)})"


def _least(values: Iterable[str]) -> str:
    return f"least({', '.join(values)})"
