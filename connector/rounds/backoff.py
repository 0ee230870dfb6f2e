"""When what did not work is tried again: later and later, to spare the log and the store."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 600.0


class Backoff:
    """Pauses by name, each twice as long as the one before."""

    def __init__(
        self,
        first_seconds: float = FIRST_PAUSE_SECONDS,
        longest_seconds: float = LONGEST_PAUSE_SECONDS,
        clock_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first_seconds, self._longest_seconds = first_seconds, longest_seconds
        self._clock_seconds = clock_seconds
        self._pauses: dict[str, float] = {}
        self._next_try: dict[str, float] = {}

    def put_off(self, name: str) -> float:
        """Note that it did not work; return the pause in seconds."""
        pause = min(self._pauses.get(name, self._first_seconds / 2) * 2, self._longest_seconds)
        self._pauses[name] = pause
        self._next_try[name] = self._clock_seconds() + pause
        return pause

    def is_due(self, name: str) -> bool:
        """True for a name that never failed, or whose pause is over."""
        return name not in self._next_try or self._next_try[name] <= self._clock_seconds()

    def forget(self, name: str) -> None:
        """It worked: the next pause is a first one."""
        self._pauses.pop(name, None)
        self._next_try.pop(name, None)
