"""Directives that choose or rewrite one value. Each builder turns its options into a closure, once.

A builder is ``(options, compile_value, final) -> Resolver``. ``final`` says what becomes of the value:

- True: it goes into the result as it is, so objects leave undefined keys out and lists hold null for them;
- False: another directive looks at it first, and for that one undefined is not the same as absent or null.

What Segment refuses only when a directive runs (texts included) is raised as ``MappingError`` per payload;
"as written" below means before the option is resolved. Source: mapping-kit 4 (actions-core 3.170.0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from connector.errors import Fault, MappingError
from connector.events import Json
from connector.mapping.jsvalues import (
    UNDEFINED,
    Resolver,
    constant,
    is_truthy,
    text_of,
    type_name,
    utf16_length,
)
from connector.mapping.paths import directive_lookup
from connector.mapping.replacement import Replace, compile_replace
from connector.mapping.templates import compile_template


class CompileValue(Protocol):
    """Compiles a mapping value that a directive holds."""

    def __call__(self, mapping: Json, *, final: bool) -> Resolver: ...


Builder = Callable[[Json, CompileValue, bool], Resolver]

MAX_PATTERN_LENGTH = 10
MAX_REPLACEMENT_LENGTH = 10
"""Limits of ``@replace`` in UTF-16 units (mapping-kit 6)."""

_ABSENT = constant(UNDEFINED)


def failing(error: str | tuple[Fault, ...]) -> Resolver:
    """Return a resolver that raises ``MappingError`` for every payload."""

    def fail(_payload: Json) -> Json:
        raise MappingError(error)

    return fail


def _text_directive(name: str, compile_text: Callable[[str], Resolver]) -> Builder:
    """Return the builder of a directive whose argument must resolve to text."""

    def build(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
        if isinstance(options, str):
            return compile_text(options)
        argument = compile_value(options, final=False)

        def resolve(payload: Json) -> Json:
            text = argument(payload)
            if not isinstance(text, str):
                raise MappingError(f"{name}: expected string, got {type_name(text)}")
            return compile_text(text)(payload)

        return resolve

    return build


def _literal(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    return compile_value(options, final=final)


def _if(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    if not isinstance(options, dict):
        return failing('@if requires an object with an "exists" key')
    if not is_truthy(options.get("exists")) and not is_truthy(options.get("blank")):
        return failing('@if requires an "exists" key or a "blank" key')
    by_existence = "exists" in options
    tested = compile_value(options["exists" if by_existence else "blank"], final=False)
    holds = _exists if by_existence else _is_not_blank
    then = compile_value(options["then"], final=final) if "then" in options else _ABSENT
    otherwise = compile_value(options["else"], final=final) if is_truthy(options.get("else")) else _ABSENT
    return lambda payload: then(payload) if holds(tested(payload)) else otherwise(payload)


def _exists(value: Json) -> bool:
    return value is not None and value is not UNDEFINED


def _is_not_blank(value: Json) -> bool:
    """Return True unless the value is missing or loosely equal to ``""`` (0, false and ``[[]]`` are)."""
    if isinstance(value, list):
        return text_of(value) != ""
    return is_truthy(value)


def _case(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    if not isinstance(options, dict):
        return failing('@case requires an object with a "operator" key')
    operator = options.get("operator")
    if not is_truthy(operator):
        return failing('@case requires a "operator" key')
    if not is_truthy(options.get("value")):
        return _ABSENT
    argument = compile_value(options["value"], final=final)
    change = {"lower": str.lower, "upper": str.upper}.get(operator) if isinstance(operator, str) else None

    def resolve(payload: Json) -> Json:
        value = argument(payload)
        if not isinstance(value, str):
            return value
        if change is None:
            raise MappingError('operator key should have a value of "lower" or "upper"')
        return change(value)

    return resolve


def _replace(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    if not isinstance(options, dict):
        return failing('@replace requires an object with a "pattern" key')
    if not is_truthy(options.get("pattern")):
        return failing('@replace requires a "pattern" key')
    if not is_truthy(options.get("value")):
        return _ABSENT
    argument = compile_value(options["value"], final=False)
    steps = _replace_steps(options)

    def resolve(payload: Json) -> Json:
        value = argument(payload)
        if isinstance(value, int | float):
            value = text_of(value)
        if not isinstance(value, str) or steps is None:
            return ""
        for step in steps:
            value = step(value)
        return value

    return resolve


def _replace_steps(options: Mapping[str, Json]) -> list[Replace] | None:
    """Return what is done to the text in order, or None when an option has a type that is not understood."""
    every = _or_default(options.get("global"), True)
    ignore_case = _or_default(options.get("ignorecase"), False)
    pattern, replacement = options["pattern"], _or_default(options.get("replacement"), "")
    if not (isinstance(pattern, str) and isinstance(replacement, str)):
        return None
    if not (isinstance(every, bool) and isinstance(ignore_case, bool)):
        return None
    pairs = [(pattern, replacement)]
    second, second_replacement = options.get("pattern2"), _or_default(options.get("replacement2"), "")
    if isinstance(second, str) and second and isinstance(second_replacement, str):
        pairs.append((second, second_replacement))
    return [_replace_step(*pair, every, ignore_case) for pair in pairs]


def _replace_step(pattern: str, replacement: str, every: bool, ignore_case: bool) -> Replace:
    if utf16_length(pattern) > MAX_PATTERN_LENGTH:
        return failing(f'@replace requires a "pattern" less than {MAX_PATTERN_LENGTH} characters')
    if utf16_length(replacement) > MAX_REPLACEMENT_LENGTH:
        return failing(f'@replace requires a "replacement" less than {MAX_REPLACEMENT_LENGTH} characters')
    return compile_replace(pattern, replacement, every=every, ignore_case=ignore_case)


def _or_default(option: Json, default: Json) -> Json:
    return default if option is None else option


def _exclude_when_null(options: Json, compile_value: CompileValue, final: bool) -> Resolver:
    argument = compile_value(options, final=final)

    def resolve(payload: Json) -> Json:
        value = argument(payload)
        return UNDEFINED if value is None else _without_nulls(value, final)

    return resolve


def _without_nulls(value: Json, final: bool) -> Json:
    """Return the value without null keys; objects inside objects too, lists as they are."""
    if not isinstance(value, dict):
        return value
    cleaned = {key: UNDEFINED if item is None else _without_nulls(item, final) for key, item in value.items()}
    return {key: item for key, item in cleaned.items() if item is not UNDEFINED} if final else cleaned


def _liquid(options: Json, _compile_value: CompileValue, _final: bool) -> Resolver:
    # The template engine takes a tenth of a second to load, which few mappings need.
    from connector.mapping.liquid import compile_liquid

    return compile_liquid(options)


VALUE_DIRECTIVES: Mapping[str, Builder] = {
    "@path": _text_directive("@path", directive_lookup),
    "@template": _text_directive("@template", compile_template),
    "@literal": _literal,
    "@if": _if,
    "@case": _case,
    "@replace": _replace,
    "@excludeWhenNull": _exclude_when_null,
    "@liquid": _liquid,
}
