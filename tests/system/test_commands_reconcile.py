"""``connector reconcile``: what Segment's archive has and the tables have not, and exactly that replayed."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
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
from system.service import Lake, running

from connector.tables import TABLES

pytestmark = pytest.mark.slow

SOURCES = {"web": {"source_ids": [WEB], "unsigned": True}, "till": {"source_ids": [TILL], "unsigned": True}}
SENT_BY = {
    event["messageId"]: {WEB: "web", TILL: "till"}[key.split("/")[1]]
    for key, events in ARCHIVE.items()
    for event in events
}
BY_TIME = sorted(EVENTS, key=lambda event: event["receivedAt"])
GAP = BY_TIME[60:85]
"""What came while nobody listened."""
GAP_IDS = [event["messageId"] for event in GAP]


@pytest.fixture(params=["disk", "moto"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "disk":
        return OnDisk(tmp_path / "archive")
    return InBucket(request.getfixturevalue(request.param))


@pytest.fixture
def disk(tmp_path: Path) -> OnDisk:
    return OnDisk(tmp_path / "archive")


def lake_for(shelf: Shelf, folder: Path, **settings: Any) -> Lake:
    return Lake(
        folder,
        settings={"privacy_key": "env:PRIVACY_KEY", "s3": {"attempts": 2}, **settings},
        sources=SOURCES,
        environment={**shelf.environment, "PRIVACY_KEY": "one key for all of these lakes"},
    )


def arrive(lake: Lake, events: Iterable[Any]) -> None:
    """Bring events into the tables as if they had come through the door."""
    for source in ("web", "till"):
        sent = [event for event in events if SENT_BY.get(event["messageId"], "web") == source]
        path = lake.folder / f"{source}.ndjson"
        path.write_bytes(lines(sent))
        if sent:
            lake.ok("replay", str(path), "--source", source)


def without(gone: Iterable[Any]) -> list[Any]:
    ids = {event["messageId"] for event in gone}
    return [event for event in EVENTS if event["messageId"] not in ids]


def reconciled(lake: Lake, *arguments: str, code: int = 0) -> Any:
    ran = lake.run("reconcile", "--json", "--archive", *arguments)
    assert (ran.returncode, ran.stdout != b"") == (code, True), ran.stderr.decode()
    return orjson.loads(ran.stdout)


def ids(lake: Lake) -> list[str]:
    """Of all rows, an order and its lines once."""
    columns = "DISTINCT captured_file, captured_index, message_id"
    tables = (f"SELECT {columns} FROM {table.name}_raw" for table in TABLES)
    query = f"SELECT message_id FROM ({' UNION ALL '.join(tables)})"
    return sorted(name for (name,) in lake.query(query))


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


def test_only_the_days_that_are_asked_for_are_compared(disk: OnDisk, tmp_path: Path) -> None:
    fill(disk, ARCHIVE)
    disk.put("loose.ndjson", lines(EVENTS[:3]))
    lake = lake_for(disk, tmp_path / "lake")
    arrive(lake, BY_TIME[:1])
    days = sorted({received(event) for event in EVENTS})

    told = reconciled(
        lake, disk.argument(), "--from", str(days[1]), "--to", str(days[1]), "--dry-run", code=1
    )

    of_day = [event for event in EVENTS if received(event) == days[1]]
    assert (told["compared"], told["missing"], told["files_without_day"]) == (len(of_day), len(of_day), 1)
    assert set(told["message_ids"]) == {event["messageId"] for event in of_day}


def test_what_no_action_subscribes_to_is_counted_apart_and_never_replayed(
    disk: OnDisk, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        'subscriptions:\n- {name: a, subscribe: type = "track", partnerAction: storeEvent, mapping: {}}\n'
    )
    fill(disk, ARCHIVE)
    lake = lake_for(disk, tmp_path / "lake", mapping=str(mapping))
    arrive(lake, without(GAP))
    tracked = [event for event in GAP if event["type"] == "track"]
    unmatched = sum(event["type"] != "track" for event in EVENTS)
    assert 0 < len(tracked) < len(GAP)

    told = reconciled(lake, disk.argument())

    assert (told["missing"], told["unmatched"]) == (len(tracked), unmatched)
    assert set(told["message_ids"]) == {event["messageId"] for event in tracked}
    told = reconciled(lake, disk.argument())
    assert (told["missing"], told["unmatched"]) == (0, unmatched)


def test_what_is_rejected_has_arrived_and_what_will_be_is_said(disk: OnDisk, tmp_path: Path) -> None:
    nameless = {"type": "track", "messageId": "nameless", "userId": "u"}
    numbered = {"type": "track", "messageId": 4711, "userId": "u"}
    without_id = {"type": "track", "userId": "u", "timestamp": "2026-03-01T00:00:00Z"}
    events = [nameless, numbered, without_id]
    disk.put(f"segment-logs/{WEB}/2026-03-01/a.gz", packed(events))
    lake = lake_for(disk, tmp_path / "lake")
    arrive(lake, EVENTS[:1])

    first = lake.run("reconcile", "--archive", disk.argument())

    assert first.returncode == 0
    assert b"the configuration of now rejects 3 event_missing" in first.stderr
    assert lake.fates() == {"stored": 1, "rejected": 3}
    told = reconciled(lake, disk.argument(), "--dry-run")
    assert (told["arrived"], told["missing"]) == (3, 0)


def test_an_event_without_an_id_is_known_by_its_row(disk: OnDisk, tmp_path: Path) -> None:
    event = {"type": "track", "event": "Lamp Lit", "userId": "u", "timestamp": "2026-03-01T00:00:00Z"}
    other = {**event, "userId": "v"}
    disk.put(f"segment-logs/{WEB}/2026-03-01/a.gz", packed([event, other]))
    lake = lake_for(disk, tmp_path / "lake")
    path = tmp_path / "some.ndjson"
    path.write_bytes(lines([{**event, "sentAt": "2026-03-01T00:00:05Z"}]))
    lake.ok("replay", str(path), "--source", "web")

    told = reconciled(lake, disk.argument())

    assert (told["arrived"], told["missing"], told["message_ids"]) == (1, 1, [])
    assert lake.query("SELECT user_id FROM events_raw ORDER BY 1") == [("u",), ("v",)]
    assert reconciled(lake, disk.argument())["missing"] == 0


def test_one_message_twice_in_the_archive_is_one_event(disk: OnDisk, tmp_path: Path) -> None:
    disk.put(f"segment-logs/{WEB}/2026-03-01/a.gz", packed([EVENTS[0], EVENTS[1], EVENTS[0]]))
    disk.put(f"segment-logs/{WEB}/2026-03-09/b.gz", packed([EVENTS[0]]))
    lake = lake_for(disk, tmp_path / "lake")
    arrive(lake, EVENTS[2:3])

    told = reconciled(lake, disk.argument())

    assert (told["compared"], told["missing"], told["copies"]) == (4, 2, 2)
    assert lake.fates() == {"stored": 3}


def test_an_event_far_from_its_day_is_found_all_the_same(disk: OnDisk, tmp_path: Path) -> None:
    """The tables are by event time, the archive is by arrival."""
    late = {**EVENTS[0], "type": "track", "event": "Import", "timestamp": "2019-05-05T00:00:00.000Z"}
    disk.put(f"segment-logs/{WEB}/2026-03-01/a.gz", packed([late]))
    lake = lake_for(disk, tmp_path / "lake")
    arrive(lake, [late])

    told = reconciled(lake, disk.argument(), "--dry-run")

    assert (told["arrived"], told["missing"]) == (1, 0)


def test_what_waits_in_the_journal_has_arrived(disk: OnDisk, tmp_path: Path) -> None:
    fill(disk, ARCHIVE)
    settings = {"publish_seconds": 600, "roll_seconds": 600}
    with running(tmp_path / "lake", settings=settings, sources=SOURCES) as service:
        for event in GAP:
            assert service.send(orjson.dumps(event), path="/webhook/web").status == 200
        arrive(service, without(GAP))

        ran = service.run("reconcile", "--json", "--archive", disk.argument(), "--dry-run")

        told = orjson.loads(ran.stdout)
        assert (ran.returncode, told["arrived"], told["waiting_in_journal"], told["missing"]) == (
            0,
            150,
            25,
            0,
        )
        service.kill_all()
    service.drain()
    assert ids(service) == sorted(event["messageId"] for event in EVENTS)


def test_records_that_cannot_be_read_and_files_that_break_off_are_said(disk: OnDisk, tmp_path: Path) -> None:
    disk.put(f"segment-logs/{WEB}/2026-03-01/a.gz", gzip.compress(lines(EVENTS[:2]) + b'{"type":\n7\n'))
    whole = packed(EVENTS[10:90])
    disk.put(f"segment-logs/{WEB}/2026-03-01/torn.gz", whole[: len(whole) // 2])
    lake = lake_for(disk, tmp_path / "lake")
    arrive(lake, EVENTS)

    told = reconciled(lake, disk.argument(), code=1)

    assert (told["unreadable"], told["missing"]) == (3, 0)
    assert [found["reason"] for found in told["not_compared"]] == [
        "it breaks off: what came before is compared"
    ]
    assert told["compared"] == told["arrived"] + told["unreadable"]


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
