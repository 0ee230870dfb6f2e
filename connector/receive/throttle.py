"""Log lines that anybody outside can cause: one a minute for each kind, the rest counted."""

from __future__ import annotations

import threading
from collections.abc import Callable

PAUSE_SECONDS = 60.0
_MOST_KINDS = 1_000


class Throttle:
    """When each kind of line was written last. Safe to call from several threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic``: seconds on a clock that never steps."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._quiet: dict[tuple[str, ...], tuple[float, int]] = {}
        """Kind -> until when nothing is said, and how many were not told of."""

    def untold(self, *kind: str) -> int | None:
        """Return how many of a kind went unsaid before this one, which may be told; None when it may not."""
        with self._lock:
            now = self._monotonic()
            quiet_until, untold = self._quiet.get(kind, (now, 0))
            if now < quiet_until:
                self._quiet[kind] = quiet_until, untold + 1
                return None
            if len(self._quiet) >= _MOST_KINDS:
                self._quiet.clear()
            self._quiet[kind] = now + PAUSE_SECONDS, 0
            return untold
