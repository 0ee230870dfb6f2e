"""The S3 client of botocore, made from a configuration."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from connector.errors import ConfigError
from connector.s3.config import S3Config
from connector.s3.faults import store_errors

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

_CONNECTIONS = 32
"""Kept open at a time; more threads than this wait for one another."""
_REGION_VARIABLES = {"region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)}
"""boto3 knows the second only, every other AWS tool looks at the first before it."""


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """Credentials handed over in person, for a server one has just started."""

    access_key: str
    secret_key: str = field(repr=False)


def make_client(config: S3Config, keys: AccessKeys | None = None) -> S3Client:
    """
    A client for several threads; nothing is sent before its first use. What ``config`` leaves open (endpoint,
    region, addressing) is what the environment and the shared files of AWS say.

    Every write carries a checksum of its content, and what is read is compared with the one kept beside it.
    One request takes at most about ``attempts * (connect + read time-out)`` and the pauses between.

    Args:
        keys: None: where every AWS tool looks (environment, shared files, the role of the machine), anew for
            every client.

    Raises:
        ConfigError: the endpoint is no URL of a host.
        StoreError: ``AWS_PROFILE`` names a profile that is not there.
    """
    from botocore.config import Config

    given: dict[str, Any] = {}
    if keys:
        given = {"aws_access_key_id": keys.access_key, "aws_secret_access_key": keys.secret_key}
    options = Config(
        connect_timeout=config.connect_timeout_seconds,
        read_timeout=config.read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": config.attempts},
        max_pool_connections=_CONNECTIONS,
        tcp_keepalive=True,
        signature_version="s3v4",
        request_checksum_calculation="when_supported",
        response_checksum_validation="when_supported",
        s3={"addressing_style": "path"} if config.endpoint else None,
        proxies={} if config.endpoint and _is_loopback(config.endpoint) else None,
    )
    with store_errors("making a client", "(any)"):
        client = new_session().create_client(
            "s3", region_name=config.region, endpoint_url=config.endpoint, config=options, **given
        )
        return cast("S3Client", client)


def new_session() -> Session:
    """
    A session of botocore with the credentials and the region that the environment says now.

    A client made with it does without boto3 and its transfers, which take longer to load than the client.
    """
    import botocore.session

    session = botocore.session.Session(session_vars=_REGION_VARIABLES)
    session.register_component("data_loader", _descriptions())
    return session


def attempts_of(client: S3Client) -> int:
    """How often a request may be tried, the first time included."""
    retries = client.meta.config.retries  # type: ignore[attr-defined]
    return int(retries.get("total_max_attempts", 1))


@cache
def _descriptions() -> Loader:
    """What botocore knows of AWS's services: 12 MB, which every client would read and keep for itself."""
    from botocore.loaders import create_loader

    return create_loader()


def _is_loopback(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise ConfigError("s3.endpoint: is not an http or https URL of a host")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
