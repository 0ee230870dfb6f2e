"""
The views of tables without copies, as Athena can answer them cheaply. Pure.

One row per ``row_id``, the least by arrival (tables 3): that is what the local views say too, with a window
over ``row_id``. Trino carries a condition through a window only where the window is partitioned by its
column, so above that window ``day = …`` would keep rows back and no file: every query would read every day.
Partitioned by ``day`` as well the condition reaches the files, but copies with times of different days, which
SDKs send after a new try, would each be a row.

So there are two steps. Of the copies in one *place* (day, and of events the event) a window leaves the first;
a condition on a place goes through it, and through the left side of the join. Row ids that were found in
several places are the other side of the join: it reads all days, of each row only its id and what orders the
copies, and says in which place the first of them lies.
"""

from __future__ import annotations

from connector.tables import Table

_FIRST = "received_at NULLS LAST, captured_file, captured_index"


def without_copies(table: Table) -> str:
    """The SELECT over ``<table>_raw``, in DuckDB's dialect: the table's columns in order, then ``day``."""
    place = _place_of(table)
    names = [*(column.name for column in table.columns), "day"]
    columns = ",\n    ".join(f"one_place.{name}" for name in names)
    least = ", ".join(f"min({name}) OVER (PARTITION BY row_id) AS least_{name}" for name in place)
    most = ", ".join(f"max({name}) OVER (PARTITION BY row_id) AS most_{name}" for name in place)
    differs = " OR ".join(f"least_{name} <> most_{name}" for name in place)
    is_first = " AND ".join(f"moved.{name} = one_place.{name}" for name in place)
    listed = ", ".join(place)
    return f"""
WITH one_place AS (
    SELECT *, row_number() OVER (PARTITION BY row_id, {listed} ORDER BY {_FIRST}) AS copy_number
    FROM {table.name}_raw
),

moved AS (
    SELECT row_id, {listed}
    FROM (
        SELECT
            row_id, {listed}, {least}, {most},
            row_number() OVER (PARTITION BY row_id ORDER BY {_FIRST}, {listed}) AS copy_number
        FROM {table.name}_raw
    ) AS all_places
    WHERE copy_number = 1 AND ({differs})
)

SELECT
    {columns}
FROM one_place
LEFT JOIN moved ON moved.row_id = one_place.row_id
WHERE one_place.copy_number = 1 AND (moved.row_id IS NULL OR ({is_first}))
"""


def _place_of(table: Table) -> tuple[str, ...]:
    """What queries ask for most, and files are laid out and sorted by."""
    return ("day", "event") if "event" in table.by_name else ("day",)
