"""Whose each device is: the first statement about it, over all days; only days that changed are read.

Statements are rows with both ids, copies left out; the first in the order of one person's rows counts
(analytics definitions 0.2 and 0.4). Per day and table the first statement about each device lies prepared,
and of all these the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from connector.prepared.columns import FIRST_LINK, IDENTITIES, LINKS, among, nothing, on, rows_in
from connector.prepared.days import TableDay
from connector.prepared.manifest import without
from connector.prepared.work import Work

if TYPE_CHECKING:
    import duckdb

_STATEMENTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "events": (("anonymous_id", "line_index"),),
    "profiles": (("anonymous_id", "NULL::INTEGER"),),
    "aliases": (("previous_id", "NULL::INTEGER"), ("anonymous_id", "NULL::INTEGER")),
}
"""Table -> the columns that name a device which belongs to ``user_id``, and the place in an order."""


def days_to_link(work: Work, days: frozenset[TableDay]) -> frozenset[TableDay]:
    """The days whose statements are read anew: the changed ones, and those in which other rows than before
    are copies. After ``find_groups``."""
    found = work.lake.execute(
        """
        WITH before AS (SELECT table_name, day, row_id, captured_file, captured_index, twin
                        FROM prepared.old_groups WHERE NOT stays),
             now AS (SELECT table_name, day, row_id, captured_file, captured_index, twin
                     FROM prepared.groups WHERE NOT stays)
        SELECT DISTINCT table_name, CAST(day AS VARCHAR)
        FROM ((FROM before EXCEPT ALL FROM now) UNION ALL (FROM now EXCEPT ALL FROM before))
        """
    ).fetchall()
    return days | {TableDay(table, day) for table, day in found}


def write_links(work: Work, days: frozenset[TableDay]) -> Path:
    """Read the statements of these days and write the first about each device, by day and table, into a new
    file. The views of unique rows are there."""
    queries = [_first_of(table, of_table) for table, of_table in work.to_read(days).items()]
    return work.write_part("links", " UNION ALL ".join(queries) or nothing(LINKS))


def write_identities(work: Work, fresh: Path, days: frozenset[TableDay]) -> Path:
    """Write the first statement of all about each device into a new file.

    What was first before still is unless it was said on a day that was read anew, or a fresh statement comes
    before it. Only in the first case, and where two have one time, all statements about a device are needed.

    Args:
        fresh: what ``write_links`` wrote of the days.
        days: those that were read anew; what lies prepared of them does not count.
    """
    before = rows_in(IDENTITIES, work.paths_of([work.base.identities]))
    work.lake.execute(f"CREATE VIEW prepared.fresh_links AS {rows_in(LINKS, [fresh])}")
    work.lake.execute(f"CREATE VIEW prepared.before AS SELECT *, {among(days)} AS gone FROM ({before})")
    work.run("touched.sql")
    work.lake.execute(f"CREATE VIEW prepared.kept_links AS {_not_before_the_open_ones(work, days)}")
    work.run("first_links.sql")
    return work.write("identities", "SELECT * FROM prepared.first_links")


def show_identities(lake: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Make ``identities`` from a file of them; return how many devices have a user."""
    lake.execute(
        "CREATE OR REPLACE TABLE identities AS SELECT anonymous_id, user_id, linked_at_ms, row_id "
        f"FROM ({rows_in(IDENTITIES, [path])})"
    )
    ((devices,),) = lake.execute("SELECT count(*) FROM identities").fetchall()
    return int(devices)


def _first_of(table: str, days: list[str] | None) -> str:
    rows = " UNION ALL ".join(
        f'SELECT day, {device} AS anonymous_id, user_id, epoch_ms("timestamp") AS linked_at_ms, message_id, '
        f"{line} AS line_index, row_id FROM unique_{table} {on(days)}"
        for device, line in _STATEMENTS[table]
    )
    return (
        f"SELECT '{table}' AS table_name, * FROM ({rows}) WHERE anonymous_id <> '' AND user_id <> '' "
        f"QUALIFY row_number() OVER (PARTITION BY day, anonymous_id ORDER BY {FIRST_LINK}) = 1"
    )


def _not_before_the_open_ones(work: Work, days: frozenset[TableDay]) -> str:
    """Statements of other days. Those before the first that was taken back were no device's first, nor will
    they be."""
    query = "SELECT count(*), min(linked_at_ms) FROM prepared.open"
    ((devices, since_ms),) = work.lake.execute(query).fetchall()
    parts = [
        part
        for part in without(work.base.links, days)
        if devices and (part.until_ms is None or (since_ms is not None and part.until_ms >= since_ms))
    ]
    later = "" if since_ms is None else f"linked_at_ms >= {since_ms} OR "
    return f"SELECT * FROM ({work.rows_of('links', parts)}) WHERE {later}linked_at_ms IS NULL"
