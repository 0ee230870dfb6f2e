"""The reference page of Mixpanel's actions, printed from their declarations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from connector.mapping.fields import ActionField
from connector.mixpanel.fields import EVENT_FIELDS, MIXPANEL_ACTIONS, SETTINGS_FIELDS, MixpanelAction
from connector.mixpanel.settings import SWITCHES

_INTRODUCTION = """# Actions of Mixpanel

What Segment's Mixpanel (Actions) destination would send for an event. `connector map --mapping
mappings/mixpanel.yaml FILE` prints it and `connector check` runs its cases; nothing is sent, and a document
with these actions cannot be the mapping of a data folder.

A record's `table` is the last part of the endpoint: `import` (one event of the list), `engage`, `groups`,
`track` (what the form field `data` holds). A field that a subscription does not map is not sent: the defaults
below are what Segment fills in when a subscription is made. A value that cannot be read as its field's type
rejects the whole event (`mapping_failed`), in Segment's words.
"""
_DERIVED = """## What is derived instead of drawn

Segment takes its clock when an event says no time, and rolls dice when it has no message id. Here both come
from the event, so that a second run prints the same.

- `time` (missing, `""`, null or 0): `receivedAt` read in the same way, else the captured arrival, else 0.
- `insert_id`: the first 16 digits of the SHA-256 of the canonical event, read as a big-endian number and
  written in base 36 (`0-9a-z`, most significant digit first, no leading zeros). The canonical event is that
  of the lake's row ids: without `messageId`, `sentAt`, `_metadata`, without `receivedAt` if it says another
  time, else with it or the captured arrival; JSON with sorted keys, no blanks, ASCII escapes.

`{"event":"Order Completed","properties":{"order_id":"o1","revenue":25},"type":"track","userId":"u1",`
`"timestamp":"2026-01-05T10:00:00.000Z"}` has the insert id `1zvjsyo60ixouv0p`; its first product would have
`01zvjsyo60ixouv0p`.
"""
_MEANINGS = {
    "batch": "trackEvent and trackPurchase run as Segment runs a batch: empty texts at the root are kept",
    "deterministicIds": "`$insert_id` is the lake's `row_id` of the event, or of the order's line",
    "keepProductKeys": "product events keep all keys of their product as sent, and the order's `currency`",
    "foldEventNames": "a name counts as the ecommerce spec spells it: `order completed` is Order Completed",
    "purchasesOnlyOnOrders": "only an Order Completed gives product events",
}


def mixpanel_page() -> str:
    """Settings, actions and fields of a Mixpanel document."""
    parts = [
        "<!-- Printed by `make docs` from the declarations in `connector/`; edit those. -->\n",
        _INTRODUCTION,
        "## Settings\n",
        "Segment checks its own settings with every event and rejects the event when they are wrong; so does "
        "`connector map`, and `connector check` says it beforehand.\n",
        _grid(("key", "values", "required", "meaning"), _settings()),
        "Ours say how it is run, and where it may be better than exact "
        "(`docs/decisions/0014-better-than-mixpanel-by-name.md`).\n",
        _grid(("key", "default", "meaning"), ((f"`{key}`", "`false`", _MEANINGS[key]) for key in SWITCHES)),
        _DERIVED,
        "## Fields of events\n",
        "Of `trackEvent` and `trackPurchase`.\n",
        _fields(EVENT_FIELDS),
        *(_action(action) for action in MIXPANEL_ACTIONS.values()),
    ]
    return "\n".join(parts)


def _settings() -> Iterator[tuple[str, ...]]:
    for field in SETTINGS_FIELDS:
        values = ", ".join(f"`{choice}`" for choice in field.choices) or "text"
        yield f"`{field.key}`", values, _required(field), field.description


def _action(action: MixpanelAction) -> str:
    own = tuple(field for field in action.fields if field not in EVENT_FIELDS)
    rest = "" if len(own) == len(action.fields) else "Beside the fields of events:\n\n"
    return f"## `{action.partner_action}`\n\n{action.description}\n\n{rest}{_fields(own)}"


def _fields(fields: tuple[ActionField, ...]) -> str:
    return _grid(("field", "type", "required", "default mapping", "sent as"), map(_row, fields))


def _row(field: ActionField) -> tuple[str, ...]:
    default = "" if field.default is None else f"`{json.dumps(field.default)}`"
    return f"`{field.key}`", _type(field), _required(field), default, field.description


def _type(field: ActionField) -> str:
    kind = f"list of {field.type}" if field.multiple else field.type
    if field.allow_null:
        kind += " or null"
    if field.minimum is not None:
        kind += f", {field.minimum:g} to {field.maximum:g}"
    if field.properties:
        kind += ": " + ", ".join(f"`{inner.key}` {inner.type}" for inner in field.properties)
    return kind


def _required(field: ActionField) -> str:
    return "yes" if field.required else ""


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join(f"| {line} |".replace("|  |", "| |") for line in lines) + "\n"
