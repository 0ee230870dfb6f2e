"""What the receiver asks of a journal, whichever it is: files on disk, or a stream on AWS."""

from __future__ import annotations

from typing import Protocol

from connector.events import Capture


class Journal(Protocol):
    """Keeps captures. Safe to call from several threads at once."""

    def append(self, capture: Capture) -> None:
        """
        Keep a capture.

        Returns only when the bytes are durable. The body may be closed as soon as this has returned.

        Raises:
            CannotKeep: the bytes are not known to be durable, so nothing may be acknowledged.
        """

    def keep_refused(self, capture: Capture) -> bool:
        """
        Keep a proven body that is refused (``capture.refused`` names the code), outside the ledger's sum.

        Returns:
            True: durable. False: the folder of refused bodies is at its limit and this one is not kept.

        Raises:
            CannotKeep: it could not be kept although there is room.
        """

    def not_ready(self) -> str | None:
        """Return why captures cannot be kept just now, for a person, or None."""

    def close(self) -> None:
        """Finish what is waiting and let go of every file."""
