"""The journal on AWS: each capture is a record of a Firehose stream, or an object of its own."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from connector.errors import CannotKeep, StoreError
from connector.events import Capture
from connector.journal.frames import receipt_frame
from connector.journal.stream import DeliveryStream

if TYPE_CHECKING:
    from connector.s3.store import S3Store

log = logging.getLogger(__name__)

RECORD_BYTES = 1_000_000
REFUSED_MAX_BYTES = 64 * 1024 * 1024
"""Refused bodies that one process keeps; beyond it they are counted only."""
CONNECT_SECONDS = 0.5
READ_SECONDS = 1.25
"""With two tries and the pause 3.6 s at most for an address that does not answer: Segment waits 5 s, a cold
start included. A name with several addresses may take longer; then the function's own time-out ends it, and
the sender comes again as after any 5xx."""
TRIES = 2
_PAUSE_SECONDS = 0.1
_NOT_READY_SECONDS = 10.0
_RETRY_AFTER_SECONDS = 5
_DIRECT = "direct/"


def new_receipt() -> str:
    """16 random bytes in hex."""
    return secrets.token_hex(16)


class FirehoseJournal:
    """
    ``receive.journal_port.Journal`` over a stream and a bucket. Safe in several threads.

    One request is one frame is one record (or one object), so a request is kept as a whole or not at all:
    there is no batch of which the service could refuse a part. A frame too large for a record becomes the
    object ``direct/<yyyy>/<mm>/<dd>/<hh>/<receipt>`` of the journal. Returning means that the service said
    yes: Firehose keeps a record for at most 24 hours while its bucket refuses, S3 has the object.

    A try whose answer was lost may have been taken: the next one then puts a second frame with the same
    receipt into the stream, whose events are duplicates like any other. An object is created, never
    overwritten, so that there is one of each.
    """

    def __init__(
        self,
        stream: DeliveryStream,
        journal: S3Store,
        refused: S3Store,
        *,
        record_bytes: int = RECORD_BYTES,
        refused_max_bytes: int = REFUSED_MAX_BYTES,
        public_share: float = 0.5,
        receipts: Callable[[], str] = new_receipt,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Args:
            stream: its client tries once and gives up soon (``CONNECT_SECONDS``, ``READ_SECONDS``).
            journal: where the stream's objects lie, and ``direct/``; its client likewise.
            refused: where proven bodies lie that are not JSON; not below the journal.
            record_bytes: largest frame put into the stream.
            refused_max_bytes: bytes of refused bodies that this process keeps.
            public_share: share of those that bodies with a write key may take.
        """
        self._stream = stream
        self._journal = journal
        self._refused = refused
        self._record_bytes = record_bytes
        self._refused_max_bytes = refused_max_bytes
        self._public_share = public_share
        self._receipts = receipts
        self._monotonic = monotonic
        self._pause = pause
        self._lock = threading.Lock()
        self._refused_bytes = 0
        self._failed_at: float | None = None
        self._closed = False

    def append(self, capture: Capture) -> None:
        """Return when AWS has acknowledged the capture. Raises ``CannotKeep`` when it has not."""
        if capture.refused is not None:
            raise ValueError("a refused capture belongs to keep_refused")
        receipt = self._receipts()
        frame = receipt_frame(capture, receipt)
        if len(frame) <= self._record_bytes:
            self._insist(lambda _: self._stream.put(frame))
        else:
            name = f"{_DIRECT}{_times(capture, '%Y/%m/%d/%H')}/{receipt}"
            self._insist(lambda number: _create(self._journal, name, frame, number))

    def keep_refused(self, capture: Capture) -> bool:
        """
        Keep the body of a refused request as the object ``<yyyy>/<mm>/<dd>/<receipt>`` of ``refused``.

        Returns False when this process has kept as many bytes of such bodies as it may. Raises ``CannotKeep``
        when it could not be kept for any other reason.
        """
        if capture.refused is None:
            raise ValueError("a capture that was not refused belongs to append")
        receipt = self._receipts()
        frame = receipt_frame(capture, receipt)
        if not self._take_room(len(frame), self._public_share if capture.public else 1.0):
            return False
        name = f"{_times(capture, '%Y/%m/%d')}/{receipt}"
        try:
            self._insist(lambda number: _create(self._refused, name, frame, number))
        except CannotKeep:
            self._take_room(-len(frame), 1.0)
            raise
        return True

    def not_ready(self) -> str | None:
        """Return why a capture would hardly be kept now: the last one was not, and that is not long ago."""
        if self._closed:
            return "The journal is closed."
        failed_at = self._failed_at
        if failed_at is None or self._monotonic() - failed_at >= _NOT_READY_SECONDS:
            return None
        return "AWS did not take the last capture."

    def close(self) -> None:
        """Refuse every later capture and let go of the connections. May be called again."""
        self._closed = True
        self._stream.close()

    def _insist(self, put: Callable[[int], None]) -> None:
        """Call ``put`` with 1 and, where that may help, with 2: so often that the sender still waits."""
        if self._closed:
            raise CannotKeep("The journal is closed.", code="journal_stopped")
        for number in range(1, TRIES + 1):
            try:
                put(number)
            except StoreError as trouble:
                if number == TRIES or not trouble.retryable:
                    raise self._failed(trouble) from None
                self._pause(_PAUSE_SECONDS)
            else:
                self._failed_at = None
                return

    def _failed(self, trouble: StoreError) -> CannotKeep:
        """Note when; tell the log once for a row of failures, as the sender is told no names of ours."""
        if self.not_ready() is None:
            log.error("a capture was not kept: %s", trouble)
        self._failed_at = self._monotonic()
        return CannotKeep(
            "The journal could not be written.",
            code="journal_failed",
            retry_after_seconds=_RETRY_AFTER_SECONDS,
        )

    def _take_room(self, more_bytes: int, share: float) -> bool:
        """Take bytes of what refused bodies may fill, or give them back; False: there are not as many."""
        with self._lock:
            if self._refused_bytes + more_bytes > self._refused_max_bytes * share:
                return False
            self._refused_bytes += more_bytes
            return True


def _create(store: S3Store, name: str, frame: bytes, number: int) -> None:
    """A name with a new receipt is taken only if an earlier try of ours took it."""
    if not store.create(name, frame) and number == 1:
        raise StoreError("a new name was taken already", retryable=False)


def _times(capture: Capture, pattern: str) -> str:
    return datetime.fromtimestamp(capture.received_at_ms / 1000, UTC).strftime(pattern)
