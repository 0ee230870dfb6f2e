"""A journal in S3 as receivers on AWS and their stream leave it, and the functions behind it."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from s3_servers import S3Server
from unit.write.lake_samples import files_below

from connector.aws.notifications import notification
from connector.aws.writer import ObjectWriter
from connector.config import Settings, load_settings
from connector.events import Capture
from connector.journal.bucket import JournalBucket
from connector.journal.frames import receipt_frame
from connector.journal.places import ObjectPlace
from connector.lake.open import open_lake
from connector.s3.config import S3Place
from connector.s3.objects import S3Object
from connector.wiring import Configured, configure, s3_config
from connector.write.audit import AuditReport, audit
from connector.write.data import StoreData
from connector.write.object_ledger import INTENTS

RECEIVED_MS = 1_795_773_600_000
PRIVACY_KEY = {"PRIVACY_KEY": "one key for all of these data folders"}


@dataclass
class Context:
    """What Lambda tells a function of its invocation. ``left_ms``: one answer for every time it is asked,
    the last one for ever."""

    left_ms: Sequence[int] = (600_000,)
    aws_request_id: str = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        first, *rest = self.left_ms
        self.left_ms = rest or self.left_ms
        return first


def capture(message_id: str, number: int = 0, **more: Any) -> Capture:
    event = {
        "type": "track", "event": "Product Viewed", "messageId": message_id, "userId": "u-1",
        "timestamp": "2026-11-27T10:00:00.000Z", "properties": {"product_id": "507f1f77bcf86cd799439011"},
    }  # fmt: skip
    body = json.dumps(event).encode()
    return Capture("web", "webhook", RECEIVED_MS + number, more.pop("body", body), "all", **more)


def frame(message_id: str, number: int = 0, receipt: str | None = None) -> bytes:
    """One frame of one event, as the receiver puts it into the stream."""
    return receipt_frame(capture(message_id, number), receipt or secrets.token_hex(16))


def joined(*frames: bytes) -> bytes:
    """What Firehose makes of records: their bytes end to end, packed."""
    return gzip.compress(b"".join(frames), 1, mtime=0)


def batch(*bodies: str) -> dict[str, Any]:
    """An SQS batch as Lambda hands it over; the messages are called ``m-0``, ``m-1``, …"""
    return {
        "Records": [
            {"messageId": f"m-{number}", "receiptHandle": f"r-{number}", "body": body,
             "attributes": {"ApproximateReceiveCount": "1"}, "eventSource": "aws:sqs"}
            for number, body in enumerate(bodies)
        ]
    }  # fmt: skip


def failed(answer: Any) -> list[str]:
    """The messages that come again."""
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def figures(printed: str) -> dict[str, float]:
    """The figures in the log of a function, added up over its invocations."""
    sums: dict[str, float] = {}
    for line in printed.splitlines():
        values = json.loads(line)
        for directive in values["_aws"]["CloudWatchMetrics"]:
            for metric in directive["Metrics"]:
                name = metric["Name"]
                sums[name] = sums.get(name, 0) + sum(values[name])
    return sums


@dataclass
class Deployment:
    """A bucket with a journal and a data folder, and nothing running."""

    server: S3Server
    folder: Path
    more: dict[str, Any] = field(default_factory=dict)
    root: S3Place = field(init=False)
    _configured: Configured | None = None

    def __post_init__(self) -> None:
        place = self.server.place()
        self.root = S3Place(place.bucket, place.prefix.removesuffix("lake/"))

    def uri(self, name: str) -> str:
        return f"{self.root.uri}/{name}"

    def settings(self, **more: Any) -> Settings:
        aws = {"journal": self.uri("journal"), "refused": self.uri("refused"), **more.pop("aws", {})}
        values = {"privacy_key": "env:PRIVACY_KEY", **self.more, **more}
        return load_settings(data=self.uri("lake"), journal=self.folder / "journal", aws=aws, **values)

    def writer(self, **more: Any) -> ObjectWriter:
        """As a new process has it; the mapping is compiled once for all of them."""
        settings = self.settings(**more)
        self._configured = self._configured or configure(settings)
        return ObjectWriter(settings, self._configured)

    def put(self, name: str, content: bytes, below: str = "journal") -> S3Object:
        """An object as its notification names it."""
        key = f"{self.root.prefix}{below}/{name}"
        answer = self.server.client.put_object(Bucket=self.root.bucket, Key=key, Body=content)
        return S3Object(self.root.bucket, key, answer["ETag"].strip('"'), len(content), RECEIVED_MS)

    def remove(self, made: S3Object) -> None:
        self.server.client.delete_object(Bucket=made.bucket, Key=made.key)

    def journal(self) -> list[ObjectPlace]:
        """What is in the journal now."""
        return list(JournalBucket(self.uri("journal"), s3_config(self.settings())))

    def journal_keys(self) -> list[str]:
        return [each.listed.key.removeprefix(f"{self.root.prefix}journal/") for each in self.journal()]

    @property
    def data(self) -> StoreData:
        return StoreData(self.server.store(S3Place.of(self.uri("lake"))))

    def audit(self) -> AuditReport:
        return audit(self.data, journal_closed=None, now_ms=RECEIVED_MS, deep=True, pause=lambda: None)

    def fates(self) -> dict[str, int]:
        """Events by fate, of a data folder whose audit holds."""
        return _fates(self.audit())

    def tidy_fates(self) -> dict[str, int]:
        """The same, where no attempt left anything: neither here, nor in the bucket."""
        report = self.audit()
        assert list(self.data.store.find(INTENTS)) == []
        assert files_below(self.folder / "journal", "work/.staging") == set()
        assert (report.leftover_files, report.in_flight) == (0, 0)
        return _fates(report)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_lake(self.data) as lake:
            return lake.execute(sql).fetchall()

    def message_ids(self) -> list[str]:
        return [name for (name,) in self.query("SELECT message_id FROM events_raw ORDER BY ALL")]


def _fates(report: AuditReport) -> dict[str, int]:
    assert report.findings == ()
    return {fate: count for fate, count in report.fates.items() if count}


def news(*made: S3Object) -> dict[str, Any]:
    """The batch that tells of objects, one message for each."""
    return batch(*map(notification, made))


@contextmanager
def deployed(
    server: S3Server, folder: Path, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> Iterator[Deployment]:
    """A deployment whose credentials this process finds as it would find those of AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "CONNECTOR_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**server.environment, **PRIVACY_KEY}.items():
        monkeypatch.setenv(name, value)
    yield Deployment(server, folder, more)
