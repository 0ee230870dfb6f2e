"""News of objects in S3: which objects a message names, and what is no message of S3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.aws.notifications import NotificationUnreadable, notification, objects_in
from connector.s3.config import S3Place
from connector.s3.objects import S3Object

JOURNAL = S3Place("shop-lake", "journal/")
KEY = "journal/firehose/2026/11/27/10/stream-1-2026-11-27-10-00-00-0a1b.gz"
LISTED = S3Object("shop-lake", KEY, "9b2cf535f27731c974343645a3985328", 5_120, 1_795_773_600_123)


def record(key: str = KEY, **more: Any) -> dict[str, Any]:
    item = {"key": key, "eTag": "9b2cf535f27731c974343645a3985328", "size": 5120, "sequencer": "0055"}
    return {
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-central-1",
        "eventTime": "2026-11-27T10:00:00.123Z", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "shop-lake", "arn": "arn:aws:s3:::shop-lake"}, "object": item}, **more,
    }  # fmt: skip


def message(*records: Any) -> str:
    return json.dumps({"Records": records})


def keys(body: str) -> list[str]:
    return [each.key for each in objects_in(body, JOURNAL)]


def test_a_message_names_bucket_key_etag_size_and_time():
    (found,) = objects_in(message(record()), JOURNAL)

    assert found == S3Object("shop-lake", KEY, "9b2cf535f27731c974343645a3985328", 5_120, 1_795_773_600_123)


@pytest.mark.parametrize(
    ("quoted", "key"),
    [
        ("journal/direct/a+b", "journal/direct/a b"),
        ("journal/direct/a%2Bb", "journal/direct/a+b"),
        ("journal/direct/Gr%C3%B6%C3%9Fe%3D1", "journal/direct/Größe=1"),
        ("journal/direct/100%25", "journal/direct/100%"),
    ],
)
def test_keys_are_quoted_as_in_a_form(quoted: str, key: str):
    assert keys(message(record(quoted))) == [key]


def test_one_message_may_tell_of_several_objects():
    assert keys(message(record("journal/a"), record("journal/b"))) == ["journal/a", "journal/b"]


def test_the_test_message_of_s3_names_nothing():
    said = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-27T10:00:00Z",
            "Bucket": "shop-lake", "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw"}  # fmt: skip
    assert objects_in(json.dumps(said), JOURNAL) == []


@pytest.mark.parametrize(
    "other",
    [
        record("journal-redacted/a.gz"),
        record("lake/tables/events/day=2026-11-27/a.parquet"),
        record("journal/firehose/"),
        record("journal/"),
        record(eventName="ObjectRemoved:Delete"),
        record(eventName="s3:LifecycleExpiration:Delete"),
    ],
    ids=["beside the journal", "a table", "a folder", "the folder", "removed", "expired"],
)
def test_other_objects_and_other_news_are_nobodys_concern(other: dict[str, Any]):
    assert keys(message(other, record())) == [KEY]


def test_news_of_another_bucket_are_not_dropped():
    """It was captured there, as when a deployment was given another bucket: a person must see it."""
    elsewhere = record() | {"s3": {"bucket": {"name": "another"}, "object": {"key": KEY, "eTag": "1"}}}

    with pytest.raises(NotificationUnreadable, match="another bucket"):
        keys(message(record(), elsewhere))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '"s3:TestEvent"',
        "{}",
        '{"Records":null}',
        '{"Records":{}}',
        message("ObjectCreated:Put"),
        message({}),
        message(record() | {"s3": None}),
        message(record() | {"s3": {"bucket": {"name": "shop-lake"}, "object": {"key": KEY}}}),
        message(record() | {"s3": {"bucket": {"name": "shop-lake"}, "object": {"eTag": "1"}}}),
        message(record() | {"s3": {"bucket": {}, "object": {"key": KEY, "eTag": "1"}}}),
        message(record() | {"s3": {"bucket": {"name": "shop-lake"}, "object": {"key": 7, "eTag": "1"}}}),
        message(record() | {"s3": {"bucket": {"name": "shop-lake"}, "object": {"key": KEY, "eTag": ""}}}),
    ],
)
def test_what_is_no_notification_fails_and_is_not_repeated_in_the_error(body: str):
    with pytest.raises(NotificationUnreadable) as refused:
        objects_in(body, JOURNAL)

    assert "shop-lake" not in str(refused.value)


def test_a_time_or_size_that_cannot_be_read_is_no_reason_to_fail():
    odd = record(eventTime="yesterday")
    odd["s3"]["object"]["size"] = None

    (found,) = objects_in(message(odd), JOURNAL)

    assert (found.bytes, found.modified_ms) == (0, 0)


KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).map(lambda text: f"journal/{text}x")


ETAGS = st.text("0123456789abcdef-", min_size=1)


@given(KEYS, ETAGS, st.integers(0, 1 << 40), st.integers(0, 4_000_000_000_000))
def test_what_is_written_is_read_again(key: str, etag: str, size: int, modified_ms: int):
    listed = S3Object("shop-lake", key, etag, size, modified_ms)

    assert objects_in(notification(listed), JOURNAL) == [listed]


NAMES = st.sampled_from(["Records", "Event", "s3", "eventName", "object", "key", "eTag"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@given(st.one_of(st.text(max_size=40), JSON.map(json.dumps), st.lists(JSON, max_size=2).map(
    lambda records: json.dumps({"Records": records}))))  # fmt: skip
def test_any_message_names_objects_or_is_refused(body: str):
    try:
        found = objects_in(body, JOURNAL)
    except NotificationUnreadable:
        return
    assert all(isinstance(each, S3Object) for each in found)
