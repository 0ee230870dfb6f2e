"""``connector reconcile``: what Segment's archive has and the tables have not, and exactly that replayed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from s3_proxy import S3Proxy
from s3_servers import S3Server
from system.archives import (
    ARCHIVE,
    EVENTS,
    TILL,
    WEB,
    InBucket,
    OnDisk,
    Shelf,
    day_folder,
    fill,
    lines,
    packed,
    received,
)
from system.lost_events import (
    GAP,
    GAP_IDS,
    SENT_BY,
    SOURCES,
    arrive,
    ids,
    lake_for,
    reconciled,
    without,
)
from system.service import Lake, running

pytestmark = pytest.mark.slow


@pytest.fixture(params=["disk", "moto"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "disk":
        return OnDisk(tmp_path / "archive")
    return InBucket(request.getfixturevalue(request.param))


@pytest.fixture
def disk(tmp_path: Path) -> OnDisk:
    return OnDisk(tmp_path / "archive")


def test_what_came_while_nobody_listened_is_found_and_brought_in(shelf: Shelf, tmp_path: Path) -> None:
    fill(shelf, ARCHIVE)
    shelf.put("segment-logs/dummy-object.txt", b"can you read this?")
    lake = lake_for(shelf, tmp_path / "lake")
    arrive(lake, without(GAP))

    told = reconciled(lake, shelf.argument(), "--dry-run", code=1)

    assert (told["compared"], told["arrived"], told["missing"]) == (150, 125, 25)
    assert told["message_ids"] == GAP_IDS
    assert told["healed"] is None
    assert lake.fates() == {"stored": 125}, "a dry run writes nothing"

    told = reconciled(lake, shelf.argument())

    assert (told["missing"], told["healed"]["stored"], told["healed"]["unwritten"]) == (25, 25, [])
    assert lake.fates() == {"stored": 150}
    assert ids(lake) == sorted(event["messageId"] for event in EVENTS)
    sources = lake.query("SELECT DISTINCT message_id, source FROM events_raw")
    assert sources
    assert all(SENT_BY[message_id] == source for message_id, source in sources)


def test_doing_it_twice_adds_nothing(disk: OnDisk, tmp_path: Path) -> None:
    fill(disk, ARCHIVE)
    lake = lake_for(disk, tmp_path / "lake")
    arrive(lake, without(GAP))
    reconciled(lake, disk.argument())
    before = (lake.audit()["entries"], sorted(lake.journal.glob("healed/*/*")), ids(lake))

    told = reconciled(lake, disk.argument())

    assert (told["arrived"], told["missing"], told["message_ids"]) == (150, 0, [])
    assert (lake.audit()["entries"], sorted(lake.journal.glob("healed/*/*")), ids(lake)) == before


def test_a_run_that_was_killed_after_it_kept_the_events_is_simply_begun_again(
    disk: OnDisk, tmp_path: Path
) -> None:
    fill(disk, ARCHIVE)
    lake, other = lake_for(disk, tmp_path / "lake"), lake_for(disk, tmp_path / "other")
    for each in (lake, other):
        arrive(each, without(GAP))
    reconciled(other, disk.argument())
    for path in other.journal.glob("healed/*/*"):
        left = lake.journal / path.relative_to(other.journal)
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_bytes(path.read_bytes())

    told = reconciled(lake, disk.argument())

    assert told["healed"]["stored"] == 25
    assert sorted(path.name for path in lake.journal.glob("healed/*/*")) == sorted(
        path.name for path in other.journal.glob("healed/*/*")
    )
    assert ids(lake) == ids(other)


def test_the_bytes_are_kept_by_day_and_source_as_the_archive_has_them(disk: OnDisk, tmp_path: Path) -> None:
    day = received(EVENTS[0])
    odd = b'{"type": "track", "event":"Odd", "messageId":"odd", "userId":"u", "properties": {"n": 1.50e2}}'
    pretty = b'{\n  "type": "track",\n  "event": "Pretty",\n  "messageId": "pretty",\n  "n": 7.0\n}'
    disk.put(f"segment-logs/{WEB}/{day_folder(day)}/a.gz", gzip.compress(odd + b"\n" + lines(EVENTS[:1])))
    disk.put(f"segment-logs/{TILL}/{day_folder(day)}/b.json", pretty)
    disk.put("loose.ndjson", lines([EVENTS[1]]))
    lake = lake_for(disk, tmp_path / "lake")
    arrive(lake, EVENTS[2:3])

    reconciled(lake, disk.argument(), "--source", "web")

    kept = {path.relative_to(lake.journal / "healed"): gzip.decompress(path.read_bytes())
            for path in lake.journal.glob("healed/*/*")}  # fmt: skip
    assert {path.parent.name for path in kept} == {day.isoformat(), "undated"}
    assert sorted(kept.values()) == sorted([
        odd + b"\n" + lines(EVENTS[:1]),
        lines([EVENTS[1]]),
        pretty.replace(b"\n", b" ") + b"\n",
    ])  # fmt: skip
    assert lake.fates() == {"stored": 5}
    named = lake.query("SELECT message_id, source FROM events_raw WHERE event IN ('Odd', 'Pretty')")
    assert sorted(named) == [("odd", "web"), ("pretty", "till")]


def test_a_person_sees_what_when_and_a_few_ids(disk: OnDisk, tmp_path: Path) -> None:
    fill(disk, ARCHIVE)
    lake = lake_for(disk, tmp_path / "lake")
    arrive(lake, without(GAP))

    ran = lake.run("reconcile", "--archive", disk.argument(), "--dry-run")

    said = ran.stdout.decode()
    assert ran.returncode == 1
    assert f"compared 150 events of {len(ARCHIVE)} archive files: 125 arrived, 25 missing" in said
    assert GAP[0]["receivedAt"][:13] in said
    assert sum(each in said for each in GAP_IDS) == 20
    assert "and more; --json prints all" in said
    assert b"without --dry-run exactly these are replayed" in ran.stderr
    assert b"\x1b" not in ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[OnDisk, Lake]:
    folder = tmp_path_factory.mktemp("small")
    disk = OnDisk(folder / "archive")
    disk.put(f"segment-logs/{WEB}/2026-03-01/a.gz", packed(EVENTS[:3]))
    disk.put("j/frames", b'{"capture":1,"file":"20260301T000000000Z-a-1-00000000","seq":0}\n')
    lake = lake_for(disk, folder / "lake")
    arrive(lake, EVENTS[:1])
    return disk, lake


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--archive", "{archive}/nowhere"), "nowhere: no such file or folder, and no match"),
        (
            ("--archive", "{archive}", "--from", "2026-03-02", "--to", "2026-03-01"),
            "--from 2026-03-02 is after",
        ),
        (
            ("--archive", "{archive}", "--source", "wbe"),
            "--source: no source wbe is configured; there is web",
        ),
        (("--archive", "{data}"), "is a data folder"),
        (("--archive", "{archive}", "--data", "{archive}/none"), "no such data folder"),
        (("--archive", "{archive}/j"), "is a journal file, no archive; connector replay takes it"),
        ((), "Missing option '--archive'"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(
    small: tuple[OnDisk, Lake], arguments: tuple[str, ...], said: str
) -> None:
    disk, lake = small
    places = {"archive": disk.argument().rstrip("/"), "data": str(lake.data)}

    ran = lake.run("reconcile", *(argument.format(**places) for argument in arguments))

    assert ran.returncode == 2
    assert said in ran.stderr.decode()
    assert "Traceback" not in ran.stderr.decode()
    assert not (lake.journal / "healed").exists()


def test_a_journal_received_under_another_configuration_is_not_mixed_with_this_one(
    disk: OnDisk, tmp_path: Path
) -> None:
    fill(disk, ARCHIVE)
    with running(tmp_path / "lake", sources=SOURCES) as service:
        service.stop()
    arrive(service, without(GAP))
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        'subscriptions:\n- {name: a, subscribe: type = "track", partnerAction: storeEvent, mapping: {}}\n'
    )
    arguments = ("reconcile", "--archive", disk.argument(), "--mapping", str(mapping))

    ran = service.run(*arguments)

    assert ran.returncode == 2
    assert b"was received under another configuration" in ran.stderr
    assert service.fates() == {"stored": 125}
    assert service.run(*arguments, "--force").returncode == 0


def test_tables_in_s3_are_compared_and_filled_too(moto: S3Server, tmp_path: Path) -> None:
    bucket = InBucket(moto)
    fill(bucket, ARCHIVE)
    lake = lake_for(
        bucket, tmp_path / "lake", data=moto.place().uri, journal=str(tmp_path / "lake/data/journal")
    )
    arrive(lake, without(GAP))

    assert reconciled(lake, bucket.argument())["healed"]["stored"] == 25

    told = reconciled(lake, bucket.argument(), "--dry-run")
    assert (told["arrived"], told["missing"]) == (150, 0)


def test_an_object_that_may_not_be_read_is_not_taken_for_compared(
    proxied: tuple[S3Proxy, S3Server], tmp_path: Path
) -> None:
    proxy, server = proxied
    bucket = InBucket(server)
    lake = lake_for(bucket, tmp_path / "lake")
    fill(bucket, ARCHIVE)
    arrive(lake, EVENTS)
    forbidden = list(ARCHIVE)[2]
    proxy.answer(403, "AccessDenied", method="GET", needle=forbidden)

    told = reconciled(lake, bucket.argument(), code=1)

    assert [found["name"] for found in told["not_compared"]] == [bucket.argument(forbidden)]
    assert (told["arrived"], told["missing"]) == (len(EVENTS) - len(ARCHIVE[forbidden]), 0)
    proxy.clear()
    assert reconciled(lake, bucket.argument())["arrived"] == len(EVENTS)
