"""Captured files to staged outputs, one after the other or side by side, in the order of the files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from connector.config import Settings
from connector.errors import ConnectorError, StoreError
from connector.journal.places import ChangedMeanwhile, RemovedMeanwhile
from connector.replay import Progress
from connector.rounds.tasks import Task, map_in_worker, map_task, prepare_worker
from connector.rounds.written import Written
from connector.wiring import Configured

if TYPE_CHECKING:
    from connector.write.folder import DataFolder
    from connector.write.sink import StagedFile

log = logging.getLogger("connector.writer")

REFUSED_IN_A_ROW = 20
"""Objects that S3 may refuse one after the other before it is taken for refusing all."""
_ABOUT_ONE_OBJECT = frozenset(("store_forbidden", "store_unsuitable"))


class Mapping:
    """Runs tasks; one that fails alone is noted, its folders are dropped, and the others go on."""

    def __init__(self, settings: Settings, configured: Configured, folder: DataFolder) -> None:
        self._settings = settings
        self._configured = configured
        self._folder = folder
        self._refused_in_a_row = 0

    def mapped(
        self, tasks: Iterator[Task], written: Written, progress: Progress, workers: int
    ) -> Iterator[tuple[Task, StagedFile | None]]:
        """Yield every task with its staged file, None for one that ``written`` now has as failed or changed.

        Ends early, with ``written.stopped``, where S3 has no more to give: what is mapped can be published.

        Args:
            workers: processes; 1 maps in this one.

        Raises:
            ConnectorError: a mapping process died.
            OSError: the disk refused.
        """
        here = self._mapped_here if workers == 1 else partial(self._mapped_elsewhere, workers=workers)
        try:
            yield from here(tasks, written, progress)
        except StoreError as trouble:
            written.stopped = trouble

    def _mapped_here(
        self, tasks: Iterator[Task], written: Written, progress: Progress
    ) -> Iterator[tuple[Task, StagedFile | None]]:
        for task in tasks:
            map_ = partial(map_task, task, self._settings, self._configured, progress)
            yield task, self._outcome(task, map_, written)

    def _mapped_elsewhere(
        self, tasks: Iterator[Task], written: Written, progress: Progress, *, workers: int
    ) -> Iterator[tuple[Task, StagedFile | None]]:
        """Map in other processes, a few files ahead, results in the order of the files."""
        pool = ProcessPoolExecutor(workers, get_context("spawn"), prepare_worker, (self._settings,))
        running: list[tuple[Task, Future[StagedFile]]] = []
        with pool:
            try:
                while True:
                    while len(running) < workers * 2 and (task := next(tasks, None)):
                        running.append((task, pool.submit(map_in_worker, task)))
                    if not running:
                        return
                    task, future = running.pop(0)
                    staged = self._outcome(task, future.result, written)
                    progress(staged.record.received if staged else 0)
                    yield task, staged
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                for task, _ in running:
                    self._drop(task)
                raise

    def _outcome(self, task: Task, map_: Callable[[], StagedFile], written: Written) -> StagedFile | None:
        """The staged file; None when this file alone is the trouble, so that it does not hold up the others.

        Raises:
            OSError: the disk refused, which every file would meet.
            StoreError: S3 cannot be reached, or refuses one object after the other.
        """
        try:
            staged = map_()
        except BaseException as trouble:
            self._drop(task)
            self._judge(task, trouble, written)
            return None
        self._refused_in_a_row = 0
        if task.fetched:
            self._folder.drop_staging(task.fetched)
        return staged

    def _judge(self, task: Task, trouble: BaseException, written: Written) -> None:
        """Raise what every file would meet; note what is the trouble of this one."""
        if isinstance(trouble, MemoryError):
            raise ConnectorError(f"{task.place.name}: there is not enough memory to map it") from None
        if isinstance(trouble, BrokenProcessPool):
            raise ConnectorError("a mapping process ended before its time; is there enough memory?") from None
        if isinstance(trouble, ChangedMeanwhile):
            log.warning("%s: %s; another run takes what is there then", task.place.name, trouble)
            written.changed.append(task.place)
            if isinstance(trouble, RemovedMeanwhile):
                written.removed.append(task.place)
            return
        if isinstance(trouble, StoreError):
            self._refused_in_a_row += 1
            if trouble.code not in _ABOUT_ONE_OBJECT or self._refused_in_a_row >= REFUSED_IN_A_ROW:
                raise trouble
        if isinstance(trouble, OSError) or not isinstance(trouble, Exception):
            raise trouble
        reason = str(trouble) if isinstance(trouble, ConnectorError) else type(trouble).__name__
        log.error("%s could not be mapped and stays where it is: %s", task.place.name, reason)
        written.failed.append(task.place)

    def _drop(self, task: Task) -> None:
        for folder in task.folders:
            self._folder.drop_staging(folder)
