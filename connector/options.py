"""The parts of the configuration file: a source, a bucket, a column. Shapes and meanings, no reading."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

REFERENCE = re.compile(r"(env|file):(.+)\Z", re.DOTALL)

NO_REFERENCE = "a secret is written as env:NAME or file:PATH, never as itself"


def _checked_reference(value: str) -> str:
    if not REFERENCE.match(value):
        raise PydanticCustomError("reference", NO_REFERENCE)
    return value


SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Name of a source."""
Slug = Annotated[str, Field(pattern=rf"^{SLUG.pattern}$")]
Reference = Annotated[str, AfterValidator(_checked_reference)]
"""Where a secret lies: ``env:NAME`` or ``file:PATH``."""


EventName = Annotated[str, Field(min_length=1)]


class SecondHeader(BaseModel):
    """A secret header beside the signature, which proves only the first element of a batch."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[A-Za-z0-9-]+$", description="Name of the header: letters, digits, hyphens.")
    values: tuple[Reference, ...] = Field(
        min_length=1, description="Accepted values, `env:NAME` or `file:PATH`."
    )


class SourceSettings(BaseModel):
    """One sender."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    secrets: tuple[Reference, ...] = Field(
        (), description="Shared secrets of the webhook, `env:NAME` or `file:PATH`; several while rotating."
    )
    second_header: SecondHeader | None = Field(
        None, description="A secret header that proves every element of a batch."
    )
    write_keys: tuple[Reference, ...] = Field(
        (), description="Write keys of SDKs that send to `/v1/…`; public, so they prove nothing."
    )
    api_keys: tuple[Reference, ...] = Field(
        (), description="Keys of Developer-Center senders (Basic); a right one proves every element."
    )
    source_ids: tuple[str, ...] = Field(
        (), description="Segment's ids of this source: its folders in Segment's archive."
    )
    unsigned: bool = Field(False, description="Accept requests without a signature.")
    events_per_second: float = Field(
        1_000.0, gt=0, description="Events per second taken from its write keys, all receivers together."
    )
    bytes_per_second: float = Field(
        10_485_760.0, gt=0, description="Bytes per second taken from its write keys, all receivers together."
    )
    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="Assumed when an amount names none, flagged."
    )
    decimal_comma: bool = Field(False, description="`19,99` and `1.234,50` are amounts of this source.")
    minor_units: bool = Field(
        False, description="Amounts of events come in the currency's smallest unit: 1999 is 19.99 USD."
    )
    event_aliases: dict[EventName, EventName] = Field(
        default_factory=dict, description="Event name as sent, and the name it counts as."
    )
    key_aliases: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Product field, and further keys it is sent under: `product_id: [objectID]`.",
    )
    unescape_categories: bool = Field(False, description="Read `Toys &amp; Games` as `Toys & Games`.")


class S3Options(BaseModel):
    """How a bucket is reached. Keys and regions come from where every AWS tool looks for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    endpoint: str | None = Field(None, description="URL of a store that is not AWS; path-style addresses.")
    region: str | None = Field(None, description="Region; else from the AWS environment.")
    encryption: Literal["AES256", "aws:kms"] | None = Field(
        None, description="Server-side encryption asked for with every object."
    )
    kms_key_id: str | None = Field(None, description="KMS key; asks for `aws:kms`.")
    connect_timeout_seconds: float = Field(5.0, gt=0, description="Longest wait for a connection.")
    read_timeout_seconds: float = Field(30.0, gt=0, description="Longest wait for an answer.")
    attempts: int = Field(5, ge=1, le=20, description="Tries of one request, with growing pauses.")
    multipart_from_bytes: int = Field(
        16_777_216, ge=1, description="Files from this size on are uploaded in parts;"
    )
    part_bytes: int = Field(
        8_388_608, ge=5_242_880, description="of this size, S3 takes none below 5 MiB but the last."
    )


Address = Annotated[str, Field(pattern=r"^s3://[^/]+/[^/].*$")]
"""A place in a bucket, ``s3://bucket/prefix``."""


class AwsOptions(BaseModel):
    """Where captures go on AWS: a stream that writes them into a bucket, whose news wait in a queue."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    delivery_stream: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="Firehose stream that captures are put into; set: the journal is on AWS.",
    )
    journal: Address | None = Field(
        None, description="`s3://bucket/prefix` of the journal's objects: `direct/…`, `firehose/…`."
    )
    refused: Address | None = Field(
        None, description="`s3://bucket/prefix` of proven bodies that are not JSON; not below the journal."
    )
    queue_url: str | None = Field(None, description="Queue of the journal's objects that wait to be written.")
    dead_letter_queue_url: str | None = Field(
        None, description="Queue of those that could not be written after several attempts."
    )
    record_bytes: int = Field(
        1_000_000,
        gt=0,
        le=1_024_000,
        description="Largest frame put into the stream; a larger one is an object of its own.",
    )

    @model_validator(mode="after")
    def _has_places(self) -> Self:
        if self.delivery_stream and not (self.journal and self.refused):
            raise PydanticCustomError("places", "delivery_stream needs journal and refused beside it")
        if self.journal and f"{self.refused}/".startswith(f"{self.journal.rstrip('/')}/"):
            raise PydanticCustomError("places", "refused lies below journal: it would be written to tables")
        return self


class PromotedColumn(BaseModel):
    """A path of the event that becomes a typed column."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str = Field(min_length=1, description="Dotted path, such as `properties.gift_note`.")
    type: Literal["S", "T", "M", "Q", "I", "L", "D", "B"] = Field("S", description="Type code of the column.")


def _checked_destination(value: str) -> str:
    """An address that personal data may go to: encrypted, unless it never leaves the machine."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http"):
        raise PydanticCustomError("destination", "should be an address, https://host/path")
    if parts.scheme == "http" and not _is_loopback(host):
        raise PydanticCustomError("destination", "http goes to this machine only; use https")
    if parts.username is not None or parts.fragment:
        raise PydanticCustomError("destination", "holds no user, password or fragment; use headers")
    return value


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Destination = Annotated[str, AfterValidator(_checked_destination)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]


class _ChannelSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    columns: tuple[str, ...] = Field(
        (), description="Further profile columns of each person, such as `address_country`, or `traits.plan`."
    )


class WebhookChannel(_ChannelSettings):
    """A receiver of the envelope that Mixpanel's cohort webhooks have."""

    kind: Literal["webhook"]
    url: Destination = Field(description="Where pages are posted; https, or http to this machine.")
    headers: dict[HeaderName, Reference] = Field(
        default_factory=dict, description="Further headers; each value is `env:NAME` or `file:PATH`."
    )
    secret: Reference | None = Field(
        None, description="Signs the body: `X-Signature` is its HMAC-SHA256 in hex digits."
    )
    project_id: str = Field("", description="What `mixpanel_project_id` says.")
    requires: Literal["any", "email", "phone", "none"] = Field(
        "any", description="The address without which a person is left out."
    )
    timeout_seconds: float = Field(30.0, gt=0, le=300, description="Longest wait for an answer.")


class SegmentChannel(_ChannelSettings):
    """A Segment source: a trait says whether a person is in the cohort."""

    kind: Literal["segment"]
    write_key: Reference = Field(description="Write key of the source, `env:NAME` or `file:PATH`.")
    host: Destination = Field("https://api.segment.io", description="Segment, or what speaks its API.")
    trait: str = Field(
        "Mixpanel - {name}", min_length=1, description="Name of the trait; `{name}` is the cohort's."
    )
    requires: Literal["any", "email", "phone", "none"] = Field(
        "none", description="The address without which a person is left out."
    )
    timeout_seconds: float = Field(15.0, gt=0, le=300, description="Longest wait for an answer.")


class CsvChannel(_ChannelSettings):
    """Files in a folder of this machine."""

    kind: Literal["csv"]
    folder: Path = Field(description="Where files are written; made when it is not there.")
    requires: Literal["any", "email", "phone", "none"] = Field(
        "any", description="The address without which a person is left out."
    )


class TwilioChannel(_ChannelSettings):
    """Files of people who may be sent a text message; nothing is sent from here."""

    kind: Literal["twilio"]
    folder: Path = Field(description="Where files are written; made when it is not there.")
    format: Literal["ndjson", "csv"] = Field("ndjson", description="Of the files.")
    consent: str = Field(
        "smsConsent", min_length=1, description="The trait that must be true, else there is no row."
    )
    region: str | None = Field(
        None,
        pattern=r"^[A-Z]{2}$",
        description="Country of numbers without a `+`, as `DE`; none: left out.",
    )


Channel = Annotated[WebhookChannel | SegmentChannel | CsvChannel | TwilioChannel, Field(discriminator="kind")]
"""Where cohorts may go: the only addresses they are ever sent to."""
CHANNELS: dict[str, type[BaseModel]] = {
    "webhook": WebhookChannel, "segment": SegmentChannel, "csv": CsvChannel, "twilio": TwilioChannel
}  # fmt: skip
