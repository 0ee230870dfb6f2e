"""Profile operations folded into current values, in plain Python. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Kind = Literal["set", "set_once", "add", "union", "append", "remove", "unset", "delete"]


class Operation(NamedTuple):
    """One statement about one person."""

    kind: Kind
    values: Mapping[str, Any] | Sequence[str] = ()
    """Property -> value; of ``unset`` the names, of ``delete`` nothing."""
    time_ms: int = 0
    """When it happened, ms since the epoch."""
    arrival: tuple[Any, ...] = ()
    """Where it stands among operations of the same ms: anything that sorts. Empty: as they are given."""


def fold(operations: Iterable[Operation]) -> dict[str, Any]:
    """
    The current properties of one person.

    ``set`` overwrites, and null takes the property away; ``set_once`` writes what is absent; ``add`` counts
    an absent number as 0; ``union`` appends to a list the items that it lacks, ``append`` one item,
    ``remove`` takes all equal items away; ``unset`` takes properties away, ``delete`` all of them. What does
    not fit is left out: a sum with what is no number, an item for what is no list. A bool is no number, and
    1 and 1.0 are equal.

    Args:
        operations: of one person and of the devices linked to it, in any order. They act by time; those of
            the same ms by arrival, else as given.

    Source: analytics definitions, section 6.
    """
    current: dict[str, Any] = {}
    for operation in sorted(operations, key=lambda one: (one.time_ms, one.arrival)):
        _ACT[operation.kind](current, operation.values)
    return current


def _set(current: dict[str, Any], values: Any) -> None:
    for name, value in values.items():
        if value is None:
            current.pop(name, None)
        else:
            current[name] = value


def _set_once(current: dict[str, Any], values: Any) -> None:
    _set(current, {n: v for n, v in values.items() if n not in current and v is not None})


def _add(current: dict[str, Any], values: Any) -> None:
    for name, value in values.items():
        known = current.get(name, 0)
        if _is_number(value) and _is_number(known):
            current[name] = _sum(known, value)


def _union(current: dict[str, Any], values: Any) -> None:
    for name, items in values.items():
        for item in items if isinstance(items, list | tuple) else [items]:
            if not _holds(current.get(name, []), item):
                _append(current, {name: item})


def _append(current: dict[str, Any], values: Any) -> None:
    for name, item in values.items():
        known = current.get(name, [])
        if isinstance(known, list):
            current[name] = [*known, item]


def _remove(current: dict[str, Any], values: Any) -> None:
    for name, item in values.items():
        known = current.get(name)
        if isinstance(known, list):
            current[name] = [other for other in known if not same(other, item)]


def _unset(current: dict[str, Any], names: Any) -> None:
    for name in names:
        current.pop(name, None)


def _delete(current: dict[str, Any], values: Any) -> None:
    current.clear()


_ACT = {
    "set": _set, "set_once": _set_once, "add": _add, "union": _union, "append": _append,
    "remove": _remove, "unset": _unset, "delete": _delete,
}  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """Whether two values of JSON are equal: 1 is 1.0, and true is not 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _holds(known: Any, item: Any) -> bool:
    return isinstance(known, list) and any(same(other, item) for other in known)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _sum(one: Any, other: Any) -> Any:
    """A sum; with a decimal in it by the decimal digits of the other."""
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return Decimal(str(one)) + Decimal(str(other))
    return one + other
