"""Archives as Segment lays them out, and the places where one may lie."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson
from s3_proxy import S3Proxy
from s3_servers import S3Server

from connector.sample import sample_events

WEB, TILL = "aLdErWeb01", "aLdErTill02"
EVENTS = list(sample_events(events=150, days=3, seed=7))


class Shelf(Protocol):
    """Somewhere an archive lies."""

    @property
    def environment(self) -> dict[str, str]: ...

    def put(self, key: str, content: bytes) -> None: ...

    def argument(self, key: str = "") -> str: ...


@dataclass
class OnDisk:
    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, content: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def argument(self, key: str = "") -> str:
        return str(self.root / key)


@dataclass
class InBucket:
    server: S3Server
    prefix: str = ""

    def __post_init__(self) -> None:
        self.prefix = self.prefix or self.server.place().prefix

    @property
    def environment(self) -> dict[str, str]:
        return dict(self.server.environment)

    def put(self, key: str, content: bytes) -> None:
        self.server.client.put_object(
            Bucket=self.server.bucket, Key=f"{self.prefix}{key}", Body=content,
            ContentEncoding="gzip", ContentType="text/plain",
        )  # fmt: skip

    def delete(self, key: str) -> None:
        self.server.client.delete_object(Bucket=self.server.bucket, Key=f"{self.prefix}{key}")

    def argument(self, key: str = "") -> str:
        return f"s3://{self.server.bucket}/{self.prefix}{key}".rstrip("/")


def past_the_proxy(proxy: S3Proxy, bucket: InBucket) -> InBucket:
    """The same bucket, for what somebody else does to it."""
    server = S3Server("moto", proxy.upstream, bucket.server.keys, bucket.server.bucket)
    return InBucket(server, bucket.prefix)


def lines(events: list[Any]) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


def packed(events: list[Any]) -> bytes:
    return gzip.compress(lines(events), mtime=0)


def received(event: Any) -> date:
    return date.fromisoformat(event["receivedAt"][:10])


def day_folder(day: date) -> str:
    return str(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000)


def archive_of(events: list[Any], per_file: int = 20) -> dict[str, list[Any]]:
    """Key to events, as Segment would lay them out for two sources."""
    found: dict[str, list[Any]] = {}
    by_day = sorted(events, key=received)
    for number in range(-(-len(events) // per_file)):
        some = by_day[number * per_file : (number + 1) * per_file]
        for day in sorted({received(event) for event in some}):
            of_day = [event for event in some if received(event) == day]
            source_id = (WEB, TILL)[number % 2]
            found[f"segment-logs/{source_id}/{day_folder(day)}/{number:04}.gz"] = of_day
    return found


ARCHIVE = archive_of(EVENTS)
KEYS = sorted(ARCHIVE, key=lambda key: (key.split("/")[2], key))
"""In the order in which they are read."""
DAYS = sorted({received(event) for event in EVENTS})


def fill(shelf: Shelf, archive: dict[str, list[Any]]) -> None:
    for key, events in archive.items():
        shelf.put(key, packed(events))
