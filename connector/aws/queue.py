"""Messages of the two queues: put news of objects into one, move what failed back out of the other.

At least once, as everything around SQS: a message may be there twice, and a captured file is written once
however often it is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector.errors import ConnectorError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

BATCH_MESSAGES = 10
"""The most messages one request may send, receive or delete (SQS API reference)."""
_BATCH_BYTES = 200_000
"""All messages of a batch together may have 262,144 bytes or more; a single one that large goes alone."""
_WAIT_SECONDS = 2
"""A long poll asks all servers of a queue: an empty answer then means that it is empty."""
MOST_MOVED = 100_000
"""Messages that one call moves at most."""


class QueueError(ConnectorError):
    """SQS refused, or could not be reached. The message names the operation and the error code."""

    code = "queue"
    retryable = True


@dataclass(slots=True)
class Redriven:
    """What became of the messages of a dead-letter queue."""

    moved: int = 0
    """Sent to the capture queue and deleted."""
    left: int = 0
    """Received and not sent, because the capture queue did not take them: they are back after a while."""
    twice: int = 0
    """Sent and not deleted: they will come once more, which does no harm."""
    came_back: int = 0
    """Already moved by this very call and failed again: moving them again would never end."""
    finished: bool = True
    """False: there may be more."""


def send(
    sqs: SQSClient, queue_url: str, bodies: Iterable[str], stopping: Callable[[], bool] = lambda: False
) -> int:
    """Put messages into a queue, a batch at a time as long as not ``stopping``.

    Returns:
        How many the queue took.

    Raises:
        QueueError: a request failed; what was sent before is sent.
    """
    sent = 0
    for batch in _batches(bodies):
        if stopping():
            break
        sent += len(_sent(sqs, queue_url, batch))
    return sent


def redrive(
    sqs: SQSClient,
    dead_letter_queue_url: str,
    queue_url: str,
    *,
    at_most: int = MOST_MOVED,
    wait_seconds: int = _WAIT_SECONDS,
    progress: Callable[[int], None] = lambda _: None,
) -> Redriven:
    """
    Move the messages of the dead-letter queue back to the capture queue: receive, send, then delete.

    It ends when the queue is empty, after ``at_most`` messages, or when a message that it moved itself is
    back: what made that one fail is still there.

    Args:
        wait_seconds: how long one request waits for a message, 0 to 20.
        progress: told of messages moved.

    Raises:
        QueueError: a request failed. What was moved is moved; call again for the rest.
    """
    done, own = Redriven(), set[str]()
    while done.moved < at_most:
        count = min(BATCH_MESSAGES, at_most - done.moved)
        received = _received(sqs, dead_letter_queue_url, count, wait_seconds)
        if not received:
            return done
        again = [message for message in received if message["MessageId"] in own]
        new = [message for message in received if message["MessageId"] not in own]
        _move(sqs, dead_letter_queue_url, queue_url, new, own, done)
        progress(len(new))
        if again or done.left:
            done.came_back, done.finished = len(again), False
            return done
    done.finished = False
    return done


def _move(
    sqs: SQSClient, source_url: str, target_url: str, messages: Sequence[MessageTypeDef], own: set[str],
    done: Redriven,
) -> None:  # fmt: skip
    """Send and delete; ``own`` learns the ids that the messages have from now on."""
    handles = [message["ReceiptHandle"] for message in messages]
    first = 0
    for batch in _batches(message["Body"] for message in messages):
        sent = _sent(sqs, target_url, batch)
        own.update(sent.values())
        deleted = _deleted(sqs, source_url, [handles[first + number] for number in sent])
        done.moved += len(sent)
        done.twice += len(sent) - deleted
        done.left += len(batch) - len(sent)
        first += len(batch)


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    """At most ten messages, and so many bytes, at a time; in order."""
    waiting = iter(bodies)
    batch: list[str] = []
    size = 0
    for body in waiting:
        bytes_ = len(body.encode())
        if batch and (len(batch) == BATCH_MESSAGES or size + bytes_ > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += bytes_
    if batch:
        yield batch


def _sent(sqs: SQSClient, queue_url: str, bodies: Sequence[str]) -> dict[int, str]:
    """Number of each message that the queue took -> its id there. A batch may fail partly."""
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)
    ]
    with _queue_errors("send"):
        answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
    return {int(taken["Id"]): taken["MessageId"] for taken in answer.get("Successful", ())}


def _received(sqs: SQSClient, queue_url: str, count: int, wait_seconds: int) -> list[MessageTypeDef]:
    with _queue_errors("receive"):
        answer = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=count, WaitTimeSeconds=wait_seconds
        )
    return answer.get("Messages", [])


def _deleted(sqs: SQSClient, queue_url: str, handles: Sequence[str]) -> int:
    """How many are gone for sure."""
    if not handles:
        return 0
    with _queue_errors("delete"):
        answer = sqs.delete_message_batch(
            QueueUrl=queue_url,
            Entries=[{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)],
        )
    return len(answer.get("Successful", ()))


@contextmanager
def _queue_errors(operation: str) -> Iterator[None]:
    """Raise what botocore raises inside as ``QueueError``; its own texts may hold an address."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as refused:
        code = refused.response.get("Error", {}).get("Code", "without a code")
        raise QueueError(f"{operation}: SQS answered {code}; look at the queue's address and at what may be "
                         "done with the credentials") from None  # fmt: skip
    except BotoCoreError as broken:
        raise QueueError(f"{operation}: no answer from SQS ({type(broken).__name__})") from None
