"""What an event is known by when two places are compared."""

from __future__ import annotations

from typing import Any

import pytest

from connector.config import load_settings
from connector.events import Captured
from connector.reconcile.keys import CONTENT, MESSAGE, ROW, Key, key_of
from connector.wiring import configure

PIPELINE = configure(load_settings(), preview=True).pipeline


def captured(event: Any, error: str | None = None) -> Captured:
    return Captured("h-1", 0, "web", "file", None, "none", event, error, False, lambda: b"", "line 0")


@pytest.mark.parametrize(
    ("sent", "known_as"),
    [("m-1", "m-1"), (4711, "4711"), (1.5e3, "1500"), ("a\ud800", "a\ufffd"), (" m ", " m ")],
)
def test_an_event_is_known_by_its_message_id_as_the_tables_have_it(sent: Any, known_as: str) -> None:
    event = {"type": "track", "event": "Lamp Lit", "userId": "u", "messageId": sent}

    assert key_of(captured(event), PIPELINE) == Key(MESSAGE, known_as)
    assert PIPELINE(captured(event)).rows[0].columns["message_id"] == known_as


@pytest.mark.parametrize("sent", [None, "", True, ["m"], {"id": "m"}, float("nan")])
def test_without_one_it_is_known_by_its_row(sent: Any) -> None:
    event = {"type": "track", "event": "Lamp Lit", "userId": "u", "messageId": sent}

    key = key_of(captured(event), PIPELINE)

    assert key == Key(ROW, PIPELINE(captured(event)).rows[0].own["row_id"])


def test_without_a_row_it_is_known_by_its_content() -> None:
    nameless = {"type": "track", "userId": "u", "timestamp": "2026-03-01T00:00:00Z"}

    key = key_of(captured(nameless), PIPELINE)

    assert key is not None
    assert key.kind == CONTENT
    assert key == key_of(captured({**nameless, "receivedAt": "2026-03-01T00:00:01Z"}), PIPELINE)
    assert key != key_of(captured({**nameless, "userId": "v"}), PIPELINE)


@pytest.mark.parametrize(
    "event", [captured(None, "not_json"), captured([1]), captured("text"), captured(None)]
)
def test_what_is_no_event_is_known_by_nothing(event: Captured) -> None:
    assert key_of(event, PIPELINE) is None
