"""Objects of the event to columns: one pass over the keys that are there, plans made at start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from connector.events import Flag, Json
from connector.tables.model import Column
from connector.values.coerce import COERCERS, Coercer, integer, quiet_text, text
from connector.values.names import ORDER_EVENTS, SINGLE_PRODUCT_EVENTS

Columns = dict[str, Any]


class Put(Protocol):
    """Writes one value, already known to be neither null nor ``""``, to one or more columns."""

    def __call__(self, row: Columns, value: Json, path: str, flags: list[Flag]) -> None: ...


def is_missing(value: Json) -> bool:
    """Null and ``""`` count as not sent (tables 2.2)."""
    return value is None or (type(value) is str and not value)


def put_column(name: str, coerce: Coercer) -> Put:
    def put(row: Columns, value: Json, path: str, flags: list[Flag]) -> None:
        typed = coerce(value, path, flags)
        if typed is not None:
            row[name] = typed

    return put


def put_first_and_all(name: str, everything: str) -> Put:
    """A list: its first element in ``name``, all of it in ``everything`` (quirks 42, 48)."""

    def put(row: Columns, value: Json, path: str, flags: list[Flag]) -> None:
        if type(value) is list:
            texts = [
                trimmed
                for place, element in enumerate(value)
                if not is_missing(element) and (trimmed := _trimmed(element, f"{path}[{place}]", flags))
            ]
            row[everything] = texts
            if texts:
                row[name] = texts[0]
        elif trimmed := _trimmed(value, path, flags):
            row[name] = trimmed

    return put


def put_position(row: Columns, value: Json, path: str, flags: list[Flag]) -> None:
    """Rank in the list as a number; placement in words goes to ``position_text`` (quirk 47)."""
    noticed: list[Flag] = []
    rank = integer(value, path, noticed)
    if rank is None and type(value) is str:
        row["position_text"] = text(value, path, flags)
        return
    flags.extend(noticed)
    if rank is not None:
        row["position"] = rank


def put_currency(row: Columns, value: Json, path: str, flags: list[Flag]) -> None:
    if code := _trimmed(value, path, flags):
        row["currency"] = code.upper()


def _trimmed(value: Json, path: str, flags: list[Flag]) -> str | None:
    """Text without blanks around it; None when there is nothing else."""
    typed = text(value, path, flags)
    return typed.strip() or None if typed else None


SPECIAL: Mapping[str, Put] = {
    "category": put_first_and_all("category", "categories"),
    "coupon": put_first_and_all("coupon", "coupons"),
    "position": put_position,
    "currency": put_currency,
    "rating": put_column("rating", quiet_text),
}
"""Columns of ``properties`` and of a product that need more than their type's coercion."""


def putter(column: Column) -> Put:
    return SPECIAL.get(column.name) or put_column(column.name, COERCERS[column.code])


class _Alias(NamedTuple):
    rank: int
    spelling: str
    path: str
    put: Put
    condition: frozenset[str] | None


class ObjectReader:
    """Reads one object by the declared spellings of its columns.

    The spec's spelling wins; another spelling is flagged ``key_alias``, and ``key_conflict`` when both are
    there and differ. ``id`` counts only on the events its condition names (quirks 18 to 20).
    """

    def __init__(self, columns: Iterable[Column], prefix: str, *, product: bool = False) -> None:
        self._primary: dict[str, tuple[str | None, Put, str]] = {}
        self._aliases: dict[str, list[_Alias]] = {}
        for column in columns:
            spellings = [path for path in column.sources if path.startswith(prefix)]
            put = putter(column)
            for rank, path in enumerate(spellings):
                key = path.removeprefix(prefix)
                shown = key if product else path
                if rank == 0:
                    plain_text = column.code == "S" and column.name not in SPECIAL
                    self._primary[key] = (column.name if plain_text else None, put, shown)
                    continue
                condition = None if product or key != "id" else _ID_MEANS[column.name]
                alias = _Alias(rank, spellings[0].removeprefix(prefix), shown, put, condition)
                self._aliases.setdefault(key, []).append(alias)

    def read(self, value: dict[str, Json], row: Columns, flags: list[Flag], event: str | None = None) -> None:
        """Fill ``row`` from ``value``; paths of flags begin with the prefix, or with the key for products."""
        primary, aliases = self._primary, self._aliases
        others: list[tuple[_Alias, Json]] | None = None
        for key, sent in value.items():
            plan = primary.get(key)
            if plan is not None:
                name, put, path = plan
                if type(sent) is str:
                    if name is not None and sent and sent.isascii() and "\0" not in sent:
                        row[name] = sent
                    elif sent:
                        put(row, sent, path, flags)
                elif sent is not None:
                    put(row, sent, path, flags)
            elif key in aliases and not is_missing(sent):
                others = others or []
                others.extend((alias, sent) for alias in aliases[key])
        if others:
            self._read_aliases(value, row, flags, event, others)

    def _read_aliases(
        self,
        value: dict[str, Json],
        row: Columns,
        flags: list[Flag],
        event: str | None,
        others: list[tuple[_Alias, Json]],
    ) -> None:
        chosen: dict[str, Json] = {}
        for alias, sent in sorted(others, key=lambda pair: pair[0].rank):
            if alias.condition is not None and event not in alias.condition:
                continue
            spec = value.get(alias.spelling)
            winner = chosen.get(alias.spelling) if is_missing(spec) else spec
            if winner is None:
                chosen[alias.spelling] = sent
                flags.append(Flag("key_alias", alias.path))
                alias.put(row, sent, alias.path, flags)
            elif winner != sent:
                flags.append(Flag("key_conflict", alias.path))


_ID_MEANS: Mapping[str, frozenset[str]] = {"order_id": ORDER_EVENTS, "product_id": SINGLE_PRODUCT_EVENTS}


class _Leaf(NamedTuple):
    name: str
    coerce: Coercer
    path: str
    first: bool
    """False: another source of the column comes before this one."""
    plain_text: bool
    """Text that needs no second look is the column's value as it is."""


_Plan = dict[str, "_Leaf | _Plan"]


class ContextReader:
    """Typed columns out of ``context``; what has none, or did not fit it as sent, is the rest."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self._plan: _Plan = {}
        for column in columns:
            for rank, path in enumerate(column.sources):
                steps = path.split(".")
                if steps[0] != "context" or len(steps) == 1:
                    continue
                branch = self._plan
                for step in steps[1:-1]:
                    inner = branch.setdefault(step, {})
                    assert isinstance(inner, dict)
                    branch = inner
                branch[steps[-1]] = _Leaf(
                    column.name, COERCERS[column.code], path, rank == 0, rank == 0 and column.code == "S"
                )

    def read(self, context: dict[str, Json], row: Columns, flags: list[Flag]) -> dict[str, Json]:
        """Fill ``row``; return what is left, ``{}`` when every value is in its column unchanged."""
        later: list[tuple[_Leaf, Json, dict[str, Json], str]] = []
        rest = self._level(context, self._plan, row, flags, later)
        for leaf, value, home, key in later:
            if leaf.name not in row:
                _put_leaf(leaf, value, row, flags, home, key)
            elif row[leaf.name] != value:
                home[key] = value
        return (
            {key: value for key, value in rest.items() if value != {} or not self._has_parts(key)}
            if later
            else rest
        )

    def _has_parts(self, key: str) -> bool:
        return type(self._plan.get(key)) is dict

    def _level(
        self,
        value: dict[str, Json],
        plan: _Plan,
        row: Columns,
        flags: list[Flag],
        later: list[tuple[_Leaf, Json, dict[str, Json], str]],
    ) -> dict[str, Json]:
        rest: dict[str, Json] = {}
        for key, sent in value.items():
            found = plan.get(key)
            if found is None:
                rest[key] = sent
            elif type(found) is _Leaf and found[4] and type(sent) is str and sent and sent.isascii():
                if "\0" in sent:
                    _put_leaf(found, sent, row, flags, rest, key)
                else:
                    row[found[0]] = sent
            elif isinstance(found, dict):
                if type(sent) is dict:
                    pending = len(later)
                    inner = self._level(sent, found, row, flags, later)
                    if inner or len(later) > pending:
                        rest[key] = inner
                elif sent is not None:
                    rest[key] = sent
            elif sent is None:
                continue
            elif sent == "":
                rest[key] = sent
            elif found.first:
                _put_leaf(found, sent, row, flags, rest, key)
            else:
                later.append((found, sent, rest, key))
        return rest


def _put_leaf(
    leaf: _Leaf, value: Json, row: Columns, flags: list[Flag], rest: dict[str, Json], key: str
) -> None:
    noticed = len(flags)
    typed = leaf.coerce(value, leaf.path, flags)
    if typed is not None:
        row[leaf.name] = typed
    if typed is None or len(flags) > noticed:
        rest[key] = value


def look_up(event: dict[str, Json], path: str) -> Json:
    """The value at a dotted path of objects; None when a step is missing or no object."""
    value: Json = event
    for step in path.split("."):
        if type(value) is not dict:
            return None
        value = value.get(step)
    return value


def read_paths(columns: Iterable[Column], event: dict[str, Json], row: Columns, flags: list[Flag]) -> None:
    """Columns whose sources may lie anywhere (traits, the user's own): first value that was sent."""
    for column in columns:
        first: Json = None
        for rank, path in enumerate(column.sources):
            value = look_up(event, path)
            if is_missing(value):
                continue
            if first is not None:
                if value != first:
                    flags.append(Flag("key_conflict", path))
                continue
            first = value
            if rank and column.code != "T":
                flags.append(Flag("key_alias", path))
            put_column(column.name, COERCERS[column.code])(row, value, path, flags)
