"""What a path says about a captured file: whose events it holds, and the day on which they were received.

Segment's archive is ``[prefix/]segment-logs/<source id>/<received day>/<file>.gz`` (segment-delivery 3); our
own journal keeps what is written in ``done/<day>/``. Any other folder says nothing, whatever it is called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from connector.errors import ConfigError

_ARCHIVE = re.compile(r"(?:.*/)?segment-logs/([^/]+)/(?:([^/]+)/)?", re.DOTALL)
_JOURNAL = re.compile(r"(?:.*/)?done/([^/]+)/", re.DOTALL)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UNIX_DAY = re.compile(r"\d{10}|\d{13}", re.ASCII)

_NO_EVENTS = frozenset((".open", ".new", ".part", ".parquet", ".md", ".yaml", ".yml", ".csv"))
_CONNECTION_TEST = "dummy-object.txt"
"""Segment leaves it in ``segment-logs`` when somebody tests the connection."""


class Origin(NamedTuple):
    """Where a path says that events come from."""

    source_id: str | None = None
    """Segment's id of the source; None outside an archive."""
    day: date | None = None
    """UTC day on which they were received; None outside a day folder."""


@dataclass(frozen=True, slots=True)
class Days:
    """
    The days that are wanted, both ends included; None leaves an end open.

    Raises:
        ConfigError: the first is behind the last.
    """

    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise ConfigError(f"--since {self.since} is after --until {self.until}")

    @property
    def bounded(self) -> bool:
        return self.since is not None or self.until is not None

    def __contains__(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


def origin_of(path: str) -> Origin:
    """Read a path with ``/`` between its parts; a folder ends with ``/``."""
    archive = _ARCHIVE.match(path)
    if archive is not None:
        return Origin(archive[1], received_day(archive[2] or ""))
    journal = _JOURNAL.match(path)
    return Origin(None, _iso_day(journal[1]) if journal else None)


def received_day(name: str) -> date | None:
    """The UTC day in the name of a folder: Unix seconds, Unix milliseconds or ``YYYY-MM-DD``; else None."""
    if _UNIX_DAY.fullmatch(name):
        return datetime.fromtimestamp(int(name[:10]), UTC).date()
    return _iso_day(name)


def may_hold_events(relative: str) -> bool:
    """False for what a folder holds beside captured files.

    Passed over are hidden files and folders, marks such as ``_SUCCESS``, journal files that are still open,
    what by its suffix holds no events, and Segment's ``dummy-object.txt``.

    Args:
        relative: path below the folder that was named, ``/`` between its parts; a folder ends with ``/``.
    """
    if relative.startswith(".") or "/." in relative:
        return False
    name = relative.rpartition("/")[2]
    if name.startswith("_") and "." not in name:
        return False
    dot = name.rfind(".")
    return name != _CONNECTION_TEST and (dot < 0 or name[dot:] not in _NO_EVENTS)


def _iso_day(name: str) -> date | None:
    if not _ISO_DAY.fullmatch(name):
        return None
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
