"""What a comparison with Segment's archive has found, for a person and as JSON."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from connector import json_text
from connector.commands.columns import aligned, printable
from connector.commands.rejected import iso
from connector.reconcile.archive import NotRead
from connector.reconcile.healed import Healed
from connector.reconcile.losses import Losses
from connector.rounds import Written
from connector.terminal import err, out

MOST_IDS = 20
_MOST_NAMED = 20


@dataclass(slots=True)
class Report:
    """Every event of the archive is counted in one of ``arrived``, ``missing``, ``apart``, ``copies`` and
    ``unreadable``; some of the last run short when a file could not be read a second time."""

    archive: str
    first: date | None
    last: date | None
    not_read: Sequence[NotRead]
    files: int = 0
    compared: int = 0
    """Events, each time one is there."""
    arrived: int = 0
    """In the tables, among the rejected, or waiting in the journal."""
    waiting: int = 0
    """Of these, events that only the journal has."""
    waiting_files: int = 0
    missing: int = 0
    """Different events that never arrived."""
    apart: Counter[str] = field(default_factory=Counter)
    """``unmatched`` and ``suppressed``."""
    copies: int = 0
    """Further ones of an event that is missing or apart."""
    unreadable: int = 0
    without_day: int = 0
    """Files that were passed over: days were asked for and they lie in no day folder."""
    healed: list[Healed] | None = None
    written: list[Written] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when everything that was asked for was compared, and nothing is missing any more."""
        if self.not_read or (self.without_day and not self.files):
            return False
        return not self.missing or (bool(self.healed) and not self.unwritten)

    @property
    def unwritten(self) -> list[str]:
        """Captured files of missing events that could not be brought into the tables."""
        names = [place.name for done in self.written for place in (*done.failed, *done.changed)]
        return names + [str(done.stopped) for done in self.written if done.stopped]


def print_report(report: Report, losses: Losses) -> None:
    """Print what is missing on standard output, what to know about it on standard error."""
    counts = {
        "arrived": report.arrived, "missing": report.missing, **dict(report.apart),
        "copies": report.copies, "unreadable": report.unreadable,
    }  # fmt: skip
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count or name != "copies")
    out.print(f"compared {report.compared:,} events of {report.files:,} archive files: {said}", markup=False)
    if report.missing:
        _print_losses(losses)
    _say(report, losses)


def print_json(report: Report, losses: Losses) -> None:
    """Print one object; its last member are the message ids of all that is missing."""
    text = json_text.dump({**_figures(report, losses), "message_ids": []})
    sys.stdout.write(text.rstrip()[: -len("]\n}")])
    separator = "\n    "
    for message_id in losses.message_ids():
        sys.stdout.write(separator + orjson.dumps(message_id).decode())
        separator = ",\n    "
    sys.stdout.write("]\n}\n")


def _figures(report: Report, losses: Losses) -> dict[str, Any]:
    return {
        "archive": report.archive,
        "from": report.first and report.first.isoformat(),
        "to": report.last and report.last.isoformat(),
        "files": report.files,
        "compared": report.compared,
        "arrived": report.arrived,
        "waiting_in_journal": report.waiting,
        "missing": report.missing,
        "unmatched": report.apart["unmatched"],
        "suppressed": report.apart["suppressed"],
        "copies": report.copies,
        "unreadable": report.unreadable,
        "files_without_day": report.without_day,
        "not_compared": [found._asdict() for found in report.not_read],
        "by_event": [
            {"source": each.source, "event": each.event, "events": each.events,
             "first_received": iso(each.first_ms), "last_received": iso(each.last_ms)}
            for each in losses.by_event()
        ],
        "by_time": [{"received": time, "events": events} for time, events in losses.by_time()],
        "rejected_by_reason": losses.reasons(),
        "healed": None if report.healed is None else _healed(report),
    }  # fmt: skip


def _healed(report: Report) -> dict[str, Any]:
    fates: Counter[str] = Counter()
    for done in report.written:
        fates.update(
            {fate: done.counts.of(fate) for fate in ("stored", "rejected", "unmatched", "duplicate")}
        )
    return {
        "files": [file._asdict() | {"path": str(file.path)} for file in report.healed or ()],
        "known": sum(done.known for done in report.written),
        **fates,
        "unwritten": report.unwritten,
    }


def _print_losses(losses: Losses) -> None:
    groups = [
        [
            each.source,
            printable(each.event),
            f"{each.events:,}",
            iso(each.first_ms) or "",
            iso(each.last_ms) or "",
        ]
        for each in losses.by_event()
    ]
    _columns(("source", "event", "events", "first received", "last received"), groups)
    times = [[time or "unknown", f"{events:,}"] for time, events in losses.by_time()]
    _columns(("received", "events"), times)
    out.print()
    out.print("message ids, the earliest first:")
    ids = list(losses.message_ids(MOST_IDS + 1))
    for message_id in ids[:MOST_IDS]:
        out.print(f"  {printable(message_id)}", markup=False)
    if len(ids) > MOST_IDS:
        out.print("  … and more; --json prints all")


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    out.print()
    for number, line in enumerate(aligned(head, rows, right=("events",))):
        out.print(line, style=None if number else "dim", markup=False)


def _say(report: Report, losses: Losses) -> None:
    for found in report.not_read[:_MOST_NAMED]:
        err.print(f"✗ {found.name}: {found.reason}", markup=False)
    if len(report.not_read) > _MOST_NAMED:
        err.print(f"✗ … and {len(report.not_read) - _MOST_NAMED:,} more were not compared")
    if report.without_day:
        err.print(
            f"{report.without_day:,} files were passed over: they lie in no day folder, such as "
            "segment-logs/<source id>/<day>/, and days were asked for"
        )
    if report.waiting:
        err.print(f"{report.waiting:,} of those that arrived wait in {report.waiting_files:,} journal files")
    for fate, count in report.apart.items():
        why = "no action subscribes to them" if fate == "unmatched" else "their people asked to be forgotten"
        err.print(f"{count:,} {fate}: {why}, so nobody can tell whether they arrived")
    if report.unreadable:
        err.print(f"{report.unreadable:,} records cannot be read, so nobody can tell what they are")
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in losses.reasons().items())
    if reasons:
        err.print(f"the configuration of now rejects {reasons}", markup=False)
    if report.missing and report.healed is None:
        err.print("without --dry-run exactly these are replayed")
    for name in report.unwritten:
        err.print(f"✗ {name}: could not be written; run the same command again", markup=False)
    for done in report.written:
        err.print(done.said)
