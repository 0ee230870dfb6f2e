"""Traffic that sends until it is acknowledged, processes that are hurt, and what must be there afterwards."""

from __future__ import annotations

import http.client
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from system.processes import wait_until
from system.service import Service, batch_of, signature

SENDERS = 3
SECRET = "a secret of these tests alone"
"""A port may be given to another service while ours is down; it must not take our events."""


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
