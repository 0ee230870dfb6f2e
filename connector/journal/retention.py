"""What leaves the journal for good, and only this: old files whose events the ledger knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from connector.journal.folders import JournalFolders, make_folder, started_ms

DAY_MS = 86_400_000
_CLOCK = ".retention"


class Expired(NamedTuple):
    """What one round of retention did."""

    removed: tuple[str, ...]
    """Names of the captured files whose bytes are gone."""
    paused: bool
    """True: the clock stepped by more than a day within the last day, nothing was removed: warn."""


def expire(
    folders: JournalFolders,
    older_than_ms: int,
    now_ms: int,
    recorded: Callable[[Sequence[str]], Collection[str]],
) -> Expired:
    """
    Remove files of ``done/`` that are in the ledger and older than the limit by name and by file time.

    Args:
        folders: the journal.
        older_than_ms: age limit in ms.
        now_ms: wall clock; compared with the previous round's to notice a clock that jumped.
        recorded: those of these captured files that the ledger has.

    Call it at least once a day. A step of more than a day between two rounds (or a long pause of the service)
    pauses retention for a day.
    """
    if _clock_jumped(folders, now_ms):
        return Expired((), paused=True)
    old = [path for path in folders.done.glob("*/*.gz") if _is_old(path, now_ms - older_than_ms)]
    known = recorded([path.stem for path in old]) if old else ()
    return _remove(folders, [path for path in old if path.stem in known])


def expire_refused(folders: JournalFolders, older_than_ms: int, now_ms: int) -> Expired:
    """Remove closed files of refused bodies older than their own limit; the ledger knows none of them."""
    if _clock_jumped(folders.refused, now_ms):
        return Expired((), paused=True)
    old = [path for path in folders.refused.closed.glob("*") if _is_old(path, now_ms - older_than_ms)]
    return _remove(folders, old)


def _remove(folders: JournalFolders, paths: list[Path]) -> Expired:
    return Expired(tuple(_unlinked(folders, sorted(paths))), paused=False)


def _unlinked(folders: JournalFolders, paths: list[Path]) -> Iterator[str]:
    for path in paths:
        folders.disk.unlink(path)
        yield path.name.removesuffix(".gz")


def _is_old(path: Path, limit_ms: int) -> bool:
    try:
        return started_ms(path.name) < limit_ms and path.stat().st_mtime_ns // 1_000_000 < limit_ms
    except (ValueError, FileNotFoundError):
        return False


def _clock_jumped(folders: JournalFolders, now_ms: int) -> bool:
    """Note this round's time; return True within a day after a step of more than a day, either way."""
    make_folder(folders.root, folders.disk)
    path = folders.root / _CLOCK
    try:
        seen_ms, resumes_ms = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        seen_ms, resumes_ms = now_ms, now_ms
    if abs(now_ms - seen_ms) > DAY_MS:
        resumes_ms = now_ms + DAY_MS
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps([now_ms, resumes_ms]))
    folders.disk.rename(temporary, path)
    return bool(now_ms < resumes_ms)
