"""``connector replay``: captured files into the tables, each once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from connector.config import Settings
from connector.errors import ConfigError, StoreError
from connector.journal.archive import Days
from connector.journal.listing import Listing
from connector.nearest import close_name
from connector.options import SLUG
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
        source: names files that do not say their source; one of the configured ones where any is.
        since, until: first and last received day that is wanted; files in no day folder are passed over then.

    Returns:
        Exit code 1 when one of them could not be written or breaks off, when days were asked for and no file
        lies in a day folder, or when S3 was lost on the way; what is done stays done.

    Raises:
        ConfigError: an argument leads to nothing, no such source is configured, or the settings are wrong.
        Busy: another process held the data folder for a minute.
        StoreError: S3 could not be reached.
    """
    _check_source(settings, source)
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
    nothing = listing.without_day and not (written.files or written.known)
    return 1 if written.failed or written.changed or written.damaged or nothing else 0


def _check_source(settings: Settings, source: str | None) -> None:
    """A misspelt name would stay in the rows for good."""
    if source is None:
        return
    if not SLUG.fullmatch(source):
        raise ConfigError("--source: a name has small letters, digits, - and _, at most 64 of them")
    if settings.sources and source not in settings.sources:
        there = close_name(source, settings.sources) or ", ".join(sorted(settings.sources))
        raise ConfigError(f"--source: no source {source} is configured; there is {there}")


def _say(written: Written, listing: Listing) -> None:
    for place in written.failed[:_MOST_NAMED]:
        err.print(f"✗ {place.name}: could not be written", markup=False)
    if len(written.failed) > _MOST_NAMED:
        err.print(f"✗ … and {len(written.failed) - _MOST_NAMED:,} more")
    for place in written.changed[:_MOST_NAMED]:
        err.print(f"✗ {place.name}: changed meanwhile; run the same command again", markup=False)
    for place in written.damaged[:_MOST_NAMED]:
        err.print(
            f"✗ {place.name}: breaks off; what came before is written. Get the whole file and replay it: "
            "what is there already becomes copies",
            markup=False,
        )
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
    if written.rejected:
        reasons = ", ".join(f"{count:,} {code}" for code, count in written.rejected.most_common())
        err.print(f"rejected: {reasons}; look at them with: connector rejected list", markup=False)


def _told_to_try_again(trouble: StoreError) -> StoreError:
    text = f"{trouble}; run it again: what is done is not done twice"
    return StoreError(text, code=trouble.code, retryable=trouble.retryable)
