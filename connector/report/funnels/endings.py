"""
What excludes an attempt. Pure: a plan in, SQL text of our own names out.

In a gap, the excluding row that ends it is the first one later than the matched rows and the grace after
them; it does so if it lies earlier than the next step and the grace before that, or if there is no next
step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.report.funnels.plan import Plan
from connector.report.funnels.rows import GRACE_MS, same_key


class Endings:
    """
    The joins that find what ends an attempt, beside those of its steps.

    Args:
        joined: the steps that have joins of their own.
    """

    def __init__(self, plan: Plan, joined: Sequence[int]) -> None:
        self.plan = plan
        self.joined = joined
        self._gaps = self._by_alias() if plan.exclusions else {}

    def columns(self) -> dict[str, str]:
        """The place of the row that ended the attempt, and the entries up to it; null where none did."""
        if not self._gaps:
            return {}
        return {f"ended_{name}": self._first(name) for name in ("place", "entries")}

    def joins(self) -> Iterable[str]:
        for alias, gap in self._gaps.items():
            number = int(alias.removeprefix("ending_"))
            counts = ", ".join([f"entry.graced_{gap}", *self._graced(number, gap), "0"])
            yield (
                f"LEFT JOIN funnel_points AS {alias} ON {same_key(self.plan, alias, 'entry')}"
                f" AND {alias}.ending_{gap} = greatest({counts}) + 1"
                f" AND {alias}.time_ms <= entry.time_ms + {self.plan.window_ms}"
                f" AND {self._unfollowed(alias, number)}"
            )

    def _first(self, column: str) -> str:
        values = [f"{alias}.{column}" for alias in self._gaps]
        return values[0] if len(values) == 1 else f"least({', '.join(values)})"

    def _by_alias(self) -> dict[str, int]:
        """Alias -> the gap before the step of its number; ``ending_0`` comes after all that was matched."""
        plan = self.plan
        if not plan.ordered:
            return {f"ending_{number}": plan.gaps[0] for number in [*self.joined, 0]}
        numbers = (number for number in self.joined if number - 1 in plan.exclusions)
        return {f"ending_{number}": plan.ends(number - 1) for number in numbers}

    def _graced(self, number: int, gap: int) -> Iterable[str]:
        """How many excluding rows lie before the grace after each earlier step is over."""
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
        before = f"step_{number - 1}.place IS NOT NULL AND " if number - 1 in self.joined else ""
        return f"{before}(step_{number}.place IS NULL OR {earlier})"
