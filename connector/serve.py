"""One command, several processes: the receivers under granian, one writer, one janitor. Started, watched,
stopped."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connector.background import die_with_parent
from connector.config import Settings
from connector.errors import ConfigError, StoreError
from connector.s3.config import S3Config, S3Place
from connector.wiring import journal_folders, known_sources, s3_config

log = logging.getLogger("connector")

STOP_SECONDS = 60
_RESTART_PAUSE_SECONDS = 1.0
_ADDRESS_SECONDS = 3.0
_ASK_AGAIN_SECONDS = 3.0
_STORE_CONNECT_SECONDS, _STORE_READ_SECONDS = 2.0, 3.0
_LEAST_CONNECTIONS = 1_024
"""That one receiver process serves or holds open at a time; idle ones count."""
_HEADER_MS = 10_000
"""A connection that has not sent a whole head by then is closed, as is one that is kept alive and idle."""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FRUGAL = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
"""What merges a day once in a while gives its memory back afterwards; Arrow's own allocator keeps it."""


@dataclass
class Child:
    """A process that must be alive while the service is."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again if need be. Receivers outlive a killed parent: they are asked to finish first."""
        self._end_leftovers()
        self.process = subprocess.Popen(
            self.command, env=dict(self.environment), start_new_session=True, preexec_fn=die_with_parent
        )

    def ended(self) -> int | None:
        """Its exit code, when it has ended."""
        return self.process.poll() if self.process else None

    def stop(self, timeout_seconds: float) -> None:
        """Ask it to finish; kill it when it does not in time.

        Its group is asked once more: a receiver that was just starting misses the first time. Not more often:
        a third signal makes granian 2.8.7 forget the requests that it is finishing.
        """
        if self.process is None:
            return
        self.process.terminate()
        if not self._ends_within(_ASK_AGAIN_SECONDS):
            self._end_leftovers()
            if not self._ends_within(timeout_seconds - _ASK_AGAIN_SECONDS):
                log.warning("%s did not stop within %d s and is killed", self.name, timeout_seconds)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._end_leftovers()

    def _ends_within(self, seconds: float) -> bool:
        assert self.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.poll() is not None

    def _end_leftovers(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)


def check(settings: Settings) -> list[str]:
    """Refuse what cannot work, and say what a person should know before the first event.

    Raises:
        ConfigError: locks do not work on the journal's file system, anybody could send without a proof, two
            sources have the same write key, or the address cannot be listened on.
    """
    notes = []
    if not settings.sources:
        if settings.host not in _LOOPBACK:
            raise ConfigError(
                "sources: none is configured, so anybody could send; name them to listen beyond loopback"
            )
        notes.append("development: no sources are configured, so any source name is accepted, unsigned")
    notes += [
        f"source {missing} is not set: requests that need it are answered 503 until it is, after a restart"
        for missing in settings.missing_secrets()
    ]
    notes += [
        f"source {name} has neither secrets, a second header, api_keys nor write_keys and does not say "
        "`unsigned: true`: its webhook answers 503"
        for name, entry in settings.sources.items()
        if not (entry.secrets or entry.second_header or entry.api_keys or entry.write_keys or entry.unsigned)
    ]
    known_sources(settings)
    folders = journal_folders(settings)
    folders.make()
    if not folders.flock_works():
        raise ConfigError(f"journal: file locks do not work in {folders.root}; use a local file system")
    _check_address(settings.host, settings.port)
    return notes


def check_store(settings: Settings) -> list[str]:
    """Try the store that the tables go to. One that is out of reach is no reason not to receive.

    It is asked once and with little patience: nobody listens until this has returned.

    Raises:
        StoreError: ``store_unsuitable``: two writers could both win.
    """
    if not settings.is_s3:
        return []
    from connector.s3.probe import probe
    from connector.s3.store import open_store

    try:
        probe(open_store(S3Place.of(settings.data), once(s3_config(settings))))
    except StoreError as trouble:
        if trouble.code == "store_unsuitable":
            raise
        return [f"{trouble}; events are kept in the journal until {settings.data} can be written"]
    return []


def once(config: S3Config) -> S3Config:
    """The same store, asked once and with little patience."""
    return replace(
        config,
        attempts=1,
        connect_timeout_seconds=min(config.connect_timeout_seconds, _STORE_CONNECT_SECONDS),
        read_timeout_seconds=min(config.read_timeout_seconds, _STORE_READ_SECONDS),
    )


def free_port(host: str) -> int:
    return _bind_once(host, 0)


def _bind_once(host: str, port: int) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])


def _check_address(host: str, port: int) -> None:
    """Receivers share their port, so two services on it would each get a part of the events, unnoticed.

    Waits a little for receivers of a killed service, which finish their requests.
    """
    deadline = time.monotonic() + _ADDRESS_SECONDS
    while True:
        try:
            _bind_once(host, port)
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise ConfigError(f"port: cannot listen on {host}, port {port}: {error.strerror}") from None
        time.sleep(0.1)


def serve(settings: Settings, environment: Mapping[str, str]) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    Args:
        environment: what the processes read their settings from (``CONNECTOR_…`` set by the caller).
    """
    stopping = _Stopping()
    port = settings.port or free_port(settings.host)
    metrics = _empty_metrics_folder(settings)
    shared = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(metrics), "CONNECTOR_PORT": str(port)}
    children = [
        Child("receiver", _receiver_command(settings, port), shared),
        Child("writer", [sys.executable, "-m", "connector.writer"], shared),
    ]
    if settings.compact_seconds:
        janitor = [sys.executable, "-m", "connector.janitor"]
        children.append(Child("janitor", janitor, {**_FRUGAL, **shared}))
    try:
        for child in children:
            child.start()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"http://{host}:{port}"
        log.info(
            "receiving on %s/webhook/<source> and %s/v1/, writing to %s", address, address, settings.data
        )
        _watch(children, stopping, metrics)
        log.info("stopping: requests in flight are finished, then the journal is closed")
        for child in children:
            child.stop(STOP_SECONDS)
        folders = journal_folders(settings)
        folders.adopt()
        waiting = len(folders.waiting())
    finally:
        for child in children:
            child.stop(5)
        shutil.rmtree(metrics, ignore_errors=True)
    log.info("stopped")
    if waiting:
        log.info("%d journal files wait to be written; connector drain does it, or the next serve", waiting)
    return 0


def _empty_metrics_folder(settings: Settings) -> Path:
    """Where the processes of this service count; the lock of the data folder makes it nobody else's."""
    folder = settings.local_path.absolute() / ".metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _receiver_command(settings: Settings, port: int) -> list[str]:
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "connector.wsgi:create",
        "--host", _ip(settings.host), "--port", str(port),
        "--workers", str(settings.workers), "--blocking-threads", str(settings.threads),
        "--backpressure", str(max(_LEAST_CONNECTIONS, settings.threads * 4)), "--backlog", "2048",
        "--http", "1", "--http1-header-read-timeout", str(_HEADER_MS),
        "--respawn-failed-workers", "--workers-kill-timeout", str(STOP_SECONDS - 10), "--no-ws",
        "--log-level", "error",
    ]  # fmt: skip


def _ip(host: str) -> str:
    """The server listens on numbers only."""
    return host if ":" in host else socket.gethostbyname(host)


def _watch(children: Sequence[Child], stopping: _Stopping, metrics: Path) -> None:
    while not stopping.asked:
        if Path("/proc/self").exists():
            _forget_dead_receivers(metrics)
        for child in children:
            code = child.ended()
            if code is not None and not stopping.asked:
                log.error("%s ended with code %d; starting it again", child.name, code)
                time.sleep(_RESTART_PAUSE_SECONDS)
                child.start()
        stopping.wait(0.5)


class _Stopping:
    """Set by the first SIGTERM or SIGINT."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.asked and time.monotonic() < deadline:
            time.sleep(0.05)


def _forget_dead_receivers(metrics: Path) -> None:
    """Gauges of live processes are summed: take out those of receivers that were killed."""
    for path in metrics.glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            path.unlink(missing_ok=True)
