"""What every object store must do, asked of moto and of SeaweedFS."""

import os
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from s3_servers import S3Server

from connector.errors import StoreError
from connector.s3.client import AccessKeys, make_client
from connector.s3.config import S3Config, S3Place
from connector.s3.objects import FetchOutcome, fetch_object, list_objects
from connector.s3.probe import FOLDER, probe
from connector.s3.store import S3Store

MIB = 1 << 20
MULTIPART_FROM_BYTES, PART_BYTES = S3Config().multipart_from_bytes, S3Config().part_bytes
PART_OF_A_DAY = "tables/events/day=2026-11-21/part-0.parquet"


def names_in(store: S3Store, prefix: str = "") -> list[str]:
    return [item.name for item in store.find(prefix)]


def file_of(path: Path, size: int) -> Path:
    path.write_bytes((os.urandom(MIB) * (size // MIB + 1))[:size])
    return path


def test_a_name_is_created_once(s3_store: S3Store):
    assert s3_store.create("ledger/changes/0001", b"first")
    assert not s3_store.create("ledger/changes/0001", b"second")
    assert s3_store.read("ledger/changes/0001") == b"first"


def test_of_eight_that_create_one_name_at_once_exactly_one_wins(s3_store: S3Store):
    start = threading.Barrier(8)

    def create(writer: int) -> bool:
        start.wait()
        return s3_store.create(f"ledger/changes/{number}", b"%d" % writer)

    with ThreadPoolExecutor(8) as writers:
        for number in range(2):
            won = list(writers.map(create, range(8)))
            assert won.count(True) == 1
            assert s3_store.read(f"ledger/changes/{number}") == b"%d" % won.index(True)


def test_what_was_put_is_not_created_over(s3_store: S3Store):
    s3_store.put("record", b"put")
    assert not s3_store.create("record", b"created")
    assert s3_store.read("record") == b"put"


def test_a_deleted_name_can_be_created_again(s3_store: S3Store):
    s3_store.create("lease", b"1")
    s3_store.delete(["lease"])
    assert s3_store.create("lease", b"2")


def test_a_read_sees_the_last_write(s3_store: S3Store):
    for content in (b"", b"\x00\xff" * 1000, b"short"):
        s3_store.put("object", content)
        assert s3_store.read("object") == content


def test_there_is_nothing_to_read_where_nothing_is(s3_store: S3Store, tmp_path: Path):
    assert s3_store.read("nothing") is None
    assert not s3_store.download("nothing", tmp_path / "file")
    assert names_in(s3_store) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        PART_OF_A_DAY,
        "tables/events/day=2026-11-21/größe 漢字 🧵.parquet",
        "journal/a+b&c%20d?e#f;g'h(i)~j.log",
        "dots/..hidden/.file",
    ],
)
def test_a_name_is_kept_as_it_is(s3_store: S3Store, name: str):
    assert s3_store.create(name, b"content")
    assert s3_store.read(name) == b"content"
    assert names_in(s3_store) == names_in(s3_store, name) == [name]
    s3_store.delete([name])
    assert s3_store.read(name) is None


def test_a_listing_is_sorted_by_name(s3_store: S3Store):
    names = ["b", "b/c", "b-", "b.a", "a", "B", "ä", "b/c/d", "b0"]
    for name in names:
        s3_store.put(name, b"")
    assert names_in(s3_store) == sorted(names)


def test_a_listing_tells_size_etag_and_time(s3_store: S3Store):
    s3_store.put("small", b"12345")
    info = next(s3_store.find("small"))
    head = s3_store.client.head_object(Bucket=s3_store.place.bucket, Key=f"{s3_store.place.prefix}small")
    assert (info.name, info.bytes) == ("small", 5)
    assert f'"{info.etag}"' == head["ETag"]
    assert info.modified_ms // 1000 == int(head["LastModified"].timestamp())


def test_a_listing_shows_one_prefix_of_one_store(s3_server: S3Server):
    here = s3_server.store()
    beside = s3_server.store(S3Place(here.place.bucket, here.place.prefix.rstrip("/") + "-old/"))
    for store in (here, beside):
        store.put("ledger/1", b"")
        store.put("ledgers", b"")
        store.put("journal/1", b"")
    assert names_in(here, "ledger/") == ["ledger/1"]
    assert names_in(here, "ledger") == ["ledger/1", "ledgers"]
    assert names_in(here) == ["journal/1", "ledger/1", "ledgers"]


def test_the_marker_a_console_makes_for_a_folder_is_no_object_of_the_store(s3_store: S3Store):
    s3_store.put("", b"")
    s3_store.put("a", b"")
    assert names_in(s3_store) == ["a"]


def test_thousands_are_listed_whole_and_deleted_at_once(seaweed: S3Server):
    store = seaweed.store()
    names = [f"ids/day=2026-11-{number % 28 + 1:02}/{number:05}" for number in range(2_500)]
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(lambda name: store.put(name, b""), names))
    store.put("kept", b"")

    assert names_in(store, "ids/") == sorted(names)

    store.delete([*names, "never there"])
    assert names_in(store) == ["kept"]


def test_a_listing_of_several_pages_is_whole(s3_server: S3Server):
    def small_page(params: dict[str, object], **_: object) -> None:
        params["MaxKeys"] = 3

    store = S3Store(make_client(s3_server.config, s3_server.keys), s3_server.place(), s3_server.config)
    store.client.meta.events.register("provide-client-params.s3.ListObjectsV2", small_page)
    names = ["a", "b", "b-", "b/1", "b/2", "b/2/x", "b/3", "b0", "c/1", "c/2"]
    for name in names:
        store.put(name, b"")
    assert names_in(store) == sorted(names)
    assert names_in(store, "b/") == ["b/1", "b/2", "b/2/x", "b/3"]


def test_deleting_nothing_asks_for_nothing(s3_store: S3Store):
    s3_store.delete([])


@pytest.mark.parametrize("size", [0, 1, MULTIPART_FROM_BYTES - 1, 2 * PART_BYTES + 1])
def test_a_file_comes_back_byte_for_byte(s3_store: S3Store, tmp_path: Path, size: int):
    sent = file_of(tmp_path / "sent", size)
    s3_store.upload(PART_OF_A_DAY, sent)
    assert s3_store.download(PART_OF_A_DAY, tmp_path / "came")
    assert (tmp_path / "came").read_bytes() == sent.read_bytes()
    assert [item.bytes for item in s3_store.find("tables/")] == [size]


def test_a_large_file_is_never_in_memory_as_a_whole(seaweed: S3Server, tmp_path: Path):
    store, sent = seaweed.store(), file_of(tmp_path / "sent", 40 * MIB)
    tracemalloc.start()
    try:
        store.upload("large", sent)
        store.download("large", tmp_path / "came")
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 16 * MIB
    assert (tmp_path / "came").read_bytes() == sent.read_bytes()


def test_an_upload_that_was_never_completed_is_no_object(s3_store: S3Store):
    where = {"Bucket": s3_store.place.bucket, "Key": f"{s3_store.place.prefix}half"}
    upload = s3_store.client.create_multipart_upload(**where)["UploadId"]
    s3_store.client.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x" * PART_BYTES)
    assert s3_store.read("half") is None
    assert names_in(s3_store) == []
    assert s3_store.create("half", b"whole")


def test_an_object_is_fetched_only_while_it_is_the_one_that_was_listed(s3_store: S3Store, tmp_path: Path):
    s3_store.put("archive/1.gz", b"as listed")
    bucket = s3_store.place.bucket
    (listed,) = list_objects(s3_store.client, bucket, f"{s3_store.place.prefix}archive/")
    path = tmp_path / "fetched"

    def fetch() -> FetchOutcome:
        return fetch_object(s3_store.client, bucket, listed.key, listed.etag, path)

    assert fetch() is FetchOutcome.FETCHED
    assert path.read_bytes() == b"as listed"
    path.unlink()

    s3_store.put("archive/1.gz", b"another one")
    assert fetch() is FetchOutcome.REPLACED
    s3_store.delete(["archive/1.gz"])
    assert fetch() is FetchOutcome.MISSING
    assert list(tmp_path.iterdir()) == []


def test_encryption_asked_for_does_not_change_what_is_read(s3_server: S3Server, tmp_path: Path):
    store = s3_server.store_with(encryption="AES256")
    store.upload("large", file_of(tmp_path / "sent", MULTIPART_FROM_BYTES))
    assert store.create("record", b"content")
    assert store.read("record") == b"content"
    assert store.read("large") == (tmp_path / "sent").read_bytes()


def test_a_bucket_that_is_not_there_is_named_as_missing(s3_server: S3Server, tmp_path: Path):
    store = s3_server.store(S3Place("no-such-bucket", "lake/"))
    (tmp_path / "file").touch()
    for ask in (
        lambda: store.create("n", b""),
        lambda: store.put("n", b""),
        lambda: store.upload("n", tmp_path / "file"),
        lambda: store.read("n"),
        lambda: store.download("n", tmp_path / "came"),
        lambda: list(store.find("n")),
        lambda: store.delete(["n"]),
    ):
        with pytest.raises(StoreError, match="in bucket no-such-bucket: HTTP 404 NoSuchBucket") as raised:
            ask()
        assert (raised.value.code, raised.value.retryable) == ("store_missing", False)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (lambda right: AccessKeys("AKIASTRANGER", right.secret_key), "InvalidAccessKeyId"),
        (lambda right: AccessKeys(right.access_key, "a-wrong-secret"), "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_key_is_forbidden(seaweed: S3Server, keys, code: str):
    wrong = keys(seaweed.keys)
    store = S3Store(make_client(seaweed.config, wrong), seaweed.place(), seaweed.config)
    for ask in (lambda: store.create("n", b""), lambda: store.read("n"), lambda: list(store.find(""))):
        with pytest.raises(StoreError, match=f"HTTP 403 {code}") as raised:
            ask()
        assert (raised.value.code, raised.value.retryable) == ("store_forbidden", False)
        assert wrong.access_key not in str(raised.value)


def test_the_probe_finds_it_fit_and_leaves_nothing(s3_store: S3Store):
    probe(s3_store)
    assert names_in(s3_store, FOLDER) == []


NAMES = st.sampled_from(["a", "a-", "a.b", "b/c", "day=2026-11-21/ü"])
"""None is the folder of another: SeaweedFS takes such a folder for the object, and a lake has none."""
STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "put", "delete"]), NAMES, st.binary(max_size=8)), max_size=12
)


@given(steps=STEPS)
@settings(deadline=None, max_examples=15)
def test_a_store_is_a_dictionary(s3_server: S3Server, steps: list[tuple[str, str, bytes]]):
    store, model = s3_server.store(), dict[str, bytes]()
    for what, name, content in steps:
        if what == "create":
            assert store.create(name, content) == (name not in model)
            model.setdefault(name, content)
        elif what == "put":
            store.put(name, content)
            model[name] = content
        else:
            store.delete([name])
            model.pop(name, None)
    assert {name: store.read(name) for name in names_in(store)} == model


def test_whether_there_is_anything_is_one_request_for_one_page(s3_server: S3Server):
    store = S3Store(make_client(s3_server.config, s3_server.keys), s3_server.place(), s3_server.config)
    assert not store.holds("")
    for number in range(5):
        store.put(f"tables/{number}", b"x")
    asked: list[object] = []
    store.client.meta.events.register("before-call.s3", lambda params, **_: asked.append(params["url_path"]))

    assert store.holds("")
    assert store.holds("tables/")
    assert not store.holds("ledger/")
    assert len(asked) == 3


def test_what_a_console_makes_for_a_folder_is_listed_nowhere_and_content_under_such_a_name_is(
    s3_store: S3Store,
):
    s3_store.put("tables/", b"")
    assert (names_in(s3_store), s3_store.holds("")) == ([], False)
    s3_store.put("a", b"")
    assert (names_in(s3_store), s3_store.holds("")) == (["a"], True)
