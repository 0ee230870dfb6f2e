"""``connector status``: how far the tables are behind, and what was not taken."""

from __future__ import annotations

import contextlib
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from connector.commands.journals import Journals
from connector.config import Settings
from connector.errors import ConfigError
from connector.journal.places import ObjectPlace
from connector.lake.faults import lake_errors
from connector.lake.open import open_lake
from connector.tables import TABLES
from connector.terminal import out, table
from connector.wiring import existing_data

if TYPE_CHECKING:
    import duckdb

    from connector.write.ledger import Fold

_HEADER_BYTES = 65_536


def report(settings: Settings, source: str | None = None) -> dict[str, Any]:
    """Backlog, age of the oldest unwritten event, last event per source, fates, rejected by reason, disk.

    Args:
        source: show last events and rejected ones of this source only; all else is of all sources.

    Raises:
        ConfigError: there is no such data folder, or no such source: none is configured under this name, and
            nobody has sent anything under it.
        LakeUnreadable: a table file cannot be read.
    """
    data = existing_data(settings)
    journals = Journals(settings)
    in_bucket = journals.objects()
    state = data.fold()
    total = state.total
    with lake_errors(data.uri), open_lake(data, state=state) as lake:
        sources = _sources(lake)
        rejected = _rejected(lake, source)
        known = {*settings.sources, *(name for name, *_ in sources), *_senders_of_rejected(lake)}
    if source is not None:
        _check_source(source, known)
        sources = [row for row in sources if row[0] == source]
    return {
        "data": settings.data,
        "source": source,
        "backlog": _backlog(journals, in_bucket, state),
        "events": {
            "received": total.received, "stored": total.stored, "rejected": total.rejected,
            "unmatched": total.unmatched, "duplicate": total.duplicate, "suppressed": total.suppressed,
        },
        "sources": sources,
        "rejected": rejected,
        "refused_bytes": journals.refused_bytes(),
        "disk": _disk(settings.local_path),
    }  # fmt: skip


def show(found: dict[str, Any]) -> None:
    """Print a report for a person."""
    backlog, disk = found["backlog"], found["disk"]
    age = backlog["oldest_unwritten_seconds"]
    out.print(f"data      {found['data']}", markup=False)
    out.print(f"backlog   {backlog['files']} files, {backlog['bytes']:,} bytes"
              + ("" if age is None else f"; oldest unwritten event {age:,.0f} s old"))  # fmt: skip
    out.print(f"disk      {disk['free_bytes'] / 1e9:,.1f} GB free of {disk['total_bytes'] / 1e9:,.1f} GB")
    if found["events"]:
        fates = [f"{name} {count:,}" for name, count in found["events"].items()]
        of_all = " (of all sources)" if found["source"] is not None else ""
        out.print(f"events    {fates[0]} = {' + '.join(fates[1:])}{of_all}")
    out.print()
    table("Last event by source", ("source", "last received", "rows"), found["sources"])
    if found["rejected"]:
        table("Rejected by reason", ("reason", "events"), list(found["rejected"].items()))


def _backlog(journals: Journals, in_bucket: list[ObjectPlace], state: Fold) -> dict[str, Any]:
    """Of an object in S3, listed before the ledger was read, its own time and its packed size are known."""
    journal = journals.local
    paths = [*journal.closed.glob("*"), *journal.open.glob("*.open")]
    unwritten = [place.listed for place in in_bucket if place.captured_file not in state.records]
    sizes, arrivals = sum(each.bytes for each in unwritten), [each.modified_ms for each in unwritten]
    for path in paths:
        with contextlib.suppress(OSError, ValueError, KeyError), path.open("rb") as file:
            sizes += path.stat().st_size
            arrivals.append(int(orjson.loads(file.readline(_HEADER_BYTES))["received_at_ms"]))
    age = max(0.0, time.time() - min(arrivals) / 1000) if arrivals else None
    return {"files": len(paths) + len(unwritten), "bytes": sizes, "oldest_unwritten_seconds": age}


def _check_source(source: str, known: set[str]) -> None:
    if source not in known:
        there = f"there is {', '.join(sorted(known))}" if known else "nobody has sent anything yet"
        raise ConfigError(f"--source: there is no source {source}; {there}")


def _sources(lake: duckdb.DuckDBPyConnection) -> list[list[Any]]:
    """Source, time of the last arrival, and rows in all tables, of every source that has any."""
    tables = " UNION ALL ".join(f"SELECT source, received_at FROM {table.name}_raw" for table in TABLES)
    rows = lake.execute(
        f"SELECT source, max(received_at), count(*) FROM ({tables}) GROUP BY source ORDER BY source"
    ).fetchall()
    return [[source, _iso(last), count] for source, last, count in rows]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rejected(lake: duckdb.DuckDBPyConnection, source: str | None) -> dict[str, int]:
    """Rejected events by reason."""
    query = (
        "SELECT code, count(*) FROM rejected WHERE $source IS NULL OR source = $source "
        "GROUP BY code ORDER BY 2 DESC, 1"
    )
    return dict(lake.execute(query, {"source": source}).fetchall())


def _senders_of_rejected(lake: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in lake.execute("SELECT DISTINCT source FROM rejected").fetchall() if name]


def _disk(data: Path) -> dict[str, int]:
    folder = next(path for path in (data.absolute(), *data.absolute().parents) if path.exists())
    usage = shutil.disk_usage(folder)
    return {"total_bytes": usage.total, "free_bytes": usage.free}
