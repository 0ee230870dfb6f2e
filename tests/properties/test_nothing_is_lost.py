"""Nothing received is lost by interpretation: what has no column, or did not fit, is readable beside it."""

from __future__ import annotations

import json
import math
from typing import Any

from event_strategies import BY_NAME, EVENTS, JSON, PIPELINE, PRODUCTS, TEXT, captured
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.events import Row
from connector.values.coerce import text
from connector.values.times import read_time

LAW = settings(deadline=None, max_examples=150)


def mended(value: Any) -> Any:
    """A value as JSON can say it: what a J column must hold of it."""
    if isinstance(value, dict):
        return {mended(key): mended(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [mended(inner) for inner in value]
    if isinstance(value, str):
        return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: the order of keys means nothing, but true is not 1 and 1.0 is not 1."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def opened(columns: dict[str, Any], name: str) -> Any:
    return json.loads(columns[name]) if name in columns else {}


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


TEXT_COLUMNS = {
    "type": "type",
    "event": "received_event",
    "messageId": "message_id",
    "userId": "user_id",
    "anonymousId": "anonymous_id",
    "groupId": "group_id",
    "previousId": "previous_id",
    "channel": "channel",
    "name": "page_name",
    "category": "page_category",
}
TIME_COLUMNS = {
    "timestamp": "timestamp",
    "originalTimestamp": "original_timestamp",
    "sentAt": "sent_at",
    "receivedAt": "received_at",
}


def typed_as_sent(row: Row, key: str, value: Any) -> bool:
    """The value stands in its own column and can be written back from it; a name may have been a number."""
    if key in TEXT_COLUMNS:
        found = row.columns.get(TEXT_COLUMNS[key])
        return found is not None and found == (text(value, key, []) if key == "event" else value)
    read = read_time(value)
    return key in TIME_COLUMNS and read.exact and row.columns.get(TIME_COLUMNS[key]) == read.ms


@LAW
@given(EVENTS)
def test_nothing_at_the_top_of_an_event_is_lost(event: dict[str, Any]) -> None:
    for row in PIPELINE(captured(event)).rows[:1]:
        if row.table == "deletions":
            continue
        envelope = opened(row.columns, "envelope")
        for key, value in event.items():
            if is_empty(value) or key in ("writeKey", "context"):
                continue
            kept = key in ("properties", "traits") and same(opened(row.columns, key), mended(value))
            enveloped = mended(key) in envelope and same(envelope[mended(key)], mended(value))
            assert kept or enveloped or typed_as_sent(row, key, mended(value)), key


def leaves(value: Any, path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


def at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def is_as_sent(found: Any, value: Any) -> bool:
    """Numbers may change their Python type on the way into a column, true and 1 are still two things."""
    return found == value and (type(found) is bool) == (type(value) is bool)


CONTEXT_COLUMNS: dict[tuple[str, ...], list[str]] = {}
for column in BY_NAME["events"].columns:
    for source in column.sources:
        if source.startswith("context."):
            CONTEXT_COLUMNS.setdefault(tuple(source.split(".")[1:]), []).append(column.name)


@LAW
@given(EVENTS)
def test_nothing_in_context_is_lost(event: dict[str, Any]) -> None:
    context = event.get("context")
    for row in PIPELINE(captured(event)).rows[:1]:
        if row.table == "deletions" or not isinstance(context, dict):
            continue
        rest = opened(row.columns, "context")
        for path, value in leaves(mended(context)):
            if value is None or value == {}:
                continue
            typed = [row.columns.get(name) for name in CONTEXT_COLUMNS.get(path, ())]
            assert same(at(rest, path), value) or any(is_as_sent(found, value) for found in typed), path


@LAW
@given(st.dictionaries(TEXT.filter(lambda key: key != "products"), JSON, max_size=5), PRODUCTS)
def test_every_leaf_of_the_properties_is_readable_on_the_order_and_on_its_line(
    own: Any, products: Any
) -> None:
    properties = {**own, "products": products}

    main, *lines = PIPELINE(
        captured({"type": "track", "event": "Order Completed", "properties": properties})
    ).rows

    assert same(opened(main.columns, "properties"), mended(properties))
    for line in lines:
        sent = products[line.columns["line_index"]]
        if isinstance(sent, dict):
            assert same(opened(line.columns, "properties"), mended(sent))
