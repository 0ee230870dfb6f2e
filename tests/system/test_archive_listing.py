"""Captured files in S3, met in this process: what is asked of the store, and what is not."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from s3_proxy import S3Proxy
from s3_servers import S3Server
from system.archives import (
    ARCHIVE,
    DAYS,
    KEYS,
    WEB,
    InBucket,
    day_folder,
    fill,
    past_the_proxy,
    received,
)  # fmt: skip

from connector.config import load_settings
from connector.errors import ConfigError
from connector.journal.archive import Days
from connector.journal.listing import Listing
from connector.rounds import Writer, tasks
from connector.wiring import configure

pytestmark = pytest.mark.slow


@pytest.fixture
def seen(proxied: tuple[S3Proxy, S3Server], monkeypatch: pytest.MonkeyPatch) -> tuple[S3Proxy, InBucket]:
    """A bucket whose requests can be seen, and whose credentials this process has."""
    proxy, server = proxied
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return proxy, InBucket(server)


def listing(bucket: InBucket, key: str = "", days: Days = Days()) -> Listing:  # noqa: B008
    return Listing([bucket.argument(key)], days, bucket.server.config)


@pytest.mark.parametrize(
    ("key", "share"),
    [
        ("", lambda key: True),
        ("segment-logs", lambda key: True),
        ("segment-logs/", lambda key: True),
        (f"segment-logs/{WEB}", lambda key: WEB in key),
        (f"segment-logs/{WEB}/{day_folder(DAYS[0])}", lambda key: f"{WEB}/{day_folder(DAYS[0])}" in key),
        (next(iter(ARCHIVE)), lambda key: key == next(iter(ARCHIVE))),
    ],
)
def test_an_archive_in_s3_is_recognised_wherever_an_argument_enters_it(
    seen: tuple[S3Proxy, InBucket], key: str, share: Any
) -> None:
    _, bucket = seen
    fill(bucket, ARCHIVE)
    bucket.put("segment-logs/", b"")

    found = [(place.name, place.source_id, place.day) for place in listing(bucket, key)]

    assert found == [
        (bucket.argument(key), key.split("/")[1], received(ARCHIVE[key][0])) for key in KEYS if share(key)
    ]


def test_a_prefix_is_a_folder_and_no_beginning_of_a_name(seen: tuple[S3Proxy, InBucket]) -> None:
    _, bucket = seen
    for key in ("logs/a.gz", "logs-old/b.gz", "logs.gz"):
        bucket.put(key, b"{}")

    assert [place.name for place in listing(bucket, "logs")] == [bucket.argument("logs/a.gz")]
    with pytest.raises(ConfigError):
        listing(bucket, "log")


def test_days_that_are_not_wanted_are_not_listed(seen: tuple[S3Proxy, InBucket]) -> None:
    proxy, bucket = seen
    fill(bucket, ARCHIVE)
    proxy.clear()

    places = list(listing(bucket, days=Days(DAYS[1], DAYS[1])))

    assert {place.day for place in places} == {DAYS[1]}
    assert proxy.methods(day_folder(DAYS[1]))
    assert not proxy.methods(day_folder(DAYS[0])) + proxy.methods(day_folder(DAYS[2]))


def test_the_first_object_comes_before_the_rest_is_listed(seen: tuple[S3Proxy, InBucket]) -> None:
    proxy, bucket = seen
    upstream = past_the_proxy(proxy, bucket)
    fill(upstream, ARCHIVE)
    for number in range(1_001):
        upstream.put(f"a/{number:04}.ndjson", b"{}")

    places = iter(listing(bucket))
    first = next(places)
    asked = len(proxy.requests)

    assert first.name == bucket.argument("a/0000.ndjson")
    assert not proxy.methods("continuation-token") + proxy.methods("segment-logs/")
    assert len(list(places)) == 1_000 + len(ARCHIVE)
    assert len(proxy.requests) > asked


def test_an_object_made_to_fill_the_disk_fails_alone(
    seen: tuple[S3Proxy, InBucket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bucket = seen
    monkeypatch.setattr(tasks, "MAX_UNCOMPRESSED_BYTES", 16 << 20)
    fill(bucket, ARCHIVE)
    bucket.put(KEYS[1], gzip.compress(b"\0" * (64 << 20)))
    settings = load_settings(data=str(tmp_path / "data"))

    written = Writer(settings, configure(settings)).write(listing(bucket))

    assert [place.name for place in written.failed] == [bucket.argument(KEYS[1])]
    assert written.files == len(ARCHIVE) - 1
    assert list((tmp_path / "data" / ".staging").iterdir()) == []
