"""The four rules that come before every report, in plain Python: nothing here knows SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
_NEVER = 1 << 62


def unique(rows: Iterable[Row]) -> list[Row]:
    """One row per ``row_id``, the first received."""
    first: dict[str, Row] = {}
    for row in rows:
        known = first.get(row["row_id"])
        if known is None or _arrival(row) < _arrival(known):
            first[row["row_id"]] = row
    return list(first.values())


def _arrival(row: Row) -> tuple[int, str, int]:
    received = row.get("received_ms")
    return (_NEVER if received is None else received, row["captured_file"], row["captured_index"])


def order(row: Row) -> tuple[int, str, int, str]:
    """How one person's rows follow each other."""
    line = row.get("line_index")
    message = row.get("message_id")
    return (
        row["time_ms"],
        "\U0010ffff" if message is None else message,
        -1 if line is None else line,
        row["row_id"],
    )


def links(events: Iterable[Row], profiles: Iterable[Row] = (), aliases: Iterable[Row] = ()) -> dict[str, str]:
    """Device -> the first user that was said of it."""
    said: list[tuple[tuple[Any, ...], str, str]] = []
    for table in (events, profiles, aliases):
        for row in unique(table):
            for device in (row.get("anonymous_id"), row.get("previous_id")):
                if device and row.get("user_id"):
                    timed = row if row.get("time_ms") is not None else {**row, "time_ms": _NEVER}
                    said.append((order(timed), device, row["user_id"]))
    found: dict[str, str] = {}
    for _, device, user in sorted(said):
        found.setdefault(device, user)
    return found


def resolved(
    events: Sequence[Row], profiles: Sequence[Row] = (), aliases: Sequence[Row] = ()
) -> list[dict[str, Any]]:
    """Unique rows with a time, each with its ``uid``, in the order of 0.4."""
    users = links(events, profiles, aliases)
    rows = [{**row, "uid": _uid(row, users)} for row in unique(events) if row.get("time_ms") is not None]
    return sorted(rows, key=order)


def _uid(row: Row, users: Mapping[str, str]) -> str | None:
    user, device, distinct = row.get("user_id"), row.get("anonymous_id"), row.get("distinct_id")
    if user:
        return str(user)
    if device:
        return users.get(device, f"$device:{device}")
    return users.get(distinct, distinct) if distinct else None


def local(row_or_ms: Row | int, zone: str) -> datetime:
    """The wall clock of a row or a moment."""
    ms = row_or_ms if isinstance(row_or_ms, int) else row_or_ms["time_ms"]
    return (datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(milliseconds=ms)).astimezone(
        ZoneInfo(zone)
    )


def local_day(row_or_ms: Row | int, zone: str) -> date:
    return local(row_or_ms, zone).date()


def midnight_ms(day: date, zone: str) -> int:
    """The first ms of a local day."""
    ms = (
        round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("UTC")).timestamp() * 1_000)
        - 172_800_000
    )
    for step in (86_400_000, 3_600_000, 60_000, 1_000, 1):
        while local_day(ms + step, zone) < day:
            ms += step
    return ms + 1
