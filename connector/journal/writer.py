"""Keeping what came in: returns when the bytes are durable, raises ``CannotKeep`` when they are not."""

from __future__ import annotations

import threading
from pathlib import Path

from connector.errors import CannotKeep
from connector.events import Capture
from connector.journal.commit import GroupCommit
from connector.journal.disk import Disk
from connector.journal.folders import JournalFolders
from connector.journal.limits import JournalLimits
from connector.journal.livefile import LiveFile
from connector.journal.room import Quota, Room

ROLL_REQUEST = "roll"
"""Touching ``<journal>/roll`` asks every process to close the files that are open now."""


class JournalWriter:
    """
    The journal of one process, used by all its threads.

    Nothing is opened, locked or started before the first capture. It must first be used after the server has
    forked its workers: a lock belongs to the open file, and a forked copy would keep it alive.
    """

    def __init__(self, root: Path, limits: JournalLimits | None = None, disk: Disk | None = None) -> None:
        folders = JournalFolders(root, disk or Disk())
        self._limits = limits or JournalLimits()
        self._disk = folders.disk
        self._roll_request = root / ROLL_REQUEST
        self._captures = _Lane(folders, self._limits)
        self._refused = _Lane(folders.refused, self._limits)
        self._room = Room(folders, self._limits)
        self._quota = Quota(folders.refused, self._limits.refused_max_bytes, self._limits.probe_seconds)
        self._stopped = threading.Event()
        self._start_timer = threading.Lock()
        self._timer: threading.Thread | None = None

    def append(self, capture: Capture) -> None:
        """
        Return when the capture is durable. Raises ``CannotKeep``: then nothing was acknowledged.

        One that is ``public`` finds no room earlier than others do: ``public_no_room``.
        """
        if capture.refused is not None:
            raise ValueError("a refused capture belongs to keep_refused")
        self._admit()
        if capture.public:
            with self._room.public(len(capture.body)):
                self._captures.submit(capture)
        else:
            self._captures.submit(capture)

    def keep_refused(self, capture: Capture) -> bool:
        """
        Keep the body of a refused request, as durably as any other.

        Returns False when ``refused/`` has reached its limit, or the share of it that is for public captures:
        the body is not kept and the refusal stands. Raises ``CannotKeep`` when it could not be kept for any
        other reason.
        """
        if capture.refused is None:
            raise ValueError("a capture that was not refused belongs to append")
        self._admit()
        if capture.public:
            with self._room.public(len(capture.body)):
                return self._keep_refused(capture, self._limits.public_share)
        return self._keep_refused(capture, share=1.0)

    def not_ready(self) -> str | None:
        """Return why a capture would not be accepted now, for a person; None when it would."""
        try:
            self._check_room()
            for lane in (self._captures, self._refused):
                if lane.file.failing:
                    lane.commits.exclusively(lane.file.probe)
        except CannotKeep as reason:
            return reason.message
        return None

    def close(self) -> None:
        """Let waiting commits finish, close the files and refuse every later capture. May be called again."""
        self._stopped.set()
        for lane in (self._captures, self._refused):
            lane.commits.exclusively(lane.file.stop)
        if self._timer is not None:
            self._timer.join()

    def _keep_refused(self, capture: Capture, share: float) -> bool:
        if self._quota.is_full(self._refused.file.written_bytes, share=share):
            return False
        self._refused.submit(capture)
        return True

    def _admit(self) -> None:
        self._check_room()
        if self._timer is None:
            with self._start_timer:
                if self._timer is None:
                    self._timer = threading.Thread(target=self._watch, name="journal-timer", daemon=True)
                    self._timer.start()

    def _check_room(self) -> None:
        if self._stopped.is_set():
            raise CannotKeep("The journal is closed.", code="journal_stopped")
        try:
            shortage = self._room.shortage()
        except OSError as error:
            raise CannotKeep("The journal's folder cannot be used.", code="journal_failed") from error
        if shortage is not None:
            raise shortage

    def _watch(self) -> None:
        """Close files that are due although nobody writes, until the journal is closed."""
        while not self._stopped.wait(self._limits.poll_seconds):
            requested_ns = self._disk.modified_ns(self._roll_request)
            for lane in (self._captures, self._refused):
                lane.close_if_due(requested_ns)


class _Lane:
    """One file being written and the queue before it."""

    def __init__(self, folders: JournalFolders, limits: JournalLimits) -> None:
        self.file = LiveFile(folders, limits)
        self.commits: GroupCommit[Capture] = GroupCommit(
            self.file.commit, limits.batch_bytes, limits.alone_bytes
        )

    def submit(self, capture: Capture) -> None:
        if trouble := self.file.trouble:
            raise trouble
        self.commits.submit(capture, len(capture.body))

    def close_if_due(self, roll_requested_ns: int) -> None:
        def close() -> None:
            if self.file.is_due(roll_requested_ns):
                self.file.close()

        if self.file.is_due(roll_requested_ns):
            self.commits.exclusively(close)
