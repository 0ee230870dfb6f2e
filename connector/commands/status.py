"""``connector status``: how far the tables are behind, and what was not taken."""

from __future__ import annotations

import contextlib
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from connector.config import Settings
from connector.errors import ConfigError
from connector.journal.folders import JournalFolders
from connector.lake.open import open_lake
from connector.terminal import out, table
from connector.wiring import journal_folders

_HEADER_BYTES = 65_536


def report(settings: Settings) -> dict[str, Any]:
    """Backlog, age of the oldest unwritten event, last event per source, fates, rejected by reason, disk.

    Raises:
        ConfigError: there is no such data folder.
    """
    from connector.write.ledger import fold

    if not settings.data_path.is_dir():
        raise ConfigError(f"{settings.data}: no such folder; connector serve or replay makes it")
    journal = journal_folders(settings)
    data = settings.data_path
    total = fold(data).total if data.exists() else None
    return {
        "data": str(data),
        "backlog": _backlog(journal),
        "events": {} if total is None else {
            "received": total.received, "stored": total.stored, "rejected": total.rejected,
            "unmatched": total.unmatched, "duplicate": total.duplicate, "suppressed": total.suppressed,
        },
        "sources": _sources(settings),
        "rejected": _rejected(data),
        "refused_bytes": sum(journal.refused.sizes().values()),
        "disk": _disk(data),
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
        out.print(f"events    {fates[0]} = {' + '.join(fates[1:])}")
    out.print()
    table("Last event by source", ("source", "last received", "rows"), found["sources"])
    if found["rejected"]:
        table("Rejected by reason", ("reason", "events"), list(found["rejected"].items()))


def _backlog(journal: JournalFolders) -> dict[str, Any]:
    paths = [*journal.closed.glob("*"), *journal.open.glob("*.open")]
    sizes, arrivals = 0, []
    for path in paths:
        with contextlib.suppress(OSError, ValueError, KeyError), path.open("rb") as file:
            sizes += path.stat().st_size
            arrivals.append(int(orjson.loads(file.readline(_HEADER_BYTES))["received_at_ms"]))
    age = max(0.0, time.time() - min(arrivals) / 1000) if arrivals else None
    return {"files": len(paths), "bytes": sizes, "oldest_unwritten_seconds": age}


def _sources(settings: Settings) -> list[list[Any]]:
    with open_lake(settings.data_path) as lake:
        rows = lake.execute(
            "SELECT source, max(received_at), count(*) FROM events_raw GROUP BY source ORDER BY source"
        ).fetchall()
    return [[source, _iso(last), count] for source, last, count in rows]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rejected(data: Path) -> dict[str, int]:
    with open_lake(data) as lake:
        return dict(
            lake.execute("SELECT code, count(*) FROM rejected GROUP BY code ORDER BY 2 DESC, 1").fetchall()
        )


def _disk(data: Path) -> dict[str, int]:
    folder = next(path for path in (data.absolute(), *data.absolute().parents) if path.exists())
    usage = shutil.disk_usage(folder)
    return {"total_bytes": usage.total, "free_bytes": usage.free}
