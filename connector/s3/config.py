"""Where a bucket is and how it is reached. A value; nothing here opens a connection."""

from __future__ import annotations

from dataclasses import dataclass

from connector.errors import ConfigError


@dataclass(frozen=True, slots=True)
class S3Config:
    """Field for field what ``options.S3Options`` says; credentials come from the AWS environment."""

    endpoint: str | None = None
    region: str | None = None
    encryption: str | None = None
    """``AES256`` or ``aws:kms``."""
    kms_key_id: str | None = None
    connect_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 30.0
    attempts: int = 5
    multipart_from_bytes: int = 16 << 20
    """The smallest file that is uploaded in parts."""
    part_bytes: int = 8 << 20


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket and the prefix below which everything lies; the prefix is empty or ends with ``/``."""

    bucket: str
    prefix: str = ""

    @classmethod
    def of(cls, uri: str) -> S3Place:
        """``s3://bucket/some/prefix`` -> bucket and ``some/prefix/``.

        Raises:
            ConfigError: it is no such address.
        """
        scheme, _, rest = uri.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ConfigError("an address in S3 is written s3://bucket or s3://bucket/prefix")
        prefix = prefix.strip("/")
        if prefix and not {"", ".", ".."}.isdisjoint(prefix.split("/")):
            raise ConfigError("a prefix in S3 has no empty steps, no . and no ..")
        return cls(bucket, f"{prefix}/" if prefix else "")

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")
