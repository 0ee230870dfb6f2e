"""
The usual funnel: steps of different events in their order, from each person's first entry. Pure: a plan in,
views out.

No row can be two steps, and nothing but the time of a row matters. So a step is the earliest row of its event
that lies late enough, and rows need no numbers: a third of the work of ``rows`` and ``matching``, for the
same attempts.
"""

from __future__ import annotations

from sqlglot import exp

from connector.report.compose import Composition, Value, expression
from connector.report.funnels.counting import ATTEMPTS
from connector.report.funnels.plan import Plan
from connector.report.funnels.rows import GRACE_MS


def is_usual(plan: Plan) -> bool:
    """Whether ``define_usual`` can count it."""
    one_event_each = len({step.event for step in plan.steps}) == len(plan.steps)
    more = (plan.hold, plan.exclusions, plan.values, plan.kept)
    return plan.ordered and plan.counting == "uniques" and one_event_each and not any(more)


def define_usual(composition: Composition, plan: Plan, period: exp.Expr | None) -> str:
    """
    Add the attempts, with the columns of ``counting.define_attempts``.

    Args:
        period: the first day of the period of ``day_number``; None: neither trend nor split.

    Returns:
        The name of the view.
    """
    parameters: dict[str, Value] = {"window_ms": plan.window_ms}
    parameters |= {f"step_{number}": step.condition() for number, step in enumerate(plan.steps, 1)}
    if period is not None:
        parameters["period"] = period
    if plan.members is not None:
        composition.define_rows("funnel_members", {"uid": "varchar"}, [[uid] for uid in sorted(plan.members)])
    composition.define("funnel_step_1", expression(_entries(plan)), parameters)
    for number in plan.numbers[1:]:
        composition.define(f"funnel_step_{number}", expression(_step(number)), parameters)
    return composition.define(ATTEMPTS, expression(_attempts(len(plan.steps))), parameters)


def _entries(plan: Plan) -> str:
    """Each person's first entry, with trend that of each period.

    step_ms: its time; last_ms: the latest until then.
    """
    members = "" if plan.members is None else " AND uid IN (SELECT uid FROM funnel_members)"
    rows = f"""
        SELECT uid, time_ms FROM activity
        WHERE uid IS NOT NULL{members} AND time_ms >= $from_ms AND time_ms < $to_ms AND ($step_1)
    """
    if plan.trend:
        dated = f"SELECT uid, time_ms, local_day(time_ms) AS day_number FROM ({rows}) AS entering"
        rows = f"SELECT uid, time_ms, $period AS period FROM ({dated}) AS dated"
        first = f"SELECT uid, period, min(time_ms) AS entry_ms FROM ({rows}) AS entering GROUP BY uid, period"
    else:
        first = f"SELECT uid, min(time_ms) AS entry_ms FROM ({rows}) AS entering GROUP BY uid"
        dated = f"SELECT uid, entry_ms, local_day(entry_ms) AS day_number FROM ({first}) AS entries"
        period = "$period" if plan.split else "CAST(NULL AS BIGINT)"
        first = f"SELECT uid, entry_ms, {period} AS period FROM ({dated}) AS dated"
    return f"SELECT uid, period, entry_ms, entry_ms AS step_ms, entry_ms AS last_ms FROM ({first}) AS firsts"


def _step(number: int) -> str:
    """Attempts that reached a step."""
    return f"""
        SELECT uid, entry_ms, step_ms, greatest(before_ms, step_ms) AS last_ms
        FROM (
            SELECT
                before_it.uid, before_it.entry_ms, before_it.last_ms AS before_ms,
                min(rows_.time_ms) AS step_ms
            FROM funnel_step_{number - 1} AS before_it
            INNER JOIN (SELECT uid, time_ms FROM activity WHERE ($step_{number})) AS rows_
                ON rows_.uid = before_it.uid
                AND rows_.time_ms >= before_it.last_ms - {GRACE_MS}
                AND rows_.time_ms <= before_it.entry_ms + $window_ms
            GROUP BY before_it.uid, before_it.entry_ms, before_it.last_ms
        ) AS reached
    """


def _attempts(last: int) -> str:
    later = range(2, last + 1)
    reached = " + ".join(["1", *(f"CASE WHEN step_{n}.uid IS NOT NULL THEN 1 ELSE 0 END" for n in later)])
    latest = ", ".join(f"step_{n}.last_ms" for n in range(last, 0, -1))
    joins = " ".join(
        f"LEFT JOIN funnel_step_{n} AS step_{n} "
        f"ON step_{n}.uid = step_1.uid AND step_{n}.entry_ms = step_1.entry_ms"
        for n in later
    )
    return f"""
        SELECT
            step_1.uid, CAST(NULL AS VARCHAR) AS segment, step_1.period, step_1.entry_ms,
            {reached} AS reached, coalesce({latest}) AS last_ms,
            CASE WHEN step_{last}.uid IS NOT NULL THEN greatest(step_{last}.step_ms - step_1.entry_ms, 0) END
                AS convert_ms
        FROM funnel_step_1 AS step_1 {joins}
    """
