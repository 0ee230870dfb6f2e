"""``connector replay`` of Segment's archive, on disk and in S3: each event once, whatever happens then."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from s3_proxy import S3Proxy
from s3_servers import S3Server
from system.archives import (
    ARCHIVE,
    DAYS,
    EVENTS,
    KEYS,
    TILL,
    WEB,
    InBucket,
    OnDisk,
    Shelf,
    archive_of,
    fill,
    lines,
    packed,
    received,
)  # fmt: skip
from system.processes import descendants, wait_until, wait_until_ended
from system.service import Lake

from connector.write.entries import Record
from connector.write.ledger import fold

pytestmark = pytest.mark.slow

SOURCES = {"web": {"source_ids": [WEB]}}
KEY = {"PRIVACY_KEY": "one key for all of these lakes"}


@pytest.fixture(params=["disk", "moto", "seaweed"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "disk":
        return OnDisk(tmp_path / "archive")
    return InBucket(request.getfixturevalue(request.param))


@pytest.fixture
def behind(proxied: tuple[S3Proxy, S3Server]) -> tuple[S3Proxy, InBucket]:
    """A bucket whose requests can be seen and broken."""
    proxy, server = proxied
    return proxy, InBucket(server)


def lake_for(shelf: Shelf, folder: Path, **settings: Any) -> Lake:
    return Lake(
        folder,
        settings={"privacy_key": "env:PRIVACY_KEY", "s3": {"attempts": 2}, **settings},
        sources=SOURCES,
        environment={**shelf.environment, **KEY},
    )


def replayed(lake: Lake, *arguments: str, code: int = 0) -> str:
    """What ``connector replay`` says."""
    ran = lake.run("replay", *arguments)
    assert ran.returncode == code, ran.stderr.decode()
    return ran.stderr.decode()


def records(lake: Lake) -> list[Record]:
    return list(fold(lake.data).records.values())


def message_ids(lake: Lake) -> list[str]:
    """Of the rows that everybody sees."""
    tables = " UNION ALL ".join(f"SELECT * FROM (SELECT message_id FROM {table})" for table in
        ("events", "profiles", "groups", "aliases", "deletions"))  # fmt: skip
    return sorted({name for (name,) in lake.query(tables)})


def test_an_archive_is_read_wherever_it_lies(shelf: Shelf, tmp_path: Path) -> None:
    lake = lake_for(shelf, tmp_path / "lake")
    fill(shelf, ARCHIVE)
    shelf.put("segment-logs/dummy-object.txt", b"can you read this?")

    said = replayed(lake, shelf.argument())

    assert lake.fates() == {"stored": len(EVENTS)}
    assert message_ids(lake) == sorted(event["messageId"] for event in EVENTS)
    assert lake.query("SELECT DISTINCT source FROM events ORDER BY 1") == [(TILL.lower(),), ("web",)]
    assert said.count(f"no source has Segment's id {TILL}") == 1
    assert WEB not in said
    assert [seen for record in records(lake) for seen in record.seen_as] == [
        shelf.argument(key) for key in KEYS
    ]
    again = replayed(lake, shelf.argument())
    assert f"wrote 0 captured files, 0 events; {len(ARCHIVE)} were in the ledger already" in again


def test_two_workers_write_the_same_files_as_one(shelf: Shelf, tmp_path: Path) -> None:
    fill(shelf, ARCHIVE)
    alone, together = lake_for(shelf, tmp_path / "alone"), lake_for(shelf, tmp_path / "together")

    replayed(alone, shelf.argument())
    replayed(together, shelf.argument(), "--workers", "2")

    assert together.fates() == alone.fates() == {"stored": len(EVENTS)}
    outputs = [
        [(output.name, output.row_sum) for record in records(lake) for output in record.outputs]
        for lake in (alone, together)
    ]
    assert outputs[0] == outputs[1]


def test_gzip_is_told_by_its_bytes_and_a_torn_file_keeps_what_is_before_the_break(
    shelf: Shelf, tmp_path: Path
) -> None:
    lake = lake_for(shelf, tmp_path / "lake")
    folder = f"segment-logs/{WEB}/{DAYS[0]}"
    whole = packed(EVENTS[:80])
    shelf.put(f"{folder}/torn.gz", whole[: len(whole) // 2])
    shelf.put(f"{folder}/unpacked.gz", lines(EVENTS[80:120]))

    ran = lake.run("replay", shelf.argument())

    assert ran.returncode == 1
    assert b"torn.gz: breaks off" in ran.stderr
    torn, plain = sorted(records(lake), key=lambda record: -record.torn_bytes)
    assert (plain.stored, plain.rejected, plain.torn_bytes) == (40, 0, 0)
    assert torn.torn_bytes > 0
    assert 10 < torn.stored < 80
    assert torn.rejected <= 1
    assert set(message_ids(lake)) >= {event["messageId"] for event in EVENTS[: torn.stored]}
    assert [record["code"] for record in lake.rejected()] == ["truncated"] * torn.rejected


def test_only_the_days_that_are_asked_for_are_read(shelf: Shelf, tmp_path: Path) -> None:
    lake = lake_for(shelf, tmp_path / "lake")
    fill(shelf, ARCHIVE)
    shelf.put("exports/some.ndjson", lines(EVENTS[:3]))

    said = replayed(lake, shelf.argument(), "--since", str(DAYS[1]), "--until", str(DAYS[1]))

    assert message_ids(lake) == sorted(e["messageId"] for e in EVENTS if received(e) == DAYS[1])
    assert "1 captured files were passed over: they lie in no day folder" in said


def test_one_archive_from_disk_and_from_s3_is_shown_once(moto: S3Server, tmp_path: Path) -> None:
    disk, bucket = OnDisk(tmp_path / "archive"), InBucket(moto)
    lake = lake_for(bucket, tmp_path / "lake")
    for each in (disk, bucket):
        fill(each, ARCHIVE)

    replayed(lake, disk.argument(), bucket.argument("segment-logs"))

    assert lake.fates() == {"stored": 2 * len(EVENTS)}, "copies in other captured files are told by their ids"
    assert message_ids(lake) == sorted(event["messageId"] for event in EVENTS)
    assert lake.query("SELECT count(*) = count(DISTINCT row_id) FROM events") == [(True,)]
    assert lake.query("SELECT count(*) = 2 * count(DISTINCT row_id) FROM events_raw") == [(True,)]


def test_an_object_that_segment_wrote_anew_is_another_captured_file(
    behind: tuple[S3Proxy, InBucket], tmp_path: Path
) -> None:
    proxy, bucket = behind
    lake = lake_for(bucket, tmp_path / "lake")
    fill(bucket, ARCHIVE)
    replayed(lake, bucket.argument())
    before = lake.query("SELECT row_id FROM events ORDER BY 1")
    key, events = next(iter(ARCHIVE.items()))
    bucket.put(key, packed(events[1:]))
    proxy.requests.clear()

    said = replayed(lake, bucket.argument())

    assert f"wrote 1 captured files, {len(events) - 1} events" in said
    assert f"{len(ARCHIVE) - 1} were in the ledger already" in said
    fetched = [r.path for r in proxy.requests if r.method == "GET" and "list-type" not in r.path]
    assert len(fetched) == 1, "what the ledger has is known by key and ETag, without reading it"
    assert lake.fates() == {"stored": len(EVENTS) + len(events) - 1}
    assert lake.query("SELECT row_id FROM events ORDER BY 1") == before
    identities = {record.identity["kind"] for record in records(lake)}
    assert identities == {"object"}


def test_the_record_of_an_object_proves_its_uncompressed_content(moto: S3Server, tmp_path: Path) -> None:
    bucket = InBucket(moto)
    lake = lake_for(bucket, tmp_path / "lake")
    bucket.put(f"segment-logs/{WEB}/{DAYS[0]}/a.gz", packed(EVENTS[:20]))
    from_disk = lake_for(bucket, tmp_path / "from-disk")
    (tmp_path / "a.ndjson").write_bytes(lines(EVENTS[:20]))

    replayed(lake, bucket.argument(f"segment-logs/{WEB}/{DAYS[0]}/a.gz"))
    replayed(from_disk, str(tmp_path / "a.ndjson"), "--source", "web")

    (of_object,), (of_file,) = records(lake), records(from_disk)
    assert of_object.captured_file.startswith("s-")
    assert of_object.identity == {**of_file.identity, "kind": "object"}
    assert [output.row_sum for output in of_object.outputs] == [output.row_sum for output in of_file.outputs]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_replay_that_is_killed_goes_on_where_it_was(
    behind: tuple[S3Proxy, InBucket], tmp_path: Path, workers: str
) -> None:
    proxy, bucket = behind
    archive = archive_of(EVENTS, per_file=5)
    keys = sorted(archive, key=lambda key: (key.split("/")[2], key))
    assert len(keys) >= 30
    lake = lake_for(bucket, tmp_path / "lake", publish_seconds=0.001)
    fill(bucket, archive)
    proxy.clear()
    proxy.hang(method="GET", needle=keys[20])

    with lake.popen("replay", bucket.argument(), "--workers", workers, stderr=subprocess.DEVNULL) as replay:
        try:
            wait_until("20 objects are recorded", lambda: len(records(lake)) >= 20)
        finally:
            below = descendants(replay.pid)
            replay.kill()
    wait_until_ended(below)
    recorded = len(records(lake))
    proxy.clear()
    said = replayed(lake, bucket.argument(), "--workers", workers)

    assert recorded == 20
    assert f"wrote {len(keys) - 20} captured files" in said
    assert "; 20 were in the ledger already" in said
    assert lake.fates() == {"stored": len(EVENTS)}
    assert not list((lake.data / ".staging").iterdir())


def test_one_object_that_may_not_be_read_does_not_hold_up_the_others(
    behind: tuple[S3Proxy, InBucket], tmp_path: Path
) -> None:
    proxy, bucket = behind
    lake = lake_for(bucket, tmp_path / "lake")
    fill(bucket, ARCHIVE)
    forbidden = list(ARCHIVE)[2]
    proxy.answer(403, "AccessDenied", method="GET", needle=forbidden)

    said = replayed(lake, bucket.argument(), code=1)

    assert f"✗ {bucket.argument(forbidden)}: could not be written" in said
    assert "HTTP 403 AccessDenied" in said
    assert lake.fates() == {"stored": len(EVENTS) - len(ARCHIVE[forbidden])}
    proxy.clear()
    assert "wrote 1 captured files" in replayed(lake, bucket.argument())


def test_a_store_that_refuses_every_object_is_not_asked_for_each(
    behind: tuple[S3Proxy, InBucket], tmp_path: Path
) -> None:
    proxy, bucket = behind
    lake = lake_for(bucket, tmp_path / "lake")
    archive = archive_of(EVENTS, per_file=6)
    fill(bucket, archive)
    proxy.clear()
    proxy.answer(403, "ExpiredToken", method="GET", needle=".gz")

    said = replayed(lake, bucket.argument(), code=1)

    assert "HTTP 403 ExpiredToken" in said
    assert "run it again" in said
    assert len(proxy.methods(".gz")) < len(archive)


@pytest.mark.parametrize("meanwhile", ["removed", "replaced"])
def test_an_object_that_changes_meanwhile_is_left_for_the_next_run(
    behind: tuple[S3Proxy, InBucket], tmp_path: Path, meanwhile: str
) -> None:
    proxy, bucket = behind
    lake = lake_for(bucket, tmp_path / "lake")
    fill(bucket, ARCHIVE)
    key = list(ARCHIVE)[2]
    upstream = InBucket(
        S3Server("moto", proxy.upstream, bucket.server.keys, bucket.server.bucket), bucket.prefix
    )
    if meanwhile == "removed":
        proxy.call(lambda: upstream.delete(key), method="GET", needle=key)
    else:
        proxy.call(lambda: upstream.put(key, packed(ARCHIVE[key][:4])), method="GET", needle=key)

    said = replayed(lake, bucket.argument(), code=1)

    assert f"✗ {bucket.argument(key)}: changed meanwhile; run the same command again" in said
    assert f"it was {meanwhile} after it had been listed" in said
    rest = 0 if meanwhile == "removed" else 4
    assert f"wrote {min(rest, 1)} captured files, {rest} events" in replayed(lake, bucket.argument())
    assert lake.fates() == {"stored": len(EVENTS) - len(ARCHIVE[key]) + rest}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_store_that_is_lost_on_the_way_stops_the_run_and_keeps_what_is_done(
    behind: tuple[S3Proxy, InBucket], tmp_path: Path, workers: str
) -> None:
    proxy, bucket = behind
    lake = lake_for(bucket, tmp_path / "lake")
    fill(bucket, ARCHIVE)
    proxy.drop(method="GET", needle=KEYS[5])

    said = replayed(lake, bucket.argument(), "--workers", workers, code=1)

    assert "run it again: what is done is not done twice" in said
    assert "wrote 5 captured files" in said
    proxy.clear()
    assert "; 5 were in the ledger already" in replayed(lake, bucket.argument())
    assert lake.fates() == {"stored": len(EVENTS)}


@pytest.mark.parametrize(
    ("argument", "code", "said"),
    [
        ("s3://no-such-bucket-here/segment-logs", 2, "there is no such bucket"),
        ("s3://{bucket}/nothing/below", 2, "no object has this key and none lies below it"),
        ("s3://{bucket}/{prefix}segment-logs/*", 2, "* is not expanded"),
        (
            "s3://{bucket}/{prefix}lake",
            2,
            "is a data folder; name its journal/done or journal/closed instead",
        ),
        ("s3://{bucket}/{prefix}holds", 2, "holds/lake: is a data folder"),
        ("s3://{bucket}/{prefix}secret", 2, "need s3:ListBucket on the bucket and s3:GetObject"),
    ],
)
def test_an_address_that_leads_nowhere_says_what_to_do(
    behind: tuple[S3Proxy, InBucket], tmp_path: Path, argument: str, code: int, said: str
) -> None:
    proxy, bucket = behind
    lake = lake_for(bucket, tmp_path / "lake")
    for key in ("lake/ledger/files/2026-11-21/a.json", "holds/lake/ledger/files/a/b.json", "secret/a.gz"):
        bucket.put(key, b"{}")
    proxy.answer(403, "AccessDenied", method="GET", needle="secret")
    address = argument.format(bucket=bucket.server.bucket, prefix=bucket.prefix)

    told = replayed(lake, address, code=code)

    assert said in told
    assert address in told
    assert "Traceback" not in told


def test_a_store_that_is_not_there_is_said(tmp_path: Path, moto: S3Server) -> None:
    nobody = {**moto.environment, "CONNECTOR_S3__ENDPOINT": "http://127.0.0.1:9"}
    lake = Lake(tmp_path, settings={"s3": {"attempts": 1}}, environment=nobody)

    assert "run it again" in replayed(lake, "s3://archive/segment-logs", code=1)


def test_files_folders_globs_and_addresses_may_be_mixed(moto: S3Server, tmp_path: Path) -> None:
    bucket, disk = InBucket(moto), OnDisk(tmp_path / "archive")
    lake = lake_for(bucket, tmp_path / "lake")
    parts = [EVENTS[at : at + 20] for at in range(0, 100, 20)]
    bucket.put(f"segment-logs/{WEB}/{DAYS[0]}/a.gz", packed(parts[0]))
    bucket.put("plain.ndjson", lines(parts[1]))
    disk.put("folder/b.ndjson", lines(parts[2]))
    disk.put("c.json", json.dumps(parts[3]).encode())
    disk.put("d.gz", packed(parts[4]))

    arguments = (bucket.argument(), disk.argument("folder"), disk.argument("*.json"), disk.argument("d.gz"))
    replayed(lake, *arguments)

    assert lake.fates() == {"stored": 100}
    assert lake.query("SELECT DISTINCT source FROM events ORDER BY 1") == [("file",), ("web",)]
