"""
The shipped views for Athena, over the Glue tables ``<table>_raw``. Pure.

Each is written once, in the functions that mean the same on every engine (``report.functions``), and rendered
by sqlglot. Columns are named one by one: a ``*`` would make a view stale as soon as a table gets a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from connector.events import Json
from connector.infra.views_copies import without_copies
from connector.infra.views_people import identities, people
from connector.lake.event_views import EventView, event_views
from connector.report.compose import DIALECT
from connector.report.render import render
from connector.schemas import read_schemas
from connector.tables import TABLES, Table

FIRST_QUERY = (
    "SELECT day, event, count(DISTINCT row_id) AS events FROM events_raw "
    "WHERE day > current_date - INTERVAL '7' DAY GROUP BY day, event ORDER BY day DESC, events DESC"
)
"""What to ask Athena first: the events of the last seven days, each counted once. Needs no view."""

_HEAD = "-- {count} views for Athena, over the tables <name>_raw of the same database.\n"
_COPIES = (
    "One row per row_id of {name}_raw, the first received. Filter day{event}: only those files are read, and "
    "of all others the row ids alone."
)


class View(NamedTuple):
    """One view."""

    name: str
    says: str
    """What a row is, and what to know."""
    query: exp.Expr
    """In the functions of ``report.functions``."""

    @property
    def statement(self) -> str:
        """What Athena is told. Without comments: it keeps the text of a view."""
        tree = self.query.copy()
        for node in tree.walk():
            node.comments = None
        return f"CREATE OR REPLACE VIEW {self.name} AS\n{render(tree, 'athena')}"


def shipped_views(
    tables: Sequence[Table] = TABLES, documents: Mapping[str, Json] | None = None
) -> tuple[View, ...]:
    """
    All views, those that others name first.

    Args:
        tables: the declared tables, with a user's own columns where Glue has them too.
        documents: the schemas that tell which properties an event has; None: the shipped ones.

    Raises:
        ConfigError: a user's column has a name that is a keyword of Trino.
    """
    events = next(table for table in tables if table.name == "events")
    of_events = event_views(read_schemas() if documents is None else documents, events)
    return (
        *(_copies_removed(table) for table in tables),
        *(_from_file(name, events) for name in ("order_lines", "orders")),
        View("identities", "One row per device that belongs to a user: the first that was said of it. "
             "linked_at_ms is in ms since 1970.", identities()),
        View("people", "One row per person, signed in or not, with the current traits. uid is user_id, else "
             "$device: and the device. Times are in ms since 1970.", people()),
        *(_of_event(view) for view in of_events.values()),
    )  # fmt: skip


def document(views: Sequence[View]) -> str:
    """All statements as one text, each under what it says."""
    parts = (f"\n{_comment(view.says)}{view.statement};\n" for view in views)
    return _HEAD.format(count=len(views)) + "".join(parts)


def _copies_removed(table: Table) -> View:
    says = _COPIES.format(name=table.name, event=" and event" if "event" in table.by_name else "")
    return View(table.name, says, _parsed(without_copies(table)))


def _from_file(name: str, events: Table) -> View:
    """The local view, its ``*`` written out."""
    text = (files("connector.lake") / f"{name}.sql").read_text(encoding="utf-8")
    says = " ".join(line.removeprefix("-- ") for line in text.splitlines() if line.startswith("-- "))
    tree = _parsed(text)
    if isinstance(tree, exp.Select) and tree.is_star:
        tree.set("expressions", [exp.column(column) for column in _columns(events)])
    return View(name, says, tree)


def _of_event(view: EventView) -> View:
    says = f"One row per {view.event}, with the columns that it can have. Filter day."
    if "line_count" in view.columns:
        says += " Its products have a row each in order_lines, and none here."
    return View(view.name, says, _parsed(view.query))


def _columns(table: Table) -> Iterator[str]:
    yield from (column.name for column in table.columns)
    yield "day"


def _parsed(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read=DIALECT)


def _comment(text: str) -> str:
    """The text as comments of at most some 110 characters a line."""
    from textwrap import wrap

    return "".join(f"-- {line}\n" for line in wrap(text, 106))
