"""The data folder: who may publish, who serves, where temporary files lie. Source: journal-protocol 3.3."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from connector.errors import Busy
from connector.write.disk import Disk

WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05
FOREIGN_MS = 86_400_000
"""Temporary files of another host are taken for dead after a day."""

_STAGING = ".staging"
_OWN: dict[str, Literal["mapping", "publishing", "failed"]] = {}
"""Staging folders this process made, by name. In a container the process before may have had the same host
and pid, so these two alone do not say whose a folder is."""


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


def host_name() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", socket.gethostname()) or "host"


def stagings_of(root: Path) -> list[Path]:
    """The staging folders in a data folder, which need not be there."""
    try:
        return sorted(path for path in (root / _STAGING).iterdir() if path.is_dir())
    except FileNotFoundError:
        return []


class Held:
    """A lock that is held until ``release`` or the end of the process.

    It belongs to the open file: a forked child that lives on keeps it held.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class DataFolder:
    """A local data folder, made when it is not there."""

    def __init__(
        self, root: Path, *, disk: Disk | None = None, now_ms: Callable[[], int] = wall_clock_ms
    ) -> None:
        self.root = root
        self.disk = disk or Disk()
        self.now_ms = now_ms
        root.mkdir(parents=True, exist_ok=True)

    @property
    def staging_root(self) -> Path:
        return self.root / _STAGING

    def new_staging(self) -> Path:
        """Make ``.staging/<host>-<pid>-<random>/`` for the files of one round.

        Make it in the process that will publish (workers get the path): the folder is taken for a leftover as
        soon as the process in its name is gone.
        """
        path = self.staging_root / f"{host_name()}-{os.getpid()}-{secrets.token_hex(4)}"
        _OWN[path.name] = "mapping"
        path.mkdir(parents=True)
        return path

    def stagings(self) -> list[Path]:
        """All staging folders, of living and dead processes."""
        return stagings_of(self.root)

    def drop_staging(self, path: Path) -> None:
        """Remove a staging folder that is not wanted. One that was given to ``Publisher.publish`` stays: a
        committed entry may need it, and the publisher cleans up after itself."""
        if _OWN.get(path.name, "mapping") == "mapping":
            self.remove_staging(path)

    def remove_staging(self, path: Path) -> None:
        """Remove a staging folder that no committed entry needs. For the publisher."""
        shutil.rmtree(path, ignore_errors=True)
        _OWN.pop(path.name, None)

    @contextmanager
    def publishing(self, stagings: frozenset[Path]) -> Iterator[None]:
        """Keep staging folders while they are published, remove them after success. After a failure they stay
        until the lock is taken again: only then is it known what a committed entry needs of them."""
        for path in stagings:
            _OWN[path.name] = "publishing"
        try:
            yield
        except BaseException:
            for path in stagings:
                _OWN[path.name] = "failed"
            raise
        for path in stagings:
            self.remove_staging(path)

    def drop_abandoned(self, wanted: frozenset[Path] = frozenset()) -> tuple[str, ...]:
        """Remove the staging folders nobody will publish from, but for ``wanted``; return their names.

        Call it when no committed entry needs them any more.
        """
        dead = [path for path in self.stagings() if path not in wanted and self.is_abandoned(path)]
        for path in dead:
            self.remove_staging(path)
        return tuple(path.name for path in dead)

    def is_abandoned(self, staging: Path) -> bool:
        """True when nobody will publish from it: its process is dead, its round failed, or it is of another
        host and old."""
        host, _, rest = staging.name.rpartition("-")[0].rpartition("-")
        if host != host_name() or not rest.isdigit():
            return self.now_ms() - _last_change_ms(staging) > FOREIGN_MS
        pid = int(rest)
        if pid == os.getpid():
            return _OWN.get(staging.name, "failed") == "failed"
        return not _alive(pid)

    @contextmanager
    def locked(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Hold the one lock of the folder.

        Raises:
            Busy: somebody else held it for ``wait_seconds``; the message names host, pid and since when.
        """
        with self._take(".lock", wait_seconds, "is being written"):
            yield

    def serve(self) -> Held:
        """Hold ``.serve`` for life; a second server on the same folder is refused with ``Busy`` at once."""
        return self._take(".serve", 0.0, "is already served")

    def _take(self, name: str, wait_seconds: float, what: str) -> Held:
        path = self.root / name
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            deadline = time.monotonic() + wait_seconds
            while not self.disk.lock(descriptor):
                if time.monotonic() >= deadline:
                    raise Busy(f"{self.root} {what} by {_holder(path)}")
                time.sleep(POLL_SECONDS)
            self._sign(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return Held(descriptor)

    def _sign(self, descriptor: int) -> None:
        holder = {"host": host_name(), "pid": os.getpid(), "since_ms": self.now_ms()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode() + b"\n", 0)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_bytes())
        since = datetime.fromtimestamp(holder["since_ms"] / 1000, UTC).isoformat(timespec="seconds")
        return f"process {holder['pid']} on {holder['host']} since {since}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _last_change_ms(folder: Path) -> int:
    newest = 0
    for path in (folder, *folder.rglob("*")):
        try:
            newest = max(newest, path.stat().st_mtime_ns)
        except FileNotFoundError:
            continue
    return newest // 1_000_000
