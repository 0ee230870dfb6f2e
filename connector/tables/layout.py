"""Where rows lie: partition days and object names. Source: tables 6.1 to 6.3, journal-protocol 3.1."""

from __future__ import annotations

from datetime import date, timedelta

FIRST_DAY = date(2010, 1, 1)
LAST_DAY = date(2100, 1, 1)
DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)


def day_of(timestamp_ms: int | None) -> str:
    """UTC date of a timestamp in ms, ``YYYY-MM-DD``; ``2010-01-01`` when there is no time at all."""
    if timestamp_ms is None:
        return FIRST_DAY.isoformat()
    return (_EPOCH + timedelta(days=timestamp_ms // DAY_MS)).isoformat()


def ms_of(day: date) -> int:
    """First millisecond of a UTC date."""
    return (day - _EPOCH).days * DAY_MS


def table_file(table: str, day: str, captured_file: str, part: int, tag: str) -> str:
    """Path of a first write below the data folder."""
    return f"tables/{table}/day={day}/{captured_file}.p{part}.{tag}.parquet"


def rejected_file(day: str, captured_file: str, tag: str) -> str:
    return f"rejected/day={day}/{captured_file}.{tag}.ndjson.gz"
