"""A Firehose stream: one record in, or the reason why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.errors import StoreError
from connector.s3.faults import UNAVAILABLE, code_of, kind_of, status_of

if TYPE_CHECKING:
    from mypy_boto3_firehose import FirehoseClient


class DeliveryStream:
    """
    Direct PUT into one delivery stream.

    Its delimiter must be off and nothing may transform what it carries: it joins records end to end, and a
    frame brings its own newline (journal-protocol 6).
    """

    def __init__(self, client: FirehoseClient, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, record: bytes) -> None:
        """
        Return when the service has answered with a record id: it keeps the record from then on.

        Raises:
            StoreError: anything else happened; whether the record was taken is then unknown. ``retryable``
                for what may pass: throttling, 5xx, a connection that broke, a time-out.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            answer = self._client.put_record(DeliveryStreamName=self._name, Record={"Data": record})
        except ClientError as refused:
            raise self._refusal(status_of(refused), code_of(refused)) from None
        except (BotoCoreError, HTTPError) as broken:
            raise StoreError(f"stream {self._name}: no answer ({type(broken).__name__})") from None
        if not answer.get("RecordId"):
            raise StoreError(f"stream {self._name}: an answer without a record id")

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def _refusal(self, status: int, code: str) -> StoreError:
        kind = kind_of(status, code)
        text = f"stream {self._name}: HTTP {status or 'none'} {code or 'without a code'}"
        return StoreError(text, code=kind, retryable=kind == UNAVAILABLE)
