"""A tree of conditions as text again, and whether any event can match it. Source: fql 4 to 6."""

from __future__ import annotations

import math
from collections.abc import Sequence

from connector.mapping.fql_parser import Condition, Group, Value
from connector.mapping.jsvalues import number_of, text_of

CALL_TYPES = frozenset("track page screen identify group alias delete".split())
_ROOTS = {"event-type": "type", "event-property": "properties", "event-trait": "traits",
          "event-context": "context"}  # fmt: skip
_WITHOUT_VALUE = {"exists": "!= null", "not_exists": "= null", "is_true": "= true", "is_false": "= false"}
_NUMERIC = {"number_equals": "=", "number_not_equals": "!="}
_FUNCTIONS = {"contains": '{}contains({}, "{}")', "starts_with": '{}match({}, "{}*")',
              "ends_with": '{}match({}, "*{}")'}  # fmt: skip
_ORDER = frozenset(("<", "<=", ">", ">="))
_KNOWN = frozenset(
    ("=", "!=", *_ORDER, *_WITHOUT_VALUE, *_NUMERIC, *_FUNCTIONS, *(f"not_{name}" for name in _FUNCTIONS))
)


def query_text(tree: Group | Condition | None) -> str:
    """Return a tree as Segment would write it, inner groups in parentheses; values are not escaped."""
    if tree is None:
        return "()"
    if isinstance(tree, Condition):
        return _condition_text(tree)
    parts = [
        f"({query_text(child)})" if isinstance(child, Group) else query_text(child) for child in tree.children
    ]
    return f" {tree.operator} ".join(parts)


def _condition_text(condition: Condition) -> str:
    field = field_text(condition)
    operator, value = condition.operator, condition.value
    if operator in _WITHOUT_VALUE:
        return f"{field} {_WITHOUT_VALUE[operator]}"
    function = _FUNCTIONS.get(operator.removeprefix("not_"))
    if function is not None:
        return function.format("!" if operator.startswith("not_") else "", field, _text(value))
    if operator in _NUMERIC:
        return f"{field} {_NUMERIC[operator]} {_text(value)}"
    return f'{field} {operator} "{value}"' if isinstance(value, str) else f"{field} {operator} {_text(value)}"


def field_text(condition: Condition) -> str:
    """Return what a condition looks at: ``type``, ``properties.plan``."""
    root = _ROOTS.get(condition.type, condition.type)
    return root if condition.name is None or condition.name == root else f"{root}.{condition.name}"


def _text(value: Value | None) -> str:
    return "" if value is None else text_of(value)


def never_matches(tree: Group | Condition | None) -> bool:
    """Return True when no event Segment sends can match; False says nothing."""
    if tree is None:
        return True
    if isinstance(tree, Condition):
        return _is_impossible(tree)
    if tree.operator == "or":
        return all(never_matches(child) for child in tree.children)
    return any(never_matches(child) for child in tree.children) or _contradict(tree.children)


def _is_impossible(condition: Condition) -> bool:
    if condition.operator not in _KNOWN:
        return True
    if condition.operator in _ORDER or condition.operator == "number_equals":
        is_text = condition.type in ("event-type", "event", "name")
        return is_text or condition.value is None or math.isnan(number_of(condition.value))
    return condition.type == "event-type" and condition.operator == "=" and condition.value not in CALL_TYPES


def _contradict(children: Sequence[Group | Condition | None]) -> bool:
    """Return True when two conditions that must both hold say different things of one field."""
    pins: dict[tuple[str, str | None], tuple[str, Value | None]] = {}
    conditions = [child for child in children if isinstance(child, Condition)]
    for condition in conditions:
        if condition.operator in ("=", "number_equals", "is_true", "is_false", "not_exists"):
            pin = (condition.operator, condition.value)
            if pins.setdefault((condition.type, condition.name), pin) != pin:
                return True
    for condition in conditions:
        operator, value = pins.get((condition.type, condition.name), ("", None))
        if condition.operator == "!=" and operator == "=" and value == condition.value:
            return True
        if condition.operator == "exists" and operator == "not_exists":
            return True
    return False
