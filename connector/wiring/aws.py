"""Settings to the parts that run on AWS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from connector.config import Settings
from connector.errors import ConfigError
from connector.s3.config import S3Place
from connector.wiring.storage import s3_config

if TYPE_CHECKING:
    from mypy_boto3_firehose import FirehoseClient

    from connector.journal.firehose import FirehoseJournal


def make_firehose_journal(settings: Settings) -> FirehoseJournal:
    """
    The journal of one receiver on AWS. Its clients are made here, once; nothing is sent yet.

    Their patience is the journal's own, whatever ``s3`` says: the sender waits for the answer.

    Raises:
        ConfigError: no stream is configured.
        StoreError: ``AWS_PROFILE`` names a profile that is not there.
    """
    from connector.journal.firehose import CONNECT_SECONDS, READ_SECONDS, FirehoseJournal
    from connector.journal.stream import DeliveryStream
    from connector.s3.client import make_client
    from connector.s3.store import S3Store

    aws = settings.aws
    if not (aws.delivery_stream and aws.journal and aws.refused):
        raise ConfigError("aws.delivery_stream: is not set; the journal on AWS needs a stream")
    config = replace(
        s3_config(settings),
        connect_timeout_seconds=CONNECT_SECONDS,
        read_timeout_seconds=READ_SECONDS,
        attempts=1,
    )
    objects = make_client(config)
    return FirehoseJournal(
        DeliveryStream(_firehose(settings.s3.region), aws.delivery_stream),
        S3Store(objects, S3Place.of(aws.journal), config),
        S3Store(objects, S3Place.of(aws.refused), config),
        record_bytes=aws.record_bytes,
        public_share=settings.public_share,
    )


def service_client(settings: Settings, service: str) -> Any:
    """A client of an AWS service for a command: credentials and region as ``make_sqs`` finds them.

    Raises:
        botocore.exceptions.NoRegionError: nobody says in which region.
    """
    from connector.s3.client import new_session

    return new_session().create_client(service, region_name=settings.s3.region)


def _firehose(region: str | None) -> FirehoseClient:
    from botocore.config import Config

    from connector.journal.firehose import CONNECT_SECONDS, READ_SECONDS
    from connector.s3.client import new_session

    options = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 1},
        tcp_keepalive=True,
    )
    client = new_session().create_client("firehose", region_name=region, config=options)
    return cast("FirehoseClient", client)
