"""
A store that refuses, by what it does, where and for how long: one matrix (C30).

In each case a real service takes events while the fault lasts and answers 200, since its journal has room; it
stays healthy and ready. Afterwards, and for places that hold nothing up already before, each event is in the
tables once.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from faults.landed import Landed
from faults.memory import megabytes_of
from faults.results import note
from faults.traffic import track
from s3_proxy import ENDLESS, S3Proxy, start_proxy
from s3_servers import S3Server
from system.processes import wait_until
from system.s3_service import S3Service, running_in_s3
from system.service import batch_of

pytestmark = pytest.mark.slow

ATTEMPTS = 2
"""Tries of one request before a round of the writer gives up."""
SETTINGS = {
    "workers": 1,
    "publish_seconds": 0.05,
    "roll_seconds": 0.05,
    "s3": {
        "attempts": ATTEMPTS,
        "connect_timeout_seconds": 0.5,
        "read_timeout_seconds": 0.5,
        "multipart_from_bytes": 1,
    },
}
MEMORY_MAY_GROW_MEGABYTES = 96
"""Over all cases, all processes together."""


class Place(NamedTuple):
    """Requests of the writer by what they are for."""

    method: str
    needle: str
    holds_up: bool = True
    """Whether events wait for it."""


PLACES = {
    "list": Place("GET", "list-type=2", holds_up=False),
    "intent": Place("PUT", "/ledger/intents/"),
    "create upload": Place("POST", "?uploads"),
    "upload-part": Place("PUT", "partNumber="),
    "complete": Place("POST", "uploadId="),
    "create record": Place("PUT", "/ledger/files/"),
    "read record": Place("GET", "/ledger/files/"),
    "delete": Place("POST", "?delete", holds_up=False),
    "every request": Place("", ""),
}
FAULTS: dict[str, Callable[..., None]] = {
    "403 AccessDenied": lambda proxy, **where: proxy.answer(403, "AccessDenied", **where),
    "404 NoSuchBucket": lambda proxy, **where: proxy.answer(404, "NoSuchBucket", **where),
    "429 TooManyRequests": lambda proxy, **where: proxy.answer(429, "TooManyRequests", **where),
    "500 InternalError": lambda proxy, **where: proxy.answer(500, "InternalError", **where),
    "503 SlowDown": lambda proxy, **where: proxy.answer(503, "SlowDown", **where),
    "connection reset": S3Proxy.reset,
    "no answer in time": S3Proxy.hang,
    "done, answer lost": S3Proxy.lose_answer,
}
ANSWERED_ONCE = {"403 AccessDenied", "404 NoSuchBucket", "429 TooManyRequests"}
"""The client does not repeat these: the round is over at once."""
SAID = {"403 AccessDenied": "HTTP 403 AccessDenied", "404 NoSuchBucket": "HTTP 404 NoSuchBucket"}
"""Nobody but a person can mend these: the log names them."""
TWICE, LONG = "twice, then it recovers", "longer than every time-out"
DURATIONS = {place: (LONG,) if place in ("delete", "every request") else (TWICE, LONG) for place in PLACES}
CASES = [(fault, place, how) for place in PLACES for fault in FAULTS for how in DURATIONS[place]]


class Stage(NamedTuple):
    service: S3Service
    proxy: S3Proxy
    landed: Landed
    megabytes: list[float]
    """Of all processes of the service, after each case."""
    taken: list[str]
    """Ids of all events that were answered 200."""

    def take(self, *ids: str) -> None:
        """Send events in one request; nothing but 200 will do."""
        bodies = [track(each) for each in ids]
        body = bodies[0] if len(ids) == 1 else batch_of(bodies)
        answer = self.service.post(body, signed=bodies[0])
        assert answer.status == 200, answer.body
        self.taken.extend(ids)

    def restart_writer(self) -> None:
        """A new one sweeps at once, and lists for it."""
        before = self.service.writers()
        for writer in before:
            writer.send(signal.SIGKILL)
        wait_until("another writer runs", lambda: self.service.writers() not in ([], before))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, moto: S3Server) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("matrix")
    with start_proxy(moto.endpoint) as proxy:
        behind = S3Server("moto through a proxy", proxy.endpoint, moto.keys, moto.bucket)
        with running_in_s3(folder, behind, settings=SETTINGS) as service:
            yield Stage(service, proxy, Landed(moto.store(service.place)), [], [])


@pytest.mark.parametrize(
    ("fault", "place", "duration"), CASES, ids=[f"{fault} at {place}, {how}" for fault, place, how in CASES]
)
def test_events_are_taken_while_the_store_refuses_and_each_lands_once(
    stage: Stage, fault: str, place: str, duration: str
) -> None:
    where = PLACES[place]
    case = f"c{CASES.index((fault, place, duration)):03}-"
    stage.proxy.clear()
    times = 2 if duration == TWICE else ENDLESS

    FAULTS[fault](stage.proxy, method=where.method, needle=where.needle, times=times)
    stage.take(f"{case}1")
    stage.take(f"{case}2", f"{case}3", f"{case}4")
    if place == "list":
        stage.restart_writer()
    met = (requests_of_two_rounds if duration == LONG else requests_of_a_short_fault)(fault, place)
    wait_until("the fault is met", lambda: stage.proxy.count(where.method, where.needle) >= met)
    if duration == LONG:
        lasts(stage, fault, place, case)
        stage.proxy.clear()

    expected = [each for each in stage.taken if each.startswith(case)]
    wait_until("everything landed", lambda: len(stage.landed.ids(case)) == len(expected))
    assert stage.landed.ids(case) == Counter(expected)
    stage.megabytes.append(megabytes_of(stage.service))


def holds_up(fault: str, place: str) -> bool:
    """A record that was created without an answer is found by whoever asks again."""
    return PLACES[place].holds_up and (fault, place) != ("done, answer lost", "create record")


def requests_of_two_rounds(fault: str, place: str) -> int:
    """After so many two rounds of the writer have failed; where none fails, a request and its repetition."""
    a_round = 1 if fault in ANSWERED_ONCE else ATTEMPTS
    return 2 * a_round + 1 if holds_up(fault, place) else a_round


def requests_of_a_short_fault(fault: str, place: str) -> int:
    """What holds nothing up is asked once in an hour, or not again at all."""
    return 2 if holds_up(fault, place) else requests_of_two_rounds(fault, place)


def lasts(stage: Stage, fault: str, place: str, case: str) -> None:
    """The fault does not end."""
    service = stage.service
    stage.take(f"{case}5")
    assert service.get("/healthz").status == 200
    assert service.get("/readyz").status == 200, "the journal has room"
    if not holds_up(fault, place):
        wait_until("it holds nothing up", lambda: len(stage.landed.ids(case)) == 5)
        return
    assert waiting(service) != []
    assert stage.landed.ids(case) == Counter()
    if fault in SAID:
        wait_until("the log says so", lambda: SAID[fault] in service.log)


def waiting(service: S3Service) -> list[str]:
    return [path.name for folder in ("open", "closed") for path in service.journal.glob(f"{folder}/*")]


def test_after_all_that_the_ledger_holds_and_memory_is_what_it_was(stage: Stage) -> None:
    stage.proxy.clear()

    assert stage.landed.ids() == Counter(stage.taken)
    assert stage.service.fates() == {"stored": len(stage.taken)}
    warm = len(stage.megabytes) // 4
    growth = max(stage.megabytes[-warm:] or [0]) - max(stage.megabytes[:warm] or [0])
    note(
        "a store that refuses",
        cases=len(stage.megabytes),
        by_place=dict(Counter(place for _, place, _ in CASES)),
        by_fault=dict(Counter(fault for fault, _, _ in CASES)),
        acknowledged=len(stage.taken),
        lost=0,
        twice=0,
        memory_growth_megabytes=round(growth, 1),
    )
    assert growth < MEMORY_MAY_GROW_MEGABYTES, stage.megabytes
