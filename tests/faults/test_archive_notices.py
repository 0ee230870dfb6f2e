"""
C31: what tells a writer of an object in S3 comes twice, in another order, or never; the object is replaced.

Here objects of SeaweedFS are named to a replay: an object is a captured file by its key and ETag, however and
how often it is named. The function that listens to notifications: ``test_function_writer.py``.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from s3_proxy import start_proxy
from s3_servers import S3Server
from system.archives import InBucket, past_the_proxy
from system.service import Lake

pytestmark = pytest.mark.slow

KEYS = ("a.gz", "b.gz", "c.gz")
EVENTS = 3


def packed(name: str, events: int = EVENTS) -> bytes:
    return gzip.compress(
        b"".join(
            b'{"type":"page","messageId":"%b-%d","userId":"u"}\n' % (name.encode(), number)
            for number in range(events)
        )
    )


@pytest.fixture
def shelf(seaweed: S3Server) -> InBucket:
    bucket = InBucket(seaweed)
    for key in KEYS:
        bucket.put(key, packed(key))
    return bucket


@pytest.fixture
def lake(tmp_path: Path, shelf: InBucket) -> Lake:
    return Lake(tmp_path / "lake", environment=shelf.environment)


def replay(lake: Lake, shelf: InBucket, *keys: str, code: int = 0) -> str:
    ran = lake.run("replay", *map(shelf.argument, keys))
    assert ran.returncode == code, ran.stderr.decode()
    return ran.stderr.decode()


def message_ids(lake: Lake) -> list[str]:
    return [name for (name,) in lake.query("SELECT message_id FROM events_raw ORDER BY ALL")]


EVERYTHING = sorted(f"{key}-{number}" for key in KEYS for number in range(EVENTS))


def test_c31_an_object_that_is_named_twice_is_written_once(lake: Lake, shelf: InBucket) -> None:
    replay(lake, shelf, *KEYS, *KEYS)
    replay(lake, shelf, *KEYS)

    assert message_ids(lake) == EVERYTHING
    assert lake.fates() == {"stored": len(EVERYTHING)}


def test_c31_objects_may_be_named_in_any_order(lake: Lake, shelf: InBucket) -> None:
    for key in reversed(KEYS):
        replay(lake, shelf, key)

    assert message_ids(lake) == EVERYTHING


def test_c31_an_object_that_nobody_named_is_found_by_a_listing(lake: Lake, shelf: InBucket) -> None:
    replay(lake, shelf, "a.gz", "c.gz")

    said = replay(lake, shelf, "")

    assert "wrote 1 captured files, 3 events" in said
    assert message_ids(lake) == EVERYTHING


def test_c31_an_object_that_is_replaced_before_it_is_read_is_left_for_the_next_run(
    tmp_path: Path, seaweed: S3Server
) -> None:
    with start_proxy(seaweed.endpoint) as proxy:
        behind = InBucket(S3Server("seaweedfs", proxy.endpoint, seaweed.keys, seaweed.bucket))
        behind.put("a.gz", packed("old"))
        upstream = past_the_proxy(proxy, behind)
        proxy.call(lambda: upstream.put("a.gz", packed("new", 2)), method="GET", needle="a.gz")
        lake = Lake(tmp_path / "lake", environment=behind.environment)

        said = replay(lake, behind, "", code=1)
        assert "changed meanwhile; run the same command again" in said
        replay(lake, behind, "")

        assert message_ids(lake) == ["new-0", "new-1"]
        assert lake.fates() == {"stored": 2}
