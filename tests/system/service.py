"""A real ``connector serve`` on loopback in a folder of its own, and the commands that run beside it."""

from __future__ import annotations

import gzip
import hmac
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from conftest import require
from system.processes import Process, descendants, listeners, wait_until, wait_until_ended

from connector.lake.open import open_lake
from connector.write.ledger import fold

HOST = "127.0.0.1"
SECRET = "lantern-shared-secret"
OLD_SECRET = "loom-secret-before-the-rotation"
LAKE_KEY = "wharf-second-header-value"
SOURCES: Mapping[str, Any] = {
    "web": {"secrets": ["env:WEB_SECRET", "env:WEB_OLD_SECRET"]},
    "till": {
        "secrets": ["env:TILL_SECRET"],
        "second_header": {"name": "X-Lake-Key", "values": ["env:TILL_HEADER"]},
    },
    "open": {"unsigned": True},
    "unset": {"secrets": ["env:NOBODY_SETS_THIS"]},
}
SECRETS = {
    "WEB_SECRET": SECRET, "WEB_OLD_SECRET": OLD_SECRET, "TILL_SECRET": "till-secret", "TILL_HEADER": LAKE_KEY
}  # fmt: skip
SETTINGS: Mapping[str, Any] = {
    "workers": 2,
    "threads": 8,
    "publish_seconds": 0.3,
    "roll_seconds": 1.0,
    "journal_reserve_bytes": 0,
}

_STOP_SECONDS = 45.0
_COMMAND_SECONDS = 60.0
_RECEIVING = re.compile(r"receiving on http://[^ ]+:(\d+)/")


class Answer(NamedTuple):
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def signature(message: bytes, secret: str = SECRET) -> dict[str, str]:
    """The header by which Segment proves a body, or the first element of a batch (segment-delivery 1.2)."""
    return {"X-Signature": hmac.new(secret.encode(), message, "sha1").hexdigest()}


def batch_of(bodies: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


@dataclass
class Lake:
    """A folder with a configuration, and the commands on it. No process runs."""

    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Any] = field(default_factory=lambda: SOURCES)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {**SETTINGS, "data": str(self.data), **self.settings, "sources": dict(self.sources)}
        self.config.write_text(json.dumps(values))

    @property
    def config(self) -> Path:
        return self.folder / "connector.yaml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        return self.data / "journal"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every command: nothing of the caller's own configuration."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("CONNECTOR_")}
        return {**inherited, **SECRETS, **self.environment, "CONNECTOR_CONFIG": str(self.config)}

    def popen(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "connector", *arguments]
        return subprocess.Popen(command, env=self.variables, **options)

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a command to its end; its exit code is the caller's to judge."""
        return subprocess.run(
            [sys.executable, "-m", "connector", *arguments],
            env=self.variables, input=stdin, capture_output=True, timeout=_COMMAND_SECONDS, check=False,
        )  # fmt: skip

    def ok(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run a command that must succeed; return what it printed."""
        ran = self.run(*arguments, stdin=stdin)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout.decode()

    def drain(self) -> None:
        self.ok("drain")

    def audit(self) -> Any:
        """The report of an audit that holds."""
        ran = self.run("audit", "--json")
        assert ran.stdout, ran.stderr.decode()
        report = json.loads(ran.stdout)
        assert (ran.returncode, report["findings"]) == (0, [])
        return report

    def fates(self) -> dict[str, int]:
        """Events by fate, of a ledger that holds."""
        return {fate: count for fate, count in self.audit()["fates"].items() if count}

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with open_lake(self.data) as lake:
            return lake.execute(sql, parameters).fetchall()

    def rejected(self) -> list[dict[str, Any]]:
        """Every live line of rejected files, in the order of the captured files."""
        found = [
            json.loads(line)
            for name in fold(self.data).rejected
            for line in gzip.decompress((self.data / name).read_bytes()).splitlines()
        ]
        return sorted(found, key=lambda record: (record["captured_file"], record["captured_index"]))


class Service(Lake):
    """A lake with a running ``connector serve``. Stop it, whatever happens: ``running`` does."""

    process: subprocess.Popen[bytes] | None = None
    port = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._seen: set[Process] = set()

    @property
    def log(self) -> str:
        """All that every ``serve`` of this folder has written so far."""
        path = self.folder / "serve.log"
        return path.read_text() if path.exists() else ""

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self, *options: str) -> None:
        """Start and wait until it takes events."""
        assert self.process is None
        require(Path("/proc/net/tcp").exists(), "/proc, to see the processes of the service")
        begins = len(self.log)
        with (self.folder / "serve.log").open("ab") as log:
            self.process = self.popen("serve", "--port", "0", *options, stdout=log, stderr=log)

        def said() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log[begins:]
            return _RECEIVING.search(self.log, begins) is not None

        wait_until("serve says where it listens", said)
        found = _RECEIVING.search(self.log, begins)
        assert found is not None
        self.port = int(found[1])
        wait_until("every receiver listens", self.all_listen)
        wait_until("serve is ready", self.ready)
        self.processes()

    def all_listen(self) -> bool:
        return listeners(self.port) == {**SETTINGS, **self.settings}["workers"]

    def ready(self) -> bool:
        try:
            return self.get("/readyz").status == 200
        except OSError:
            return False

    def processes(self, marked: str = "") -> list[Process]:
        """Everything below the supervisor whose command line holds ``marked``."""
        found = descendants(self.pid)
        self._seen.update(found)
        return [each for each in found if marked in each.command]

    def receivers(self) -> list[Process]:
        """The processes that take requests: they run below the one that started them."""
        servers = self.processes("granian")
        return [each for server in servers for each in descendants(server.pid) if each in servers]

    def writers(self) -> list[Process]:
        return self.processes("connector.writer")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(_STOP_SECONDS)
        self.process = None
        return code

    def kill_all(self) -> None:
        """End every process of the service at once, as a power cut would.

        All are stopped first: the death of one tells others to finish in order, and none may get that far.
        """
        assert self.process is not None
        everyone = descendants(self.pid)
        self.process.send_signal(signal.SIGSTOP)
        for each in everyone:
            each.send(signal.SIGSTOP)
        self.process.kill()
        for each in everyone:
            each.send(signal.SIGKILL)
        self.process.wait(_STOP_SECONDS)
        wait_until_ended(everyone)
        self.process = None

    def close(self) -> None:
        """Leave no process behind, not even one that lost its parent."""
        if self.process is not None:
            self.kill_all()
        for each in self._seen:
            each.send(signal.SIGKILL)

    def get(self, path: str) -> Answer:
        return self.send(b"", path=path, method="GET")

    def post(self, body: bytes, source: str = "web", *, signed: bytes | None = None) -> Answer:
        """Send as Segment does: signed over the whole body, or over ``signed``."""
        return self.send(body, signature(body if signed is None else signed), path=f"/webhook/{source}")

    def send(
        self,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        path: str = "/webhook/web",
        method: str = "POST",
    ) -> Answer:
        with self.connection() as connection:
            connection.request(method, path, body or None, dict(headers or {}))
            response = connection.getresponse()
            content = response.read()
            return Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, content
            )

    @contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=20)
        try:
            yield connection
        finally:
            connection.close()

    def metrics(self) -> dict[str, float]:
        """Figures by name and labels, as ``connector_requests_total{...}``."""
        lines = self.get("/metrics").body.decode().splitlines()
        pairs = [line.rpartition(" ") for line in lines if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in pairs}


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[Service]:
    """A started service that leaves no process behind."""
    service = Service(folder, **options)
    try:
        service.start()
        yield service
    finally:
        service.close()
