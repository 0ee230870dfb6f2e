"""Segment's SDKs for servers, each in a process of its own that is told over a pipe what to send."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from conftest import require
from sdk.install import (
    DEFAULT_FOLDER,
    NODE_SDKS,
    PYTHON_NEWEST,
    PYTHON_PREVIOUS,
    installed,
    node_sdks,
    python_sdk,
)
from system.processes import wait_until

BATCH = 10
"""Calls per request, so that one flush of all calls takes several."""

_DRIVERS = Path(__file__).parent / "drivers"
_EXIT_SECONDS = 30.0


class Sdk(NamedTuple):
    """A command that speaks for one SDK, and what the SDK calls itself."""

    command: Sequence[str]
    variables: Mapping[str, str]
    library: tuple[str, str]
    """``context.library``: name and version."""
    options: Mapping[str, Any]


def python(version: str, **options: Any) -> Sdk:
    return Sdk(
        (sys.executable, str(_DRIVERS / "shop.py")),
        {"PYTHONPATH": str(python_sdk(DEFAULT_FOLDER, version))},
        ("analytics-python", version),
        options,
    )


PYTHON: Mapping[str, Sdk] = {
    "newest": python(PYTHON_NEWEST),
    "newest-gzip": python(PYTHON_NEWEST, gzip=True),
    "previous": python(PYTHON_PREVIOUS),
    "previous-gzip": python(PYTHON_PREVIOUS, gzip=True),
}
NODE = Sdk(
    ("node", str(_DRIVERS / "shop.cjs")),
    {"NODE_PATH": str(node_sdks(DEFAULT_FOLDER) / "node_modules")},
    ("@segment/analytics-node", NODE_SDKS["@segment/analytics-node"]),
    {},
)


def require_sdks(*programs: str) -> None:
    """Skip, or fail, when the SDKs or a program they run in are missing."""
    require(installed(DEFAULT_FOLDER), "Segment's SDKs: make sdks")
    for program in programs:
        require(shutil.which(program), f"the program {program}")


class Client:
    """One SDK at work. It says each request it makes, each failure, and the end of each flush."""

    def __init__(self, sdk: Sdk, folder: Path, **settings: Any) -> None:
        """
        Args:
            folder: where it writes what it says; made here.
            settings: ``writeKey`` and ``host``, the only things that are not Segment's own.
        """
        folder.mkdir(parents=True)
        self._said, self._stderr = folder / "said.ndjson", folder / "stderr.txt"
        self._handed = 0
        direct = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        with self._said.open("wb") as said, self._stderr.open("wb") as stderr:
            variables = {**direct, **sdk.variables}
            self.process = subprocess.Popen(
                sdk.command, stdin=subprocess.PIPE, stdout=said, stderr=stderr, env=variables
            )
        self._tell({"batch": BATCH, **sdk.options, **settings})

    def begin(self, calls: Sequence[Mapping[str, Any]]) -> None:
        """Hand it calls to make and to flush; return at once."""
        self._tell(calls)
        self._handed += 1

    def finish(self) -> None:
        """Wait until it has flushed all that it was handed."""
        self.wait("the SDK has flushed", lambda: self._count("flushed") == self._handed)

    def send(self, calls: Sequence[Mapping[str, Any]]) -> None:
        self.begin(calls)
        self.finish()

    @property
    def requests(self) -> int:
        """Requests begun so far, each try of a batch being one."""
        return self._count("request")

    @property
    def failures(self) -> list[dict[str, Any]]:
        """What it gave up: ``failed`` calls, the ``status`` that made it do so, and ``why``."""
        return [each for each in self._lines() if "failed" in each]

    def wait(self, what: str, holds: Any) -> None:
        """Poll until it holds, and tell what the SDK said when it never does."""

        def still() -> bool:
            assert holds() or self.process.poll() is None, "the SDK's process has ended"
            return bool(holds())

        try:
            wait_until(what, still)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._lines()}\n{self._stderr.read_text()}") from None

    def close(self) -> None:
        """Let it shut down as its program would."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(_EXIT_SECONDS)
        assert code == 0, self._stderr.read_text()

    def kill(self) -> None:
        assert self.process.stdin is not None
        self.process.kill()
        self.process.wait(_EXIT_SECONDS)
        self.process.stdin.close()

    def _tell(self, value: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value).encode() + b"\n")
        self.process.stdin.flush()

    def _lines(self) -> list[dict[str, Any]]:
        whole = self._said.read_bytes().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def _count(self, what: str) -> int:
        return sum(what in each for each in self._lines())


@contextmanager
def running_clients(
    sdks: Mapping[str, Sdk], folder: Path, settings: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Client]]:
    """Several SDKs side by side, by name; all are shut down properly, or killed when a test fails."""
    clients: dict[str, Client] = {}
    try:
        for name, sdk in sdks.items():
            clients[name] = Client(sdk, folder / name, **settings[name])
        yield clients
        for client in clients.values():
            client.close()
    finally:
        for client in clients.values():
            client.kill()
