"""Differences that are meant. ``docs/conformance.md`` gives each its reason; anything else is a fault."""

from __future__ import annotations

import json

from tests.oracle.oracle import Answer, Job

INHERITED = "members that JavaScript inherits"
EMPTY_PARENTHESES = "parentheses without a condition"
LIQUID_UNSUPPORTED = "a part of Liquid that is refused by name"
CONTEXT_NULL = "context or personas null"


def reason(job: Job, expected: Answer, got: Answer) -> str | None:
    """Why two different answers to a job are as they should be; None when nobody has said so."""
    stumbled = expected.get("failed") == "TypeError"
    if job["op"] == "match" and stumbled and "value" in got:
        return EMPTY_PARENTHESES
    if job["op"] == "mixpanel" and stumbled and "'personas'" in expected["message"] and "failed" not in got:
        return CONTEXT_NULL
    if "is not supported by this version" in got.get("message", ""):
        return LIQUID_UNSUPPORTED
    if job["op"] == "transform" and "__proto__" in json.dumps(job["mapping"]):
        return INHERITED
    return None
