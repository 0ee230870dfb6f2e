"""``connector rejected list``: what was not taken, by reason and event."""

from __future__ import annotations

import csv
import sys
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from connector import json_text
from connector.commands.columns import aligned, printable
from connector.config import Settings
from connector.errors import ConfigError
from connector.lake.faults import lake_errors
from connector.lake.open import open_lake
from connector.nearest import close_name
from connector.tables import REJECTED_REASONS, TABLES
from connector.terminal import err, out
from connector.wiring import existing_data

if TYPE_CHECKING:
    import duckdb


_STATED = "TRY(json_extract_string(raw, '$.receivedAt'))"
_IS_ISO = r"'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$'"
SEEN_MS = f"""coalesce(received_at_ms, CASE WHEN regexp_matches({_STATED}, {_IS_ISO})
    THEN epoch_ms(TRY_CAST({_STATED} AS TIMESTAMPTZ)) END)"""
"""When a row of the view ``rejected`` was received, in ms since the epoch: the arrival here, else what
Segment says in an event that came in a file; null when nobody says it."""
PLACE = "captured_file || ':' || captured_index"
"""What one row of the view is called."""

_HEAD = ("reason", "event", "sources", "events", "first seen", "last seen", "path", "example")
_LONGEST_NAME = 48
_NAME_CHARS = 10
_RANDOM_CHARS = 8


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rejected events are meant; None: all."""

    source: str | None = None
    since: date | None = None
    """First UTC day on which they were received. Those whose time nobody says are left out then."""
    reason: str | None = None

    @property
    def condition(self) -> str:
        """For a query over the view ``rejected``; its parameters are ``parameters``."""
        return (
            "($source IS NULL OR source = $source) AND ($reason IS NULL OR code = $reason) "
            f"AND ($since_ms IS NULL OR {SEEN_MS} >= $since_ms)"
        )

    @property
    def parameters(self) -> dict[str, Any]:
        day = self.since
        since_ms = None if day is None else timegm(day.timetuple()) * 1000
        return {"source": self.source, "reason": self.reason, "since_ms": since_ms}


def show_list(settings: Settings, chosen: Chosen, *, as_json: bool) -> None:
    """Print the groups, those with the most events first.

    Raises:
        ConfigError: there is no such data folder, no such reason, or no such source.
        LakeUnreadable: a file cannot be read.
    """
    data = existing_data(settings)
    with lake_errors(data.uri), open_lake(data) as lake:
        check_chosen(lake, settings, chosen)
        groups = _groups(lake, chosen)
        untimed = _without_time(lake, chosen) if chosen.since else 0
    if as_json:
        click.echo(json_text.dump([dict(zip(_KEYS, group, strict=True)) for group in groups]), nl=False)
        return
    if out.is_terminal:
        _print_aligned(groups)
    elif groups:
        writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
        writer.writerows([_HEAD, *(_cells(group, _iso) for group in groups)])
    _say_what_next(groups, untimed, filtered=chosen != Chosen())


def check_chosen(lake: duckdb.DuckDBPyConnection, settings: Settings, chosen: Chosen) -> None:
    """
    Raises:
        ConfigError: nothing can ever have this reason, or nobody has this source's name.
    """
    if chosen.reason is not None and chosen.reason not in REJECTED_REASONS:
        close = close_name(chosen.reason, REJECTED_REASONS)
        meant = f"did you mean {close}? " if close else ""
        reasons = ", ".join(sorted(REJECTED_REASONS))
        raise ConfigError(f"--reason: there is no reason {chosen.reason}; {meant}There are {reasons}")
    if chosen.source is not None and chosen.source not in settings.sources:
        views = " UNION ".join(f"SELECT source FROM {name}" for name in _views())
        senders = [name for (name,) in lake.execute(views).fetchall() if name]
        if chosen.source not in senders:
            known = ", ".join(sorted({*settings.sources, *senders}))
            there = f"there is {known}" if known else "nobody has sent anything yet"
            raise ConfigError(f"--source: there is no source {chosen.source}; {there}")


def short(captured_file: str, captured_index: int) -> str:
    """The place of an event as short as ``connector rejected show`` takes it; rarely not the only one.

    A hash begins with what is special about it, the name of a journal file ends with it.
    """
    is_hash = captured_file.startswith(("h-", "s-"))
    name = captured_file[:_NAME_CHARS] if is_hash else captured_file[-_RANDOM_CHARS:]
    return f"{name}:{captured_index}"


def iso(ms: int | None) -> str | None:
    """Milliseconds since the epoch as ``2026-03-01T10:11:12Z``."""
    return None if ms is None else datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_KEYS = (
    "reason", "event", "sources", "events", "first_seen", "last_seen", "path", "captured_file",
    "captured_index",
)  # fmt: skip


def _groups(lake: duckdb.DuckDBPyConnection, chosen: Chosen) -> list[tuple[Any, ...]]:
    """Rows with the values of ``_KEYS``. The example is what was received last."""
    rows = lake.execute(
        f"""
        SELECT code, name, list_sort(list(DISTINCT source)), count(*), min(seen_ms), max(seen_ms),
            max_by({{'file': captured_file, 'index': captured_index, 'path': violations[1].path}},
                   (coalesce(seen_ms, 0), captured_file, captured_index))
        FROM (SELECT *, coalesce(event, type) AS name, {SEEN_MS} AS seen_ms FROM rejected
              WHERE {chosen.condition})
        GROUP BY code, name ORDER BY 4 DESC, code, name
        """,
        chosen.parameters,
    ).fetchall()
    return [
        (code, name, sources, events, iso(first), iso(last), at["path"], at["file"], at["index"])
        for code, name, sources, events, first, last, at in rows
    ]


def _without_time(lake: duckdb.DuckDBPyConnection, chosen: Chosen) -> int:
    whenever = Chosen(chosen.source, None, chosen.reason)
    query = f"SELECT count(*) FROM rejected WHERE {whenever.condition} AND {SEEN_MS} IS NULL"
    found = lake.execute(query, whenever.parameters).fetchone()
    return int(found[0]) if found else 0


def _views() -> list[str]:
    return ["rejected", *(f"{table.name}_raw" for table in TABLES)]


def _iso(moment: str | None) -> str:
    return moment or ""


def _to_minutes(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else ""


def _cells(group: Sequence[Any], time: Any) -> list[str]:
    code, name, sources, events, first, last, path, file, index = group
    named = ", ".join(printable(source) for source in sources)
    return [code, printable(name), named, str(events), time(first), time(last), path or "", f"{file}:{index}"]


def _print_aligned(groups: Sequence[Sequence[Any]]) -> None:
    rows = []
    for group in groups:
        reason, _, sources, _, first, last, path, _ = _cells(group, _to_minutes)
        name, events = printable(group[1], _LONGEST_NAME), f"{group[3]:,}"
        rows.append([reason, name, sources, events, first, last, path, short(*group[-2:])])
    for number, line in enumerate(aligned(_HEAD, rows, right=("events",)) if rows else ()):
        out.print(line, style=None if number else "dim", markup=False)


def _say_what_next(groups: Sequence[Sequence[Any]], untimed: int, *, filtered: bool) -> None:
    if untimed:
        err.print(f"{untimed:,} more are left out: nobody says when they were received")
    if not groups:
        err.print("nothing of this kind is rejected" if filtered else "nothing is rejected")
        return
    err.print(f"why: connector rejected show {short(*groups[0][-2:])}", markup=False)
    err.print("once it is mended: connector rejected redrive --dry-run", markup=False)
