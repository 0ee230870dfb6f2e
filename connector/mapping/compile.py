"""A mapping becomes one function: everything about it is decided once, per event there are only calls.

Source: mapping-kit 1, 2 and 7 (actions-core 3.170.0).
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.errors import MappingError
from connector.events import Json
from connector.mapping.directives import VALUE_DIRECTIVES, Builder, CompileValue, failing
from connector.mapping.jsvalues import (
    UNDEFINED,
    Resolver,
    as_json,
    constant,
    drop_undefined,
    in_key_order,
    is_truthy,
    type_name,
    utf16_units,
)
from connector.mapping.structure_directives import STRUCTURE_DIRECTIVES
from connector.mapping.validate_mapping import directive_name, validate_mapping

ROOT_DIRECTIVE = "__segment_internal_directive"
"""Key whose directive takes the whole mapping's place, the other keys becoming its ``mapping``."""


def compile_mapping(mapping: Json) -> Resolver:
    """
    Return the function that a mapping is.

    Args:
        mapping: Segment's mapping-kit JSON, not modified and not kept. A list or a text at the root is read
            as the object of its items or characters by index, any other scalar as an empty object.

    Returns:
        ``payload -> value``: what Segment emits as JSON, or ``UNDEFINED`` when the whole mapping resolves to
        nothing. Keys that resolve to nothing are left out, such items of lists are None. Parts of the
        payload are returned as they are, not copied; the payload is never modified. The function raises
        ``MappingError`` when the payload is no object or a directive refuses a value; the message names
        types, never the payload's values.

    Raises:
        MappingError: Segment's validator refuses the mapping (every fault with its path).
    """
    run = _compile_transform(mapping, final=True)

    def resolve(payload: Json) -> Json:
        try:
            return run(payload)
        except RecursionError:
            raise MappingError("a value is nested too deeply") from None

    return resolve


def _compile_transform(mapping: Json, *, final: bool) -> Resolver:
    root = _with_root_directive(_spread(mapping))
    faults = validate_mapping(root)
    if faults:
        raise MappingError(faults)
    resolve = compile_value(root, final=final)

    def run(payload: Json) -> Json:
        if not isinstance(payload, dict):
            raise MappingError(f"data must be an object, got {type_name(payload)}")
        return resolve(payload)

    return run


def _spread(mapping: Json) -> Mapping[str, Json]:
    """Return the object that JavaScript's ``{...mapping}`` makes of any value."""
    if mapping is None:
        raise MappingError("Cannot convert undefined or null to object")
    if isinstance(mapping, dict):
        return mapping
    items = utf16_units(mapping) if isinstance(mapping, str) else mapping if isinstance(mapping, list) else ()
    return {str(index): item for index, item in enumerate(items)}


def _with_root_directive(mapping: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the mapping after a root directive, if there is one, took the other keys in."""
    if ROOT_DIRECTIVE not in mapping:
        return mapping
    root = mapping[ROOT_DIRECTIVE]
    if isinstance(root, dict | list | str) and len(root) > 1:
        raise MappingError("The root mapping must only have a single directive object")
    name, argument = next(iter(root.items()), ("", None)) if isinstance(root, dict) else ("", None)
    if not isinstance(argument, dict | list):
        raise MappingError("The root directive must be an object")
    if isinstance(argument, list):
        return {name: argument}
    others = {key: value for key, value in mapping.items() if key != ROOT_DIRECTIVE}
    return {name: {**argument, "mapping": others}}


def compile_value(mapping: Json, *, final: bool) -> Resolver:
    """
    Return the resolver of any mapping value, at any depth; nothing is validated.

    Args:
        mapping: what stands in the mapping.
        final: True when the value goes into the result; False when a directive looks at it first, and then
            undefined keys and items are still there (see ``directives``).
    """
    if isinstance(mapping, dict):
        name = directive_name(mapping)
        return _object(mapping, final) if name is None else _directive(name, mapping[name], final)
    if isinstance(mapping, list):
        return _list(mapping, final)
    return constant(mapping)


def _directive(name: str, options: Json, final: bool) -> Resolver:
    build = DIRECTIVES.get(name)
    if build is None:
        return failing(f"{name} is not a valid directive, got undefined")
    return build(options, compile_value, final)


def _object(mapping: Mapping[str, Json], final: bool) -> Resolver:
    fields = tuple((key, compile_value(mapping[key], final=final)) for key in in_key_order(mapping))
    if not final:
        return lambda payload: {key: resolve(payload) for key, resolve in fields}
    return lambda payload: {
        key: value for key, resolve in fields if (value := resolve(payload)) is not UNDEFINED
    }


def _list(mapping: list[Json], final: bool) -> Resolver:
    items = tuple(compile_value(item, final=final) for item in mapping)
    if not final:
        return lambda payload: [resolve(payload) for resolve in items]
    return lambda payload: [None if (value := resolve(payload)) is UNDEFINED else value for resolve in items]


def _transform(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    """Build ``@transform``: ``mapping`` sees what ``apply`` made of the payload, and nothing else."""
    if not isinstance(options, dict):
        return failing('@transform requires an object with an "apply" key and a "mapping" key')
    for key in ("mapping", "apply"):
        if not is_truthy(options.get(key)):
            return failing(f'@transform requires a "{key}" key')
    if not isinstance(options["apply"], dict):
        return failing('@transform "apply" key should be an object')
    try:
        apply = _compile_transform(options["apply"], final=False)
    except MappingError as error:
        # Only where the validator did not look: Segment finds out when the directive runs.
        return failing(error.faults)
    then = compile_value(options["mapping"], final=final)

    def resolve(payload: Json) -> Json:
        value = then(drop_undefined(apply({} if payload is UNDEFINED else payload)))
        return as_json(value) if final else value

    return resolve


DIRECTIVES: Mapping[str, Builder] = {**VALUE_DIRECTIVES, **STRUCTURE_DIRECTIVES, "@transform": _transform}
