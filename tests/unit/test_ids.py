"""Identity of events and rows (tables 3): worked examples that any other program must reproduce."""

from __future__ import annotations

import json
import uuid
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.values.ids import event_key, message_key, row_id

NAMESPACE = uuid.UUID("95b76182-2911-53f5-8556-563f05d5e6f2")
ORDER = event_key("track", "Order Completed", "iajs-next-1740787200000-0f1c")
PAGE_ID = "i022bb90c-bbac-11e4-8dfc-aa07a5b093db"
WITHOUT_ID = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "timestamp": "2026-01-05T10:00:00.000Z",
    "properties": {"order_id": "o1", "revenue": 25},
}
HASH_OF_IT = "h501b3f103d547198d141b82b1fee5ad09ea9c06d9a38837697d69fff841a252c"


@pytest.mark.parametrize(
    ("table", "occurrence", "line", "key", "expected"),
    [
        ("events", 0, None, ORDER, "2aac45e6-4dd7-59e8-8545-8e4953b20038"),
        ("events", 0, 0, ORDER, "4e0590ca-5e88-5318-9622-3d73d3a38c46"),
        ("events", 0, 1, ORDER, "a3890ffb-604b-5acb-9b52-83fff8745fb0"),
        ("events", 1, None, ORDER, "ee4b96c3-a374-51cf-87d9-ec70aa99aa7d"),
        ("events", 0, None, event_key("page", "", PAGE_ID), "6214782b-cbd5-5f47-8882-331961c2cfaf"),
        ("profiles", 0, None, event_key("identify", "", PAGE_ID), "cee61bae-b203-5c86-8a29-0446e991d432"),
        (
            "events",
            0,
            None,
            event_key("track", "Order Completed", HASH_OF_IT),
            "fff2ce69-12ed-5e1f-acf6-e18c100d792a",
        ),
    ],
)
def test_worked_row_ids(table: str, occurrence: int, line: int | None, key: str, expected: str) -> None:
    assert row_id(table, occurrence, line, key) == expected


def test_the_length_of_a_name_counts_its_utf8_bytes() -> None:
    assert event_key("track", "Größe", "i1") == "track/7/Größe/i1"


def test_a_message_id_is_the_key() -> None:
    assert message_key(WITHOUT_ID, "ajs-1", 5) == "iajs-1"


def test_without_a_message_id_the_content_is_the_key() -> None:
    assert message_key(WITHOUT_ID, None, None) == HASH_OF_IT
    assert message_key(dict(reversed(WITHOUT_ID.items())), "", 1_767_607_200_000) == HASH_OF_IT


@pytest.mark.parametrize("key", ["messageId", "sentAt", "_metadata", "receivedAt"])
def test_what_changes_with_each_delivery_is_not_part_of_the_content(key: str) -> None:
    assert message_key({**WITHOUT_ID, key: "2026-01-05T10:00:09.000Z"}, None, None) == HASH_OF_IT


@pytest.mark.parametrize("key", ["userId", "event", "properties", "timestamp", "context", "anything"])
def test_everything_else_is_part_of_the_content(key: str) -> None:
    assert message_key({**WITHOUT_ID, key: "other"}, None, None) != HASH_OF_IT


def canonical(value: Any) -> str:
    return "h" + sha256(json.dumps(value, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize("missing", [{}, {"timestamp": None, "originalTimestamp": None}])
def test_an_event_without_a_time_of_its_own_is_known_by_its_arrival(missing: dict[str, Any]) -> None:
    notice = {"type": "delete", "userId": "u1", **missing}
    arrived = {**notice, "receivedAt": "2026-01-05T10:00:00.000Z"}

    assert message_key(arrived, None, 5) == canonical(arrived)
    assert message_key(notice, None, 1_767_607_200_000) == canonical(arrived)
    assert message_key(notice, None, None) == canonical(notice)


def test_an_original_timestamp_is_time_enough() -> None:
    said = {"type": "track", "event": "A", "originalTimestamp": "2026-01-05T10:00:00.000Z"}

    assert message_key({**said, "receivedAt": "2026-01-05T10:00:03.000Z"}, None, 7) == canonical(said)


NAMES = st.text(st.characters(), max_size=8) | st.sampled_from(["a/1/b", "/", "1/x", "Größe", "\ud800"])


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["events", "profiles"]),
    st.integers(0, 3),
    st.none() | st.integers(0, 20),
    st.text(max_size=8),
    st.text(max_size=8),
)
def test_a_row_id_is_what_uuid_libraries_make(
    table: str, occurrence: int, line: int | None, name: str, key: str
) -> None:
    hashed = f"{table}/{occurrence}/{'' if line is None else line}/{event_key('track', name, key)}"

    assert row_id(table, occurrence, line, event_key("track", name, key)) == str(
        uuid.uuid5(NAMESPACE, hashed)
    )


@settings(deadline=None, max_examples=200)
@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_different_names_or_keys_never_share_an_event_key(
    left: tuple[str, str], right: tuple[str, str]
) -> None:
    same = event_key("track", left[0], "i" + left[1]) == event_key("track", right[0], "i" + right[1])

    assert same == (left == right)


def test_broken_text_has_an_identity_of_its_own() -> None:
    keys = [event_key("track", name, "i1") for name in ("\ud800", "\ud801", "\ufffd")]

    assert len({row_id("events", 0, None, key) for key in keys}) == 3


def test_an_empty_time_is_no_time_so_the_arrival_tells_events_apart() -> None:
    said = {"type": "track", "event": "A", "timestamp": "", "originalTimestamp": None, "receivedAt": ""}

    assert message_key(said, None, 1_773_489_600_000) != message_key(said, None, 1_773_489_600_001)
