"""What Segment's validator refuses, in its words, every fault with its path. Source: mapping-kit 5.

A check is ``(value, stack) -> faults``; ``stack`` holds the keys from the root. It looks into objects and the
arguments of directives, but not into lists, nor into what ``@literal`` and ``@excludeWhenNull`` hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from connector.errors import Fault
from connector.events import Json
from connector.mapping.directives import MAX_PATTERN_LENGTH, MAX_REPLACEMENT_LENGTH
from connector.mapping.jsjson import stringify
from connector.mapping.jsvalues import UNDEFINED, in_key_order, type_name, utf16_length

Stack = tuple[str, ...]
Check = Callable[[Json, Stack], list[Fault]]

_METADATA = "_metadata"


def directive_name(mapping: Mapping[str, Json]) -> str | None:
    """Return the directive that an object is, None for plain data: all its keys must begin with ``@``.

    The first such key runs; ``_metadata`` may stand beside it and means nothing.
    """
    names = [key for key in mapping if key.startswith("@")]
    others = [key for key in mapping if not key.startswith("@") and key != _METADATA]
    return names[0] if names and not others else None


def validate_mapping(mapping: Json) -> list[Fault]:
    """Return every fault of a mapping: first what no JSON file could hold, then what Segment refuses."""
    return list(_not_json(mapping, ())) or _any(mapping, ())


def _not_json(mapping: Json, stack: Stack) -> Iterator[Fault]:
    """Find what YAML may hold and JSON may not: a key that is a number, a bare date."""
    if isinstance(mapping, dict):
        for key, value in mapping.items():
            if not isinstance(key, str):
                yield _fault(f"has the key {key!r}, which should be quoted", stack)
            yield from _not_json(value, (*stack, str(key)))
    elif isinstance(mapping, list):
        for index, value in enumerate(mapping):
            yield from _not_json(value, (*stack, str(index)))
    elif not isinstance(mapping, str | int | float | None):
        yield from _wrong("a JSON value", type_name(mapping), stack)


def _fault(text: str, stack: Stack) -> Fault:
    return Fault(f"/{'/'.join(stack)}", f"{text}.")


def _kind(value: Json) -> str:
    if isinstance(value, dict) and any(key.startswith("@") for key in value):
        return "directive"
    return type_name(value)


def _wrong(expected: str, kind: str, stack: Stack) -> list[Fault]:
    article = "an" if kind[:1] in tuple("aeiou") else "a"
    return [_fault(f"should be {expected} but it is {article} {kind}", stack)]


def _of_kind(expected: str, *kinds: str) -> Check:
    """Return the check that a value has one of the kinds; a directive among them is validated too."""

    def check(value: Json, stack: Stack) -> list[Fault]:
        kind = _kind(value)
        if kind not in kinds:
            return _wrong(expected, kind, stack)
        return _directive(value, stack) if kind == "directive" else []

    return check


_string = _of_kind("a string", "string")
_boolean = _of_kind("a boolean", "boolean")
_list = _of_kind("an array", "array")
_string_or_directive = _of_kind("a string or a mapping directive", "string", "directive")
_raw_or_directive = _of_kind(
    "a mapping directive or a JSON value",
    *("directive", "object", "array", "boolean", "string", "number", "null"),
)


def _any(value: Json, stack: Stack) -> list[Fault]:
    if not isinstance(value, dict):
        return []
    return _directive(value, stack) if _kind(value) == "directive" else _object(value, stack)


def _object(value: Json, stack: Stack) -> list[Fault]:
    kind = _kind(value)
    if kind != "object":
        return _wrong("an object", kind, stack)
    return [fault for key in in_key_order(value) for fault in _any(value[key], (*stack, key))]


def _object_or_directive(value: Json, stack: Stack) -> list[Fault]:
    kind = _kind(value)
    if kind not in ("directive", "object"):
        return _wrong("a object or a mapping directive", kind, stack)
    return _any(value, stack)


def _directive(value: Mapping[str, Json], stack: Stack) -> list[Fault]:
    names = [key for key in value if key.startswith("@")]
    if len(names) > 1 or directive_name(value) is None:
        count = len(names) if len(names) > 1 else len(value)
        return [_fault(f"should only have one @-prefixed key but it has {count} keys", stack)]
    check = _CHECKS.get(names[0])
    if check is None:
        return [_fault(f"has an invalid directive: {names[0]}", stack)]
    return check(value[names[0]], (*stack, names[0]))


class _Field(NamedTuple):
    check: Check
    required: bool = False


def _fields(**fields: _Field) -> Check:
    """Return the check of an object with options; they are looked at once all its values are valid."""

    def check(value: Json, stack: Stack) -> list[Fault]:
        faults = _object(value, stack)
        if faults:
            return faults
        return [fault for name, field in fields.items() for fault in _option(value, name, field, stack)]

    return check


def _option(options: Mapping[str, Json], name: str, field: _Field, stack: Stack) -> list[Fault]:
    if name in options:
        return field.check(options[name], (*stack, name))
    return [_fault(f"should have field {json.dumps(name)} but it doesn't", stack)] if field.required else []


def _string_of_length(shortest: int, longest: int) -> Check:
    def check(value: Json, stack: Stack) -> list[Fault]:
        faults = _string(value, stack)
        if faults:
            return faults
        length = utf16_length(value)
        if length < shortest:
            return [_fault(f"should be a string of length {shortest} or greater", stack)]
        return [_fault(f"should be a string of length {longest} or less", stack)] if length > longest else []

    return check


def _one_of(*allowed: str) -> Check:
    """Return the check of a word, in any letter case (which Segment then does not understand)."""

    def check(value: Json, stack: Stack) -> list[Fault]:
        faults = _string(value, stack)
        if faults or value.lower() in allowed:
            return faults
        found = stringify(value)
        return [_fault(f"should be one of {', '.join(allowed)} but it is {found}", stack)]

    return check


def _array_path(value: Json, stack: Stack) -> list[Fault]:
    faults = _list(value, stack)
    if faults:
        return faults
    path, shape = [*value, UNDEFINED, UNDEFINED][:2]
    return _string_or_directive(path, stack) or _any(shape, stack)


_merge_options = _fields(
    direction=_Field(_one_of("left", "right")),
    objects=_Field(_list, required=True),
)


def _merge(value: Json, stack: Stack) -> list[Fault]:
    """Check the options, then the objects: the first bad one is reported, from a path that starts anew."""
    faults = _merge_options(value, stack)
    if faults:
        return faults
    found = (_object_or_directive(item, ()) for item in value["objects"])
    return next((item_faults for item_faults in found if item_faults), [])


_CHECKS: Mapping[str, Check] = {
    "@path": _string_or_directive,
    "@template": _string_or_directive,
    "@literal": _raw_or_directive,
    "@if": _fields(
        exists=_Field(_raw_or_directive),
        then=_Field(_raw_or_directive),
        **{"else": _Field(_raw_or_directive)},
    ),
    "@case": _fields(operator=_Field(_string), value=_Field(_string_or_directive)),
    "@replace": _fields(
        pattern=_Field(_string_of_length(1, MAX_PATTERN_LENGTH), required=True),
        replacement=_Field(_string_of_length(0, MAX_REPLACEMENT_LENGTH)),
        value=_Field(_string_or_directive, required=True),
        ignorecase=_Field(_boolean),
        **{"global": _Field(_boolean)},
    ),
    "@arrayPath": _array_path,
    "@flatten": _fields(separator=_Field(_string), value=_Field(_raw_or_directive, required=True)),
    "@json": _fields(
        value=_Field(_raw_or_directive, required=True),
        mode=_Field(_one_of("encode", "decode"), required=True),
    ),
    "@merge": _merge,
    "@transform": _fields(
        apply=_Field(_object_or_directive, required=True),
        mapping=_Field(_object_or_directive, required=True),
    ),
    "@excludeWhenNull": _raw_or_directive,
    "@liquid": _string,
}
