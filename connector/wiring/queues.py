"""Settings to the client of the queues on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from connector.config import Settings

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
"""Longer than the longest poll for messages, 20 s."""
_TRIES = 5


def make_sqs(settings: Settings) -> SQSClient:
    """A client with the credentials of the AWS environment, in the region that ``s3.region`` says, else in
    that of the environment; nothing is sent yet."""
    from botocore.config import Config

    from connector.s3.client import new_session

    options = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _TRIES},
    )
    client = new_session().create_client("sqs", region_name=settings.s3.region, config=options)
    return cast("SQSClient", client)
