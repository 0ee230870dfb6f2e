"""Copies of rows in one day: which of them go, and which events have no row left.

Equal ``row_id`` is one row; the least (``received_at`` nulls last, ``captured_file``, ``captured_index``)
stays (tables 3). DuckDB spills to disk beyond its memory limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from connector.lake.views import FIRST, list_of
from connector.write.duplicates import Copy

if TYPE_CHECKING:
    import duckdb

    from connector.compaction.merge import RowKey

_KEYS = "row_id, received_at, captured_file, captured_index, message_id, source"


class Copies:
    """What is found out in one DuckDB connection, which is the caller's: the table ``losers``."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._db = connection
        self._with_losers: set[Path] = set()
        self._db.execute(
            "CREATE OR REPLACE TABLE losers (table_name VARCHAR, path VARCHAR, row_id VARCHAR, captured_file "
            "VARCHAR, captured_index BIGINT, message_id VARCHAR, source VARCHAR, received_at_ms BIGINT, "
            "kept_captured_file VARCHAR, kept_captured_index BIGINT)"
        )

    def look(self, table: str, here: Iterable[Path], around: Iterable[Path]) -> set[Path]:
        """Note the rows of ``here`` that are copies of rows here or around; return the files they lie in."""
        mine = list(here)
        rows = f"read_parquet({list_of([*mine, *around])}, hive_partitioning = false, filename = '__file')"
        self._db.execute(
            f"CREATE OR REPLACE TEMP TABLE again AS SELECT row_id FROM {rows} "
            "GROUP BY row_id HAVING count(*) > 1"
        )
        self._db.execute(
            f"""
            INSERT INTO losers
            SELECT '{table}', __file, row_id, captured_file, captured_index, message_id, source,
                   epoch_ms(received_at), kept_file, kept_index
            FROM (
                SELECT __file, {_KEYS},
                       first_value(captured_file) OVER copies AS kept_file,
                       first_value(captured_index) OVER copies AS kept_index
                FROM {rows} SEMI JOIN again USING (row_id)
                WINDOW copies AS (PARTITION BY row_id ORDER BY {FIRST})
                QUALIFY row_number() OVER copies > 1
            )
            WHERE __file IN (SELECT unnest({_texts(mine)}))
            """
        )
        found = self._db.execute(f"SELECT DISTINCT path FROM losers WHERE table_name = '{table}'").fetchall()
        with_losers = {Path(path) for (path,) in found}
        self._with_losers |= with_losers
        return with_losers

    def rows(self, keys: Path) -> frozenset[RowKey]:
        """The rows of a file that go; ``keys``: its path as ``look`` had it."""
        if keys.absolute() not in self._with_losers:
            return frozenset()
        found = self._db.execute(
            "SELECT row_id, captured_file, captured_index FROM losers WHERE path = $1", [str(keys.absolute())]
        )
        return frozenset(found.fetchall())

    def events(self) -> dict[str, int]:
        """How many events of each captured file have rows that go."""
        return dict(
            self._db.execute(
                "SELECT captured_file, count(DISTINCT captured_index) FROM losers GROUP BY captured_file"
            ).fetchall()
        )

    def kept_captured_files(self) -> set[str]:
        """The captured files whose rows stay instead: a plan rests on them too."""
        found = self._db.execute("SELECT DISTINCT kept_captured_file FROM losers").fetchall()
        return {name for (name,) in found}

    def without_rows(self, here: Iterable[Path], elsewhere: Iterable[Path]) -> dict[str, int]:
        """By captured file, how many of these events have no row left anywhere.

        Args:
            here: every table file of the day, of all tables.
            elsewhere: table files of other days that may hold rows of the same captured files.
        """
        left = [f"SELECT row_id, captured_file, captured_index FROM read_parquet({list_of(paths)}, "
                "hive_partitioning = false)"
                for paths in (list(here), list(elsewhere)) if paths]  # fmt: skip
        return dict(
            self._db.execute(
                f"""
                WITH gone AS (SELECT DISTINCT captured_file, captured_index FROM losers),
                staying AS (
                    SELECT DISTINCT captured_file, captured_index
                    FROM ({" UNION ALL ".join(left)})
                    SEMI JOIN gone USING (captured_file, captured_index)
                    ANTI JOIN losers USING (row_id, captured_file, captured_index)
                )
                SELECT captured_file, count(*)
                FROM gone ANTI JOIN staying USING (captured_file, captured_index)
                GROUP BY captured_file
                """
            ).fetchall()
        )

    def listed(self) -> Iterator[Copy]:
        """Every row that goes, those of an event one after the other."""
        found = self._db.execute(
            "SELECT captured_file, captured_index, table_name, row_id, message_id, source, received_at_ms, "
            "kept_captured_file, kept_captured_index FROM losers ORDER BY ALL"
        )
        while rows := found.fetchmany(1_000):
            yield from (Copy(*row) for row in rows)


def captured_files_in(database: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> set[str]:
    """The captured files with rows in these table files."""
    rows = f"read_parquet({list_of(paths)}, hive_partitioning = false)"
    found = database.execute(f"SELECT DISTINCT captured_file FROM {rows}").fetchall()
    return {name for (name,) in found}


def _texts(paths: Iterable[Path]) -> str:
    return "[" + ", ".join("'" + str(path.absolute()).replace("'", "''") + "'" for path in paths) + "]"
