"""How much write keys may bring: buckets of events and bytes per source, and one of bytes for strangers."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from connector.errors import RequestRefused, TooManyEvents
from connector.events import SourceKeys

HOLDS_SECONDS = 2.0
"""A full bucket lasts this long at its rate: what may come at once after a pause."""
MOST_DEBT_SECONDS = 60.0
"""However much one request brought, its source is not shut out for longer by it."""
MOST_EVENTS = 5_000
"""Events of one request; Segment itself takes 2,500 in one (segment-delivery 2.4)."""
STRANGERS_BYTES_PER_SECOND = 2_097_152.0
"""Bytes that are read and parsed in vain for requests without a known write key, in this process."""


class BatchTooLong(RequestRefused):
    """One request brings more events than any SDK sends at once."""

    code = "too_many_events"
    status = 413


class Rates:
    """The buckets of every source that has sent with a write key. Safe to call from several threads."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """``monotonic``: seconds on a clock that never steps."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[_Bucket, _Bucket]] = {}
        self._strangers = _Bucket(STRANGERS_BYTES_PER_SECOND, monotonic())

    def check(self, keys: SourceKeys | None) -> None:
        """
        Ask whether a request may be read at all; nothing is taken.

        Args:
            keys: whose it is; None while that is not known.

        Raises:
            TooManyEvents: a bucket is empty. Says after how many seconds it will not be.
        """
        with self._lock:
            now = self._monotonic()
            if keys is None:
                self._refuse_while_empty(now, self._strangers)
            else:
                self._refuse_while_empty(now, *self._buckets_of(keys, now))

    def charge_strangers(self, body_bytes: int) -> None:
        """Take what was read and parsed for a request that turned out to be nobody's."""
        with self._lock:
            self._strangers.take(body_bytes)

    def admit(self, keys: SourceKeys, events: int, body_bytes: int) -> None:
        """
        Take what a request brings out of its source's buckets.

        Both have to hold something, however little; the request may leave them below zero. So a batch above
        the rate is put off but never impossible, and the average holds.

        Raises:
            TooManyEvents: a bucket is empty; nothing was taken. Says after how many seconds it will not be.
            BatchTooLong: above ``MOST_EVENTS``; its bytes were taken, because they were read and parsed.
        """
        with self._lock:
            now = self._monotonic()
            of_events, of_bytes = self._buckets_of(keys, now)
            self._refuse_while_empty(now, of_events, of_bytes)
            of_bytes.take(body_bytes)
            if events > MOST_EVENTS:
                raise BatchTooLong(f"the request brings more than {MOST_EVENTS} events")
            of_events.take(events)

    def _refuse_while_empty(self, now: float, *buckets: _Bucket) -> None:
        wait_seconds = max(bucket.wait_seconds(now) for bucket in buckets)
        if wait_seconds:
            raise TooManyEvents(
                "write keys bring more than may be taken; send again later", retry_after_seconds=wait_seconds
            )

    def _buckets_of(self, keys: SourceKeys, now: float) -> tuple[_Bucket, _Bucket]:
        found = self._buckets.get(keys.name)
        if found is None:
            found = _Bucket(keys.events_per_second, now), _Bucket(keys.bytes_per_second, now)
            self._buckets[keys.name] = found
        return found


class _Bucket:
    __slots__ = ("_filled_at", "_level", "_per_second")

    def __init__(self, per_second: float, now: float) -> None:
        self._per_second = per_second
        self._filled_at = now
        self._level = per_second * HOLDS_SECONDS

    def wait_seconds(self, now: float) -> int:
        """Fill up to now; return the whole seconds until the level is above zero, 0 when it is."""
        gained = (now - self._filled_at) * self._per_second
        self._level = min(self._level + gained, self._per_second * HOLDS_SECONDS)
        self._filled_at = now
        return 0 if self._level > 0 else math.floor(-self._level / self._per_second) + 1

    def take(self, amount: float) -> None:
        self._level = max(self._level - amount, -self._per_second * MOST_DEBT_SECONDS)
