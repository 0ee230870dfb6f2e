"""The reconcile Lambda, hourly: what nobody told the writer about, and what may leave the journal.

One listing of the journal, one of the names of records. A journal object

* without a record that is older than an hour is queued again: its notification was lost, or its message is in
  the dead-letter queue. After a day that is done once a day only: one that breaks the writer would keep it
  busy;
* with a record leaves the journal when it is older than the retention. Not when the record says that bytes of
  it could not be read: they were acknowledged, and this is the only copy.

An object without a record never leaves. No lifecycle rule may remove anything below the journal: a rule knows
ages and no records. Refused bodies are in no ledger, so to them a rule is right.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.aws.figures import Figures
from connector.aws.notifications import notification
from connector.aws.queue import send
from connector.aws.start import begin, name_invocation, settings_with_secrets
from connector.errors import ConfigError, LedgerError
from connector.journal.bucket import JournalBucket
from connector.journal.places import ObjectPlace, client_of
from connector.s3.config import S3Place
from connector.s3.folders import list_folder
from connector.wiring import object_store, s3_config
from connector.wiring.queues import make_sqs
from connector.write.object_ledger import ObjectLedger, captured_file_of, in_parallel, record_name

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from connector.config import Settings

log = logging.getLogger("connector.aws.reconcile")

SERVICE = "reconcile"
OPEN_AFTER_MS = 3_600_000
"""An unwritten object of this age is queued again,"""
SELDOM_AFTER_MS = 25 * 3_600_000
"""and from this age on once a day."""
LEAST_MS = 60_000
"""With less time left than this nothing more is sent or removed; the next hour goes on."""
_DAY_MS = 86_400_000
_REMOVED_AT_A_TIME = 500
_NEVER: Callable[[], bool] = lambda: False  # noqa: E731


class Reconciled(NamedTuple):
    """What a look at the journal found and did."""

    open: int
    """Objects older than an hour without a record."""
    queued: int
    """Those of them that were queued again."""
    removed: int
    """Written objects whose retention is over."""


class Reconciler:
    """Compares the journal in S3 with the ledger.

    Raises:
        ConfigError: the settings name no journal or no queue, or the data folder is not in S3.
    """

    def __init__(self, settings: Settings) -> None:
        aws = settings.aws
        if not (aws.journal and aws.queue_url):
            raise ConfigError("aws.journal and aws.queue_url: one of them is not set")
        if not settings.is_s3:
            raise ConfigError("data: is a folder of this machine; that of a journal in S3 is in S3 too")
        self._settings = settings
        self._queue_url = aws.queue_url
        self._journal = JournalBucket(aws.journal, s3_config(settings))
        self._ledger = ObjectLedger(object_store(settings))
        self._sqs = make_sqs(settings)

    def run(self, stopping: Callable[[], bool] = _NEVER) -> Reconciled:
        """Queue and remove what is due. Any number may run at a time, beside any writers.

        The journal is listed before the ledger: what is written meanwhile has its record by then.

        Raises:
            StoreError, QueueError: what was done is done; the next run goes on.
        """
        now_ms = self._journal.clock_ms()
        objects = {place.captured_file: place for place in self._journal}
        recorded = self._recorded(objects)
        unwritten = [place for name, place in objects.items() if name not in recorded]
        waiting = [place for place in unwritten if _age_ms(place, now_ms) > OPEN_AFTER_MS]
        due = [place for place in waiting if _is_due(_age_ms(place, now_ms))]
        self._warn(waiting, now_ms)
        queued = send(self._sqs, self._queue_url, (notification(each.listed) for each in due), stopping)
        kept_ms = self._settings.retention_days * _DAY_MS
        old = [name for name in recorded if _age_ms(objects[name], now_ms) > kept_ms]
        return Reconciled(len(waiting), queued, self._remove(old, objects, stopping))

    def _recorded(self, wanted: Mapping[str, ObjectPlace]) -> set[str]:
        """Those that have a record, by its name: the ledger is listed, page by page, and only these kept."""
        data = S3Place.of(self._settings.data)
        folder = record_name("s-").rpartition("/")[0]
        client = client_of(s3_config(self._settings))
        found = list_folder(client, data.bucket, f"{data.prefix}{folder}/")
        keys = (each.key for each in found if not isinstance(each, str))
        names = (captured_file_of(key.removeprefix(data.prefix)) for key in keys)
        return {name for name in names if name is not None and name in wanted}

    def _remove(
        self, names: list[str], objects: Mapping[str, ObjectPlace], stopping: Callable[[], bool]
    ) -> int:
        """Delete written objects, each only when its record is there and whole: the tables have the only copy
        from then on."""
        removed = 0
        for batch in _in_batches(sorted(names), _REMOVED_AT_A_TIME):
            if stopping():
                break
            whole = [
                name
                for name, is_whole in zip(batch, in_parallel(self._is_whole, batch), strict=True)
                if is_whole
            ]
            self._journal.remove([objects[name] for name in whole])
            removed += len(whole)
        return removed

    def _is_whole(self, captured_file: str) -> bool:
        """True when the record is there and speaks of every byte: what it could not read lies only here."""
        try:
            found = self._ledger.record(captured_file)
        except LedgerError as damaged:
            log.error("%s stays in the journal: %s", captured_file, damaged)
            return False
        if found is None:
            return False
        record = found.record
        unread = record.torn_bytes or record.corrupt_bytes or record.missing_seq
        if unread:
            log.error("%s stays in the journal: not all of it could be read", captured_file)
        return not unread

    def _warn(self, waiting: list[ObjectPlace], now_ms: int) -> None:
        late = [place for place in waiting if _age_ms(place, now_ms) >= SELDOM_AFTER_MS]
        if late:
            oldest = min(late, key=lambda place: place.listed.modified_ms)
            log.error(
                "%d journal objects are not written for more than a day, the oldest is %s; look at the "
                "writer's log. They are queued once a day; connector replay writes them at once",
                len(late), oldest.name,
            )  # fmt: skip


def _is_due(age_ms: int) -> bool:
    """Every hour of the first day, then in one hour of each."""
    return age_ms < SELDOM_AFTER_MS or age_ms % _DAY_MS < OPEN_AFTER_MS


def _age_ms(place: ObjectPlace, now_ms: int) -> int:
    return now_ms - place.listed.modified_ms


def _in_batches(names: list[str], count: int) -> Iterator[list[str]]:
    for first in range(0, len(names), count):
        yield names[first : first + count]


@cache
def prepared() -> Reconciler:
    """The reconciler of this process, made once."""
    return Reconciler(settings_with_secrets())


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """Entry point of the Lambda: called on a schedule; what the event says means nothing.

    Raises:
        ConfigError, StoreError, QueueError: the invocation fails, and the next hour tries again.
    """
    name_invocation(context)
    done = prepared().run(lambda: context.get_remaining_time_in_millis() < LEAST_MS)
    figures = Figures(SERVICE)
    figures.add("OpenCaptures", done.open)
    figures.add("Requeued", done.queued)
    figures.add("JournalObjectsRemoved", done.removed)
    figures.emit()
    return done._asdict()


begin(SERVICE, prepared)
