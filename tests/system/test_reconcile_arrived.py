"""``connector reconcile``: what has arrived and what has not, wherever it lies and whatever it lacks."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest
from system.archives import (
    ARCHIVE,
    EVENTS,
    WEB,
    OnDisk,
    fill,
    lines,
    packed,
    received,
)
from system.lost_events import (
    BY_TIME,
    GAP,
    SOURCES,
    arrive,
    ids,
    lake_for,
    reconciled,
    without,
)
from system.service import running

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> OnDisk:
    return OnDisk(tmp_path / "archive")


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
