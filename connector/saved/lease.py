"""A right to do something alone, in a place that can only create files: on one machine or on several."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from connector import json_text
from connector.errors import Busy, ConnectorError
from connector.saved.documents import read_json
from connector.saved.files import Files

SECONDS = 600
"""How long a lease holds unless it is renewed: what a machine that died keeps others waiting."""
_KEPT = 20
"""Old lease files stay for those who listed them a moment ago and are slow."""
_OWN: set[str] = set()
"""Tokens of leases that this process holds."""


class LeaseLost(ConnectorError):
    """The lease ran out and somebody else has it: whoever held it must stop."""

    code = "lease_lost"
    retryable = True


class Lease:
    """
    One of the numbered files ``<folder>/lease-<number>.json``; the highest number says who may.

    A number is created once, so of two who want it one gets it. A holder on this machine whose process is
    gone holds nothing; of another machine the time must run out.
    """

    def __init__(self, files: Files, folder: str, what: str) -> None:
        """``what``: what is being done, for people."""
        self._files = files
        self._folder = folder
        self._what = what
        self._token = secrets.token_hex(8)
        self._number = 0
        self._until_ms = 0

    @contextmanager
    def held(self) -> Iterator[Lease]:
        """Take it, and give it back at the end. Raises ``Busy``: somebody has it; the message says who."""
        number, holder = self._highest()
        if holder and not _is_free(holder, self._files.clock_ms()):
            raise Busy(f"{self._what} by {_said(holder)}")
        self._take(number + 1)
        _OWN.add(self._token)
        try:
            yield self
        finally:
            _OWN.discard(self._token)
            self._give_back()

    def keep(self) -> None:
        """Renew it when half of its time is over.

        Raises:
            LeaseLost: it ran out meanwhile, and somebody else took it.
        """
        now_ms = self._files.clock_ms()
        if now_ms > self._until_ms - SECONDS * 500:
            try:
                self._take(self._number + 1)
            except Busy as taken:
                raise LeaseLost(f"{taken}: this one was too slow and stops") from None

    def _take(self, number: int) -> None:
        self._until_ms = self._files.clock_ms() + SECONDS * 1_000
        name, content = self._path(number), self._content(number, self._until_ms)
        mine = self._files.create(name, content) or self._files.read(name) == content
        highest, holder = self._highest()
        if not mine or highest != number:
            raise Busy(f"{self._what} by {_said(holder)}")
        self._number = number
        self._files.delete(self._path(old) for old in self._numbers() if old <= number - _KEPT)

    def _give_back(self) -> None:
        """Somebody may have taken it when it ran out; then there is nothing to give back."""
        self._files.create(self._path(self._number + 1), self._content(self._number + 1, 0))

    def _content(self, number: int, until_ms: int) -> bytes:
        return json_text.dump(
            {
                "number": number, "host": socket.gethostname(), "pid": os.getpid(), "token": self._token,
                "since_ms": self._files.clock_ms(), "until_ms": until_ms,
            }
        ).encode()  # fmt: skip

    def _path(self, number: int) -> str:
        return f"{self._folder}/lease-{number:08}.json"

    def _numbers(self) -> list[int]:
        ends = (info.name.rpartition("lease-")[2][:-5] for info in self._files.find(f"{self._folder}/lease-"))
        return [int(end) for end in ends if end.isdigit()]

    def _highest(self) -> tuple[int, dict[str, Any]]:
        number = max(self._numbers(), default=0)
        return number, (read_json(self._files, self._path(number)) or {}) if number else {}


def _is_free(holder: dict[str, Any], now_ms: int) -> bool:
    if holder["until_ms"] <= now_ms:
        return True
    if holder["host"] != socket.gethostname():
        return False
    if holder["pid"] == os.getpid():
        return holder["token"] not in _OWN
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _said(holder: dict[str, Any]) -> str:
    if not holder:
        return "another process"
    since = datetime.fromtimestamp(holder["since_ms"] / 1_000, UTC).isoformat(timespec="seconds")
    return f"process {holder['pid']} on {holder['host']} since {since}"
