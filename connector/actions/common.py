"""The columns every table shares: identity, the four times, the envelope, bookkeeping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.actions.call import Call, Columns, LakeSettings
from connector.actions.reading import is_missing
from connector.events import TRACKING_ROUTES, Flag, Json
from connector.jsontext import dumps
from connector.tables.layout import LAST_DAY, ms_of
from connector.values.coerce import text
from connector.values.times import plain_ms, read_time

_LAST_MS = ms_of(LAST_DAY)
_DAY_MS = 86_400_000
_TIMES = (("originalTimestamp", "original_timestamp"), ("sentAt", "sent_at"), ("receivedAt", "received_at"))
SHARED_KEYS = frozenset(
    "type event messageId userId anonymousId groupId channel timestamp originalTimestamp sentAt receivedAt "
    "properties context writeKey".split()
)
"""Top-level keys that stay out of the envelope unless what was sent did not fit."""


def bookkeeping(call: Call, table: str, subscription: str, row_id: str) -> Columns:
    """A row with what does not come from the payload, and the message's id."""
    row: Columns = {
        "row_id": row_id,
        "source": call.source,
        "type": call.type,
        "proven": call.proven,
        "mapping": call.mapping,
        "subscription": subscription,
    }
    if call.message_id is not None:
        row["message_id"] = call.message_id
    return row


def note_identity(call: Call, event: dict[str, Json], flags: list[Flag], rest: dict[str, Json]) -> None:
    if call.message_id is None:
        flags.append(Flag("message_id_missing", "messageId"))
    if type(event.get("messageId")) is not str:
        keep_unread(event, ("messageId",), rest)


def keep_unread(event: dict[str, Json], keys: Iterable[str], rest: dict[str, Json]) -> None:
    """Shared keys that this row has no column for stay in the envelope."""
    for key in keys:
        value = event.get(key)
        if not is_missing(value):
            rest[key] = value


def put_text(
    event: dict[str, Json], key: str, column: str, row: Columns, flags: list[Flag], rest: dict[str, Json]
) -> None:
    """A top-level value to a text column; what did not fit as sent stays in the envelope too."""
    value = event.get(key)
    if value is None or value == "":
        return
    if type(value) is str and value.isascii() and "\0" not in value:
        row[column] = value
        return
    noticed = len(flags)
    typed = text(value, key, flags)
    if typed:
        row[column] = typed
    if len(flags) > noticed:
        rest[key] = value


def put_people(event: dict[str, Json], row: Columns, flags: list[Flag], rest: dict[str, Json]) -> None:
    put_text(event, "userId", "user_id", row, flags, rest)
    put_text(event, "anonymousId", "anonymous_id", row, flags, rest)


def put_distinct(row: Columns, flags: list[Flag]) -> None:
    """The known person, else the device; asked last, because the mapping may set either."""
    if "distinct_id" in row:
        return
    distinct = row.get("user_id") or row.get("anonymous_id")
    if distinct is None:
        flags.append(Flag("identity_missing", "userId"))
    else:
        row["distinct_id"] = distinct


def put_times(
    call: Call,
    event: dict[str, Json],
    settings: LakeSettings,
    row: Columns,
    flags: list[Flag],
    rest: dict[str, Json],
) -> None:
    """The four times, and the one that counts (tables 6.2). Source: segment-delivery 1.8, quirks 58 to 62."""
    for key, column in _TIMES:
        value = event.get(key)
        plain = plain_ms(value)
        if plain is not None:
            row[column] = plain
            continue
        if is_missing(value):
            continue
        read = read_time(value)
        if read.code is not None:
            flags.append(Flag(read.code, key))
        if read.ms is not None:
            row[column] = read.ms
        if not read.exact:
            rest[key] = value
    received = row.get("received_at")
    if received is None and call.received_at_ms is not None:
        received = row["received_at"] = call.received_at_ms
    sent = event.get("timestamp")
    stated = plain_ms(sent)
    if stated is None and not is_missing(sent):
        read = read_time(sent)
        stated = read.ms
        if read.code is not None:
            flags.append(Flag(read.code, "timestamp"))
        if not read.exact:
            rest["timestamp"] = sent
    latest = _LAST_MS if received is None else min(_LAST_MS, received + settings.future_bound_ms)
    usable = stated is not None and _earliest(call, settings) <= stated <= latest
    if stated is not None and not usable:
        flags.append(Flag("time_out_of_range", "timestamp"))
        if call.sent_times is None:
            rest["timestamp"] = sent
    if call.sent_times is not None:
        _keep_sent_times(call.sent_times, row, rest, all_of_them=not usable)
    if usable:
        row["timestamp"] = stated
        return
    for other in (received, call.received_at_ms, row.get("original_timestamp")):
        if other is not None and settings.first_ms <= other <= _LAST_MS:
            row["timestamp"] = other
            flags.append(Flag("time_replaced", "timestamp"))
            return
    flags.append(Flag("time_missing", "timestamp"))


def _earliest(call: Call, settings: LakeSettings) -> int:
    """First usable millisecond: whoever has a public write key must not open partitions without end."""
    days = settings.past_bound_days
    if days is None or call.received_at_ms is None or call.route not in TRACKING_ROUTES:
        return settings.first_ms
    return max(settings.first_ms, call.received_at_ms - days * _DAY_MS)


def _keep_sent_times(
    sent: Mapping[str, Json], row: Columns, rest: dict[str, Json], *, all_of_them: bool
) -> None:
    """What an SDK said of times goes to the envelope where the columns do not say the same."""
    for key, value in sent.items():
        column = "received_at" if key == "receivedAt" else "original_timestamp"
        read = read_time(value)
        if all_of_them or not read.exact or read.ms != row.get(column):
            rest[key] = value


def put_json(row: Columns, column: str, value: Json) -> None:
    """A J column: only objects that hold something."""
    if type(value) is dict and value:
        row[column] = dumps(value)


def finish(row: Columns, call: Call, flags: list[Flag]) -> Columns:
    """Flags in the order of their first appearance, each once; violations of the main row."""
    row["flags"] = list(dict.fromkeys(flags)) if flags else []
    row["violations"] = list(call.violations)
    return row
