"""A tree of conditions becomes one predicate. Source: fql 5 (destination-subscriptions, src/validate.ts)."""

from __future__ import annotations

import operator as comparison
import re
from collections.abc import Callable, Mapping

from connector.events import Json
from connector.mapping.fql_parser import Condition, Group, Value
from connector.mapping.jsvalues import (
    UNDEFINED,
    Resolver,
    constant,
    double,
    is_missing,
    is_number,
    number_of,
    text_of,
)
from connector.mapping.paths import lookup_keys

Predicate = Callable[[Json], bool]

_ROOTS = {"event-property": "properties", "event-trait": "traits", "event-context": "context"}
_FIELDS = {"event-type": "type", "event": "event", "name": "name", "userId": "userId"}
_PART = re.compile(r"[^\[.\]]+")


def compile_tree(tree: Group | Condition | None) -> Predicate:
    """Return ``event -> bool`` for an event that is an object; empty parentheses never match."""
    if isinstance(tree, Group):
        children = [compile_tree(child) for child in tree.children]
        return _all_of(children) if tree.operator == "and" else _any_of(children)
    field = _field(tree) if tree else None
    if tree is None or field is None:
        return _never
    build = _TESTS.get(tree.operator)
    return build(field, "" if tree.value is None else tree.value) if build else _never


def _never(_event: Json) -> bool:
    return False


def _all_of(tests: list[Predicate]) -> Predicate:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda event: first(event) and second(event)
    every = tuple(tests)
    return lambda event: all(test(event) for test in every)


def _any_of(tests: list[Predicate]) -> Predicate:
    if len(tests) == 2:
        first, second = tests
        return lambda event: first(event) or second(event)
    some = tuple(tests)
    return lambda event: any(test(event) for test in some)


def _field(condition: Condition) -> Resolver | None:
    """Return the lookup of a condition's field, None when its name has no part (Segment's lookup breaks)."""
    if condition.name is None:
        return lookup_keys((_FIELDS[condition.type],))
    if not condition.name:
        return constant(UNDEFINED)
    parts = _PART.findall(condition.name)
    return lookup_keys((_ROOTS[condition.type], *parts)) if parts else None


def _equals(field: Resolver, value: Value) -> Predicate:
    text = text_of(value)
    return lambda event: bool(field(event) == text)


def _differs(field: Resolver, value: Value) -> Predicate:
    text = text_of(value)
    return lambda event: bool(field(event) != text)


def _compares(compare: Callable[[float, float], bool]) -> Callable[[Resolver, Value], Predicate]:
    """Return the builder of a comparison that only a number passes."""

    def build(field: Resolver, value: Value) -> Predicate:
        limit = number_of(value)

        def test(event: Json) -> bool:
            actual = field(event)
            return is_number(actual) and compare(double(actual), limit)

        return test

    return build


def _text_test(holds: Callable[[str, str], bool]) -> Callable[[Resolver, Value], Predicate]:
    """Return the builder of a test that only text passes."""

    def build(field: Resolver, value: Value) -> Predicate:
        text = text_of(value)

        def test(event: Json) -> bool:
            actual = field(event)
            return isinstance(actual, str) and holds(actual, text)

        return test

    return build


def _exists(field: Resolver, _value: Value) -> Predicate:
    return lambda event: not is_missing(field(event))


def _not_exists(field: Resolver, _value: Value) -> Predicate:
    return lambda event: is_missing(field(event))


_TESTS: Mapping[str, Callable[[Resolver, Value], Predicate]] = {
    "=": _equals,
    "!=": _differs,
    "number_equals": _compares(comparison.eq),
    "number_not_equals": _compares(comparison.ne),
    "<": _compares(comparison.lt),
    "<=": _compares(comparison.le),
    ">": _compares(comparison.gt),
    ">=": _compares(comparison.ge),
    "contains": _text_test(lambda actual, text: text in actual),
    "not_contains": _text_test(lambda actual, text: text not in actual),
    "starts_with": _text_test(str.startswith),
    "not_starts_with": _text_test(lambda actual, text: not actual.startswith(text)),
    "ends_with": _text_test(str.endswith),
    "not_ends_with": _text_test(lambda actual, text: not actual.endswith(text)),
    "exists": _exists,
    "not_exists": _not_exists,
    "is_true": lambda field, _value: lambda event: field(event) is True,
    "is_false": lambda field, _value: lambda event: field(event) is False,
}
