"""``connector replay``: captured files into the tables, each once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from connector.config import Settings
from connector.errors import StoreError
from connector.journal.archive import Days
from connector.journal.listing import Listing
from connector.rounds import Writer, Written
from connector.terminal import err, growing_progress
from connector.wiring import configure, s3_config

_MOST_NAMED = 20
"""Captured files that are named at the end; the log has named every one."""


def run(
    settings: Settings,
    arguments: Sequence[str],
    source: str | None,
    workers: int,
    since: date | None = None,
    until: date | None = None,
) -> int:
    """Write every captured file behind the arguments.

    Args:
        arguments: files, folders, globs, ``s3://bucket/prefix``.
        since, until: first and last received day that is wanted; files in no day folder are passed over then.

    Returns:
        Exit code 1 when one of them could not be written, or S3 was lost on the way; what is done stays done.

    Raises:
        ConfigError: an argument leads to nothing, or the settings are wrong.
        Busy: another process held the data folder for a minute.
        StoreError: S3 could not be reached.
    """
    try:
        listing = Listing(arguments, Days(since, until), s3_config(settings))
        writer = Writer(settings, configure(settings))
        with growing_progress("replaying") as bar:
            written = writer.write(
                bar.counted(listing), source=source, progress=bar.events,
                done=lambda _: bar.done(), workers=workers,
            )  # fmt: skip
    except StoreError as trouble:
        raise _told_to_try_again(trouble) from None
    _say(written, listing)
    if written.stopped:
        raise _told_to_try_again(written.stopped)
    return 1 if written.failed or written.changed else 0


def _say(written: Written, listing: Listing) -> None:
    for place in written.failed[:_MOST_NAMED]:
        err.print(f"✗ {place.name}: could not be written", markup=False)
    if len(written.failed) > _MOST_NAMED:
        err.print(f"✗ … and {len(written.failed) - _MOST_NAMED:,} more")
    for place in written.changed[:_MOST_NAMED]:
        err.print(f"✗ {place.name}: changed meanwhile; run the same command again", markup=False)
    if listing.without_day:
        err.print(
            f"{listing.without_day:,} captured files were passed over: they lie in no day folder, such as "
            "segment-logs/<source id>/<day>/, and days were asked for",
            markup=False,
        )
    if listing.other_days:
        err.print(f"{listing.other_days:,} folders of other days were passed over")
    known = f"; {written.known:,} were in the ledger already" if written.known else ""
    err.print(f"{written.said}{known}")


def _told_to_try_again(trouble: StoreError) -> StoreError:
    text = f"{trouble}; run it again: what is done is not done twice"
    return StoreError(text, code=trouble.code, retryable=trouble.retryable)
