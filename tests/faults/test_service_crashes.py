"""Processes of the running service die under traffic: what was answered 200 is in the tables once.

Of the numbered crash points, any may be hit: what is killed dies at a moment that nobody chose.
"""

from __future__ import annotations

import signal
import time
from contextlib import AbstractContextManager
from pathlib import Path

import orjson
import pytest
from faults.rounds import ENVIRONMENT, ROUNDS, SETTINGS, run_rounds
from faults.traffic import Traffic, assert_kept_once, settle, track
from system.processes import wait_until
from system.service import Service, running

from connector.sample import sample_events

pytestmark = pytest.mark.slow


def test_whatever_is_killed_under_traffic_every_acknowledged_event_is_there_exactly_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def start(number: int) -> AbstractContextManager[Service]:
        return running(tmp_path / str(number), settings=SETTINGS, environment=ENVIRONMENT)

    tally = run_rounds("random kills, tables in a folder", ROUNDS, start, capfd.disabled)

    assert tally.rounds == ROUNDS
    assert len(tally.kills) >= min(ROUNDS // 6, 6), tally.kills
    assert tally.acknowledged > 100 * ROUNDS
    assert tally.compactions > 0


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


def test_a_replay_beside_the_running_writer_takes_turns_with_it(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    for number in range(5):
        events = sample_events(events=100, days=2, seed=number)
        (archive / f"{number}.ndjson").write_bytes(b"\n".join(map(orjson.dumps, events)))
    with running(tmp_path / "service", settings=SETTINGS, environment=ENVIRONMENT) as service:
        traffic = Traffic(service, "beside")

        with traffic.flowing():
            replay = service.run("replay", str(archive))
        settle(service)

        assert replay.returncode == 0, replay.stderr.decode()
        assert_kept_once(service, traffic)
        assert service.audit()["received"] == 500 + len(traffic.events) + len(traffic.fragments)
