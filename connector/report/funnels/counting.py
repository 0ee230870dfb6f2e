"""
Which attempts there are and which of them count. Pure: a plan in, views out.

An attempt begins at a person's first entry, at every entry, or where the attempt before has ended
(*chained*: totals, and whenever the segment comes from what was matched). One is kept per person, session
or segment.
"""

from __future__ import annotations

from sqlglot import exp

from connector.report.compose import Composition, expression
from connector.report.funnels.matching import Matching
from connector.report.funnels.plan import Plan
from connector.report.funnels.rows import carried, key

ATTEMPTS = "funnel_attempts"


def define_attempts(composition: Composition, plan: Plan, split_starts: exp.Expr | None) -> str:
    """
    Add ``funnel_attempts``, one row for each attempt that counts: ``uid``, ``segment``, ``period`` (a day
    number), ``entry_ms``, ``reached``, ``last_ms`` and ``convert_ms``. It needs the views of ``rows``.

    Args:
        split_starts: the first day of the period of ``day_number``; None: the table is not split.

    Returns:
        The name of the view.
    """
    matching = Matching(plan)
    composition.define("funnel_starts", expression(_starts(plan)))
    if plan.chained:
        composition.define("funnel_chain", expression(_chain(plan, matching)))
        composition.define("funnel_followed", expression("SELECT * FROM funnel_chain WHERE reached > 0"))
    else:
        tables = {"started": "funnel_starts"}
        composition.define("funnel_followed", expression(matching.select()), tables=tables)
    composition.define("funnel_chosen", expression(_chosen(plan)))
    parameters = {"kept": plan.kept or exp.true(), "period": split_starts or exp.null()}
    return composition.define(ATTEMPTS, expression(_counted(plan)), parameters)


def _starts(plan: Plan) -> str:
    """The entries at which attempts begin."""
    entries = "SELECT *, entry_number AS next_entry FROM funnel_points WHERE is_entry = 1"
    if plan.counting == "reentry":
        return entries
    cut = ["period"] if plan.trend else []
    if plan.chained:
        group = [*key(plan), *cut]
    else:
        segment = ["value_1"] if plan.broken_down else []
        group = ["uid", *cut, *segment, *(["session_number"] if plan.counting == "sessions" else [])]
    return _first(entries, group, "place")


def _chain(plan: Plan, matching: Matching) -> str:
    """Attempts one after the other; the rows it begins with are none, and have reached nothing."""
    columns = matching.columns()
    nothing = dict.fromkeys(columns, "CAST(0 AS BIGINT)")
    nothing |= {name: name for name in [*carried(plan), *(c for c in columns if c.startswith("value_"))]}
    nothing["next_entry"] = "next_entry"
    begin = ", ".join(f"{text} AS {name}" for name, text in nothing.items())
    follow = matching.select().replace("FROM started ", "FROM funnel_chain AS started ", 1)
    return f"SELECT {begin} FROM funnel_starts UNION ALL {follow}"


def _chosen(plan: Plan) -> str:
    """Of the attempts followed those that count."""
    group = ["uid", *(["period"] if plan.trend else []), *(["value_1"] if plan.broken_down else [])]
    everything = "SELECT * FROM funnel_followed"
    if plan.counting == "reentry":
        return _first(everything, group, "reached DESC, last_ms, entry_place DESC")
    if not plan.chained or plan.counting == "totals":
        return everything
    session = ["session_number"] if plan.counting == "sessions" else []
    return _first(everything, [*group, *session], "entry_place")


def _counted(plan: Plan) -> str:
    segment = "value_1" if plan.broken_down else "CAST(NULL AS VARCHAR)"
    period = "period" if plan.trend else "$period" if plan.split else "CAST(NULL AS BIGINT)"
    return (
        f"SELECT uid, {segment} AS segment, {period} AS period, entry_ms, reached, last_ms, convert_ms"
        " FROM funnel_chosen WHERE $kept"
    )


def _first(rows: str, group: list[str], order: str) -> str:
    number = f"row_number() OVER (PARTITION BY {', '.join(group)} ORDER BY {order})"
    numbered = f"SELECT *, {number} AS choice FROM ({rows}) AS every_one"
    return f"SELECT * FROM ({numbered}) AS numbered WHERE choice = 1"
