"""Who runs below a process: known by process id and start time, so that a reused id is never touched."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

_STATE, _PARENT, _STARTED = 0, 1, 19
"""Places in ``/proc/<pid>/stat`` behind the command's closing bracket (proc(5))."""
_LISTEN = "0A"


class Process(NamedTuple):
    pid: int
    started: int
    """Clock ticks after boot; with the id it names a process for good."""
    command: str

    @property
    def alive(self) -> bool:
        """True until the process has ended, also when nobody has waited for it yet."""
        stat = _stat(self.pid)
        return stat is not None and stat[_STATE] != "Z" and int(stat[_STARTED]) == self.started

    def send(self, number: signal.Signals) -> None:
        if self.alive:
            os.kill(self.pid, number)


def descendants(pid: int) -> list[Process]:
    """Return every living process below ``pid``, parents before their children."""
    children: dict[int, list[Process]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (stat := _stat(int(folder.name))) and stat[_STATE] != "Z":
            process = Process(int(folder.name), int(stat[_STARTED]), _command(folder))
            children.setdefault(int(stat[_PARENT]), []).append(process)
    found = list(children.get(pid, ()))
    for process in found:
        found += children.get(process.pid, ())
    return found


def wait_until(what: str, holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Poll until it holds; an ``AssertionError`` says what never came."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)


def wait_until_ended(processes: Iterable[Process], seconds: float = 60.0) -> None:
    for process in processes:
        wait_until(f"process {process.pid} ends ({process.command})", lambda p=process: not p.alive, seconds)


def listeners(port: int) -> int:
    """How many sockets listen on an IPv4 port: one per receiver that is up (proc_net_tcp(5))."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(fields[1].endswith(f":{port:04X}") and fields[3] == _LISTEN for fields in lines)


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _command(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
