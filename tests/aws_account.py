"""An AWS account for the tests: moto behind a proxy that breaks what it is told to break."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import pytest
from botocore.config import Config
from s3_proxy import S3Proxy
from s3_servers import REGION, S3Server

from connector.config import Settings, load_settings
from connector.journal.frames import Frame, FrameScan
from connector.s3.client import make_client, new_session
from connector.s3.config import S3Config

HASTE = S3Config(region=REGION, connect_timeout_seconds=1, read_timeout_seconds=1, attempts=1)
"""The tests do not wait as long as a sender does."""
ROLE = "arn:aws:iam::123456789012:role/lantern"


class Found(NamedTuple):
    """One frame that AWS holds."""

    header: Mapping[str, Any]
    body: bytes
    text: bytes
    """All of it."""


@dataclass
class Account:
    """A delivery stream, and the bucket it delivers to at once; the code under test comes by the proxy."""

    proxy: S3Proxy
    behind: S3Server
    """moto itself."""
    root: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def bucket(self) -> str:
        return self.behind.bucket

    @property
    def stream(self) -> str:
        return f"captures-{self.root}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What a Lambda finds: credentials, region, and where to knock."""
        return {
            **self.behind.environment,
            "AWS_ENDPOINT_URL": self.proxy.endpoint,
            "CONNECTOR_S3__ENDPOINT": self.proxy.endpoint,
            "CONNECTOR_DATA": f"s3://{self.bucket}/{self.root}/lake",
            "CONNECTOR_AWS__DELIVERY_STREAM": self.stream,
            "CONNECTOR_AWS__JOURNAL": f"s3://{self.bucket}/{self.root}/journal",
            "CONNECTOR_AWS__REFUSED": f"s3://{self.bucket}/{self.root}/refused",
        }

    def settings(self, **options: Any) -> Settings:
        """As a process with that environment would load them."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return load_settings(**options)

    def client(self, service: str) -> Any:
        """A client that asks moto itself."""
        return new_session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.behind.endpoint,
            aws_access_key_id=self.behind.keys.access_key,
            aws_secret_access_key=self.behind.keys.secret_key,
        )

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """Key below the account's own root -> content."""
        client = self.behind.client
        listed = client.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.root}/{prefix}")
        return {
            item["Key"].removeprefix(f"{self.root}/"): client.get_object(Bucket=self.bucket, Key=item["Key"])[
                "Body"
            ].read()
            for item in listed.get("Contents", ())
        }

    def frames(self, prefix: str = "journal/") -> list[Found]:
        """The frames of all objects below a prefix, in the order in which they were sent."""
        found = [each for text in self.objects(prefix).values() for each in frames_in(text)]
        sent = [each.header["receipt"] for text in self.sent() for each in frames_in(text)]
        return sorted(found, key=lambda each: sent.index(each.header["receipt"]))

    def sent(self) -> list[bytes]:
        """What was put into the stream or the bucket through the proxy, whether it was taken or not."""
        texts = []
        for request in list(self.proxy.requests):
            if request.method == "PUT":
                texts.append(request.body)
            elif request.headers.get("x-amz-target", "").endswith(".PutRecord"):
                texts.append(base64.b64decode(json.loads(request.body)["Record"]["Data"]))
        return texts

    def refuse(self, status: int, code: str, **where: Any) -> None:
        """Answer as AWS's JSON services do when they refuse."""
        self.proxy.say(status, json.dumps({"__type": code, "message": "as told"}), **where)


def frames_in(text: bytes) -> list[Found]:
    return [
        Found(each.header, text[each.body_start : each.body_end], text[each.start : each.end])
        for each in FrameScan(text)
        if isinstance(each, Frame)
    ]


@pytest.fixture
def account(moto: S3Server, proxied: tuple[S3Proxy, S3Server], aws_client: Any) -> Iterator[Account]:
    """One with a stream of its own, which is gone afterwards: an account may have fifty."""
    made = Account(proxied[0], moto)
    aws_client("firehose").create_delivery_stream(
        DeliveryStreamName=made.stream,
        DeliveryStreamType="DirectPut",
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": f"arn:aws:s3:::{made.bucket}",
            "Prefix": f"{made.root}/journal/firehose/",
            "CompressionFormat": "UNCOMPRESSED",
        },
    )
    yield made
    aws_client("firehose").delete_delivery_stream(DeliveryStreamName=made.stream)


@pytest.fixture(scope="session")
def aws_client(moto: S3Server) -> Callable[[str], Any]:
    """Clients that ask moto itself, one of a kind: making one takes longer than most tests."""
    plain = Account(S3Proxy(moto.endpoint), moto)
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = plain.client(service)
        return made[service]

    return client


@pytest.fixture
def aws_environment(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """This process is a Lambda of that account."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    return account


@pytest.fixture(scope="session")
def hasty_clients(_moto_behind_a_proxy: tuple[S3Proxy, S3Server]) -> Mapping[str, Any]:
    """A journal's two clients, which go by the proxy, try once and hardly wait."""
    proxy, server = _moto_behind_a_proxy
    stream = new_session().create_client(
        "firehose",
        region_name=REGION,
        endpoint_url=proxy.endpoint,
        aws_access_key_id=server.keys.access_key,
        aws_secret_access_key=server.keys.secret_key,
        config=Config(
            connect_timeout=HASTE.connect_timeout_seconds,
            read_timeout=HASTE.read_timeout_seconds,
            retries={"total_max_attempts": 1},
        ),
    )
    return {"firehose": stream, "s3": make_client(replace(HASTE, endpoint=proxy.endpoint), server.keys)}
