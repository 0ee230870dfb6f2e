"""Objects of a bucket: list them all, fetch one exactly as it was listed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from connector.errors import StoreError
from connector.s3.client import attempts_of
from connector.s3.faults import is_missing_key, status_of, store_errors

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

_PIECE_BYTES = 1 << 20
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_dice = secrets.SystemRandom()


class S3Object(NamedTuple):
    """One object as a listing shows it."""

    bucket: str
    key: str
    etag: str
    """Without quotes."""
    bytes: int
    modified_ms: int
    """The store's own clock, milliseconds since the epoch."""


class FetchOutcome(Enum):
    """What became of a fetch; anything but ``FETCHED`` left no file behind."""

    FETCHED = "fetched"
    MISSING = "missing"
    """There is no such object."""
    REPLACED = "replaced"
    """The key holds another object than the one that was asked for."""


def list_objects(client: S3Client, bucket: str, prefix: str) -> Iterator[S3Object]:
    """
    The objects whose key begins with ``prefix``, sorted by key (by code point, as S3 documents it).

    The whole listing is read first, a thousand objects per request: SeaweedFS and S3's directory buckets list
    in an order of their own.

    Raises:
        StoreError: see ``connector.s3.faults``.
    """
    with store_errors("list", bucket, client):
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [
            S3Object(
                bucket,
                item["Key"],
                item["ETag"].strip('"'),
                item["Size"],
                round(item["LastModified"].timestamp() * 1000),
            )
            for page in pages
            for item in page.get("Contents", ())
        ]
    return iter(sorted(found, key=lambda item: item.key))


def fetch_object(client: S3Client, bucket: str, key: str, etag: str | None, path: Path) -> FetchOutcome:
    """
    Write an object into ``path``, only if it still is the one with this ``etag``; None: whichever is there.

    A stream in constant memory; a connection that breaks inside it starts the object anew, as often as the
    client tries a request. ``path`` appears whole or not at all (an older file is replaced); its folder must
    exist.

    Raises:
        StoreError: see ``connector.s3.faults``.
        OSError: the local disk.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")

    def take(body: StreamingBody) -> FetchOutcome:
        with part.open("wb") as file:
            for piece in body.iter_chunks(_PIECE_BYTES):
                file.write(piece)
        part.replace(path)
        return FetchOutcome.FETCHED

    try:
        return _stream(client, bucket, key, etag, take)
    finally:
        part.unlink(missing_ok=True)


def read_object(client: S3Client, bucket: str, key: str) -> bytes | None:
    """The content of an object; None when there is none.

    Raises:
        StoreError: see ``connector.s3.faults``.
    """
    content = _stream(client, bucket, key, None, lambda body: body.read())
    return None if isinstance(content, FetchOutcome) else content


def pause(number: int) -> None:
    """Wait after the ``number``-th failure: longer each time, up to five seconds, never quite the same."""
    longest = min(_FIRST_PAUSE_SECONDS * 2 ** (number - 1), _LONGEST_PAUSE_SECONDS)
    time.sleep(_dice.uniform(longest / 2, longest))


def _stream(
    client: S3Client, bucket: str, key: str, etag: str | None, take: Callable[[StreamingBody], T]
) -> T | FetchOutcome:
    """What ``take`` makes of the body, or why there is none. What breaks before the body, botocore tries
    again; what breaks inside it is tried again here."""
    attempts = attempts_of(client)
    for number in range(1, attempts + 1):
        with store_errors("read", bucket, client):
            body = _open(client, bucket, key, etag)
        if isinstance(body, FetchOutcome):
            return body
        try:
            with store_errors("read", bucket, client), body:
                return take(body)
        except StoreError:
            if number == attempts:
                raise
        pause(number)
    raise AssertionError("a store is asked at least once")


def _open(client: S3Client, bucket: str, key: str, etag: str | None) -> StreamingBody | FetchOutcome:
    from botocore.exceptions import ClientError

    try:
        if etag is None:
            return client.get_object(Bucket=bucket, Key=key)["Body"]
        return client.get_object(Bucket=bucket, Key=key, IfMatch=f'"{etag}"')["Body"]
    except ClientError as refused:
        if is_missing_key(refused):
            return FetchOutcome.MISSING
        if status_of(refused) == 412:
            return FetchOutcome.REPLACED
        raise
