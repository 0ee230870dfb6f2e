"""Processes of the running service die under traffic: what was answered 200 is in the tables once."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from faults.traffic import SECRET, Traffic, assert_kept_once, hurt, settle, track
from system.processes import wait_until
from system.service import Service, running

from connector.sample import sample_events

pytestmark = pytest.mark.slow

ROUNDS = 5


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = {"publish_seconds": 0.1, "roll_seconds": 0.2}
    with running(tmp_path, settings=settings, environment={"WEB_SECRET": SECRET}) as started:
        yield started


def test_whatever_is_killed_under_traffic_every_acknowledged_event_is_there_exactly_once(
    service: Service,
) -> None:
    dice = random.Random(20261121)
    hurts = []
    for seed in range(ROUNDS):
        traffic = Traffic(service, seed)
        with traffic.flowing():
            for _ in range(2):
                time.sleep(dice.uniform(0.1, 0.5))
                hurts.append(hurt(service, dice))
            wait_until("events are taken again", lambda: service.all_listen() and service.ready(), 60)
            time.sleep(0.1)
        settle(service)
        assert len(traffic.events) > 50
        assert_kept_once(service, traffic)
    assert len(set(hurts)) >= 3, hurts


def test_a_receiver_that_stands_still_is_not_taken_for_dead(tmp_path: Path) -> None:
    events = [track(f"m{number}") for number in range(20)]
    with running(tmp_path, settings={"publish_seconds": 0.1, "roll_seconds": 600}) as service:
        assert [service.post(event).status for event in events] == [200] * 20
        (writer,), receivers = service.writers(), service.receivers()
        their_files = set(service.journal.glob("open/*.open"))
        for receiver in receivers:
            receiver.send(signal.SIGSTOP)
        writer.send(signal.SIGKILL)
        wait_until("another writer runs", lambda: service.writers() not in ([], [writer]))
        wait_until("it has looked for orphans", lambda: written_just_now(service.data / ".lock"))
        still_there = set(service.journal.glob("open/*.open"))
        for receiver in receivers:
            receiver.send(signal.SIGCONT)
        service.drain()

        assert still_there == their_files != set()
        assert service.query("SELECT count(*), count(DISTINCT message_id) FROM events_raw") == [(20, 20)]
        assert service.fates() == {"stored": 20}


def written_just_now(path: Path) -> bool:
    """A new writer takes the lock right after it has looked; the one before it is dead for a second."""
    return path.stat().st_mtime > time.time() - 0.3


def test_a_replay_beside_the_running_writer_takes_turns_with_it(service: Service, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    for number in range(5):
        events = sample_events(events=100, days=2, seed=number)
        (archive / f"{number}.ndjson").write_bytes(b"\n".join(map(orjson.dumps, events)))
    traffic = Traffic(service, ROUNDS)

    with traffic.flowing():
        replay = service.run("replay", str(archive))
    settle(service)

    assert replay.returncode == 0, replay.stderr.decode()
    assert_kept_once(service, traffic)
    assert service.audit()["received"] == 500 + len(traffic.events) + len(traffic.fragments)
