"""Messages into the capture queue, and out of the dead-letter queue back into it, over moto's SQS."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from mypy_boto3_sqs import SQSClient
from s3_servers import S3Server

from connector.aws.queue import QueueError, Redriven, redrive, send
from connector.config import load_settings
from connector.wiring.queues import make_sqs


class Queues(NamedTuple):
    sqs: SQSClient
    capture: str
    dead: str

    def waiting(self, url: str) -> int:
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def bodies(self, url: str) -> list[str]:
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in messages]
        return sorted(found)

    def redrive(self, at_most: int = 1_000, progress: Callable[[int], None] = lambda _: None) -> Redriven:
        return redrive(self.sqs, self.dead, self.capture, at_most=at_most, wait_seconds=0, progress=progress)


@pytest.fixture
def queues(moto: S3Server, monkeypatch: pytest.MonkeyPatch) -> Queues:
    """A capture queue whose messages are dead after two receives that ended in nothing."""
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.endpoint)
    sqs, name = make_sqs(load_settings()), secrets.token_hex(4)
    dead = sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    capture = sqs.create_queue(QueueName=f"capture-{name}", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    return Queues(sqs, capture, dead)


def named(count: int) -> list[str]:
    return [f'{{"n":{number:04d}}}' for number in range(count)]


def test_messages_are_sent_ten_at_a_time(queues: Queues):
    assert send(queues.sqs, queues.capture, named(25)) == 25
    assert queues.bodies(queues.capture) == named(25)


def test_sending_stops_between_two_batches(queues: Queues):
    asked = iter([False, True])

    assert send(queues.sqs, queues.capture, named(25), lambda: next(asked)) == 10


def test_large_messages_go_in_smaller_batches(queues: Queues):
    assert send(queues.sqs, queues.capture, ["x" * 120_000] * 5) == 5
    assert queues.waiting(queues.capture) == 5


def test_every_message_of_the_dead_letter_queue_is_moved(queues: Queues):
    send(queues.sqs, queues.dead, named(23))
    told: list[int] = []

    assert queues.redrive(progress=told.append) == Redriven(moved=23)
    assert (queues.waiting(queues.dead), sum(told)) == (0, 23)
    assert queues.bodies(queues.capture) == named(23)


def test_there_may_be_nothing_to_move(queues: Queues):
    assert queues.redrive() == Redriven()


def test_no_more_is_moved_than_was_asked_for(queues: Queues):
    send(queues.sqs, queues.dead, named(23))

    assert queues.redrive(at_most=15) == Redriven(moved=15, finished=False)
    assert queues.redrive() == Redriven(moved=8)


def test_a_message_that_fails_again_at_once_does_not_make_it_run_for_ever(queues: Queues):
    send(queues.sqs, queues.dead, ["poison"])

    def fails_twice(_: int) -> None:
        for _attempt in range(3):
            queues.sqs.receive_message(QueueUrl=queues.capture, VisibilityTimeout=0)

    done = queues.redrive(progress=fails_twice)

    assert (done.moved, done.came_back, done.finished) == (1, 1, False)


def test_a_message_that_is_not_deleted_comes_once_more(queues: Queues, monkeypatch: pytest.MonkeyPatch):
    send(queues.sqs, queues.dead, named(3))
    monkeypatch.setattr(queues.sqs, "delete_message_batch", lambda **_: {"Failed": []})

    assert queues.redrive() == Redriven(moved=3, twice=3)


def test_what_the_queue_does_not_take_is_left_where_it_was(queues: Queues, monkeypatch: pytest.MonkeyPatch):
    """A batch may fail partly with a 200."""
    send(queues.sqs, queues.dead, named(3))
    whole = queues.sqs.send_message_batch

    def first_only(**said: Any) -> Any:
        return whole(**{**said, "Entries": said["Entries"][:1]})

    monkeypatch.setattr(queues.sqs, "send_message_batch", first_only)

    assert queues.redrive() == Redriven(moved=1, left=2, finished=False)
    assert len(queues.bodies(queues.capture)) == 1


def test_a_queue_that_is_not_there_is_an_error_without_its_address(queues: Queues):
    gone = f"{queues.capture}-gone"

    with pytest.raises(QueueError, match="NonExistentQueue") as refused:
        send(queues.sqs, gone, named(1))
    assert gone not in str(refused.value)


def test_sqs_that_does_not_answer_is_an_error_that_may_pass(moto: S3Server, monkeypatch: pytest.MonkeyPatch):
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("connector.wiring.queues._TRIES", 1)

    with pytest.raises(QueueError, match="EndpointConnectionError") as refused:
        send(make_sqs(load_settings()), "http://127.0.0.1:9/q", named(1))
    assert refused.value.retryable
