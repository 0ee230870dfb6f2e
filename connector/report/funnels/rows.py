"""
The rows of a funnel and what can be counted once for each of them. Pure: a plan in, views out.

Nothing here looks for a next step. Rows of a step are numbered along each *key* (a person, and the values
of held properties); a row knows how many rows of each step lie before it. A match is then a join on a
number, so that the work grows with the rows of a person and not with their square.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from connector.report.compose import Composition, Value, expression
from connector.report.funnels.plan import Plan

GRACE_MS = 2_000
"""How much earlier than the steps before it a step may lie."""


def define_rows(composition: Composition, plan: Plan, period: exp.Expr | None) -> None:
    """
    Add ``funnel_rows`` (what can be a step or an exclusion), ``funnel_ordered`` and ``funnel_points``.

    Args:
        period: the first day of the period of ``day_number``; None: the funnel has no trend.
    """
    parameters: dict[str, Value] = {"window_ms": plan.window_ms}
    parameters |= {f"step_{number}": step.condition() for number, step in enumerate(plan.steps, 1)}
    parameters |= {f"held_{place}": held for place, held in enumerate(plan.hold, 1)}
    parameters |= {f"value_{place}": value for place, value in enumerate(plan.values, 1)}
    for gap in plan.gaps:
        ending = [exp.paren(step.condition()) for step in plan.exclusions[gap]]
        parameters[f"ends_{gap}"] = exp.or_(*ending, copy=False)
    if period is not None:
        parameters["period"] = period
    if plan.members is not None:
        composition.define_rows("funnel_members", {"uid": "varchar"}, [[uid] for uid in sorted(plan.members)])
    source = {"activity": "funnel_sessions"} if _sessions(plan) else {}
    composition.define("funnel_rows", expression(_rows(plan)), parameters, source)
    composition.define("funnel_ordered", expression(_ordered(plan)), parameters)
    composition.define("funnel_points", expression(_points(plan)), parameters, materialized=True)


def key(plan: Plan) -> list[str]:
    """Columns within which rows are numbered."""
    return ["uid", *(f"held_{place}" for place in range(1, len(plan.hold) + 1))]


def same_key(plan: Plan, left: str, right: str) -> str:
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in key(plan))


def carried(plan: Plan) -> list[str]:
    """Columns of an entry that its attempt keeps."""
    cut = ["period"] if plan.trend else ["day_number"] if plan.split else []
    return [*key(plan), *cut, *(["session_number"] if _sessions(plan) else [])]


def _sessions(plan: Plan) -> bool:
    return plan.counting == "sessions"


def _rows(plan: Plan) -> str:
    flags = [f"CASE WHEN $step_{number} THEN 1 END AS is_{number}" for number in plan.numbers]
    flags += [f"CASE WHEN $ends_{gap} THEN 1 END AS ends_{gap}" for gap in plan.gaps]
    held = [f"held_{place}" for place in range(1, len(plan.hold) + 1)]
    picked = [f"${name} AS {name}" for name in [*held, *(f"value_{p}" for p in _places(plan))]]
    picked += ["session_number"] if _sessions(plan) else []
    picked += ["local_day(time_ms) AS day_number"] if plan.trend or plan.split else []
    wanted = [f"is_{number} = 1" for number in plan.numbers] + [f"ends_{gap} = 1" for gap in plan.gaps]
    known = "".join(f" AND {name} IS NOT NULL" for name in held)
    members = "" if plan.members is None else " AND uid IN (SELECT uid FROM funnel_members)"
    return f"""
        SELECT * FROM (
            SELECT {_list(["uid", "time_ms", "message_id", "line_index", "row_id", *picked, *flags])}
            FROM activity
            WHERE uid IS NOT NULL{members}
                AND time_ms >= $from_ms - {GRACE_MS} AND time_ms < $to_ms + $window_ms
        ) AS flagged
        WHERE ({" OR ".join(wanted)}){known}"""


def _ordered(plan: Plan) -> str:
    entry = " OR ".join(f"is_{number} = 1" for number in plan.blocks[0])
    period = ", $period AS period" if plan.trend else ""
    return f"""
        SELECT *{period},
            CASE WHEN ({entry}) AND time_ms >= $from_ms AND time_ms < $to_ms THEN 1 END AS is_entry,
            row_number() OVER (
                PARTITION BY uid
                ORDER BY time_ms, message_id NULLS LAST, line_index NULLS FIRST, row_id
            ) AS place
        FROM funnel_rows"""


def _points(plan: Plan) -> str:
    along = f"OVER (PARTITION BY {', '.join(key(plan))} ORDER BY"
    until = f"{along} place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    before = f"{along} time_ms RANGE BETWEEN UNBOUNDED PRECEDING AND {GRACE_MS + 1} PRECEDING)"
    grace = f"{along} time_ms RANGE BETWEEN UNBOUNDED PRECEDING AND {GRACE_MS} FOLLOWING)"
    window = f"{along} time_ms RANGE BETWEEN UNBOUNDED PRECEDING AND {plan.window_ms} FOLLOWING)"
    counts = [f"count(is_entry) {until} AS entries"]
    counts += [f"count(is_entry) {window} AS entries_in_window"] if plan.chained else []
    for number in plan.numbers:
        counts += [
            f"count(is_{number}) {until} AS rows_{number}",
            f"count(is_{number}) {before} AS before_{number}",
        ]
    for gap in plan.gaps:
        counts += [
            f"count(ends_{gap}) {until} AS endings_{gap}",
            f"count(ends_{gap}) {grace} AS graced_{gap}",
        ]
    numbers = ["CASE WHEN is_entry = 1 THEN entries END AS entry_number"]
    numbers += [
        f"CASE WHEN is_{number} = 1 THEN rows_{number} END AS number_{number}" for number in plan.numbers
    ]
    numbers += [f"CASE WHEN ends_{gap} = 1 THEN endings_{gap} END AS ending_{gap}" for gap in plan.gaps]
    return f"SELECT *, {_list(numbers)} FROM (SELECT *, {_list(counts)} FROM funnel_ordered) AS counted"


def _places(plan: Plan) -> Iterable[int]:
    return range(1, len(plan.values) + 1)


def _list(columns: Iterable[str]) -> str:
    return ", ".join(columns)
