"""Rows of captured files as they are live, and as they would be: what is added, removed and changed.

Rows are paired by ``row_id``, which no mapping changes (tables 3). The column ``mapping`` names the
configuration itself and is not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from connector.lake.views import FIRST, list_of

if TYPE_CHECKING:
    import duckdb

_NOT_COMPARED = frozenset(("row_id", "captured_file", "captured_index", "mapping", "day"))
_KEYS = "row_id, captured_file, captured_index, day"
_NO_KEYS = (
    "NULL::VARCHAR AS row_id, NULL::VARCHAR AS captured_file, NULL::BIGINT AS captured_index, "
    "NULL::VARCHAR AS day, NULL::TIMESTAMPTZ AS received_at"
)
_FIRST = FIRST.replace("received_at", "arrived")
_DAY = r"regexp_extract(__file, 'day=([0-9-]+)/[^/]*$', 1)"


@dataclass(slots=True)
class TableDifference:
    """Rows of one table."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    """Column -> changed rows in which it differs; ``day`` when a row moves to another partition."""

    @property
    def rows(self) -> int:
        return self.added + self.removed + self.changed

    def add(self, more: TableDifference) -> None:
        self.added += more.added
        self.removed += more.removed
        self.changed += more.changed
        self.columns += more.columns


@dataclass(slots=True)
class Difference:
    """What another run changes."""

    tables: dict[str, TableDifference] = field(default_factory=dict)
    days: set[str] = field(default_factory=set)
    """Days of events, ``YYYY-MM-DD``, whose rows differ."""
    captured_files: set[str] = field(default_factory=set)
    """Captured files with rows or fates that differ."""
    with_copies: set[str] = field(default_factory=set)
    """Captured files with such rows that are ``copies``."""
    copies: int = 0
    """Rows that would come back and are copies of rows that others have: the views hide them, compaction
    takes them out again."""
    fates: Counter[str] = field(default_factory=Counter)
    """``rejected`` and ``unmatched`` -> events more, or less when negative."""

    def add(self, more: Difference) -> None:
        for name, of_table in more.tables.items():
            self.tables.setdefault(name, TableDifference()).add(of_table)
        self.days |= more.days
        self.captured_files |= more.captured_files
        self.with_copies |= more.with_copies
        self.copies += more.copies
        self.fates.update(more.fates)

    @property
    def rows(self) -> int:
        return sum(of_table.rows for of_table in self.tables.values())


class Comparison:
    """Compares the rows of some captured files, table by table, in one DuckDB connection."""

    def __init__(self, database: duckdb.DuckDBPyConnection, captured_files: Iterable[str]) -> None:
        self._db = database
        name_rerun_files(database, captured_files)

    def compare(
        self, table: str, live: Sequence[Path], new: Sequence[Path], others: Sequence[Path]
    ) -> Difference:
        """What becomes of the rows of one table.

        Args:
            live: table files that may hold rows of the captured files now.
            new: files of the new run.
            others: live files of the days of ``new``, where rows of other captured files may lie. Paths hold
                their day as ``day=…``.
        """
        found = Difference()
        if not live and not new:
            return found
        columns = self._relations(live, new)
        pairs = self._pairs(columns)
        of_table = TableDifference()
        for kind, rows in pairs:
            setattr(of_table, kind, rows)
        if of_table.added:
            copies = self._copies(others)
            of_table.added -= copies
            found.copies = copies
        if of_table.changed:
            of_table.columns = self._columns(columns)
        if of_table.rows:
            found.tables[table] = of_table
        query = "SELECT DISTINCT unnest([old_day, new_day]) AS day FROM differing WHERE NOT is_copy"
        found.days = {day for (day,) in self._db.execute(query).fetchall() if day is not None}
        query = "SELECT DISTINCT captured_file, is_copy FROM differing"
        for name, is_copy in self._db.execute(query).fetchall():
            (found.with_copies if is_copy else found.captured_files).add(name)
        return found

    def _relations(self, live: Sequence[Path], new: Sequence[Path]) -> list[str]:
        """Views ``old_rows`` and ``new_rows``: the keys of a row, and a hash of each other column, so that a
        join takes about a kilobyte a row, however wide they are. Return the columns to be compared."""
        there: list[dict[str, str]] = []
        for name, paths, where in (
            ("old_rows", live, " SEMI JOIN rerun_files USING (captured_file)"),
            ("new_rows", new, ""),
        ):
            rows = f"SELECT *, {_DAY} AS day FROM {_files(paths)}{where}" if paths else None
            described = self._db.execute(f"DESCRIBE {rows}").fetchall() if rows else []
            there.append({column: kind for column, kind, *_ in described if column != "__file"})
            self._db.execute(f"CREATE OR REPLACE VIEW {name}_found AS {rows or f'SELECT {_NO_KEYS}'}")
        had, has = there
        union = {**has, **had}
        for name, mine, other, paths in (("old_rows", had, has, live), ("new_rows", has, had, new)):
            hashes = ", ".join(
                f'hash({_comparable(column, mine, other)}) AS "{column}"'
                for column in union
                if column not in _NOT_COMPARED
            )
            none = "" if paths else " WHERE false"
            self._db.execute(
                f"CREATE OR REPLACE VIEW {name} AS SELECT {_KEYS}, received_at AS arrived, {hashes} "
                f"FROM {name}_found{none}"
            )
        return [column for column in union if column not in _NOT_COMPARED]

    def _pairs(self, columns: Sequence[str]) -> list[tuple[str, int]]:
        """Make the table ``differing``; return how many rows are added, removed and changed."""
        differ = " OR ".join(f'o."{column}" IS DISTINCT FROM n."{column}"' for column in (*columns, "day"))
        self._db.execute(
            f"""
            CREATE OR REPLACE TABLE differing AS
            SELECT coalesce(o.row_id, n.row_id) AS row_id,
                   coalesce(o.captured_file, n.captured_file) AS captured_file,
                   coalesce(o.captured_index, n.captured_index) AS captured_index,
                   o.day AS old_day, n.day AS new_day, false AS is_copy,
                   CASE WHEN o.row_id IS NULL THEN 'added' WHEN n.row_id IS NULL THEN 'removed'
                        ELSE 'changed' END AS kind
            FROM old_rows o FULL JOIN new_rows n USING (row_id, captured_file, captured_index)
            WHERE o.row_id IS NULL OR n.row_id IS NULL OR {differ}
            """
        )
        return self._db.execute("SELECT kind, count(*) FROM differing GROUP BY kind").fetchall()

    def _copies(self, others: Sequence[Path]) -> int:
        """Mark the added rows that another event has already, or is to have before them; return how many."""
        had = f"SELECT row_id FROM {_files(others)} ANTI JOIN rerun_files USING (captured_file)"
        self._db.execute(
            f"""
            UPDATE differing SET is_copy = true
            WHERE kind = 'added' AND (
                row_id IN ({had if others else "SELECT NULL WHERE false"})
                OR (row_id, captured_file, captured_index) IN (
                    SELECT (row_id, captured_file, captured_index) FROM new_rows
                    QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY {_FIRST}) > 1))
            """
        )
        (copies,) = self._db.execute("SELECT count(*) FROM differing WHERE is_copy").fetchone() or (0,)
        return int(copies)

    def _columns(self, columns: Sequence[str]) -> Counter[str]:
        counts = ", ".join(
            f'count(*) FILTER (o."{column}" IS DISTINCT FROM n."{column}") AS "{column}"'
            for column in (*columns, "day")
        )
        answer = self._db.execute(
            f"SELECT {counts} FROM differing d JOIN old_rows o USING (row_id, captured_file, captured_index) "
            "JOIN new_rows n USING (row_id, captured_file, captured_index) WHERE d.kind = 'changed'"
        )
        names = [name for name, *_ in answer.description]
        values = answer.fetchone() or ()
        return Counter({name: value for name, value in zip(names, values, strict=True) if value})


def name_rerun_files(database: duckdb.DuckDBPyConnection, captured_files: Iterable[str]) -> None:
    """Make the table ``rerun_files`` of the captured files that are run again."""
    database.execute("CREATE OR REPLACE TABLE rerun_files (captured_file VARCHAR)")
    database.executemany("INSERT INTO rerun_files VALUES (?)", [[name] for name in captured_files])


def _comparable(column: str, mine: dict[str, str], other: dict[str, str]) -> str:
    """A column as it is hashed: null where its files lack it, as text where the others have another type."""
    if column not in mine:
        return "NULL"
    return f'"{column}"' if other.get(column, mine[column]) == mine[column] else f'"{column}"::VARCHAR'


def _files(paths: Sequence[Path]) -> str:
    how = "union_by_name = true, hive_partitioning = false, filename = '__file'"
    return f"read_parquet({list_of(paths)}, {how})"
