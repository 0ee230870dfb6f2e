"""The writer Lambda: messages about journal objects in, rows out, by the code of ``connector replay``.

A message is deleted once the ledger has a record of the object that it names. Everything else is reported as
failed, comes again, and after the queue's ``maxReceiveCount`` lies in the dead-letter queue. A message that
comes twice costs one request.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

from connector.aws.figures import Figures
from connector.aws.notifications import objects_in
from connector.aws.start import begin, name_invocation, settings_with_secrets
from connector.config import Settings
from connector.errors import ConfigError, ConnectorError
from connector.journal.places import ObjectPlace
from connector.rounds import Writer, Written
from connector.s3.config import S3Place
from connector.wiring import configure
from connector.wiring.queues import make_sqs

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from connector.s3.objects import S3Object
    from connector.wiring import Configured

log = logging.getLogger("connector.aws.writer")

SERVICE = "writer"
AGAIN_SECONDS, AGAIN_AT_MOST_SECONDS = 30, 900
"""A message that failed comes again after so long, twice as long each time: the queue's own visibility
timeout is for writers that died."""
LEAST_MS = 60_000
"""With less time left than this nothing is begun: an object is seconds of work, and one that is killed in the
middle leaves objects for the sweep."""


class NotWritten(ConnectorError):
    """An object that is in no ledger after it was tried; its message comes again."""

    code = "not_written"


class OutOfTime(ConnectorError):
    """The invocation is about to end; the message comes again."""

    code = "out_of_time"


class ObjectWriter:
    """What one process has ready for all its invocations: mapping compiled, clients made, store probed.

    Raises:
        ConfigError: the settings, mapping or schemas are wrong, or name no journal.
        StoreError: the data folder's bucket is not to be had.
    """

    def __init__(self, settings: Settings, configured: Configured | None = None) -> None:
        if settings.aws.journal is None:
            raise ConfigError("aws.journal: is not set, so nobody knows which objects to write")
        self._journal = S3Place.of(settings.aws.journal)
        self._writer = Writer(settings, configured or configure(settings))
        self._figures = Figures(SERVICE)
        self._queue_url = settings.aws.queue_url
        self._sqs = make_sqs(settings) if self._queue_url else None
        self._delay_ms = -1

    def __call__(self, event: Mapping[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        """Write what a batch of messages names; return the messages that are to come again, if all be it."""
        self._delay_ms = -1
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        try:
            return process_partial_response(dict(event), self._handled, processor, context)
        finally:
            if self._delay_ms >= 0:
                seconds = self._delay_ms / 1000
                self._figures.add("JournalToTableDelaySeconds", seconds, MetricUnit.Seconds)
            self._figures.emit()

    def _handled(self, record: SQSRecord, lambda_context: LambdaContext) -> None:
        """One message. Whatever is raised is why it comes again."""
        try:
            if lambda_context.get_remaining_time_in_millis() < LEAST_MS:
                raise OutOfTime("less than a minute is left: it is for the next invocation")
            for made in objects_in(record.body, self._journal):
                self._write(made)
        except OutOfTime as late:
            log.info("message %s comes again: %s", record.message_id, late)
            raise
        except Exception as trouble:
            said = str(trouble) if isinstance(trouble, ConnectorError) else type(trouble).__name__
            log.error("message %s comes again: %s", record.message_id, said)
            self._figures.add("WriterErrors")
            self._come_again_soon(record)
            raise

    def _come_again_soon(self, record: SQSRecord) -> None:
        """Shorten the wait for the next try. Where that fails the visibility timeout of the queue holds."""
        if self._sqs is None or self._queue_url is None:
            return
        from botocore.exceptions import BotoCoreError, ClientError

        tries = int(record.raw_event.get("attributes", {}).get("ApproximateReceiveCount", 1))
        seconds = min(AGAIN_SECONDS * 2 ** min(tries - 1, 10), AGAIN_AT_MOST_SECONDS)
        try:
            self._sqs.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=record.receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as trouble:
            log.warning("message %s waits for longer: %s", record.message_id, type(trouble).__name__)

    def _write(self, made: S3Object) -> None:
        """One object: recorded when this returns, or replaced by another whose own news are on their way."""
        place = ObjectPlace.of(made)
        written = self._writer.write_object(place)
        if written.removed:
            raise NotWritten(f"{place.name}: is gone and was never written")
        if written.failed:
            raise NotWritten(f"{place.name}: could not be written")
        if written.changed:
            log.warning("%s: is another object by now, which has news of its own", place.name)
            self._figures.add("StaleNotifications")
        if written.files:
            self._count(written, written.oldest_received_at_ms or made.modified_ms)

    def _count(self, written: Written, since_ms: int) -> None:
        log.info(written.said)
        figures, counts = self._figures, written.counts
        figures.add("CapturedFilesWritten", written.files)
        figures.add("EventsReceived", written.events)
        figures.add("EventsStored", counts.stored)
        figures.add("EventsRejected", counts.rejected)
        if unproven := written.rejected["delete_unproven"]:
            figures.add("DeleteUnproven", unproven)
        if damaged := {*written.damaged, *written.corrupt}:
            figures.add("CapturedFilesDamaged", len(damaged))
        if since_ms:
            self._delay_ms = max(self._delay_ms, time.time_ns() // 1_000_000 - since_ms, 0)


@cache
def prepared() -> ObjectWriter:
    """The writer of this process, made once; what is raised is raised anew the next time."""
    return ObjectWriter(settings_with_secrets())


def handler(event: Mapping[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Entry point of the Lambda: an SQS batch of notifications, answered with what failed of it."""
    name_invocation(context)
    try:
        writer = prepared()
    except ConnectorError as trouble:
        return _all_of(event["Records"], trouble)
    return writer(event, context)


def _all_of(records: Sequence[Mapping[str, Any]], trouble: ConnectorError) -> PartialItemFailureResponse:
    """Nothing can be written: every message comes again."""
    log.error("%d messages come again: %s", len(records), trouble)
    figures = Figures(SERVICE)
    figures.add("WriterErrors", len(records))
    figures.emit()
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]}


begin(SERVICE, prepared)
