"""Where rows lie: partition days and object names. Source: tables 6.1 to 6.3, journal-protocol 3.1."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

FIRST_DAY = date(2010, 1, 1)
LAST_DAY = date(2100, 1, 1)
DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)


def day_of(timestamp_ms: int | None) -> str:
    """UTC date of a timestamp in ms, ``YYYY-MM-DD``; ``2010-01-01`` when there is no time at all."""
    return _day_text(None if timestamp_ms is None else timestamp_ms // DAY_MS)


@lru_cache(maxsize=4_096)
def _day_text(days: int | None) -> str:
    return (FIRST_DAY if days is None else _EPOCH + timedelta(days=days)).isoformat()


def ms_of(day: date) -> int:
    """First millisecond of a UTC date."""
    return (day - _EPOCH).days * DAY_MS


def table_file(table: str, day: str, captured_file: str, part: int, tag: str) -> str:
    """Path of a first write below the data folder."""
    return f"tables/{table}/day={day}/{captured_file}.p{part}.{tag}.parquet"


def rejected_file(day: str, captured_file: str, tag: str) -> str:
    return f"rejected/day={day}/{captured_file}.{tag}.ndjson.gz"


def duplicates_file(day: str, captured_file: str, tag: str) -> str:
    return f"duplicates/day={day}/{captured_file}.{tag}.ndjson.gz"


def table_of(name: str) -> str:
    """``tables/events/day=2026-11-27/x.parquet`` -> ``events``."""
    return name.split("/")[1]


def day_in(name: str) -> str:
    """``tables/events/day=2026-11-27/x.parquet`` -> ``2026-11-27``; the same for files of lines."""
    return name.rsplit("/", 2)[-2].removeprefix("day=")
