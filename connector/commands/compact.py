"""``connector compact``: one pass over the days of a data folder."""

from __future__ import annotations

from datetime import date

from connector.compaction import ALL, Compacted
from connector.config import Settings
from connector.errors import ConfigError
from connector.terminal import err, progress
from connector.wiring import existing_data, make_changes, make_compactor, make_preparer, rules_of
from connector.write.checkpoints import Checkpoints
from connector.write.data import DataReader
from connector.write.folding import Fold


def run(settings: Settings, first: date | None, last: date | None) -> int:
    """Write a checkpoint of the ledger when one is due, compact every day in the range, remove replaced files
    whose grace is over, then prepare duplicates and identities of all days for those who ask.

    Returns:
        Exit code 1 when a day's files changed so often that it is left for the next time.

    Raises:
        ConfigError: there is no such data folder, or the range is none.
        StoreError, LedgerError, Busy, OSError: what is done stays done.
    """
    if first and last and first > last:
        raise ConfigError(f"--from {first} is after --to {last}")
    data = existing_data(settings)
    changes = make_changes(settings)
    compactor = make_compactor(settings, changes)
    days = [
        day
        for day in compactor.days()
        if (first is None or first.isoformat() <= day) and (last is None or day <= last.isoformat())
    ]
    _keep_checkpoint(data, compactor.state)
    with progress("compacting", len(days)) as (_, done):
        compacted = compactor.run(rules_of(settings, ALL), days, lambda _: done())
    removed = changes.remove_old(int(settings.grace_seconds * 1_000))
    _say(compacted, len(days), len(removed), settings.grace_seconds)
    _prepare(settings)
    return 1 if compacted.left_for_later else 0


def _keep_checkpoint(data: DataReader, state: Fold) -> None:
    """A cache, as ``_prepare``."""
    try:
        Checkpoints(data.checkpoints()).keep(state)
    except Exception as trouble:
        err.print(f"✗ no checkpoint of the ledger is written: {str(trouble) or type(trouble).__name__}")


def _say(done: Compacted, days: int, removed: int, grace_seconds: float) -> None:
    if done.days:
        err.print(
            f"compacted {done.days:,} of {days:,} days: {done.files_before:,} files became "
            f"{done.files_after:,}, {_size(done.bytes_before)} became {_size(done.bytes_after)}, "
            f"{done.duplicates:,} duplicates taken out"
        )
    else:
        err.print(f"nothing to do: {days:,} days are compact and free of copies")
    if removed:
        err.print(f"removed {removed:,} files that had been replaced")
    if done.files_before and grace_seconds:
        err.print(f"replaced files go after {grace_seconds:,.0f} s, with the next compaction or serve")
    for day in done.left_for_later:
        err.print(f"✗ {day}: its files changed again and again; run it again")


def _prepare(settings: Settings) -> None:
    """A cache: what goes wrong with it is said, and is no fault of the compaction."""
    try:
        done = make_preparer(settings).run()
    except Exception as trouble:
        err.print(f"✗ duplicates and identities are not prepared: {str(trouble) or type(trouble).__name__}")
        return
    if done is not None:
        err.print(f"prepared: {done}")


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.2f} GB"
