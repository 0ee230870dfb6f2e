"""``connector audit``: what the ledger proves, on screen or as JSON."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from connector.commands.journals import Journals
from connector.config import Settings
from connector.errors import ConfigError
from connector.journal.folders import JournalFolders
from connector.journal.reader import identify
from connector.terminal import err, out
from connector.wiring import existing_data

if TYPE_CHECKING:
    from connector.write.data import DataReader


def run(settings: Settings, as_json: bool, deep: bool) -> int:
    """Exit code: 0 when everything holds, 1 otherwise.

    Args:
        deep: also read every row again and compare its hash.

    Raises:
        ConfigError: there is no such data folder, so there is nothing to prove.
    """
    from connector.write.audit import audit

    data = existing_data(settings)
    journals = Journals(settings)
    journal = journals.local
    report = audit(
        data,
        journal_closed=journals.closed,
        now_ms=time.time_ns() // 1_000_000,
        refused=journals.refused(),
        deep=deep,
        open_after_ms=round(settings.open_after_seconds * 1000),
        named=journals.named,
    )
    if strangers := list(_not_what_is_recorded(journal, data)):
        report = replace(report, ok=False, findings=(*report.findings, *strangers))
    if report.ok and not report.entries and not journals.are_there:
        raise ConfigError(f"{settings.data}: holds no ledger and no journal, so there is nothing to prove")
    if as_json:
        out.print_json(json.dumps({"ok": report.ok, **asdict(report)}))
        return 0 if report.ok else 1
    for finding in report.findings:
        err.print(f"[red]✗[/red] {finding}")
    verdict = "holds" if report.ok else f"does not hold: {len(report.findings)} findings"
    out.print(report.equation)
    out.print(
        f"{report.table_rows:,} rows in {report.table_files:,} table files, "
        f"{report.rejected_files:,} files of rejected events, "
        f"{report.captured_files:,} captured files, {report.entries:,} ledger entries"
    )
    for count, what in (
        (_open(journal), "journal files are being written; connector drain closes and writes them"),
        (report.in_flight, "objects are being written by an attempt that is alive"),
        (report.leftover_files, "objects were left by attempts that died; the sweep removes them"),
        (report.old_files, "replaced files are left for a while to those who read them"),
        (report.waiting_files, "journal files wait to be written"),
        (report.refused, "refused bodies are kept, outside the sum"),
        (report.torn_bytes, "bytes behind a break, of files that end in the middle"),
    ):
        if count:
            out.print(f"{count:,} {what}")
    if not journals.are_there and (settings.is_s3 or settings.journal is not None):
        out.print(f"No journal was looked at: there is no {journal.root.absolute()}", markup=False)
    out.print(f"The ledger {verdict}.")
    return 0 if report.ok else 1


def _not_what_is_recorded(journal: JournalFolders, data: DataReader) -> Iterator[str]:
    """Closed files whose name the ledger has for other bytes: nothing will ever write them."""
    for name in journal.waiting():
        record = data.record(name)
        with contextlib.suppress(FileNotFoundError):
            path = journal.closed / name
            if record and identify(path, of_journal=True).sha256 != record.identity["sha256"]:
                yield f"{name} is not what the ledger has under its name: its events are not written."


def _open(journal: JournalFolders) -> int:
    return sum(1 for _ in journal.open.glob("*.open"))
