"""Lakes of a few hand-written rows, and what must be found in them, in plain Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from connector.lake.open import open_lake
from connector.prepared import Resolution, resolve
from connector.prepared.days import RESOLVED
from connector.tables import TABLES
from connector.write.arrow import arrow_schema
from connector.write.data import DataReader, FolderData
from connector.write.entries import Output
from connector.write.ledger import Fold, Live

Row = Mapping[str, Any]
COLUMNS = (
    "row_id", "message_id", "user_id", "anonymous_id", "previous_id", "timestamp", "received_at",
    "line_index", "captured_file", "captured_index", "event", "source",
)  # fmt: skip
_TABLES = [table for table in TABLES if table.name in RESOLVED]
_SCHEMAS = {table.name: arrow_schema(table) for table in _TABLES}


class Found(NamedTuple):
    """What the relations hold, in an order of its own."""

    copies: list[tuple[Any, ...]]
    identities: list[tuple[Any, ...]]
    unique: dict[str, list[tuple[Any, ...]]]


@dataclass
class SmallLake:
    """A data folder whose ledger is a fold in memory."""

    root: Path
    files: dict[str, list[Row]] = field(default_factory=dict)
    """The live ones."""
    _number: int = 0

    def add(self, table: str, day: str, rows: Iterable[Row]) -> str:
        """Write a file of one day."""
        self._number += 1
        name = f"tables/{table}/day={day}/c-{self._number:012d}-aaaa.parquet"
        listed = list(rows)
        fields = [f.with_nullable(True) for f in _SCHEMAS[table] if f.name in COLUMNS]
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = {f.name: [row.get(f.name) for row in listed] for f in fields}
        pq.write_table(pa.table(columns, pa.schema(fields)), path)
        self.files[name] = listed
        return name

    def remove(self, name: str) -> None:
        """What a change does; readers of before still have the file."""
        del self.files[name]

    @property
    def data(self) -> FolderData:
        return FolderData(self.root)

    @property
    def state(self) -> Fold:
        tables = {
            name: Live(Output(name, len(rows), len(rows), 0, f"{len(rows):064x}"), self._number, None)
            for name, rows in self.files.items()
        }
        return Fold(number=max(self._number, 1), tables=tables)

    def rows(self, table: str) -> list[Row]:
        below = f"tables/{table}/"
        return [row for name, rows in self.files.items() if name.startswith(below) for row in rows]

    def open(self) -> duckdb.DuckDBPyConnection:
        return open_lake(self.data, _TABLES, rejected=False, state=self.state)

    def resolved(self, data: DataReader | None = None, **how: Any) -> tuple[Resolution, Found]:
        with self.open() as lake:
            done = resolve(lake, data or self.data, self.state, **how)
            return done, found_in(lake)

    def expected(self) -> Found:
        """By brute force."""
        unique, copies = {}, []
        for table in ("events", "profiles", "aliases"):
            kept, left_out = _resolved(self.rows(table))
            unique[table] = kept
            copies += [(table, *_place(row)) for row in left_out]
        by_device: dict[str, list[tuple[Any, ...]]] = {}
        for table, rows in unique.items():
            for device, statement in _statements(table, rows):
                by_device.setdefault(device, []).append(statement)
        identities = []
        for device, statements in by_device.items():
            *_, user_id, linked_at_ms, row_id = min(statements)
            identities.append((device, user_id, linked_at_ms, row_id))
        places = {table: sorted(_place(row) for row in rows) for table, rows in unique.items()}
        return Found(sorted(copies), sorted(identities), places)


def found_in(lake: duckdb.DuckDBPyConnection) -> Found:
    def rows(query: str) -> list[tuple[Any, ...]]:
        return sorted(lake.execute(query).fetchall())

    place = "row_id, captured_file, captured_index"
    return Found(
        rows(f"SELECT table_name, {place} FROM copies"),
        rows("SELECT anonymous_id, user_id, linked_at_ms, row_id FROM identities"),
        {
            table: rows(f"SELECT {place} FROM unique_{table}")
            for table in ("events", "profiles", "aliases")
        },
    )  # fmt: skip


def _resolved(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that stay, and the copies."""
    by_id: dict[str, list[Row]] = {}
    for row in rows:
        by_id.setdefault(row["row_id"], []).append(row)
    kept, left_out = [], []
    for same in by_id.values():
        first, *rest = sorted(same, key=lambda row: (*_last(row["received_at"]), *_place(row)[1:]))
        kept.append(first)
        left_out += rest
    return kept, left_out


def _statements(table: str, rows: list[Row]) -> Iterable[tuple[str, tuple[Any, ...]]]:
    """Devices with what decides among the statements about them, then what they say."""
    for row in rows:
        devices = [row["anonymous_id"], *([row["previous_id"]] if table == "aliases" else [])]
        for device in devices:
            if device and row["user_id"]:
                line = row["line_index"] if table == "events" else None
                order = (
                    *_last(row["timestamp"]), *_last(row["message_id"]), line is not None, line or 0,
                    row["row_id"],
                )  # fmt: skip
                yield device, (*order, row["user_id"], row["timestamp"], row["row_id"])


def _place(row: Row) -> tuple[str, str, int]:
    return row["row_id"], row["captured_file"], row["captured_index"]


def _last(value: Any) -> tuple[bool, Any]:
    """Null comes last; among nulls nothing decides here."""
    return (value is None, 0 if value is None else value)
