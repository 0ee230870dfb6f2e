"""From SIGKILL under load to the first 200, to every process back, and to a written backlog: the seconds."""

from __future__ import annotations

import argparse
import http.client
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple, NoReturn

from tests.bench.events import BATCH_EVENTS, BATCH_EVERY, message_id, requests
from tests.bench.measured import say
from tests.bench.paced import Plan, load
from tests.bench.record import Record
from tests.bench.served import JANITOR, SECRET, SOURCE, WRITER, audited, drained, kinds, service, stop
from tests.bench.suite import HOST, Process, Service, wait_until

EVERYTHING, ONE_RECEIVER = "everything, then `connector serve` again", "one of two receivers"
VICTIMS = (EVERYTHING, ONE_RECEIVER, "the writer", "the janitor")
EVENTS_A_REQUEST = (BATCH_EVERY - 1 + BATCH_EVENTS) / BATCH_EVERY
_PROBE_SECONDS = 0.005
_IDS = """
    SELECT message_id, count(*) FROM (
        SELECT message_id FROM events_raw WHERE line_index IS NULL
        UNION ALL SELECT message_id FROM profiles_raw
        UNION ALL SELECT message_id FROM groups_raw
        UNION ALL SELECT message_id FROM aliases_raw
    ) GROUP BY ALL
"""
_COLUMNS = (
    "killed", "first 200, s", "worst", "every process back, s", "worst", "ready and backlog written, s",
    "worst", "events acknowledged", "lost", "twice",
)  # fmt: skip


class Times(NamedTuple):
    """Seconds after the SIGKILL."""

    first_answer: float
    whole: float
    written: float


class Prober:
    """Sends one signed event after another on a new connection each, and notes when it got a 200."""

    def __init__(self, served: Service, name: str) -> None:
        self._served = served
        self._name = name
        self._requests = requests(name, HOST, SOURCE, SECRET)
        self._sent_from = time.monotonic()
        self._answered = threading.Event()
        self._stopping = threading.Event()
        self._at = 0.0
        self.acknowledged: list[str] = []
        """Ids of events."""

    @contextmanager
    def probing(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()

    def killed(self) -> float:
        """Now. Only requests sent from here on count for ``first_answer``."""
        self._answered.clear()
        self._sent_from = time.monotonic()
        return self._sent_from

    def first_answer(self) -> float:
        """When a request sent after the kill was answered 200."""
        if not self._answered.wait(120):
            raise SystemExit("no request was answered 200 within two minutes after the kill")
        return self._at

    def _run(self) -> None:
        for sent in self._requests:
            if self._stopping.is_set():
                return
            began = time.monotonic()
            if self._is_acknowledged(sent.head_and_body):
                numbers = range(sent.first, sent.first + sent.events)
                self.acknowledged += [message_id(self._name, number) for number in numbers]
                if began >= self._sent_from and not self._answered.is_set():
                    self._at = time.monotonic()
                    self._answered.set()
            time.sleep(_PROBE_SECONDS)

    def _is_acknowledged(self, request: bytes) -> bool:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
        try:
            with self._served.connection() as connection:
                connection.request(
                    "POST", f"/webhook/{SOURCE}", body, {name: value for name, _, value in lines}
                )
                status: int = connection.getresponse().status
                return status == 200
        except (OSError, http.client.HTTPException):
            return False


def main() -> None:
    options = _options()
    record = Record()
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="connector-recovery-") as name:
        rows = [_row(Path(name) / str(at), victim, options) for at, victim in enumerate(VICTIMS)]
    record.keep("Back after SIGKILL", _COLUMNS, rows, _how(options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.recovery", description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5, help="of each kill; default 5")
    parser.add_argument(
        "--before", type=float, default=10.0, help="seconds of load before a kill; default 10"
    )
    parser.add_argument("--rate", type=float, default=500.0, help="requests/s of the load; default 500")
    options = parser.parse_args()
    if min(options.repetitions, options.before, options.rate) <= 0:
        parser.error("numbers must be above zero")
    return options


def _leave(*_: object) -> NoReturn:
    """An exception, so that every process is stopped and the temporary folder is removed."""
    raise SystemExit(143)


def _row(folder: Path, victim: str, options: argparse.Namespace) -> list[str]:
    say(f"recovery: {victim}, {options.repetitions} times")
    acknowledged: list[str] = []
    all_times = []
    with closing(service(folder)) as served:
        served.start()
        for number in range(options.repetitions):
            times, events = _once(served, victim, options, number)
            acknowledged += events
            all_times.append(times)
        stop(served)
        audited(served)
        found = dict(served.query(_IDS))
    lost = sum(each not in found for each in acknowledged)
    twice = sum(count > 1 for count in found.values())
    if lost or twice:
        raise SystemExit(f"{victim}: of {len(acknowledged)} events {lost} were lost, {twice} are there twice")
    cells = [f"{figure(each):.2f}" for each in zip(*all_times, strict=True) for figure in (median, max)]
    return [victim, *cells, f"{len(acknowledged):,}", str(lost), str(twice)]


def _once(served: Service, victim: str, options: argparse.Namespace, number: int) -> tuple[Times, list[str]]:
    """One kill under load; its times and the ids of the events that were acknowledged."""
    seconds = options.before + 300
    name = f"load-{number}"
    plan = Plan(HOST, served.port, SOURCE, SECRET, name, options.rate, seconds, 16, seconds)
    prober = Prober(served, f"probe-{number}")
    with load(plan) as running, prober.probing():
        time.sleep(options.before)
        killed_at = _kill(served, victim, prober)
        first = prober.first_answer()
        wait_until("every process is back", lambda: _whole(served), 120)
        whole = time.monotonic()
        result = running.stop()
    wait_until("serve is ready", served.ready, 120)
    drained(served)
    written = time.monotonic()
    times = Times(*(at - killed_at for at in (first, whole, written)))
    return times, [*prober.acknowledged, *(message_id(name, each) for each in result.acknowledged())]


def _kill(served: Service, victim: str, prober: Prober) -> float:
    """Return the moment, of everything that in which its processes begin to be looked for.

    Everything is started again by hand, the rest by whoever watches over it.
    """
    if victim == EVERYTHING:
        began = time.monotonic()
        served.kill_all()
        prober.killed()
        served.start("--port", str(served.port))
        return began
    victims = _victims(served, victim)
    moment = prober.killed()
    for each in victims:
        each.send(signal.SIGKILL)
    wait_until("the victim is gone", lambda: not any(each.alive for each in victims))
    return moment


def _victims(served: Service, victim: str) -> list[Process]:
    if victim == ONE_RECEIVER:
        return list(served.receivers()[:1])
    return kinds(served.pid)[WRITER if victim == "the writer" else JANITOR]


def _whole(served: Service) -> bool:
    found = kinds(served.pid)
    return (
        served.all_listen() and bool(found[WRITER]) and bool(found[JANITOR]) and len(served.receivers()) == 2
    )


def _how(options: argparse.Namespace) -> str:
    return (
        f"Seconds after SIGKILL; median and worst of {options.repetitions}. Each time {options.rate:,.0f} "
        f"signed requests/s, {EVENTS_A_REQUEST:.1f} events each on average, were sent for "
        f"{options.before:g} s before it and until every process was back, so that with the default settings "
        "nearly all of them still lay in the journal. First 200: to a request sent after the kill, on a new "
        "connection every 5 ms or so. After a kill of everything `connector serve` is started at once, as a "
        "process manager would; its parts are started again by `connector serve` itself. The last time "
        "includes `connector drain` of all that was acknowledged until then. `connector audit` held after "
        "each kind of kill, and the id of each acknowledged event was looked for in the tables."
    )


if __name__ == "__main__":
    main()
