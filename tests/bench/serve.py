"""The receiver under load, beside the same receiver without a journal: the price of durable before 200."""

from __future__ import annotations

import hmac
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from connector.config import load_settings
from connector.serve import _receiver_command, free_port
from tests.bench.load import Load, drive
from tests.bench.markdown import table
from tests.bench.measured import connector, say
from tests.system.processes import listeners

ROUNDS = 3
CONNECTIONS = 64
WORKERS = 2
WARM_UP_SECONDS = 1.0

_HOST = "127.0.0.1"
_SECRET = "bench-shared-secret"
_REQUESTS_PER_SECOND = 5_000
"""Distinct requests prepared per second of load; a faster server gets the first ones again."""
_START_SECONDS = 30.0
_STOP_SECONDS = 90.0
_DRAIN_SECONDS = 300.0
_CHECKOUT = Path(__file__).parents[2]
_FACTORY = "connector.wsgi:create"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run the server."""

    name: str
    command: Callable[[int], list[str]]
    """From the port."""
    keeps: bool = True
    """True: what was acknowledged must be in the ledger afterwards."""


def bench_serve(folder: Path, seconds: float) -> str:
    """Return a Markdown table and how it was made.

    Args:
        folder: for data folders; the disk it lies on is the disk that is measured.
        seconds: length of the timed part of one load.
    """
    say("serve: preparing signed requests")
    requests = _requests(int(_REQUESTS_PER_SECOND * (seconds + WARM_UP_SECONDS)))
    rounds = [
        [_measured(folder, variant, requests, seconds, number) for variant in _VARIANTS]
        for number in range(ROUNDS)
    ]
    titles = (
        f"serve, {CONNECTIONS} connections, {WORKERS} workers",
        "requests/s",
        "ratio",
        "p50, ms",
        "p99, ms",
    )
    rows = [
        _row(variant, loads, rounds)
        for variant, loads in zip(_VARIANTS, zip(*rounds, strict=True), strict=True)
    ]
    return f"{table(titles, rows)}\n\n{_how(requests, rounds, seconds)}"


def _row(variant: Variant, loads: Sequence[Load], rounds: Sequence[Sequence[Load]]) -> list[str]:
    ratio = median(
        load.per_second / first.per_second for load, (first, *_) in zip(loads, rounds, strict=True)
    )
    latencies = [median(load.latency_ms(share) for load in loads) for share in (0.5, 0.99)]
    per_second = median(load.per_second for load in loads)
    return [variant.name, f"{per_second:,.0f}", f"{ratio:.2f}", *(f"{latency:.1f}" for latency in latencies)]


def _how(requests: Sequence[bytes], rounds: Sequence[Sequence[Load]], seconds: float) -> str:
    loads = [load for loads in rounds for load in loads]
    size = sum(map(len, requests)) / len(requests)
    return (
        f"How: signed single events, {size:,.0f} bytes per request with its headers, one outstanding per "
        f"connection, over loopback; {ROUNDS} rounds, taking turns, {seconds:g} s timed after "
        f"{WARM_UP_SECONDS:g} s of warming up; medians, the ratio within each round. The client shares the "
        f"cores with the server and kept {median(load.client_cores for load in loads):.2f} of them busy "
        "itself. Journal files are closed each second, so in the last row the writer brings them into the "
        f"tables during the load. Answers other than 200: {sum(load.other for load in loads):,}. After each "
        "load with a journal the ledger was drained and audited: it had exactly the requests that were "
        "answered 200."
    )


def _receivers(factory: str) -> Callable[[int], list[str]]:
    def command(port: int) -> list[str]:
        words = _receiver_command(load_settings(host=_HOST, workers=WORKERS), port)
        return [factory if word == _FACTORY else word for word in words]

    return command


_VARIANTS = (
    Variant("receivers, journal off", _receivers("tests.bench.null_receiver:create"), keeps=False),
    Variant("receivers, each body on disk before its 200", _receivers(_FACTORY)),
    Variant(
        "`connector serve`: the same, and the writer at work",
        lambda port: connector("serve", "--port", str(port)),
    ),
)


def _measured(folder: Path, variant: Variant, requests: Sequence[bytes], seconds: float, number: int) -> Load:
    say(f"serve: round {number + 1} of {ROUNDS}, {variant.name}")
    here = folder / "served"
    environment = _environment(here)
    port = free_port(_HOST)
    try:
        with _listening(variant.command(port), environment, port, here / "server.log"):
            load = drive(
                (_HOST, port), requests,
                connections=CONNECTIONS, seconds=seconds, warm_up_seconds=WARM_UP_SECONDS,
            )  # fmt: skip
        if variant.keeps:
            _check_kept(environment, load.answered)
        return load
    finally:
        shutil.rmtree(here, ignore_errors=True)


def _environment(here: Path) -> dict[str, str]:
    metrics = here / "metrics"
    metrics.mkdir(parents=True)
    paths = [str(_CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "CONNECTOR_DATA": str(here / "data"),
        "CONNECTOR_HOST": _HOST,
        "CONNECTOR_WORKERS": str(WORKERS),
        "CONNECTOR_ROLL_SECONDS": "1",
        "CONNECTOR_SOURCES": json.dumps({"bench": {"secrets": ["env:BENCH_SECRET"]}}),
        "BENCH_SECRET": _SECRET,
    }


def _requests(count: int) -> list[bytes]:
    """Whole HTTP requests of the sample shop, each with its signature (segment-delivery 1.2)."""
    from connector.sample import sample_events

    bodies = (json.dumps(event, separators=(",", ":")).encode() for event in sample_events(events=count))
    return [_request(body) for body in bodies]


def _request(body: bytes) -> bytes:
    signature = hmac.new(_SECRET.encode(), body, "sha1").hexdigest()
    head = (
        f"POST /webhook/bench HTTP/1.1\r\nHost: {_HOST}\r\nContent-Type: application/json\r\n"
        f"X-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def _listening(command: Sequence[str], environment: dict[str, str], port: int, log: Path) -> Iterator[None]:
    """A server with all its workers up; stopped on leaving, whatever happens."""
    with log.open("wb") as lines:
        server = subprocess.Popen(
            command, env=environment, stdout=lines, stderr=lines, start_new_session=True
        )
    try:
        _wait_until_ready(server, port, log)
        yield
    finally:
        _stop(server)


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not (_all_listen(port) and _is_ready(port)):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"a server did not start: {log.read_text()}")
        time.sleep(0.05)


def _all_listen(port: int) -> bool:
    """Each worker listens on its own: with one missing, the others would get all connections."""
    return not Path("/proc/net/tcp").exists() or listeners(port) == WORKERS


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection(_HOST, port, timeout=2)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Ask it to finish; end its own process group when it does not."""
    server.terminate()
    try:
        server.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _check_kept(environment: dict[str, str], answered: int) -> None:
    """Durable before 200, also under load: the ledger has each request that was answered with 200."""
    subprocess.run(
        connector("drain"), env=environment, check=True, capture_output=True, timeout=_DRAIN_SECONDS
    )
    ran = subprocess.run(
        connector("audit", "--json"),
        env=environment,
        check=False,
        capture_output=True,
        timeout=_DRAIN_SECONDS,
    )
    report = json.loads(ran.stdout)
    if not report["ok"] or report["received"] != answered:
        raise SystemExit(f"{answered} requests were answered 200; the ledger says: {report}")
