"""Journal objects through a real queue: S3's news, the writer's answers, dead letters, and back again."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_journal import Context, Deployment, deployed, failed, frame, joined
from click.testing import CliRunner
from s3_servers import S3Server

from connector.aws import writer
from connector.aws.notifications import notification
from connector.aws.queue import Redriven, redrive, send
from connector.aws.reconcile import Reconciled, Reconciler
from connector.aws.writer import ObjectWriter
from connector.cli import main
from connector.config import load_settings
from connector.journal.bucket import JournalBucket
from connector.s3.objects import S3Object
from connector.wiring.queues import make_sqs

RECEIVES = 3
HOUR_MS = 3_600_000


class Queue:
    """What Lambda does between a queue and a function: receive, call, delete what did not fail."""

    def __init__(self, visibility_seconds: int = 0) -> None:
        self.sqs, name = make_sqs(load_settings()), secrets.token_hex(4)
        self.dead = self.sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": found["Attributes"]["QueueArn"], "maxReceiveCount": RECEIVES}
        self.url = self.sqs.create_queue(
            QueueName=f"capture-{name}",
            Attributes={"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": str(visibility_seconds)},
        )["QueueUrl"]

    def tell(self, *made: S3Object) -> None:
        assert send(self.sqs, self.url, map(notification, made)) == len(made)

    def poll(self, write: ObjectWriter) -> None:
        """Until no message is left: each is done, or dead after so many receives."""
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            again = set(failed(write({"Records": list(map(_as_lambda_says, messages))}, Context())))
            for message in messages:
                if message["MessageId"] not in again:
                    self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def letters(self) -> int:
        """In the dead-letter queue."""
        found = self.sqs.get_queue_attributes(
            QueueUrl=self.dead, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"])


def _as_lambda_says(message: Any) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
        "eventSource": "aws:sqs",
    }  # fmt: skip


@pytest.fixture
def shop(
    seaweed: S3Server, moto: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployment]:
    monkeypatch.chdir(tmp_path)
    with deployed(seaweed, tmp_path, monkeypatch) as deployment:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", moto.endpoint)
        monkeypatch.setenv("CONNECTOR_DATA", deployment.uri("lake"))
        monkeypatch.setenv("CONNECTOR_AWS__JOURNAL", deployment.uri("journal"))
        yield deployment


def audit(*options: str) -> int:
    return CliRunner().invoke(main, ["audit", *options]).exit_code


def test_a_poison_object_ends_as_a_dead_letter_is_found_open_and_is_written_once_it_can_be(
    shop: Deployment, monkeypatch: pytest.MonkeyPatch
):
    queue = Queue()
    large = b"".join(frame(f"m-{number}", number) for number in range(300))
    good, poison = shop.put("good.gz", joined(frame("m-good"))), shop.put("poison.gz", gzip.compress(large))
    queue.tell(poison, good)

    queue.poll(shop.writer(unpacked_max_bytes=10_000))

    assert queue.letters() == 1
    assert shop.message_ids() == ["m-good"]
    assert audit() == 0, "it waits"
    monkeypatch.setenv("CONNECTOR_OPEN_AFTER_SECONDS", "0")
    assert audit() == 1, "it is open"

    assert redrive(queue.sqs, queue.dead, queue.url, wait_seconds=0) == Redriven(moved=1)
    queue.poll(shop.writer(unpacked_max_bytes=10_000))
    assert (queue.letters(), audit()) == (1, 1), "what was wrong is still wrong"

    assert redrive(queue.sqs, queue.dead, queue.url, wait_seconds=0) == Redriven(moved=1)
    queue.poll(shop.writer())
    assert (queue.letters(), audit()) == (0, 0)
    assert shop.fates() == {"stored": 301}


def test_what_failed_is_tried_again_long_before_the_visibility_timeout(
    shop: Deployment, monkeypatch: pytest.MonkeyPatch
):
    """That one is for a writer that died: six times as long as it may run."""
    queue = Queue(visibility_seconds=1_800)
    poison = shop.put(
        "poison.gz", gzip.compress(b"".join(frame(f"m-{number}", number) for number in range(300)))
    )
    queue.tell(poison)
    monkeypatch.setattr(writer, "AGAIN_SECONDS", 0)

    queue.poll(shop.writer(unpacked_max_bytes=10_000))
    assert queue.letters() == 0, "without the address of its queue it waits"
    queue.tell(poison)
    queue.poll(shop.writer(unpacked_max_bytes=10_000, aws={"queue_url": queue.url}))

    assert queue.letters() == 1


def test_c31_what_nobody_told_of_is_found_and_written(shop: Deployment, monkeypatch: pytest.MonkeyPatch):
    queue = Queue()
    told, lost = shop.put("a.gz", joined(frame("m-a"))), shop.put("b.gz", joined(frame("m-b")))
    queue.tell(told)
    queue.poll(shop.writer())
    settings = shop.settings(aws={"queue_url": queue.url})
    now_ms = JournalBucket.clock_ms
    monkeypatch.setattr(JournalBucket, "clock_ms", lambda journal: now_ms(journal) + 2 * HOUR_MS)

    assert Reconciler(settings).run() == Reconciled(open=1, queued=1, removed=0)
    queue.poll(shop.writer())

    assert shop.message_ids() == ["m-a", "m-b"]
    assert Reconciler(settings).run() == Reconciled(open=0, queued=0, removed=0)
    assert lost.key in {place.listed.key for place in shop.journal()}
