"""Traffic that sends until it is acknowledged or gives up, and what must be there of it afterwards."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NamedTuple

from system.processes import wait_until
from system.service import Service, batch_of, signature

SENDERS = 3
SECRET = "a secret of these tests alone"
"""A port may be given to another service while ours is down; it must not take our events."""
_BREATH_SECONDS = 0.003
"""Between two requests of a sender: enough of them to lose, few enough to look at."""


_JUST_NOW = datetime.now(UTC).isoformat(timespec="milliseconds").encode()
"""Of all events: a day that still grows is compacted again and again."""


def track(message_id: str) -> bytes:
    return (
        b'{"type":"track","event":"Product Viewed","messageId":"%b","userId":"usr_1",'
        b'"timestamp":"%b","properties":{"product_id":"prd_2041","price":19.99}}'
    ) % (message_id.encode(), _JUST_NOW)


def fragment(message_id: str) -> bytes:
    """What a mapping of the sender may make of an event: it is rejected, and its bytes are kept."""
    return b'{"cart_id":"%b"}' % message_id.encode()


class Traffic:
    """Senders side by side: single events, batches and fragments, sent again and again until acknowledged.

    Half of those whose connection broke are not sent again: they may be stored, or not.
    """

    def __init__(self, service: Service, name: str) -> None:
        self._service = service
        self._stopping = threading.Event()
        self.name = name
        self.events: list[str] = []
        """Ids of acknowledged events."""
        self.fragments: list[str] = []
        """Ids of acknowledged fragments."""
        self.given_up: list[str] = []
        """Ids that were sent and never acknowledged."""

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

    def goes_on(self) -> None:
        """Return when more events have been acknowledged than were at the call."""
        before = len(self.events)
        wait_until("events are taken again", lambda: len(self.events) > before + SENDERS)

    def _send(self, number: int) -> None:
        dice = random.Random(f"{self.name}-{number}")
        sent = 0
        while not self._stopping.is_set():
            size = dice.choice((1, 1, 1, 8, 40))
            ids = [f"{self.name}-s{number}-{sent}-{place}" for place in range(size)]
            sent += 1
            if len(ids) == 1 and dice.random() < 0.1:
                answered = self._is_acknowledged(dice, fragment(ids[0]), fragment(ids[0]))
                kept = self.fragments
            else:
                bodies = [track(message_id) for message_id in ids]
                body = bodies[0] if len(ids) == 1 else batch_of(bodies)
                answered = self._is_acknowledged(dice, body, bodies[0])
                kept = self.events
            (kept if answered else self.given_up).extend(ids)
            time.sleep(_BREATH_SECONDS)

    def _is_acknowledged(self, dice: random.Random, body: bytes, signed: bytes) -> bool:
        while not self._stopping.is_set():
            try:
                answer = self._service.send(body, signature(signed, SECRET))
            except ConnectionRefusedError:
                time.sleep(0.02)
            except (OSError, http.client.HTTPException):
                if dice.random() < 0.5:
                    return False
            else:
                if answer.status == 200:
                    return True
        return False


class Found(NamedTuple):
    """What became of one ``Traffic``, beyond what was demanded of it."""

    acknowledged: int
    stored_unacknowledged: int
    """The process died between the disk and the answer: allowed."""


def settle(service: Service) -> None:
    """The service is whole again and everything captured is in the ledger."""
    wait_until("every receiver listens", service.all_listen, 60)
    wait_until("the writer runs", lambda: len(service.writers()) == 1)
    service.drain()


def assert_kept_once(service: Service, traffic: Traffic) -> Found:
    """The audit holds; each acknowledged event has one fate, and what nobody acknowledged at most one."""
    report = service.audit()
    found = Counter(
        value
        for (value,) in service.query(
            "SELECT message_id FROM events WHERE line_index IS NULL AND starts_with(message_id, ?)",
            f"{traffic.name}-s",
        )
    )
    rejected = service.rejected()

    assert report["received"] == sum(report["fates"].values())
    assert [message_id for message_id in traffic.events if found[message_id] != 1] == []
    assert [message_id for message_id, count in found.items() if count != 1] == []
    assert set(found) <= {*traffic.events, *traffic.given_up}
    raw = {record["raw"] for record in rejected}
    assert {fragment(message_id).decode() for message_id in traffic.fragments} <= raw
    assert {record["code"] for record in rejected} <= {"type_unknown"}
    acknowledged = len(traffic.events) + len(traffic.fragments)
    return Found(acknowledged, len(found) - len(traffic.events))
