"""Small stores for reports: rows as dictionaries, on a real DuckDB."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from connector.lake.views import no_rows
from connector.report.answer import Answer
from connector.report.asking import Asking
from connector.report.desks.duck import RAW, DuckDesk
from connector.report.kinds import kind_of
from connector.report.question import Question
from connector.tables import TABLES
from connector.write.arrow import arrow_schema

Rows = Iterable[Mapping[str, Any]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
_TABLES = {table.name: table for table in TABLES}
_numbers = itertools.count(1)


def at(text: str) -> int:
    """``2026-01-05 10:00`` (UTC) or with seconds -> ms since the epoch."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def row(
    event: str, time: int | str, user: str | None = None, device: str | None = None, **more: Any
) -> dict[str, Any]:
    """
    One row of ``events``.

    Args:
        time: ms, or text as ``at`` takes it.
        user, device: ``user_id`` and ``anonymous_id``.
        more: other columns. ``row_id`` and ``message_id`` are made up unless given, ``received_ms`` is a
            second after its time.
    """
    number = next(_numbers)
    time_ms = at(time) if isinstance(time, str) else time
    filled: dict[str, Any] = {
        "row_id": f"row-{number:08}", "message_id": f"message-{number:08}", "source": "web", "type": "track",
        "event": event, "user_id": user, "anonymous_id": device, "distinct_id": user or device,
        "time_ms": time_ms, "received_ms": time_ms + 1_000, "captured_file": "file", "captured_index": number,
    }  # fmt: skip
    if event == "Product Purchased":
        filled["line_index"] = 0
    return {**filled, **more}


def lake(events: Rows = (), profiles: Rows = (), aliases: Rows = ()) -> duckdb.DuckDBPyConnection:
    """A connection with ``events_raw``, ``profiles_raw``, ``aliases_raw`` that hold these rows."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, rows in (("events", events), ("profiles", profiles), ("aliases", aliases)):
        table = _TABLES[name]
        connection.execute(f"CREATE TABLE {name}_raw AS {no_rows(table)}")
        filled = [_filled(one) for one in rows]
        if filled:
            names = [field.name for field in arrow_schema(table)]
            schema = pa.schema(
                [*(f.with_nullable(True) for f in arrow_schema(table)), pa.field("day", pa.date32())]
            )
            columns = [pa.array([one.get(f.name) for one in filled], f.type) for f in schema]
            connection.register("rows_", pa.Table.from_arrays(columns, schema=schema))
            listed = ", ".join(f'"{name}"' for name in [*names, "day"])
            connection.execute(f"INSERT INTO {name}_raw BY NAME SELECT {listed} FROM rows_")
            connection.unregister("rows_")
    return connection


def desk(events: Rows = (), profiles: Rows = (), aliases: Rows = ()) -> DuckDesk:
    """A desk over these rows."""
    return DuckDesk(lake(events, profiles, aliases), "memory", RAW)


def ask(question: Question, of: DuckDesk, members: Mapping[str, Iterable[str]] | None = None) -> Answer:
    """The answer on 2026-11-01."""
    asking = Asking(question, of, NOW, lambda name: list((members or {})[name]))
    return kind_of(question.KIND).answer(asking)


def _filled(one: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(one)
    time_ms, received_ms = filled.pop("time_ms", None), filled.pop("received_ms", None)
    filled["timestamp"] = _moment(time_ms)
    filled["received_at"] = _moment(received_ms)
    filled["day"] = _moment(time_ms).date() if time_ms is not None else datetime(2010, 1, 1).date()
    return {name: _money(value) for name, value in filled.items()}


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else _EPOCH + timedelta(milliseconds=ms)


def _money(value: Any) -> Any:
    return Decimal(str(value)) if isinstance(value, float) else value
