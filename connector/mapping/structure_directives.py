"""Directives that read or build lists and objects; ``directives`` says what a builder is.

Source: mapping-kit 4 (actions-core 3.170.0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.errors import MappingError
from connector.events import Json
from connector.mapping.directives import Builder, CompileValue, failing
from connector.mapping.jsjson import parse, stringify
from connector.mapping.jsvalues import (
    UNDEFINED,
    Resolver,
    as_json,
    in_key_order,
    is_truthy,
    type_name,
    utf16_units,
)
from connector.mapping.paths import directive_lookup


def _array_path(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    if not isinstance(options, list):
        return failing(f"@arrayPath expected array, got {type_name(options)}")
    path = options[0] if options else UNDEFINED
    shape = options[1] if len(options) > 1 else UNDEFINED
    if not isinstance(shape, dict) or not shape:
        return _array_root(path, compile_value, final)
    root = _array_root(path, compile_value, final=False)
    items = _shape_items(root, compile_value(shape, final=final), final)
    # Items that a directive built may hold undefined; items that a path found in the payload cannot.
    return items if isinstance(path, str) or not final else _settled(items)


def _array_root(path: Json, compile_value: CompileValue, final: bool) -> Resolver:
    return directive_lookup(path) if isinstance(path, str) else compile_value(path, final=final)


def _shape_items(root: Resolver, shape: Resolver, final: bool) -> Resolver:
    absent = None if final else UNDEFINED

    def resolve(payload: Json) -> Json:
        found = root(payload)
        if not isinstance(found, list | dict):
            return found
        items = found if isinstance(found, list) else [found]
        return [absent if (value := shape(item)) is UNDEFINED else value for item in items]

    return resolve


def _settled(resolve: Resolver) -> Resolver:
    return lambda payload: as_json(resolve(payload))


def _flatten(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    if not isinstance(options, dict):
        return failing('@flatten requires an object with a "separator" key')
    if not is_truthy(options.get("separator")):
        return failing('@flatten requires a "separator" key')
    separator = compile_value(options["separator"], final=False)
    argument = compile_value(options.get("value", UNDEFINED), final=False)
    enter_lists = not is_truthy(options.get("omitArrays"))

    def resolve(payload: Json) -> Json:
        joint = separator(payload)
        if not isinstance(joint, str):
            raise MappingError("@flatten requires a string separator")
        flat: dict[str, Json] = {}
        _flatten_into(flat, argument(payload), "", joint, enter_lists)
        return flat

    return _settled(resolve) if final else resolve


def _flatten_into(flat: dict[str, Json], value: Json, prefix: str, joint: str, enter_lists: bool) -> None:
    entries: Iterable[tuple[str, Json]]
    if isinstance(value, dict):
        entries = [(key, value[key]) for key in in_key_order(value)]
    elif isinstance(value, list) and enter_lists:
        entries = _indexed(value)
    else:
        flat[prefix] = value
        return
    for key, item in entries:
        _flatten_into(flat, item, f"{prefix}{joint}{key}" if prefix else key, joint, enter_lists)


def _indexed(items: Iterable[Json]) -> Iterable[tuple[str, Json]]:
    return ((str(index), item) for index, item in enumerate(items))


def _json(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    if not isinstance(options, dict):
        return failing('@json requires an object with a "value" key')
    for key in ("mode", "value"):
        if not is_truthy(options.get(key)):
            return failing(f'@json requires a "{key}" key')
    if options["mode"] == "decode":
        return _decode(compile_value(options["value"], final=final), final)
    argument = compile_value(options["value"], final=False)
    convert = stringify if options["mode"] == "encode" else _nothing
    return lambda payload: convert(argument(payload))


def _decode(argument: Resolver, final: bool) -> Resolver:
    def resolve(payload: Json) -> Json:
        value = argument(payload)
        if not isinstance(value, str):
            return value
        return as_json(parse(value)) if final else parse(value)

    return resolve


def _nothing(_value: Json) -> Json:
    """Convert as a mode that is neither: the value is resolved, and may fail, for nothing."""
    return UNDEFINED


def _merge(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    if not isinstance(options, dict):
        return failing('@merge requires an object with an "objects" key and a "direction" key')
    for key in ("direction", "objects"):
        if not is_truthy(options.get(key)):
            return failing(f'@merge requires a "{key}" key')
    if not isinstance(options["objects"], list):
        return failing(f"@merge: expected opts.array, got {_typeof(options['objects'])}")
    direction = compile_value(options["direction"], final=False)
    parts = [compile_value(part, final=False) for part in options["objects"]]

    def resolve(payload: Json) -> Json:
        values = [part(payload) for part in parts]
        if direction(payload) == "left":
            values.reverse()
        merged: dict[str, Json] = {}
        for value in values:
            merged.update(_own_entries(value))
        return merged

    return _settled(resolve) if final else resolve


def _own_entries(value: Json) -> Mapping[str, Json] | Iterable[tuple[str, Json]]:
    """Return what ``Object.assign`` takes from a value: members, items by index, characters by index."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return _indexed(value)
    return _indexed(utf16_units(value)) if isinstance(value, str) else ()


def _typeof(value: Json) -> str:
    name = type_name(value)
    return "object" if name in ("array", "null") else name


STRUCTURE_DIRECTIVES: Mapping[str, Builder] = {
    "@arrayPath": _array_path,
    "@flatten": _flatten,
    "@json": _json,
    "@merge": _merge,
}
