"""The check of a payload by its fields' schema, compiled: per payload there is one walk over its keys.

Removing empties, wrapping, coercion and validation are separate passes at Segment; none of them looks
beyond one value, so they are done together, value by value. Source: mapping-kit 8 and 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from connector.events import Json
from connector.mapping.action_field import ActionField
from connector.mapping.coercion import compile_coercion
from connector.mapping.field_keywords import compile_keywords
from connector.mapping.field_messages import PayloadInvalid, Where, finding, missing, wrong_type
from connector.mapping.field_schema import json_schema
from connector.mapping.jsvalues import in_key_order

Check = Callable[[Json, bool], dict[str, Json]]
"""``(resolved mapping, is_batch) -> payload``; raises ``PayloadInvalid``."""

Reader = Callable[[Json, Where, list[str]], Json]
"""``(value, where, findings) -> value read``; what is wrong is added to the findings."""

_PLAIN_TYPES: Mapping[str, type] = {"string": str, "boolean": bool, "number": int, "integer": int}


class _Level(NamedTuple):
    """What Segment does before it validates, which depends on where an object stands."""

    removes_empties: bool
    removes_empty_text: bool = False
    wraps: bool = False


_SINGLE = _Level(removes_empties=True, removes_empty_text=True, wraps=True)
_BATCH = _Level(removes_empties=True, wraps=True)
_NESTED = _Level(removes_empties=True)
_IN_A_LIST = _Level(removes_empties=False)


def compile_fields(fields: Sequence[ActionField]) -> Check:
    """
    Return the check of a payload with these fields.

    Returns:
        ``(resolved, is_batch) -> payload``: empties removed, lists made, values coerced, undeclared keys left
        out, keys in the order of the resolved mapping, which is not modified. Values that need no change are
        passed on, not copied. A text that reads as an infinity is None, as in JSON.

    Raises:
        PayloadInvalid: by the function returned, when the payload does not fit; every finding, in the order
            and the words of Segment.
        ConfigError: a field has a format nobody knows.
    """
    schema = json_schema(fields)
    single, batch = _object_reader(schema, _SINGLE), _object_reader(schema, _BATCH)

    def check(resolved: Json, is_batch: bool) -> dict[str, Json]:
        findings: list[str] = []
        payload: dict[str, Json] = (batch if is_batch else single)(resolved, None, findings)
        if findings:
            raise PayloadInvalid(findings)
        return payload

    return check


def _reader(schema: Mapping[str, Json], level: _Level) -> Reader:
    if "items" in schema:
        return _list_reader(schema)
    return _object_reader(schema, level) if "properties" in schema else _scalar_reader(schema)


def _types(schema: Mapping[str, Json]) -> list[str]:
    return [schema["type"]] if isinstance(schema["type"], str) else schema["type"]


def _plain_type(schema: Mapping[str, Json]) -> type | None:
    """Return the Python type whose values need no reading at all, if there is one."""
    if not {"type", "title", "description", "default", "$schema"}.issuperset(schema):
        return None
    names = _types(schema)
    return dict if names == ["object"] else _PLAIN_TYPES.get(names[0])


def _scalar_reader(schema: Mapping[str, Json]) -> Reader:
    types = _types(schema)
    title = schema.get("title", "")
    coerce = compile_coercion(types)
    keywords = compile_keywords(schema)

    def read(value: Json, where: Where, findings: list[str]) -> Json:
        value, fits = coerce(value)
        if not fits:
            findings.append(finding(title, where, wrong_type(types, value)))
        for violated in keywords:
            if text := violated(value):
                findings.append(finding(title, where, text))
        return None if type(value) is float and not math.isfinite(value) else value

    return read


def _list_reader(schema: Mapping[str, Json]) -> Reader:
    title = schema.get("title", "")
    coerce = compile_coercion(["array"])
    read_item = _reader(schema["items"], _IN_A_LIST)
    plain = _plain_type(schema["items"])

    def read(value: Json, where: Where, findings: list[str]) -> Json:
        items, fits = coerce(value)
        if not fits:
            findings.append(finding(title, where, wrong_type(["array"], items)))
            return items
        return [
            item if type(item) is plain else read_item(item, (where, index), findings)
            for index, item in enumerate(items)
        ]

    return read


class _Member(NamedTuple):
    position: int
    plain: type | None
    prepare: Callable[[Json], tuple[Json, ...]]
    """The value after removal and wrapping, or () when it is removed."""
    read: Reader


def _object_reader(schema: Mapping[str, Json], level: _Level) -> Reader:
    title = schema.get("title", "")
    properties = schema["properties"]
    required = schema["required"]
    keeps_undeclared = schema["additionalProperties"]
    inner = _NESTED if level.removes_empties else _IN_A_LIST
    members = {
        key: _Member(
            position,
            _plain_type(properties[key]),
            _prepare(properties[key], level),
            _reader(properties[key], inner),
        )
        for position, key in enumerate(in_key_order(properties))
    }

    def read(value: Json, where: Where, findings: list[str]) -> Json:
        if not isinstance(value, dict):
            findings.append(finding(title, where, wrong_type(["object"], value)))
            return value
        result: dict[str, Json] = {}
        wrong: list[tuple[int, list[str]]] = []
        for key, item in value.items():
            member = members.get(key)
            if member is None:
                if keeps_undeclared:
                    result[key] = item
            elif type(item) is member.plain and item != "":
                result[key] = item
            else:
                for prepared in member.prepare(item):
                    found: list[str] = []
                    result[key] = member.read(prepared, (where, key), found)
                    if found:
                        wrong.append((member.position, found))
        findings += [finding(title, where, missing(key)) for key in required if key not in result]
        for _, found in sorted(wrong):
            findings += found
        return result

    return read


def _prepare(schema: Mapping[str, Json], level: _Level) -> Callable[[Json], tuple[Json, ...]]:
    """Return what removes an empty value, empty items of a list, and wraps what should be a list."""
    if not level.removes_empties:
        return lambda value: (value,)
    removes = _removal(schema, text_too=level.removes_empty_text)
    if "items" not in schema:
        return lambda value: () if removes(value) else (value,)
    removes_item = _removal(schema["items"])

    def prepare(value: Json) -> tuple[Json, ...]:
        if isinstance(value, list):
            return ([item for item in value if not removes_item(item)],)
        if removes(value):
            return ()
        return ([value],) if level.wraps else (value,)

    return prepare


def _removal(schema: Mapping[str, Json], *, text_too: bool = False) -> Callable[[Json], bool]:
    """Return whether a value counts as empty for its types."""
    types = _types(schema)
    keeps_null = "null" in types
    keeps_text = "string" in types and not text_too
    return lambda value: (value is None and not keeps_null) or (value == "" and not keeps_text)
