"""One resolution under way: a connection, what is live, and what lies prepared."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from connector.prepared.columns import KEYS, LINKS, among, nothing, rows_in
from connector.prepared.days import DayFiles, TableDay, by_table
from connector.prepared.manifest import Manifest, Part, PreparedFile, to_merge
from connector.write.disk import sha256_of

if TYPE_CHECKING:
    import duckdb

_PARTS: Mapping[str, tuple[Mapping[str, str], str | None, str]] = {
    "keys": (KEYS, "table_name, day, key", "NULL"),
    "links": (LINKS, None, "CASE WHEN count(*) = count(linked_at_ms) THEN max(linked_at_ms) END"),
}
"""What lies in parts, each with rows of many days: columns, order, and the last time."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every step needs. Tables of the steps lie in the schema ``prepared`` of the connection."""

    lake: duckdb.DuckDBPyConnection
    folder: Path
    """For new files."""
    now: Mapping[TableDay, DayFiles]
    """The days that there are."""
    base: Manifest
    """What is brought up to date."""
    fetch: Callable[[Sequence[PreparedFile]], Mapping[str, Path]]
    """Paths by name of files of ``base``. Raises ``PreparedGone``."""
    _paths: dict[str, Path] = field(default_factory=dict)

    def run(self, script: str) -> None:
        """Execute the statements of a file that lies beside this one."""
        self.lake.execute(files("connector.prepared").joinpath(script).read_text(encoding="utf-8"))

    def to_read(self, days: Iterable[TableDay]) -> dict[str, list[str] | None]:
        """By table, those of the days that are there; None: all that are."""
        everything = by_table(self.now)
        wanted = by_table(day for day in days if day in self.now)
        return {table: None if found == everything[table] else found for table, found in wanted.items()}

    def paths_of(self, wanted: Iterable[PreparedFile | None]) -> list[Path]:
        """Where files of ``base`` are, each fetched once."""
        found = [file for file in wanted if file is not None]
        missing = [file for file in found if file.name not in self._paths]
        if missing:
            self._paths.update(self.fetch(missing))
        return [self._paths[file.name] for file in found]

    def rows_of(self, kind: str, parts: Sequence[Part]) -> str:
        """A query for the rows of the days that the parts count for."""
        columns, _, _ = _PARTS[kind]
        queries = []
        for part, path in zip(parts, self.paths_of(part.file for part in parts), strict=True):
            whole = rows_in(columns, [path])
            queries.append(whole if part.live_rows == part.rows else f"{whole} WHERE {among(part.live)}")
        return " UNION ALL ".join(queries) or nothing(columns)

    def write(self, kind: str, rows: str, order: str | None = None) -> Path:
        """A new file with the rows of a query."""
        path = self.folder / f"{kind}-{secrets.token_hex(8)}.parquet"
        target = str(path).replace("'", "''")
        query = rows if order is None else f"SELECT * FROM ({rows}) ORDER BY {order}"
        self.lake.execute(
            f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
            "PARQUET_VERSION v2)"
        )
        return path

    def write_part(self, kind: str, rows: str) -> Path:
        """A new file of keys or links."""
        return self.write(kind, rows, _PARTS[kind][1])

    def part_of(self, kind: str, path: Path) -> Part:
        """What ``write_part`` wrote: the days that it has rows of, and how many."""
        columns, _, last = _PARTS[kind]
        found = self.lake.execute(
            f"SELECT table_name, CAST(day AS VARCHAR), count(*), {last} FROM ({rows_in(columns, [path])}) "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        live = {TableDay(table, day): rows for table, day, rows, _ in found}
        last_ms = [until_ms for *_, until_ms in found]
        known = last_ms and None not in last_ms
        return Part(described(path), sum(live.values()), live, max(last_ms) if known else None)

    def with_new(self, kind: str, kept: Sequence[Part], new: Path) -> tuple[tuple[Part, ...], list[Path]]:
        """The parts there are from now on, and the file that is not saved yet, if there is one.

        Args:
            kept: parts that still count for some days.
            new: rows of days that none of them counts for; they are written together where they are small.
        """
        part = self.part_of(kind, new)
        if not part.rows:
            return tuple(kept), []
        merged = to_merge(kept, part.rows)
        if merged:
            rows = f"{rows_in(_PARTS[kind][0], [new])} UNION ALL {self.rows_of(kind, merged)}"
            new = self.write_part(kind, rows)
            part = self.part_of(kind, new)
        return (*(part for part in kept if part not in merged), part), [new]


def described(path: Path) -> PreparedFile:
    return PreparedFile(path.name, path.stat().st_size, sha256_of(path))
