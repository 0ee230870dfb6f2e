"""Times as Segment's Mixpanel destination reads them: ``dayjs.utc``. Source: mixpanel-actions 3."""

from __future__ import annotations

from connector.events import Json
from connector.mapping.jsdates import MAX_TIME_MS, dayjs_ms
from connector.values.times import plain_ms


def mixpanel_ms(value: Json) -> int | None:
    """
    Return the time in ms since the epoch; None where Segment takes its own clock: no value, 0, no date.

    A number is milliseconds, also one that was meant as seconds. Text without a zone is UTC, days beyond the
    month's end roll over, plain digits are year, month and day, and parts of a millisecond are cut.
    """
    if type(value) is str:
        ms = plain_ms(value)
        return dayjs_ms(value) if ms is None and value else ms
    if type(value) is int or type(value) is float:
        return int(value) if value and abs(value) <= MAX_TIME_MS else None
    return None
