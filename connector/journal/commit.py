"""
Group commit: the thread that finds nobody committing leads, the others sleep on locks of their own.

While one batch is being synced the next one forms, so the batch size follows the disk. A leader hands over to
the head of the next batch before it wakes its own followers. Nobody queues on a shared lock, and there is no
thread of its own that could die. See journal-protocol 2.1.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from connector.errors import CannotKeep

T = TypeVar("T")


def _same_trouble(error: BaseException) -> CannotKeep:
    """Return an exception of the follower's own for what happened to its leader."""
    if isinstance(error, CannotKeep):
        return CannotKeep(error.message, code=error.code, retry_after_seconds=error.retry_after_seconds)
    return CannotKeep("The journal could not be written.", code="journal_failed")


class _Turn(Generic[T]):
    """One waiting thread: what it wants committed, or an action that needs the committer's place."""

    __slots__ = ("action", "bell", "error", "item", "leads", "size_bytes")

    def __init__(self, item: T | None, size_bytes: int, action: Callable[[], None] | None = None) -> None:
        self.item = item
        self.size_bytes = size_bytes
        self.action = action
        self.error: BaseException | None = None
        self.leads = False
        self.bell = threading.Lock()
        self.bell.acquire()


class GroupCommit(Generic[T]):
    """
    Commits items in batches, in the order in which they came.

    Args:
        commit: makes a batch durable or raises; never called by two threads at once.
        batch_bytes: a batch grows up to this size.
        alone_bytes: an item above this size is a batch by itself.
    """

    def __init__(self, commit: Callable[[Sequence[T]], None], batch_bytes: int, alone_bytes: int) -> None:
        self._commit = commit
        self._batch_bytes = batch_bytes
        self._alone_bytes = alone_bytes
        self._short = threading.Lock()
        self._waiting: deque[_Turn[T]] = deque()
        self._busy = False

    def submit(self, item: T, size_bytes: int) -> None:
        """Return when the item is committed; otherwise raise what its batch raised."""
        self._take_part(_Turn(item, size_bytes))

    def exclusively(self, action: Callable[[], None]) -> None:
        """Run an action in turn, while nothing is being committed; raise what it raises."""
        self._take_part(_Turn[T](None, 0, action))

    def _take_part(self, turn: _Turn[T]) -> None:
        with self._short:
            self._waiting.append(turn)
            turn.leads, self._busy = not self._busy, True
        if not turn.leads:
            turn.bell.acquire()
        if turn.leads:
            self._lead(turn)
            if turn.error is not None:
                raise turn.error
        elif turn.error is not None:
            raise _same_trouble(turn.error) from turn.error

    def _lead(self, leader: _Turn[T]) -> None:
        """Commit the batch that the leader heads, hand over, and wake the followers, in this order."""
        with self._short:
            batch = self._next_batch()
        try:
            self._run(batch)
        except BaseException as error:
            for turn in batch:
                turn.error = error
        finally:
            self._hand_over()
            for turn in batch:
                if turn is not leader:
                    turn.bell.release()

    def _run(self, batch: list[_Turn[T]]) -> None:
        action = batch[0].action
        if action is not None:
            action()
        else:
            self._commit([turn.item for turn in batch if turn.item is not None])

    def _next_batch(self) -> list[_Turn[T]]:
        """Take the head of the queue and what may go with it."""
        batch = [self._waiting.popleft()]
        room = self._batch_bytes - batch[0].size_bytes
        if self._goes_alone(batch[0]):
            return batch
        while self._waiting and not self._goes_alone(self._waiting[0]):
            room -= self._waiting[0].size_bytes
            if room < 0:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _goes_alone(self, turn: _Turn[T]) -> bool:
        return turn.action is not None or turn.size_bytes > self._alone_bytes

    def _hand_over(self) -> None:
        with self._short:
            heir = self._waiting[0] if self._waiting else None
            self._busy = heir is not None
        if heir is not None:
            heir.leads = True
            heir.bell.release()
