"""The shipped documents compiled, the examples, and small ways to change and check them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from connector.schemas import read_schemas
from connector.validate import Schemas, compile_schemas

EXAMPLES = Path(__file__).parents[2] / "examples"

CALLS = {path.stem: json.loads(path.read_text()) for path in sorted(EXAMPLES.glob("*/*.json"))}

EVENT_FILES = sorted(EXAMPLES.glob("events/*.json"))

SHIPPED = read_schemas()

SCHEMAS = compile_schemas(SHIPPED)

ABSENT = object()

SECRET = "mira.delgado@example.com"


def changed(name: str, place: str, value: Any) -> Any:
    """Return an example with one place set to a value, or taken out."""
    event = copy.deepcopy(CALLS[name])
    *outer, last = [int(token) if token.isdigit() else token for token in place.split("/")]
    holder = event
    for token in outer:
        holder = holder[token]
    if value is ABSENT:
        del holder[last]
    else:
        holder[last] = value
    return event


def check(event: Any, schemas: Schemas = SCHEMAS) -> list[tuple[str, str, str]]:
    checked = schemas.check(event, event.get("event"), event.get("type"))
    return [(violation.path, violation.rule, violation.got_type) for violation in checked.violations]


def one(schema: Any) -> Schemas:
    return compile_schemas({"own.json": {"title": "Own", **schema}})
