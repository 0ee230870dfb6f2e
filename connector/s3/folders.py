"""A bucket as people see it: folders, and what lies directly in one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connector.s3.faults import store_errors
from connector.s3.objects import S3Object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef


def list_folder(client: S3Client, bucket: str, prefix: str) -> Iterator[S3Object | str]:
    """
    What begins with ``prefix`` and has no ``/`` behind it: objects, and folders as keys that end with ``/``.

    Read page by page, a thousand at a time, in the order of the store; what lies in the folders is not read.

    Raises:
        StoreError: see ``connector.s3.faults``.
    """
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    waiting = iter(pages)
    while True:
        with store_errors("list", bucket, client):
            page = next(waiting, None)
        if page is None:
            return
        yield from _objects(bucket, page)
        yield from (folder["Prefix"] for folder in page.get("CommonPrefixes", ()))


def _objects(bucket: str, page: ListObjectsV2OutputTypeDef) -> Iterator[S3Object]:
    for item in page.get("Contents", ()):
        modified_ms = round(item["LastModified"].timestamp() * 1000)
        yield S3Object(bucket, item["Key"], item["ETag"].strip('"'), item["Size"], modified_ms)
