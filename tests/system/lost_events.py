"""An archive, a lake that has most of it, and what ``connector reconcile`` says of the two."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
from system.archives import ARCHIVE, EVENTS, TILL, WEB, Shelf, lines
from system.service import Lake

from connector.tables import TABLES

SOURCES = {"web": {"source_ids": [WEB], "unsigned": True}, "till": {"source_ids": [TILL], "unsigned": True}}
SENT_BY = {
    event["messageId"]: {WEB: "web", TILL: "till"}[key.split("/")[1]]
    for key, events in ARCHIVE.items()
    for event in events
}
BY_TIME = sorted(EVENTS, key=lambda event: event["receivedAt"])
GAP = BY_TIME[60:85]
"""What came while nobody listened."""
GAP_IDS = [event["messageId"] for event in GAP]


def lake_for(shelf: Shelf, folder: Path, **settings: Any) -> Lake:
    return Lake(
        folder,
        settings={"privacy_key": "env:PRIVACY_KEY", "s3": {"attempts": 2}, **settings},
        sources=SOURCES,
        environment={**shelf.environment, "PRIVACY_KEY": "one key for all of these lakes"},
    )


def arrive(lake: Lake, events: Iterable[Any]) -> None:
    """Bring events into the tables as if they had come through the door."""
    for source in ("web", "till"):
        sent = [event for event in events if SENT_BY.get(event["messageId"], "web") == source]
        path = lake.folder / f"{source}.ndjson"
        path.write_bytes(lines(sent))
        if sent:
            lake.ok("replay", str(path), "--source", source)


def without(gone: Iterable[Any]) -> list[Any]:
    ids = {event["messageId"] for event in gone}
    return [event for event in EVENTS if event["messageId"] not in ids]


def reconciled(lake: Lake, *arguments: str, code: int = 0) -> Any:
    ran = lake.run("reconcile", "--json", "--archive", *arguments)
    assert (ran.returncode, ran.stdout != b"") == (code, True), ran.stderr.decode()
    return orjson.loads(ran.stdout)


def ids(lake: Lake) -> list[str]:
    """Of all rows, an order and its lines once."""
    columns = "DISTINCT captured_file, captured_index, message_id"
    tables = (f"SELECT {columns} FROM {table.name}_raw" for table in TABLES)
    query = f"SELECT message_id FROM ({' UNION ALL '.join(tables)})"
    return sorted(name for (name,) in lake.query(query))
