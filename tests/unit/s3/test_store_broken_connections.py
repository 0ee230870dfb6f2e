"""A store behind a connection that fails: what is tried again, what is said, and what is left behind."""

import os
import socket
from pathlib import Path

import pytest
from s3_proxy import HOST, S3Proxy
from s3_servers import S3Server

from connector.errors import StoreError
from connector.s3.config import S3Config
from connector.s3.objects import FetchOutcome
from connector.s3.store import S3Store

NAME = "tables/events/day=2026-11-21/lantern.parquet"
PART_BYTES = S3Config().part_bytes
PARTS = 2
CALLS = {
    "create": lambda store, folder: store.create(NAME, b"content"),
    "put": lambda store, folder: store.put(NAME, b"content"),
    "upload": lambda store, folder: store.upload(NAME, small_file(folder)),
    "read": lambda store, folder: store.read(NAME),
    "download": lambda store, folder: store.download(NAME, folder / "came"),
    "fetch": lambda store, folder: store.fetch(NAME, "0" * 32, folder / "came"),
    "find": lambda store, folder: list(store.find("tables/")),
    "delete": lambda store, folder: store.delete([NAME]),
}


def small_file(folder: Path) -> Path:
    path = folder / "sent"
    path.write_bytes(b"content")
    return path


def large_file(folder: Path) -> Path:
    path = folder / "sent"
    path.write_bytes(os.urandom(PART_BYTES) * PARTS)
    return path


def unavailable(error: StoreError) -> bool:
    return (error.code, error.retryable) == ("store_unavailable", True)


@pytest.fixture
def proxy(proxied: tuple[S3Proxy, S3Server]) -> S3Proxy:
    return proxied[0]


@pytest.fixture
def store(proxied: tuple[S3Proxy, S3Server]) -> S3Store:
    return proxied[1].store_with(attempts=3)


@pytest.fixture
def store_once(proxied: tuple[S3Proxy, S3Server]) -> S3Store:
    """Tries every request once."""
    return proxied[1].store_with(attempts=1, read_timeout_seconds=0.3)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_server_that_is_gone_is_unavailable(call, moto: S3Server, tmp_path: Path):
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        store = moto.store_with(endpoint=f"http://{HOST}:{nobody.getsockname()[1]}", attempts=1)
        with pytest.raises(StoreError, match="EndpointConnectionError") as raised:
            call(store, tmp_path)
    assert unavailable(raised.value)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("fault", ["drop", "hang"])
def test_a_connection_that_says_nothing_is_unavailable(
    call, fault: str, proxy: S3Proxy, store_once: S3Store, tmp_path: Path
):
    getattr(proxy, fault)()
    with pytest.raises(StoreError, match=r"ConnectionClosedError|ReadTimeoutError") as raised:
        call(store_once, tmp_path)
    assert unavailable(raised.value)
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    ("status", "code", "expected", "retryable"),
    [
        (400, "ExpiredToken", "store_forbidden", False),
        (403, "AccessDenied", "store_forbidden", False),
        (404, "NoSuchBucket", "store_missing", False),
        (429, "TooManyRequests", "store_unavailable", True),
        (500, "InternalError", "store_unavailable", True),
        (501, "NotImplemented", "store_unsuitable", False),
        (503, "SlowDown", "store_unavailable", True),
    ],
)
def test_a_refusal_says_operation_bucket_status_and_code_and_no_key(
    call,
    status: int,
    code: str,
    expected: str,
    retryable: bool,
    proxy: S3Proxy,
    store_once: S3Store,
    tmp_path: Path,
):
    proxy.answer(status, code)
    with pytest.raises(StoreError) as raised:
        call(store_once, tmp_path)
    error = raised.value
    assert (error.code, error.retryable) == (expected, retryable)
    assert f"in bucket {store_once.place.bucket}: HTTP {status} {code}" in error.message
    assert "lantern" not in error.message
    assert store_once.place.prefix not in error.message
    assert (error.__cause__, error.__suppress_context__) == (None, True)


def test_two_answers_of_slow_down_are_waited_out(proxy: S3Proxy, store: S3Store):
    proxy.answer(503, "SlowDown", times=2)
    store.put(NAME, b"content")
    assert proxy.methods() == ["PUT", "PUT", "PUT"]
    assert store.read(NAME) == b"content"


def test_a_forbidden_request_is_not_tried_again(proxy: S3Proxy, store: S3Store):
    proxy.answer(403, "AccessDenied")
    with pytest.raises(StoreError):
        store.put(NAME, b"content")
    assert proxy.methods() == ["PUT"]


def test_a_conflict_of_two_creates_is_tried_again(proxy: S3Proxy, store: S3Store):
    proxy.answer(409, "ConditionalRequestConflict", times=2)
    assert store.create(NAME, b"content")


def test_a_conflict_that_stays_is_unavailable(proxy: S3Proxy, store: S3Store):
    proxy.answer(409, "ConditionalRequestConflict")
    with pytest.raises(StoreError, match="HTTP 409 ConditionalRequestConflict") as raised:
        store.create(NAME, b"content")
    assert unavailable(raised.value)


def test_a_create_whose_answer_is_lost_finds_its_own_object(proxy: S3Proxy, store: S3Store):
    proxy.lose_answer(method="PUT", times=1)
    assert not store.create(NAME, b"mine")
    assert store.read(NAME) == b"mine"


def test_a_body_that_breaks_off_is_read_again(proxy: S3Proxy, store: S3Store, tmp_path: Path):
    store.put(NAME, b"0123456789")
    proxy.cut(method="GET", times=1)
    assert store.read(NAME) == b"0123456789"
    proxy.cut(method="GET", times=1)
    assert store.download(NAME, tmp_path / "came")
    assert (tmp_path / "came").read_bytes() == b"0123456789"


@pytest.mark.parametrize("fault", ["cut", "corrupt"])
def test_a_body_that_stays_broken_leaves_no_file(fault: str, proxy: S3Proxy, store: S3Store, tmp_path: Path):
    store.put(NAME, b"0123456789")
    (tmp_path / "came").write_bytes(b"an older one")
    getattr(proxy, fault)(method="GET")
    with pytest.raises(StoreError) as read:
        store.read(NAME)
    with pytest.raises(StoreError) as downloaded:
        store.download(NAME, tmp_path / "came")
    assert unavailable(read.value)
    assert unavailable(downloaded.value)
    assert proxy.methods().count("GET") == 2 * 3
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"an older one"]


def test_an_object_replaced_while_its_body_breaks_off_is_not_mixed(
    proxy: S3Proxy, store: S3Store, tmp_path: Path
):
    store.put(NAME, b"as it was listed")
    (listed,) = store.find("tables/")
    proxy.cut(method="GET", times=1)
    proxy.call(lambda: store.put(NAME, b"another one"), method="GET")
    assert store.fetch(NAME, listed.etag, tmp_path / "came") is FetchOutcome.REPLACED
    assert list(tmp_path.iterdir()) == []


def test_an_upload_in_parts_outlives_a_broken_part(proxy: S3Proxy, store: S3Store, tmp_path: Path):
    proxy.drop(needle="partNumber=2", times=1)
    proxy.answer(500, "InternalError", needle="partNumber=1", times=1)
    sent = large_file(tmp_path)
    store.upload(NAME, sent)
    assert store.read(NAME) == sent.read_bytes()


@pytest.mark.parametrize("needle", ["partNumber=2", "?uploadId="])
def test_an_upload_that_fails_is_aborted_and_shows_nothing(
    needle: str, proxy: S3Proxy, store: S3Store, tmp_path: Path
):
    proxy.answer(403, "AccessDenied", method="PUT" if "part" in needle else "POST", needle=needle)
    with pytest.raises(StoreError, match=r"upload .* HTTP 403 AccessDenied"):
        store.upload(NAME, large_file(tmp_path))
    proxy.clear()
    uploads = store.client.list_multipart_uploads(Bucket=store.place.bucket, Prefix=store.place.prefix)
    assert uploads.get("Uploads", []) == []
    assert list(store.find("")) == []


def test_a_file_that_is_not_there_is_the_callers_trouble(store: S3Store, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        store.upload(NAME, tmp_path / "nothing")


@pytest.mark.parametrize(
    "refusal", [(501, "NotImplemented"), (405, "MethodNotAllowed"), (400, "MissingContentMD5")]
)
def test_where_many_cannot_be_deleted_at_once_they_are_deleted_one_by_one(
    refusal: tuple[int, str], proxy: S3Proxy, store: S3Store
):
    for name in ("a", "b", "kept"):
        store.put(name, b"")
    proxy.answer(*refusal, method="POST", needle="?delete")
    store.delete(["a", "b", "never there"])
    assert [item.name for item in store.find("")] == ["kept"]
    assert proxy.methods().count("DELETE") == 3


def failed_keys(*codes: str) -> str:
    errors = "".join(f"<Error><Key>lantern-{code}</Key><Code>{code}</Code></Error>" for code in codes)
    return f"<DeleteResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>{errors}</DeleteResult>"


def test_a_key_that_could_not_be_deleted_this_time_is_deleted_the_next(proxy: S3Proxy, store: S3Store):
    proxy.say(200, failed_keys("InternalError", "SlowDown", "NoSuchKey"), method="POST", times=1)
    store.delete(["a", "b", "c"])
    again = proxy.requests[-1].body
    assert (again.count(b"<Key>"), again.count(b"lantern-InternalError")) == (2, 1)


def test_a_key_that_may_not_be_deleted_is_an_error(proxy: S3Proxy, store: S3Store):
    proxy.say(200, failed_keys("SlowDown", "AccessDenied"), method="POST")
    with pytest.raises(StoreError, match=r"delete in bucket .* AccessDenied") as raised:
        store.delete(["a", "b"])
    assert (raised.value.code, raised.value.retryable) == ("store_forbidden", False)
    assert "lantern" not in str(raised.value)
    assert proxy.methods() == ["POST"]


def test_a_key_that_is_never_deleted_is_an_error(proxy: S3Proxy, store: S3Store):
    proxy.say(200, failed_keys("InternalError"), method="POST")
    with pytest.raises(StoreError, match="InternalError") as raised:
        store.delete(["a"])
    assert unavailable(raised.value)


ENCRYPTIONS = {
    "none": ({}, (None, None)),
    "AES256": ({"encryption": "AES256"}, ("AES256", None)),
    "aws:kms": ({"encryption": "aws:kms"}, ("aws:kms", None)),
    "a key": ({"kms_key_id": "alias/lake"}, ("aws:kms", "alias/lake")),
    "both": ({"encryption": "aws:kms", "kms_key_id": "alias/lake"}, ("aws:kms", "alias/lake")),
}


@pytest.mark.parametrize(("settings", "expected"), ENCRYPTIONS.values(), ids=ENCRYPTIONS)
def test_every_write_asks_for_the_encryption_of_the_settings(
    settings, expected, proxied: tuple[S3Proxy, S3Server], tmp_path: Path
):
    proxy, server = proxied
    store = server.store_with(**settings)
    store.create("created", b"1")
    store.put("put", b"2")
    store.upload("small", small_file(tmp_path))
    store.upload("large", large_file(tmp_path))

    asked = [
        (
            request.headers.get("x-amz-server-side-encryption"),
            request.headers.get("x-amz-server-side-encryption-aws-kms-key-id"),
        )
        for request in proxy.requests
        if request.path.endswith("?uploads") or (request.method == "PUT" and "partNumber" not in request.path)
    ]
    assert asked == [expected] * 4


def test_every_write_carries_a_checksum(proxy: S3Proxy, store: S3Store, tmp_path: Path):
    store.create("created", b"1")
    store.put("put", b"2")
    store.upload("small", small_file(tmp_path))
    store.upload("large", large_file(tmp_path))
    bodies = [request for request in proxy.requests if request.method == "PUT"]
    assert len(bodies) == 3 + PARTS
    assert all("x-amz-checksum-crc32" in request.headers for request in bodies)
