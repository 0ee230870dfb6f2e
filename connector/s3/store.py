"""Objects in a bucket, below a prefix."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.errors import StoreError
from connector.objects import ObjectInfo
from connector.s3.client import make_client
from connector.s3.config import S3Config, S3Place
from connector.s3.faults import code_of, refusal, server_of, status_of, store_errors
from connector.s3.objects import FetchOutcome, fetch_object, list_objects, pause, read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

_PARTS_AT_A_TIME = 4
_CONFLICT_TRIES = 4
_DELETE_TRIES = 3
_DELETE_BATCH = 1_000
"""The most keys one DeleteObjects request may name (S3 API reference)."""
_FIRST_KEYS = 100
_NO_BATCH_CALL = {"MethodNotAllowed", "MissingContentMD5", "NotImplemented"}


class S3Store:
    """
    ``objects.ObjectStore`` in a bucket.

    Safe in several threads. A copy in another process (pickled, spawned) makes a client of its own, with the
    credentials that process finds.
    """

    def __init__(self, client: S3Client, place: S3Place, config: S3Config) -> None:
        self.client = client
        self.place = place
        self.config = config
        self.uri = place.uri
        self._options = _write_options(config)

    def __reduce__(self) -> tuple[object, ...]:
        return open_store, (self.place, self.config)

    def __repr__(self) -> str:
        return f"S3Store({self.uri!r})"

    def create(self, name: str, content: bytes) -> bool:
        """PutObject with ``If-None-Match: *``.

        botocore repeats a request after a time-out, and when the first try had worked, the second finds the
        name taken: who must know what is his own writes that into the content (journal-protocol 3.4).
        """
        with self._errors("create"):
            for number in range(1, _CONFLICT_TRIES + 1):
                status = self._create_once(name, content)
                if status != 409:
                    return status == 200
                if number < _CONFLICT_TRIES:
                    pause(number)
        raise self._refusal("create", 409, "ConditionalRequestConflict")

    def put(self, name: str, content: bytes) -> None:
        with self._errors("put"):
            self.client.put_object(
                Bucket=self.place.bucket, Key=self._key(name), Body=content, **self._options
            )

    def upload(self, name: str, path: Path) -> None:
        """One PUT below ``multipart_from_bytes``, parts from there on, read from the file as they are sent.

        A multipart upload that fails is aborted; one whose process dies stays invisible until a lifecycle
        rule ends it.
        """
        from boto3.s3.transfer import TransferConfig, create_transfer_manager

        config = TransferConfig(
            multipart_threshold=self.config.multipart_from_bytes,
            multipart_chunksize=self.config.part_bytes,
            max_concurrency=_PARTS_AT_A_TIME,
            preferred_transfer_client="classic",
        )
        with (
            self._errors("upload"),
            create_transfer_manager(self.client, config) as transfers,
        ):
            transfers.upload(str(path), self.place.bucket, self._key(name), self._options).result()

    def read(self, name: str) -> bytes | None:
        return read_object(self.client, self.place.bucket, self._key(name))

    def download(self, name: str, path: Path) -> bool:
        """``path`` appears whole or not at all; its folder must exist."""
        return self.fetch(name, None, path) is FetchOutcome.FETCHED

    def fetch(self, name: str, etag: str | None, path: Path) -> FetchOutcome:
        """``download``, but only of the object with this ``etag``: see ``objects.fetch_object``."""
        return fetch_object(self.client, self.place.bucket, self._key(name), etag, path)

    def find(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ``objects.list_objects``."""
        skip = len(self.place.prefix)
        for item in list_objects(self.client, self.place.bucket, self._key(prefix)):
            if not _is_marker(item.key, item.bytes, self.place.prefix):
                yield ObjectInfo(item.key[skip:], item.bytes, item.etag, item.modified_ms)

    def holds(self, prefix: str) -> bool:
        """Looks at the first hundred keys: beyond so many markers of folders it takes one for an object."""
        page = self._first_keys(prefix, _FIRST_KEYS)
        listed = page.get("Contents", ())
        found = any(not _is_marker(item["Key"], item["Size"], self.place.prefix) for item in listed)
        return found or page["IsTruncated"]

    def clock_ms(self) -> int:
        """The ``Date`` of an answer, whole seconds; without one, the clock of this machine."""
        date = self._first_keys("", 1)["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return int(parsedate_to_datetime(date).timestamp()) * 1000
        except (TypeError, ValueError):
            return time.time_ns() // 1_000_000

    def delete(self, names: Iterable[str]) -> None:
        keys = (self._key(name) for name in names)
        while batch := list(islice(keys, _DELETE_BATCH)):
            self._delete(batch)

    def _key(self, name: str) -> str:
        return self.place.prefix + name

    def _errors(self, operation: str) -> AbstractContextManager[None]:
        return store_errors(operation, self.place.bucket, self.client)

    def _refusal(self, operation: str, status: int, code: str) -> StoreError:
        return refusal(operation, self.place.bucket, status, code, server_of(self.client))

    def _first_keys(self, prefix: str, at_most: int) -> ListObjectsV2OutputTypeDef:
        with self._errors("list"):
            return self.client.list_objects_v2(
                Bucket=self.place.bucket, Prefix=self._key(prefix), MaxKeys=at_most
            )

    def _create_once(self, name: str, content: bytes) -> int:
        """200, 412 (the name is taken) or 409 (another request for the same name is under way)."""
        from botocore.exceptions import ClientError

        try:
            self.client.put_object(
                Bucket=self.place.bucket,
                Key=self._key(name),
                Body=content,
                IfNoneMatch="*",
                **self._options,
            )
        except ClientError as refused:
            if status_of(refused) == 412 or code_of(refused) == "ConditionalRequestConflict":
                return status_of(refused)
            raise
        return 200

    def _delete(self, keys: list[str]) -> None:
        """Delete at most 1,000 keys; what the store could not delete this time is asked for again."""
        for number in range(1, _DELETE_TRIES + 1):
            with self._errors("delete"):
                failed = self._delete_once(keys)
            if not failed:
                return
            errors = [self._refusal("delete", 200, code) for code in failed.values()]
            fatal = next((error for error in errors if not error.retryable), None)
            if fatal or number == _DELETE_TRIES:
                raise fatal or errors[0]
            keys = list(failed)
            pause(number)

    def _delete_once(self, keys: list[str]) -> dict[str, str]:
        """What could not be deleted: key -> error code."""
        from botocore.exceptions import ClientError

        try:
            answer = self.client.delete_objects(
                Bucket=self.place.bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        except ClientError as refused:
            if code_of(refused) not in _NO_BATCH_CALL and status_of(refused) not in (405, 501):
                raise
            for key in keys:
                self.client.delete_object(Bucket=self.place.bucket, Key=key)
            return {}
        errors = answer.get("Errors", ())
        return {error["Key"]: error.get("Code", "") for error in errors if error.get("Code") != "NoSuchKey"}


def open_store(place: S3Place, config: S3Config) -> S3Store:
    """A store with a client of its own and the credentials of the AWS environment; nothing is sent yet.

    Raises:
        ConfigError: the endpoint is no URL.
        StoreError: ``AWS_PROFILE`` names a profile that is not there.
    """
    return S3Store(make_client(config), place, config)


def _is_marker(key: str, size_bytes: int, own: str) -> bool:
    """What a console makes for a folder, and for the store's own one (``own``, whatever lies in it)."""
    return key == own or (key.endswith("/") and not size_bytes)


def _write_options(config: S3Config) -> dict[str, Any]:
    """What every write asks for; a KMS key asks for ``aws:kms``."""
    encryption = config.encryption or ("aws:kms" if config.kms_key_id else None)
    options = {"ServerSideEncryption": encryption, "SSEKMSKeyId": config.kms_key_id}
    return {name: value for name, value in options.items() if value}
