"""C24 against SeaweedFS: a process dies inside a multipart upload, or never hears that it was done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.real_store import RealStore
from faults.store_journal import Journal, at_rest, publish_ignoring
from s3_proxy import S3Proxy, start_proxy
from s3_servers import S3Server

PLACES = {
    "begin of the upload": ("POST", "?uploads"),
    "upload-part": ("PUT", "partNumber="),
    "complete": ("POST", "uploadId="),
}
every_place = pytest.mark.parametrize("place", PLACES)


@pytest.fixture(scope="module")
def behind_proxy(seaweed: S3Server) -> Iterator[tuple[S3Proxy, S3Server]]:
    with start_proxy(seaweed.endpoint) as proxy:
        yield proxy, S3Server("seaweedfs through a proxy", proxy.endpoint, seaweed.keys, seaweed.bucket)


@pytest.fixture
def proxy(behind_proxy: tuple[S3Proxy, S3Server]) -> Iterator[S3Proxy]:
    yield behind_proxy[0]
    behind_proxy[0].clear()


@pytest.fixture
def journal(behind_proxy: tuple[S3Proxy, S3Server], tmp_path: Path) -> Journal:
    store = behind_proxy[1].store_with(multipart_from_bytes=1, attempts=2)
    return Journal(tmp_path, RealStore(store), waiting={"h-1"})


@every_place
@pytest.mark.parametrize("done", [False, True], ids=["before it", "after it"])
def test_a_process_that_dies_inside_an_upload_leaves_each_event_exactly_once(
    journal: Journal, proxy: S3Proxy, place: str, done: bool
):
    """Dead means that no request of it gets through any more."""
    method, needle = PLACES[place]
    if done:
        proxy.call(proxy.drop, method=method, needle=needle)
    else:
        proxy.drop(method=method, needle=needle)
        proxy.drop(method="DELETE")
        proxy.drop(method="POST", needle="?delete")
    publish_ignoring(journal, journal.store)
    assert proxy.count(method, needle) > 0
    assert journal.waiting == {"h-1"}

    proxy.clear()
    journal.settle()

    at_rest(journal, "h-1")


@every_place
def test_an_upload_whose_answers_are_lost_ends_with_each_event_once(
    journal: Journal, proxy: S3Proxy, place: str
):
    method, needle = PLACES[place]
    proxy.lose_answer(method=method, needle=needle, times=3)

    publish_ignoring(journal, journal.store)
    proxy.clear()
    journal.settle()

    at_rest(journal, "h-1")
