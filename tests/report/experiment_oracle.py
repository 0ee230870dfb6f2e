"""Experiments read plainly: every exposed person and what they did, one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from connector.report.kinds.experiment import Asked
from tests.report import oracle

Rows = Iterable[dict[str, Any]]


class Plain:
    """``people``: variant and first exposure of everybody who saw one variant alone."""

    def __init__(self, rows: list[dict[str, Any]], asked: Asked) -> None:
        self.rows, self.asked = rows, asked
        seen: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for one in rows:
            inside = asked.from_day <= oracle.local_day(one, asked.timezone) <= asked.to_day
            if one["event"] == "Experiment Viewed" and one["uid"] and inside:
                seen[one["uid"]].append((one["time_ms"], one["variation_name"]))
        alone = {uid: own for uid, own in seen.items() if len({variant for _, variant in own}) == 1}
        self.people = {uid: (own[0][1], min(own)[0]) for uid, own in alone.items()}
        self.crossover = len(seen) - len(alone)
        self.variants = {variant for variant, _ in self.people.values()}

    def values(self, metric: str, variant: str, currency: str | None) -> list[Decimal]:
        """A number for everybody exposed to a variant."""
        people = [uid for uid, (own, _) in self.people.items() if own == variant]
        return [Decimal(self._value(metric, uid, currency)) for uid in people]

    def _value(self, metric: str, uid: str, currency: str | None) -> Decimal | int:
        own = list(self._within(uid, self.rows))
        bought = list(self._within(uid, self._sales()))
        if metric == "conversion":
            return int(any(one["event"] == "Order Completed" for one in own))
        if metric == "orders":
            return len(bought)
        if metric == "sessions":
            return self._sessions([one["time_ms"] for one in own])
        amounts = [one["order_revenue"] for one in bought if one["currency"] == currency]
        return sum((amount for amount in amounts if amount is not None), Decimal(0))

    def _within(self, uid: str, rows: Rows) -> Rows:
        begin = self.people[uid][1]
        return (one for one in rows if one["uid"] == uid and 0 <= one["time_ms"] - begin <= self.asked.window)

    def _sales(self) -> Rows:
        sales: dict[Any, dict[str, Any]] = {}
        for one in sorted(self.rows, key=lambda row: (row["time_ms"], row["row_id"])):
            if one["event"] == "Order Completed":
                sales.setdefault((one["source"], one.get("order_id") or one["row_id"]), one)
        return sales.values()

    def _sessions(self, times: list[int]) -> int:
        zone = self.asked.timezone
        return 1 + sum(
            after - before >= 1_800_000 or oracle.local_day(before, zone) != oracle.local_day(after, zone)
            for before, after in pairwise(times)
        )
