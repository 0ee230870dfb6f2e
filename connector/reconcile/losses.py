"""What never arrived, event by event: counted for people, and handed on to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.events import Captured, Outcome
from connector.journal.places import Place
from connector.reconcile.archive import Archive
from connector.reconcile.keys import message_id_of
from connector.values.times import read_time

if TYPE_CHECKING:
    import duckdb

_BATCH = 10_000
_COLUMNS = "source VARCHAR, event VARCHAR, received_ms BIGINT, message_id VARCHAR, reason VARCHAR"
_HOURS = 48
"""Hours that are counted one by one; of more, days are."""

Take = Callable[[Place, Captured], None]


class Group(NamedTuple):
    """Events of one source and name that never arrived."""

    source: str
    event: str
    events: int
    first_ms: int | None
    """When Segment received the first of them, in ms since the epoch; None when none says it."""
    last_ms: int | None


class Losses:
    """Events that never arrived, in a table of the comparison's database."""

    def __init__(self, lake: duckdb.DuckDBPyConnection) -> None:
        """``lake``: has the schema ``work``."""
        self._lake = lake
        self._rows: list[tuple[Any, ...]] = []
        self.apart: Counter[str] = Counter()
        """``unmatched`` and ``suppressed`` events: they leave no trace in the tables, so nobody can tell."""
        self.total = 0
        lake.execute(f"CREATE TABLE work.lost ({_COLUMNS})")

    def collect(
        self,
        missing: Iterator[tuple[int, int]],
        places: Mapping[int, Place],
        archive: Archive,
        pipeline: Callable[[Captured], Outcome],
        take: Take,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Read the events that are missing once more, and ask the pipeline for their fates.

        Args:
            missing: numbers of files and of events in them, in this order.
            take: given each event that leaves a trace, with its file.
            done: told of each file.
        """
        for number, wanted in groupby(missing, key=lambda at: at[0]):
            indexes = {index for _, index in wanted}
            for captured in _chosen(archive.events(places[number]), indexes):
                outcome = pipeline(captured)
                if outcome.fate in ("unmatched", "suppressed"):
                    self.apart[outcome.fate] += 1
                else:
                    self._note(captured, outcome)
                    take(places[number], captured)
            done()
        self._flush()

    def by_event(self) -> list[Group]:
        """The most frequent first."""
        rows = self._lake.execute(
            "SELECT source, event, count(*), min(received_ms), max(received_ms) FROM work.lost "
            "GROUP BY source, event ORDER BY 3 DESC, 1, 2"
        ).fetchall()
        return [Group(*row) for row in rows]

    def by_time(self) -> list[tuple[str | None, int]]:
        """UTC hours, ``2026-03-01T10``, or days when the hours are many; with the events received in each."""
        hours = self._counted("%Y-%m-%dT%H")
        return hours if len(hours) <= _HOURS else self._counted("%Y-%m-%d")

    def reasons(self) -> dict[str, int]:
        """Reason to how many of them the present configuration rejects for it."""
        query = (
            "SELECT reason, count(*) FROM work.lost WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return dict(self._lake.execute(query).fetchall())

    def message_ids(self, most: int | None = None) -> Iterator[str]:
        """In the order in which Segment received them; those that have none are left out."""
        limit = "" if most is None else f" LIMIT {most}"
        rows = self._lake.cursor().execute(
            "SELECT message_id FROM work.lost WHERE message_id IS NOT NULL "
            f"ORDER BY received_ms NULLS LAST, message_id{limit}"
        )
        while batch := rows.fetchmany(_BATCH):
            yield from (message_id for (message_id,) in batch)

    def _counted(self, form: str) -> list[tuple[str | None, int]]:
        return self._lake.execute(
            f"SELECT strftime(make_timestamp(received_ms * 1000), '{form}') AS time, count(*) "
            "FROM work.lost GROUP BY time ORDER BY time NULLS LAST"
        ).fetchall()

    def _note(self, captured: Captured, outcome: Outcome) -> None:
        event = captured.event
        received_ms = read_time(event.get("receivedAt")).ms
        row = outcome.rows[0].columns if outcome.rows else {}
        rejected = outcome.rejected
        name = row.get("event") or row.get("type") or (rejected and (rejected.event or rejected.type))
        reason = rejected.code if rejected else None
        message_id = message_id_of(event)
        self._rows.append((captured.source, name or "unknown", received_ms, message_id, reason))
        self.total += 1
        if len(self._rows) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        sources, events, times, ids, reasons = zip(*self._rows, strict=True)
        text = pa.string()
        self._lake.register("lost_rows", pa.table({
            "source": pa.array(sources, text), "event": pa.array(map(_storable, events), text),
            "received_ms": pa.array(times, pa.int64()), "message_id": pa.array(ids, text),
            "reason": pa.array(reasons, text),
        }))  # fmt: skip
        self._lake.execute("INSERT INTO work.lost SELECT * FROM lost_rows")
        self._lake.unregister("lost_rows")
        self._rows.clear()


def _chosen(events: Iterator[Captured], indexes: set[int]) -> Iterator[Captured]:
    left = len(indexes)
    for captured in events if left else ():
        if captured.captured_index in indexes:
            yield captured
            left -= 1
            if not left:
                return


def _storable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()
