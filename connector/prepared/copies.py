"""Which rows are copies of others, over all days; only days that changed are read.

Equal ``row_id`` in a table is one row; the least (``received_at`` nulls last, ``captured_file``,
``captured_index``) stays (tables 3). Hashed row ids of changed days meet those of all days, which lie
prepared; where two are equal, the rows themselves are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from connector.lake.faults import LakeUnreadable
from connector.lake.views import first_of_each
from connector.prepared.columns import GROUPS, KEYS, among, dates, key_of, nothing, on, rows_in
from connector.prepared.days import RESOLVED, TableDay
from connector.prepared.manifest import without
from connector.prepared.work import Work
from connector.tables import TABLES

if TYPE_CHECKING:
    import duckdb


def write_keys(work: Work, days: frozenset[TableDay]) -> Path:
    """Read the row ids of these days and write their keys into a new file.

    Raises:
        LakeUnreadable: the views show other rows than those of the ledger.
    """
    queries = [
        f"SELECT '{table}' AS table_name, day, {key_of(table)} AS key FROM {table}_raw {on(of_table)}"
        for table, of_table in work.to_read(days).items()
    ]
    path = work.write_part("keys", " UNION ALL ".join(queries) or nothing(KEYS))
    expected = {day: work.now[day].rows for day in days if day in work.now and work.now[day].rows}
    if work.part_of("keys", path).live != expected:
        raise LakeUnreadable(
            "the views show other rows than the ledger has: they must show all sources, and the ledger as it "
            "was folded for them"
        )
    return path


def find_groups(work: Work, fresh: Path, days: frozenset[TableDay]) -> None:
    """Make the table ``prepared.groups`` (``columns.GROUPS``) of every row with copies.

    Args:
        fresh: what ``write_keys`` wrote of the changed days.
        days: the changed days; what lies prepared of them does not count.
    """
    stored = rows_in(GROUPS, work.paths_of([work.base.groups]))
    kept = work.rows_of("keys", without(work.base.keys, days))
    work.lake.execute(f"CREATE VIEW prepared.fresh_keys AS {rows_in(KEYS, [fresh])}")
    work.lake.execute(f"CREATE VIEW prepared.old_keys AS {kept}")
    work.lake.execute(f"CREATE TABLE prepared.old_groups AS FROM ({stored}) WHERE NOT {among(days)}")
    work.run("doubtful.sql")
    _read_doubtful(work)
    work.run("groups.sql")


def _read_doubtful(work: Work) -> None:
    found = work.lake.execute(
        "SELECT table_name, list_sort(list(DISTINCT CAST(day AS VARCHAR))) FROM prepared.unread "
        "GROUP BY table_name"
    )
    for table, days in found.fetchall():
        work.lake.execute(
            f"""
            INSERT INTO prepared.members
            SELECT '{table}', day, key, row_id, received_at, captured_file, captured_index
            FROM (
                SELECT day, {key_of(table)} AS key, row_id, received_at, captured_file, captured_index
                FROM {table}_raw {on(days)}
            )
            SEMI JOIN (SELECT day, key FROM prepared.unread WHERE table_name = '{table}') USING (day, key)
            """
        )


def show_copies(lake: duckdb.DuckDBPyConnection, now: Mapping[TableDay, object]) -> int:
    """Make ``copies`` and the views of unique rows from ``prepared.groups``; return the number of copies.

    A row of one event that lies twice in the files is no copy of itself: where that happens, the view of the
    table picks one of the two.
    """
    lake.execute(
        "CREATE OR REPLACE TABLE copies AS SELECT DISTINCT table_name, row_id, captured_file, captured_index "
        "FROM prepared.groups WHERE NOT stays AND NOT twin"
    )
    found = lake.execute(
        "SELECT table_name, bool_or(twin), list_sort(list(DISTINCT CAST(day AS VARCHAR))) "
        "FROM prepared.groups WHERE NOT stays GROUP BY table_name"
    ).fetchall()
    with_copies = {table: (twins, days) for table, twins, days in found}
    for table in TABLES:
        if table.name in RESOLVED:
            twins, days = with_copies.get(table.name, (False, []))
            all_days = {day for name, day in now if name == table.name} == set(days)
            query = first_of_each(table) if twins else _unique(table.name, days, all_days)
            lake.execute(f"CREATE OR REPLACE VIEW unique_{table.name} AS {query}")
    ((copies,),) = lake.execute("SELECT count(*) FROM copies").fetchall()
    return int(copies)


def _unique(table: str, days: list[str], all_days: bool) -> str:
    """Only days that have copies pay for the comparison of row ids."""
    rows = f"SELECT * FROM {table}_raw"
    without_copies = (
        f"SELECT * FROM {table}_raw ANTI JOIN (SELECT row_id, captured_file, captured_index FROM copies "
        f"WHERE table_name = '{table}') USING (row_id, captured_file, captured_index)"
    )
    if not days:
        return rows
    if all_days:
        return without_copies
    listed = dates(days)
    return f"{rows} WHERE day NOT IN ({listed}) UNION ALL {without_copies} WHERE day IN ({listed})"
