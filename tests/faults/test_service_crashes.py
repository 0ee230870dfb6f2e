"""Processes of the running service die under traffic: what was answered 200 is in the tables once."""

from __future__ import annotations

import http.client
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from system.processes import wait_until
from system.service import Service, batch_of, running, signature

from connector.sample import sample_events

pytestmark = pytest.mark.slow

ROUNDS = 5
SENDERS = 3
SECRET = "a secret of these tests alone"
"""A port may be given to another service while ours is down; it must not take our events."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = {"publish_seconds": 0.1, "roll_seconds": 0.2}
    with running(tmp_path, settings=settings, environment={"WEB_SECRET": SECRET}) as started:
        yield started


def track(message_id: str) -> bytes:
    return (
        b'{"type":"track","event":"Product Viewed","messageId":"%b","userId":"usr_1",'
        b'"timestamp":"2026-03-14T17:10:31.891Z","properties":{"product_id":"prd_2041","price":19.99}}'
    ) % message_id.encode()


def fragment(message_id: str) -> bytes:
    """What a mapping of the sender may make of an event: it is rejected, and its bytes are kept."""
    return b'{"cart_id":"%b"}' % message_id.encode()


class Traffic:
    """Senders side by side: single events, batches and fragments, each sent until it is acknowledged."""

    def __init__(self, service: Service, seed: int) -> None:
        self._service = service
        self._stopping = threading.Event()
        self._seed = seed
        self.events: list[str] = []
        self.fragments: list[str] = []

    @contextmanager
    def flowing(self) -> Iterator[None]:
        senders = [threading.Thread(target=self._send, args=(number,)) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        try:
            yield
        finally:
            self._stopping.set()
            for sender in senders:
                sender.join()

    def _send(self, number: int) -> None:
        dice = random.Random(self._seed * SENDERS + number)
        sent = 0
        while not self._stopping.is_set():
            ids = [
                f"r{self._seed}-s{number}-{sent}-{place}" for place in range(dice.choice((1, 1, 1, 8, 40)))
            ]
            sent += 1
            if len(ids) == 1 and dice.random() < 0.1:
                self._acknowledge(fragment(ids[0]), fragment(ids[0]), ids, self.fragments)
            else:
                bodies = [track(message_id) for message_id in ids]
                body = bodies[0] if len(ids) == 1 else batch_of(bodies)
                self._acknowledge(body, bodies[0], ids, self.events)

    def _acknowledge(self, body: bytes, signed: bytes, ids: list[str], kept: list[str]) -> None:
        while not self._stopping.is_set():
            try:
                answer = self._service.send(body, signature(signed, SECRET))
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            if answer.status == 200:
                kept.extend(ids)
                return


def hurt(service: Service, dice: random.Random) -> str:
    """Kill something, once or twice; return its name."""
    what = dice.choice(("receiver", "receiver", "writer", "writer", "parent of the receivers", "everything"))
    if what == "everything":
        service.kill_all()
        service.start()
        return what
    receivers = service.receivers()
    parents = [each for each in service.processes("granian") if each not in receivers]
    victims = {"receiver": receivers, "writer": service.writers(), "parent of the receivers": parents}[what]
    for victim in dice.sample(victims, min(len(victims), dice.choice((1, 1, 2)))):
        victim.send(signal.SIGKILL)
    return what


def settle(service: Service) -> None:
    """The service is whole again and everything captured is in the ledger."""
    wait_until("every receiver listens", service.all_listen, 60)
    wait_until("the writer runs", lambda: len(service.writers()) == 1)
    service.drain()


def assert_kept_once(service: Service, traffic: Traffic) -> None:
    report = service.audit()
    found = Counter(
        value for (value,) in service.query("SELECT message_id FROM events WHERE line_index IS NULL")
    )
    rejected = {record["raw"] for record in service.rejected()}

    assert report["received"] == sum(report["fates"].values())
    assert [message_id for message_id in traffic.events if found[message_id] != 1] == []
    assert [message_id for message_id, count in found.items() if count != 1] == []
    assert {fragment(message_id).decode() for message_id in traffic.fragments} <= rejected
    assert {record["code"] for record in service.rejected()} <= {"type_unknown"}


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
