"""What a batch says for all of its events, and what an event says itself."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connector.journal.elements import body_elements

SENT_AT = "2026-11-21T21:18:29.703Z"


def events(body: bytes) -> list[Any]:
    return [element.event for element in body_elements(body)]


@pytest.mark.parametrize(
    ("own", "merged"),
    [
        pytest.param(
            {}, {"sentAt": SENT_AT, "context": {"ip": "1"}, "integrations": {"A": True}}, id="nothing"
        ),
        pytest.param(
            {"sentAt": None, "context": None, "integrations": None},
            {"sentAt": SENT_AT, "context": {"ip": "1"}, "integrations": {"A": True}},
            id="null is nothing, as Python's SDK writes it",
        ),
        pytest.param(
            {"sentAt": "own", "context": {"os": "x"}, "integrations": {"A": False}},
            {"sentAt": "own", "context": {"ip": "1", "os": "x"}, "integrations": {"A": False}},
            id="its own",
        ),
        pytest.param(
            {"sentAt": "", "context": [], "integrations": False},
            {"sentAt": "", "context": [], "integrations": False},
            id="what is odd but there",
        ),
    ],
)
@pytest.mark.parametrize("odd", [False, True], ids=["strict", "beside an event that is broken"])
def test_an_event_of_a_batch_holds(own: dict[str, Any], merged: dict[str, Any], odd: bool) -> None:
    shared = b'"context":{"ip":"1"},"integrations":{"A":true},"sentAt":"%b"}' % SENT_AT.encode()
    broken = b',{"type":}' if odd else b""

    [event, *_] = events(b'{"batch":[' + orjson.dumps({"type": "track", **own}) + broken + b"]," + shared)

    assert event == {"type": "track", **merged}


def test_null_of_the_batch_is_told_to_events_that_say_nothing() -> None:
    assert events(b'{"batch":[{"a":1}],"sentAt":null,"context":null}') == [
        {"a": 1, "sentAt": None, "context": None}
    ]
