"""The process behind the oracle: jobs in, answers out, whatever becomes of it."""

from __future__ import annotations

import os
import signal

import pytest

from tests.oracle import running
from tests.oracle.oracle import NOW_MS, Oracle, OracleDied

oracle = running.oracle

_ECHO = {"op": "transform", "mapping": {"a": {"@path": "$.x"}}, "data": {"x": "\ud83d"}}


def test_values_pass_the_pipe_unchanged_lone_surrogates_too(oracle: Oracle) -> None:
    assert oracle.ask(_ECHO) == {"value": {"a": "\ud83d"}}


def test_undefined_is_not_null(oracle: Oracle) -> None:
    missing, null = oracle.ask_all(
        [{"op": "transform", "mapping": {"@path": "$.x"}, "data": data} for data in ({}, {"x": None})]
    )

    assert (missing, null) == ({"undefined": True}, {"value": None})


def test_every_fault_of_a_mapping_is_a_message(oracle: Oracle) -> None:
    answer = oracle.ask({"op": "transform", "mapping": {"a": {"@b": 1}, "c": {"@path": 2}}, "data": {}})

    assert answer["messages"] == [
        "/a has an invalid directive: @b.",
        "/c/@path should be a string or a mapping directive but it is a number.",
    ]


def test_a_process_that_died_is_started_again(oracle: Oracle) -> None:
    before = oracle.pid()
    os.kill(before, signal.SIGKILL)

    assert oracle.ask(_ECHO) == {"value": {"a": "\ud83d"}}
    assert before != oracle.pid()


def test_jobs_that_end_every_process_are_an_error(oracle: Oracle) -> None:
    with pytest.raises(OracleDied):
        oracle.ask({"op": "exit"})


def test_clock_and_dice_stand_still_and_nothing_leaves_the_machine(oracle: Oracle) -> None:
    job = {
        "op": "mixpanel",
        "settings": {"projectToken": "t", "apiSecret": "s"},
        "subscriptions": [
            {
                "subscribe": 'type = "track"',
                "partnerAction": "trackEvent",
                "mapping": {"event": {"@path": "$.event"}},
            }
        ],
        "events": [{"type": "track", "event": "Order Completed"}],
        "batch": False,
    }

    answers = oracle.ask_all([job, job])

    assert answers[0] == answers[1]
    [[request]] = [result["requests"] for result in answers[0]["value"]]
    assert request["url"] == "https://api.mixpanel.com/import?strict=1"
    assert [event["properties"]["time"] for event in request["body"]] == [NOW_MS]
