"""The reconcile Lambda: what was never written is queued again, what was written leaves in time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_journal import Context, Deployment, batch, deployed, failed, figures, frame, joined, news
from mypy_boto3_sqs import SQSClient
from s3_servers import S3Server

from connector.aws import reconcile as function
from connector.aws.queue import QueueError
from connector.aws.reconcile import Reconciled, Reconciler
from connector.config import load_settings
from connector.errors import ConfigError
from connector.journal.bucket import JournalBucket
from connector.s3.objects import S3Object
from connector.wiring.queues import make_sqs
from connector.write.object_ledger import ObjectLedger, record_name

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class Journal:
    """A deployment with objects in SeaweedFS and a queue in moto, at a time that the test says."""

    def __init__(self, shop: Deployment, sqs: SQSClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.sqs, self._monkeypatch = shop, sqs, monkeypatch
        self.queue_url = sqs.create_queue(QueueName=f"capture-{secrets.token_hex(4)}")["QueueUrl"]

    def look(self, later_ms: int, **more: Any) -> Reconciled:
        """A look at the journal, so long after now."""
        with self._monkeypatch.context() as clock:
            now_ms = JournalBucket.clock_ms
            clock.setattr(JournalBucket, "clock_ms", lambda journal: now_ms(journal) + later_ms)
            return Reconciler(self.settings()).run(**more)

    def settings(self) -> Any:
        return self.shop.settings(aws={"queue_url": self.queue_url}, retention_days=30)

    def written(self, name: str, message_id: str) -> S3Object:
        made = self.shop.put(name, joined(frame(message_id)))
        assert failed(self.shop.writer()(news(made), Context())) == []
        return made

    def queued(self) -> list[str]:
        """Bodies of the messages that wait, which are taken out of the queue."""
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            found += [message["Body"] for message in messages]
        return found


@pytest.fixture
def journal(
    seaweed: S3Server, moto: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Journal]:
    with deployed(seaweed, tmp_path, monkeypatch) as shop:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto.endpoint)
        yield Journal(shop, make_sqs(load_settings()), monkeypatch)


def test_a_lost_notification_is_made_good(journal: Journal):
    journal.written("firehose/a.gz", "m-1")
    journal.shop.put("firehose/2026/11/27/10/größe 1.gz", joined(frame("m-2")))
    journal.shop.put("direct/2026/11/27/10/0a1b", frame("m-3"))

    assert journal.look(HOUR_MS + MINUTE_MS) == Reconciled(open=2, queued=2, removed=0)

    bodies = journal.queued()
    assert len(bodies) == 2, "one message for each object: they fail one by one"
    assert failed(journal.shop.writer()(batch(*bodies), Context())) == []
    assert journal.shop.message_ids() == ["m-1", "m-2", "m-3"]
    assert journal.look(HOUR_MS + MINUTE_MS) == Reconciled(0, 0, 0)


def test_what_is_young_has_its_message_under_way(journal: Journal):
    journal.shop.put("a.gz", joined(frame("m-1")))

    assert journal.look(HOUR_MS - MINUTE_MS) == Reconciled(0, 0, 0)
    assert journal.queued() == []


def test_what_cannot_be_written_is_queued_hourly_for_a_day_then_daily_and_kept(
    journal: Journal, caplog: pytest.LogCaptureFixture
):
    poison = journal.shop.put("a.gz", joined(frame("m-1")))

    assert journal.look(24 * HOUR_MS) == Reconciled(open=1, queued=1, removed=0)
    assert journal.look(26 * HOUR_MS) == Reconciled(open=1, queued=0, removed=0)
    assert journal.look(400 * DAY_MS + 2 * HOUR_MS) == Reconciled(open=1, queued=0, removed=0)
    assert journal.look(400 * DAY_MS) == Reconciled(open=1, queued=1, removed=0)

    assert len(journal.queued()) == 2
    assert journal.shop.journal_keys() == ["a.gz"]
    assert f"the oldest is s3://{poison.bucket}/{poison.key}" in caplog.text


def test_what_is_written_leaves_after_the_retention_and_nothing_else_does(journal: Journal):
    journal.written("written.gz", "m-1")
    journal.shop.put("unwritten.gz", joined(frame("m-2")))
    refused = journal.shop.put("a", frame("m-3"), below="refused")

    assert journal.look(30 * DAY_MS - HOUR_MS).removed == 0
    assert journal.look(30 * DAY_MS + HOUR_MS) == Reconciled(open=1, queued=0, removed=1)

    assert journal.shop.journal_keys() == ["unwritten.gz"]
    assert journal.shop.server.client.head_object(Bucket=refused.bucket, Key=refused.key)
    assert journal.shop.fates() == {"stored": 1}


def test_what_has_a_damaged_record_stays(journal: Journal, caplog: pytest.LogCaptureFixture):
    """The object is the only thing from which its rows could be made anew."""
    from connector.journal.places import ObjectPlace

    journal.written("whole.gz", "m-1")
    made = journal.written("damaged.gz", "m-2")
    name = record_name(ObjectPlace.of(made).captured_file)
    journal.shop.data.store.put(name, b"{}")

    assert journal.look(31 * DAY_MS) == Reconciled(open=0, queued=0, removed=1)
    assert journal.shop.journal_keys() == ["damaged.gz"]
    assert "stays in the journal" in caplog.text


def test_what_could_not_be_read_whole_stays(journal: Journal, caplog: pytest.LogCaptureFixture):
    """Firehose has acknowledged every byte, so none of them is a torn tail that nobody was promised."""
    from connector.journal.places import ObjectPlace

    journal.written("whole.gz", "m-1")
    made = journal.shop.put("cut.gz", joined(frame("m-2"), frame("m-3"))[:-40])
    assert failed(journal.shop.writer()(news(made), Context())) == []
    record = ObjectLedger(journal.shop.data.store).record(ObjectPlace.of(made).captured_file)

    assert record is not None
    assert record.record.torn_bytes > 0
    assert journal.look(31 * DAY_MS) == Reconciled(open=0, queued=0, removed=1)
    assert journal.shop.journal_keys() == ["cut.gz"]
    assert "not all of it could be read" in caplog.text


def test_an_object_written_anew_is_another_captured_file(journal: Journal):
    journal.written("a.gz", "m-1")
    journal.shop.put("a.gz", joined(frame("m-2")))

    assert journal.look(2 * HOUR_MS) == Reconciled(open=1, queued=1, removed=0)


def test_folders_of_a_console_are_no_captures(journal: Journal):
    journal.shop.put("firehose/", b"")

    assert journal.look(2 * HOUR_MS) == Reconciled(0, 0, 0)


def test_without_time_left_nothing_is_sent_or_removed(journal: Journal):
    journal.written("written.gz", "m-1")
    journal.shop.put("unwritten.gz", joined(frame("m-2")))

    assert journal.look(31 * DAY_MS, stopping=lambda: True) == Reconciled(open=1, queued=0, removed=0)
    assert journal.look(2 * HOUR_MS, stopping=lambda: True) == Reconciled(open=1, queued=0, removed=0)
    assert sorted(journal.shop.journal_keys()) == ["unwritten.gz", "written.gz"]


def test_a_queue_that_refuses_fails_the_invocation(journal: Journal):
    journal.shop.put("a.gz", joined(frame("m-1")))
    journal.queue_url += "-gone"

    with pytest.raises(QueueError):
        journal.look(2 * HOUR_MS)


@pytest.mark.parametrize(
    "wrong", [{}, {"aws": {"journal": "s3://b/journal"}}, {"aws": {"journal": "s3://b/j", "queue_url": "q"}}]
)
def test_a_deployment_without_journal_queue_or_bucket_does_not_start(wrong: dict[str, Any], tmp_path: Path):
    with pytest.raises(ConfigError):
        Reconciler(load_settings(data=str(tmp_path), **wrong))


def test_the_handler_counts_even_when_there_is_nothing(
    journal: Journal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    function.prepared.cache_clear()
    monkeypatch.setattr(function, "settings_with_secrets", journal.settings)
    capsys.readouterr()
    try:
        assert function.handler({}, Context()) == {"open": 0, "queued": 0, "removed": 0}
    finally:
        function.prepared.cache_clear()
    assert figures(capsys.readouterr().out) == {"OpenCaptures": 0, "Requeued": 0, "JournalObjectsRemoved": 0}
