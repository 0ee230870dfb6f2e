"""Why requests are refused, for who reads the log: one line a minute for each source and reason."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from connector.errors import ConnectorError

log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0
_MOST_KINDS = 1_000


class Refusals:
    """Counts refusals between two lines. Labels, codes and our own words are told, nothing that was sent."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic``: seconds on a clock that never steps."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._quiet: dict[tuple[str, str], tuple[float, int]] = {}
        """Source and code -> until when nothing is said, and how many were not told of."""

    def note(self, source: str, trouble: ConnectorError) -> None:
        """Write a line, or count this one for the next line of its kind.

        Args:
            source: a configured source's slug, or ``unknown``.
        """
        untold = self._untold((source, trouble.code))
        if untold is not None:
            log.warning(
                "source %s: request refused with %d %s (%s)%s",
                source,
                trouble.status,
                trouble.code,
                trouble.message,
                f"; {untold} more since the last such line" if untold else "",
            )

    def _untold(self, kind: tuple[str, str]) -> int | None:
        """How many went unsaid before this one, which may be told; None when it may not."""
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
