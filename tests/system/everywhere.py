"""The same captures on every way into the tables, and what came of them, to be compared.

A way takes captures in their order of arrival into an empty data folder. Add one to ``WAYS`` and the tests of
``test_same_everywhere.py`` hold it against the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aws_journal import Context, Deployment, failed, joined, news
from mypy_boto3_firehose import FirehoseClient
from s3_servers import S3Server

from connector.config import Settings, load_settings
from connector.events import Capture
from connector.journal.firehose import FirehoseJournal
from connector.journal.stream import DeliveryStream
from connector.journal.writer import JournalWriter
from connector.lake.open import open_lake
from connector.rounds import Writer
from connector.s3.config import S3Place
from connector.sample import sample_events
from connector.tables import TABLES
from connector.wiring import configure
from connector.write.audit import audit
from connector.write.data import DataReader, FolderData

RECEIVED_MS = 1_795_773_600_000
RECORD_BYTES = 80_000
"""Of the stream under test: a capture above it is an object of its own."""
OF_THE_WAY = "captured_file, captured_index"
"""Columns that say how an event came, and may differ."""


@dataclass(frozen=True)
class Arrived:
    """What the captures became. Lists are sorted, without what ``OF_THE_WAY`` names."""

    rows: Mapping[str, list[tuple[Any, ...]]]
    """By table."""
    rejected: list[tuple[Any, ...]]
    fates: Mapping[str, int]
    received: int


@dataclass
class Place:
    """Where a way may put what it needs."""

    folder: Path
    server: S3Server
    """An S3 server of which this process has the credentials in its environment."""
    more: dict[str, Any] = field(default_factory=dict)
    """Settings that every way has."""


Way = Callable[[Sequence[Capture], Place], DataReader]
"""Brings captures into a data folder of its own; returns what reads it."""


def through_the_local_journal(captures: Sequence[Capture], place: Place) -> DataReader:
    """Receiver and writer of one machine."""
    settings = load_settings(data=str(place.folder / "data"), **place.more)
    journal = JournalWriter(settings.journal_path)
    for each in captures:
        journal.append(each)
    journal.close()
    written = _writer(settings).write_journal()
    assert (written.failed, written.files) == ([], 1)
    return FolderData(settings.data_path)


def through_the_functions(captures: Sequence[Capture], place: Place) -> DataReader:
    """Receiver on AWS, its stream, and the writer function: in one joined and packed object lies what the
    stream was given, beside it what was too large for a record."""
    shop = Deployment(place.server, place.folder, place.more)
    stream = _Stream()
    root = shop.root
    store = place.server.store(S3Place(root.bucket, f"{root.prefix}journal/"))
    refused = place.server.store(S3Place(root.bucket, f"{root.prefix}refused/"))
    records = DeliveryStream(stream.client, "journal")
    journal = FirehoseJournal(records, store, refused, record_bytes=RECORD_BYTES)
    for each in captures:
        journal.append(each)
    shop.put("firehose/2026/11/27/10/journal-1.gz", joined(*stream.records))
    made = [place.listed for place in shop.journal()]
    assert len(made) == 2, "the stream's object, and one for the capture above its record size"
    assert failed(shop.writer()(news(*made), Context())) == []
    return shop.data


WAYS: dict[str, Way] = {
    "local": through_the_local_journal,
    "functions": through_the_functions,
}


class _Stream:
    """Takes records as Firehose does, and keeps them."""

    def __init__(self) -> None:
        self.records: list[bytes] = []

    @property
    def client(self) -> FirehoseClient:
        return self  # type: ignore[return-value]

    def put_record(self, *, DeliveryStreamName: str, Record: Mapping[str, bytes]) -> dict[str, str]:  # noqa: N803
        self.records.append(Record["Data"])
        return {"RecordId": str(len(self.records))}


def _writer(settings: Settings) -> Writer:
    return Writer(settings, configure(settings))


def arrived(data: DataReader) -> Arrived:
    """Read everything that is in a data folder whose audit holds."""
    report = audit(data, journal_closed=None, now_ms=RECEIVED_MS, deep=True, pause=lambda: None)
    assert report.findings == ()
    with open_lake(data) as lake:
        rows = {
            table.name: lake.execute(
                f"SELECT * EXCLUDE ({OF_THE_WAY}) FROM {table.name}_raw ORDER BY ALL"
            ).fetchall()
            for table in TABLES
        }
        rejected = lake.execute(f"SELECT * EXCLUDE ({OF_THE_WAY}) FROM rejected ORDER BY ALL").fetchall()
    return Arrived(rows, rejected, report.fates, report.received)


def captures() -> list[Capture]:
    """A day of a shop, with everything that goes another way than most."""
    return [
        Capture(source, "webhook", RECEIVED_MS + 7 * number, body, proven)
        for number, (source, proven, body) in enumerate(_bodies())
    ]


def _bodies() -> Iterator[tuple[str, Any, bytes]]:
    events = [orjson.dumps(event) for event in sample_events(events=160, days=2, seed=7, duplicates=0.1)]
    for body in events[:100]:
        yield "web", "all", body
    yield "web", "first", b"[" + b",".join(events[100:130]) + b"]"
    yield "till", "all", json.dumps({"batch": [json.loads(body) for body in events[130:150]]}).encode()
    yield "web", "none", events[3]
    yield "till", "all", events[3]
    yield "app", "none", b'{"type":"identify","userId":"u-7","traits":{"email":"kim@shop.example","age":NaN}}'
    yield "app", "none", b'{"type":"page","anonymousId":"a-7","name":"H\xc3\xb6me","messageId":"m-p"}'
    yield "app", "none", b'{"type":"page","anonymousId":"a-7","name":"H\xc3\xb6me","messageId":"m-p"}'
    yield "web", "none", b'{"type":"delete","userId":"u-7","messageId":"m-d"}'
    yield "web", "all", b'{"type":"nonsense","messageId":"m-n"}'
    yield "web", "all", b'{"type":"track","event":"Order Completed","messageId":"m-o","properties":{}}'
    yield "web", "all", b'{"type":"track","event":7,"messageId":"m-7","userId":"u"}'
    yield "web", "all", b'{"id":12345678901234567890,"type":"page","messageId":"m-i","userId":"u"}'
    yield "web", "all", b"[]"
    yield "web", "all", b'["text",{"type":"page","messageId":"m-x","userId":"u"},null]'
    yield "web", "all", orjson.dumps(_large())


def _large() -> dict[str, Any]:
    """An order of which the frame is larger than a record of the stream."""
    products = [
        {"product_id": f"prd_{number:04d}", "price": 12.5, "quantity": 1, "name": "A thing among many"}
        for number in range(1_200)
    ]
    return {
        "type": "track", "event": "Order Completed", "userId": "u-9", "messageId": "m-large",
        "timestamp": "2026-11-27T09:59:00.000Z",
        "properties": {"order_id": "o-9", "revenue": 5000, "currency": "EUR", "products": products},
    }  # fmt: skip
