"""News of objects in S3 as they lie in a queue, read and written. Pure.

Shape: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html. They come at
least once, in any order, and name an object by its key (quoted as in a form) and its ETag.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from connector.errors import ConnectorError
from connector.s3.config import S3Place
from connector.s3.objects import S3Object

_TEST = "s3:TestEvent"
"""What S3 sends when somebody sets up the notifications of a bucket."""
_CREATED = "ObjectCreated:"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotificationUnreadable(ConnectorError):
    """A message is no notification of S3. Holds nothing of what the message says."""

    code = "notification_unreadable"


def objects_in(body: str, journal: S3Place) -> list[S3Object]:
    """
    Return the objects below ``journal`` that a message says were made.

    What lies elsewhere in the bucket, folders of a console (``…/``), other news and the test message are
    nobody's concern. ``modified_ms`` is the time of the news, 0 when it states none that can be read.

    Raises:
        NotificationUnreadable: it is no notification, one of its objects has no bucket, key or ETag, or lies
            in another bucket: that one was captured too, so a person must see it.
    """
    message = _decoded(body)
    if "Records" not in message and message.get("Event") == _TEST:
        return []
    records = message.get("Records")
    if not isinstance(records, list):
        raise NotificationUnreadable("the message is no notification of S3: it has no list of Records")
    made = [_object_of(record) for record in records if _is_creation(record)]
    if any(each.bucket != journal.bucket for each in made):
        raise NotificationUnreadable("the message is of another bucket than the journal's")
    return [each for each in made if _is_below(each.key, journal.prefix)]


def notification(listed: S3Object) -> str:
    """Return the message that S3 would send of an object; the inverse of ``objects_in``."""
    made = datetime.fromtimestamp(listed.modified_ms / 1000, UTC)
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventTime": made.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": f"{_CREATED}Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": listed.bucket},
            "object": {"key": quote_plus(listed.key, safe="/"), "size": listed.bytes, "eTag": listed.etag},
        },
    }
    return json.dumps({"Records": [record]}, separators=(",", ":"))


def _decoded(body: str) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise NotificationUnreadable("the message is no notification of S3: it is not JSON") from None
    if not isinstance(message, dict):
        raise NotificationUnreadable("the message is no notification of S3: it is no object")
    return message


def _is_creation(record: Any) -> bool:
    name = record.get("eventName") if isinstance(record, dict) else None
    if not isinstance(name, str):
        raise NotificationUnreadable("a record of the notification has no eventName")
    return name.removeprefix("s3:").startswith(_CREATED)


def _object_of(record: dict[str, Any]) -> S3Object:
    try:
        bucket, item = record["s3"]["bucket"]["name"], record["s3"]["object"]
        key, etag, size = item["key"], item["eTag"], item.get("size")
    except (KeyError, TypeError, AttributeError):
        bucket = key = etag = size = None
    if not all(isinstance(text, str) and text for text in (bucket, key, etag)):
        raise NotificationUnreadable("a record of the notification names no bucket, key or eTag")
    bytes_ = size if type(size) is int else 0
    return S3Object(bucket, unquote_plus(key), etag.strip('"'), bytes_, _ms(record.get("eventTime")))


def _is_below(key: str, prefix: str) -> bool:
    return key.startswith(prefix) and not key.endswith("/")


def _ms(text: Any) -> int:
    try:
        moment = datetime.fromisoformat(text)
        return round((moment - _EPOCH).total_seconds() * 1000)
    except (TypeError, ValueError, OverflowError):
        return 0
