"""What a shop's program calls: the project's examples as arguments of an SDK, and the rows they become."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_ARGUMENTS = "type event userId anonymousId previousId groupId name category properties traits".split()


def _call(path: Path) -> dict[str, Any]:
    """The arguments of an SDK: ids of messages, times and the library are the SDK's own."""
    event = json.loads(path.read_bytes())
    call = {name: event[name] for name in _ARGUMENTS if event.get(name) is not None}
    return {**call, "context": {name: each for name, each in event["context"].items() if name != "library"}}


CALLS: tuple[Mapping[str, Any], ...] = tuple(
    _call(path) for path in sorted((ROOT / "examples").glob("*/*.json")) if path.stem != "delete"
)
"""28 ecommerce events, one of each other call."""

ORDER = next(call for call in CALLS if call.get("event") == "Order Completed")


def kind_of(call: Mapping[str, Any]) -> str:
    """What a row is found by: the event's name, or the type of another call."""
    return str(call.get("event", call["type"]))
