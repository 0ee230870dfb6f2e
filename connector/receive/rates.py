"""How much write keys may bring: one bucket for events and one for bytes per source, in this process."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from connector.errors import TooManyEvents
from connector.events import SourceKeys

HOLDS_SECONDS = 2.0
"""A full bucket lasts this long at its rate: what may come at once after a pause."""
LONGEST_WAIT_SECONDS = 300
"""SDKs wait no longer than this, whatever they are told (segment-delivery 2.4)."""


class Rates:
    """The buckets of every source that has sent with a write key. Safe to call from several threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic``: seconds on a clock that never steps."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[_Bucket, _Bucket]] = {}

    def admit(self, keys: SourceKeys, events: int, body_bytes: int) -> None:
        """
        Take what a request brings out of its source's buckets.

        Both have to hold something, however little; the request may leave them below zero. So a batch above
        the rate is put off but never impossible, and the average holds.

        Raises:
            TooManyEvents: a bucket is empty; nothing was taken. Says after how many seconds it will not be.
        """
        with self._lock:
            now = self._monotonic()
            buckets = self._buckets_of(keys, now)
            wait_seconds = max(bucket.wait_seconds(now) for bucket in buckets)
            if wait_seconds:
                raise TooManyEvents(
                    "this source's write keys bring more than it may take; send again later",
                    retry_after_seconds=min(wait_seconds, LONGEST_WAIT_SECONDS),
                )
            for bucket, amount in zip(buckets, (events, body_bytes), strict=True):
                bucket.level -= amount

    def _buckets_of(self, keys: SourceKeys, now: float) -> tuple[_Bucket, _Bucket]:
        found = self._buckets.get(keys.name)
        if found is None:
            found = _Bucket(keys.events_per_second, now), _Bucket(keys.bytes_per_second, now)
            self._buckets[keys.name] = found
        return found


class _Bucket:
    __slots__ = ("_filled_at", "_per_second", "level")

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._filled_at = now
        self.level = per_second * HOLDS_SECONDS

    def wait_seconds(self, now: float) -> int:
        """Fill up to now; return the whole seconds until the level is above zero, 0 when it is."""
        gained = (now - self._filled_at) * self._per_second
        self.level = min(self.level + gained, self._per_second * HOLDS_SECONDS)
        self._filled_at = now
        return 0 if self.level > 0 else math.floor(-self.level / self._per_second) + 1
