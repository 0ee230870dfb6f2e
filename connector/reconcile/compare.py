"""Keys of an archive against the keys of the lake, in DuckDB: on disk, so that a year of them fits."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from connector import jsontext
from connector.lake.faults import LakeUnreadable, lake_errors
from connector.reconcile.keys import CONTENT, MESSAGE, ROW, Key, content_key, message_id_of

if TYPE_CHECKING:
    import duckdb

MEMORY = "512MB"
_BATCH = 50_000
_TRIES = 3
_INDEX_BITS = 32
_TABLES = {
    "seen": "kind UTINYINT, id VARCHAR, place UBIGINT",
    "candidates": "kind UTINYINT, id VARCHAR, place UBIGINT",
    "waiting": "kind UTINYINT, id VARCHAR",
    "refused": "kind UTINYINT, id VARCHAR",
    "missing": "kind UTINYINT, id VARCHAR, place UBIGINT, lines BIGINT",
}


class Found(NamedTuple):
    """What became of the events of the archive that the tables of the days around do not have."""

    waiting: int
    """They wait in the journal."""
    missing: int
    """Different ones that are nowhere."""
    copies: int
    """Further ones with the key of a missing one."""


class Comparison:
    """
    Collects keys; then says which of them the lake does not have.

    Asked in two steps: keys of a few days against the tables of these days and their neighbours, which is
    where nearly all of them lie, then what is left against everything.
    """

    def __init__(
        self,
        open_: Callable[[bool], duckdb.DuckDBPyConnection],
        uri: str,
        tables: Sequence[str],
        folder: Path,
    ) -> None:
        """
        Args:
            open_: opens the lake with its views as it is now; True: with the view ``rejected``.
            uri: of the data folder, for people.
            tables: names of the tables.
            folder: a folder of one's own, for what does not fit in memory.
        """
        self._open = open_
        self._uri = uri
        self._names = tables
        self._folder = folder
        self._lake: duckdb.DuckDBPyConnection | None = None
        self._with_rejected = False
        self._batch: list[tuple[int, str, int]] = []
        self._columns = {MESSAGE: "message_id"}
        """Kind of key to the column of the tables that holds it, of the kinds that there are."""
        self._renew()
        for name, columns in _TABLES.items():
            self._run(f"CREATE TABLE work.{name} ({columns})")

    def close(self) -> None:
        if self._lake is not None:
            self._lake.close()
            self._lake = None

    def add(self, key: Key, file: int, index: int) -> None:
        """An event of the archive: number of its file, and of the event in the file."""
        if key.kind == ROW:
            self._columns[ROW] = "row_id"
        self._batch.append((*key, file << _INDEX_BITS | index))
        if len(self._batch) >= _BATCH:
            self._flush("seen")

    def settle(self, first: date | None, last: date | None) -> None:
        """Compare what was added since the last time with the tables of these days.

        Args:
            first, last: days on which the events were received; None: nobody knows.

        Raises:
            LakeUnreadable: a file of the lake cannot be read.
            StoreError: S3 refused or did not answer.
        """
        self._flush("seen")
        if first is None or last is None:
            self._run("INSERT INTO work.candidates SELECT * FROM work.seen")
        else:
            near = f"day BETWEEN DATE '{first - timedelta(1)}' AND DATE '{last + timedelta(1)}'"
            self._run(f"INSERT INTO work.candidates {self._without('work.seen', self._in_tables(near))}")
        self._run("TRUNCATE work.seen")

    def finish(self, waiting: Iterable[Key]) -> Found:
        """Compare what is left with all tables, what is rejected and what waits. Raises as ``settle``.

        Args:
            waiting: keys of what lies in the journal now, looked at only when something is left. They come
                first, so that what is written meanwhile is met at least once.
        """
        (left,) = self._one("SELECT count(*) FROM work.candidates")
        if not left:
            return Found(0, 0, 0)
        for key in waiting:
            self._batch.append((*key, 0))
            if len(self._batch) >= _BATCH:
                self._flush("waiting")
        self._flush("waiting")
        self._with_rejected = True
        self._renew()
        rejected = "SELECT coalesce(message_id, TRY(json_extract_string(raw, '$.messageId'))) FROM rejected"
        everywhere = f"{self._in_tables('true')} UNION ALL SELECT {MESSAGE}, id FROM ({rejected}) AS r (id)"
        self._run(f"CREATE TABLE work.left_over AS {self._without('work.candidates', everywhere)}")
        if self._one(f"SELECT count(*) FROM work.left_over WHERE kind = {CONTENT}")[0]:
            self._drop_rejected_content()
        (left,) = self._one("SELECT count(*) FROM work.left_over")
        nowhere = self._without("work.left_over", "SELECT kind, id FROM work.waiting")
        groups = f"SELECT kind, id, min(place), count(*) FROM ({nowhere}) GROUP BY kind, id"
        self._run(f"INSERT INTO work.missing {groups}")
        missing, lines = self._one("SELECT count(*), coalesce(sum(lines), 0)::BIGINT FROM work.missing")
        return Found(left - lines, missing, lines - missing)

    def missing(self) -> Iterator[tuple[int, int]]:
        """Number of the file and of the event in it, of the first of each missing event, in this order."""
        assert self._lake is not None
        rows = self._lake.cursor().execute("SELECT place FROM work.missing ORDER BY place")
        while batch := rows.fetchmany(10_000):
            for (place,) in batch:
                yield place >> _INDEX_BITS, place & ((1 << _INDEX_BITS) - 1)

    def files_with_candidates(self) -> set[int]:
        """Numbers of the files of which something was not found yet."""
        assert self._lake is not None
        rows = self._lake.execute(f"SELECT DISTINCT place >> {_INDEX_BITS} FROM work.candidates").fetchall()
        return {number for (number,) in rows}

    @property
    def lake(self) -> duckdb.DuckDBPyConnection:
        """The connection, with the lake's views and the schema ``work``."""
        assert self._lake is not None
        return self._lake

    def _in_tables(self, condition: str) -> str:
        return " UNION ALL ".join(
            f"SELECT {kind} AS kind, {column} AS id FROM {name}_raw WHERE {condition}"
            for name in self._names
            for kind, column in self._columns.items()
        )

    def _without(self, keys: str, known: str) -> str:
        return f"SELECT k.* FROM {keys} AS k ANTI JOIN ({known}) AS l ON k.kind = l.kind AND k.id = l.id"

    def _drop_rejected_content(self) -> None:
        """Rejected events without a messageId are known by their content."""
        rows = self.lake.cursor().execute(
            "SELECT raw, raw_base64, received_at_ms FROM rejected WHERE message_id IS NULL"
        )
        while batch := rows.fetchmany(100):
            for raw, encoded, received_at_ms in batch:
                event = jsontext.decode(base64.b64decode(encoded) if raw is None else raw.encode()).value
                if type(event) is dict and not message_id_of(event):
                    self._batch.append((*content_key(event, received_at_ms), 0))
        self._flush("refused")
        self._run("DELETE FROM work.left_over WHERE (kind, id) IN (SELECT (kind, id) FROM work.refused)")

    def _flush(self, table: str) -> None:
        import pyarrow as pa

        if not self._batch:
            return
        kinds, ids, places = zip(*self._batch, strict=True)
        columns: dict[str, pa.Array] = {"kind": pa.array(kinds, pa.uint8()), "id": pa.array(ids, pa.string())}
        if table == "seen":
            columns["place"] = pa.array(places, pa.uint64())
        self.lake.register("batch", pa.table(columns))
        self._run(f"INSERT INTO work.{table} SELECT * FROM batch")
        self.lake.unregister("batch")
        self._batch.clear()

    def _one(self, query: str) -> tuple[int, ...]:
        (row,) = self.lake.execute(query).fetchall()
        return row

    def _run(self, statement: str) -> None:
        """A file that is gone was removed by a change meanwhile: the lake is opened again."""
        for number in range(1, _TRIES + 1):
            try:
                with lake_errors(self._uri):
                    self.lake.execute(statement)
                return
            except LakeUnreadable:
                if number == _TRIES:
                    raise
                self._renew()

    def _renew(self) -> None:
        self.close()
        with lake_errors(self._uri):
            lake = self._open(self._with_rejected)
        lake.execute(f"SET memory_limit = '{MEMORY}'")
        lake.execute("SET preserve_insertion_order = false")
        lake.execute(f"SET temp_directory = {_quoted(self._folder / 'spilled')}")
        lake.execute(f"ATTACH {_quoted(self._folder / 'work.duckdb')} AS work")
        self._lake = lake


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
