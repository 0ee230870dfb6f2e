"""What a command costs: CPU and memory of its process, as the kernel counted them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Timer

LIMIT_SECONDS = 900.0
_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of ``ru_maxrss`` (getrusage(2))."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process from its start to its end, imports included, with the children it waited for."""

    cpu_seconds: float
    """User and system time."""
    peak_rss_bytes: int


def measure(command: Sequence[str]) -> Usage:
    """Run a command to its end.

    The figures are the kernel's, from ``wait4``. A process begins with the memory peak of the one that forked
    it, so the caller should be small.

    Raises:
        SystemExit: the command failed, or did not end within ``LIMIT_SECONDS`` and was killed.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    timer = Timer(LIMIT_SECONDS, process.kill)
    timer.start()
    try:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        timer.cancel()
        process.__exit__(None, None, None)
    if process.returncode:
        raise SystemExit(f"{command[1:4]} ended with {process.returncode}: {said.decode(errors='replace')}")
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT_BYTES)


def connector(*arguments: str) -> list[str]:
    """The command line of a connector command under this interpreter."""
    return [sys.executable, "-m", "connector", *arguments]


def say(line: str) -> None:
    """Progress, for the person who waits."""
    print(line, file=sys.stderr, flush=True)
