"""Segment's engine as an object: started once, fed jobs, started again when it dies, ended by its id."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any

from tests.oracle.install import DEFAULT_FOLDER, installed, node_path

NOW_MS = 1767323045678
"""What its clock always says, Unix time in milliseconds."""

_SERVER = Path(__file__).with_name("server.cjs")
_ANSWER_SECONDS = 60.0
_EXIT_SECONDS = 10.0
_LIFE_JOBS = 20_000
"""Jobs after which a process is replaced: it keeps every field table it has seen."""

Job = dict[str, Any]
Answer = dict[str, Any]
"""``{"value": ...}``, ``{"undefined": True}`` or ``{"failed": class, "message", "messages"?, "status"?}``."""


class OracleDied(Exception):
    """The process ended, or did not answer in time, twice on the same jobs."""


def missing(folder: Path = DEFAULT_FOLDER) -> str | None:
    """What the oracle lacks, for the report of a test that is skipped; None when it can run."""
    if shutil.which("node") is None:
        return "the program node"
    return None if installed(folder) else "Segment's own engine: make oracle"


class Oracle:
    """Use as a context manager. Not for several threads."""

    def __init__(self, folder: Path = DEFAULT_FOLDER) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._jobs = 0
        self.cpu_seconds = 0.0
        """User and system time of Node for all jobs answered so far, reading and writing JSON left out."""

    def __enter__(self) -> Oracle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, job: Job) -> Answer:
        """The answer to one job."""
        return self.ask_all([job])[0]

    def ask_all(self, jobs: Sequence[Job]) -> list[Answer]:
        """
        The answers to jobs, in order.

        Raises:
            OracleDied: no answer, from a fresh process either.
        """
        if self._jobs > _LIFE_JOBS:
            self.close()
        line = json.dumps(jobs)
        answered = self._exchange(line) or self._exchange(line)
        if not answered:
            raise OracleDied(f"no answer to {line[:2000]}")
        self._jobs += len(jobs)
        reply = json.loads(answered)
        self.cpu_seconds += reply["cpu_us"] / 1e6
        answers: list[Answer] = reply["answers"]
        return answers

    def pid(self) -> int:
        """The id of the process, which is started when there is none."""
        return (self._process or self._start()).pid

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process, self._jobs = self._process, None, 0
        if process is None:
            return
        process.kill()
        process.wait(_EXIT_SECONDS)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _exchange(self, line: str) -> str:
        """Send a line and return the one that comes back; ``""`` when the process ended or was ended."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = Timer(_ANSWER_SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(line + "\n")
            process.stdin.flush()
            answered = process.stdout.readline()
        except BrokenPipeError:
            answered = ""
        finally:
            timer.cancel()
        if not answered:
            self.close()
        return answered

    def _start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "NODE_PATH": str(node_path(self._folder)), "TZ": "UTC"}
        self._process = subprocess.Popen(
            ["node", str(_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
        )
        return self._process
