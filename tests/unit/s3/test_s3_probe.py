"""The question asked of a store at start, and stores that give the wrong answer."""

import pytest
from s3_proxy import S3Proxy
from s3_servers import S3Server

from connector.errors import StoreError
from connector.s3.probe import probe
from connector.s3.store import S3Store


@pytest.fixture
def proxy(proxied: tuple[S3Proxy, S3Server]) -> S3Proxy:
    return proxied[0]


@pytest.fixture
def store(proxied: tuple[S3Proxy, S3Server]) -> S3Store:
    return proxied[1].store()


def objects_of(store: S3Store) -> list[str]:
    return [item.name for item in store.find("")]


def test_a_store_that_ignores_if_none_match_is_unsuitable(proxy: S3Proxy, store: S3Store):
    proxy.strip_header("If-None-Match")
    with pytest.raises(StoreError, match=r"ignores If-None-Match: \*") as raised:
        probe(store)
    assert (raised.value.code, raised.value.retryable) == ("store_unsuitable", False)
    assert objects_of(store) == []


def test_a_store_that_does_not_know_if_none_match_is_unsuitable(proxy: S3Proxy, store: S3Store):
    proxy.answer(501, "NotImplemented", method="PUT")
    with pytest.raises(StoreError, match="HTTP 501 NotImplemented") as raised:
        probe(store)
    assert (raised.value.code, raised.value.retryable) == ("store_unsuitable", False)


def test_a_store_whose_reads_lag_behind_is_unsuitable(proxy: S3Proxy, store: S3Store):
    proxy.answer(404, "NoSuchKey", method="GET", needle="/probe/", times=1)
    with pytest.raises(StoreError, match="does not see what was written") as raised:
        probe(store)
    assert raised.value.code == "store_unsuitable"
    assert objects_of(store) == []


def test_a_store_that_only_pretends_to_delete_is_unsuitable(proxy: S3Proxy, store: S3Store):
    nothing_deleted = "<DeleteResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'/>"
    proxy.say(200, nothing_deleted, method="POST", needle="?delete")
    with pytest.raises(StoreError, match="still sees what was deleted") as raised:
        probe(store)
    assert raised.value.code == "store_unsuitable"


@pytest.mark.parametrize(("method", "operation"), [("PUT", "create"), ("GET", "read"), ("POST", "delete")])
def test_a_permission_that_is_missing_shows_at_the_probe(
    method: str, operation: str, proxy: S3Proxy, store: S3Store
):
    proxy.answer(403, "AccessDenied", method=method)
    with pytest.raises(StoreError, match=rf"{operation} in bucket .*: HTTP 403 AccessDenied") as raised:
        probe(store)
    assert raised.value.code == "store_forbidden"


def test_a_lost_answer_does_not_make_a_good_store_unsuitable(proxy: S3Proxy, store: S3Store):
    proxy.lose_answer(method="PUT", times=1)
    probe(store)
    assert objects_of(store) == []
