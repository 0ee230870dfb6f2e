"""Bytes of bodies in the house, across threads: beyond a limit the sender is asked to come again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from connector.errors import CannotKeep


class InFlight:
    """The bytes that all requests of a process hold at this moment."""

    def __init__(self, limit_bytes: int, moved: Callable[[int], None]) -> None:
        """``moved`` is told every change, in bytes, after it has happened."""
        self._limit_bytes = limit_bytes
        self._moved = moved
        self._lock = threading.Lock()
        self._held_bytes = 0

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """Yield one request's share, which is given back at the end whatever happens."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            self.move(-lease.held_bytes)

    def check(self, announced_bytes: int) -> None:
        """
        Take nothing: a promise of bytes costs its sender nothing, so it must not keep others out.

        Raises:
            CannotKeep: ``over_capacity``: so many bytes would not fit now.
        """
        with self._lock:
            self._refuse_beyond_limit(announced_bytes)

    def move(self, change_bytes: int) -> None:
        """
        Take bytes, or give them back.

        Raises:
            CannotKeep: ``over_capacity``; nothing was taken.
        """
        with self._lock:
            if change_bytes > 0:
                self._refuse_beyond_limit(change_bytes)
            self._held_bytes += change_bytes
        if change_bytes:
            self._moved(change_bytes)

    def _refuse_beyond_limit(self, more_bytes: int) -> None:
        if self._held_bytes + more_bytes > self._limit_bytes:
            raise CannotKeep("too many bytes in flight", code="over_capacity", retry_after_seconds=1)


class Lease:
    """The share of one request."""

    __slots__ = ("_in_flight", "held_bytes")

    def __init__(self, in_flight: InFlight) -> None:
        self._in_flight = in_flight
        self.held_bytes = 0

    def take(self, more_bytes: int) -> None:
        """Hold more bytes, or raise CannotKeep and hold what was held before."""
        self._in_flight.move(more_bytes)
        self.held_bytes += more_bytes
