"""Objects of the event to columns: one pass over the keys that are there, plans made at start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from connector.events import Flag, Json
from connector.tables.model import Column
from connector.values.coerce import COERCERS, FITTERS, Coercer, Fitted, integer, quiet_text, text
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


def put_number(name: str, fit: Callable[[float], Fitted], coerce: Coercer) -> Put:
    """M and Q: the usual number without a detour, everything else by the type's coercion."""

    def put(row: Columns, value: Json, path: str, flags: list[Flag]) -> None:
        if type(value) is float or type(value) is int:
            fitted = fit(value)
            if not fitted.codes:
                row[name] = fitted.value
                return
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
    """How a value of ``properties`` or of a product gets into its column."""
    if column.name in SPECIAL:
        return SPECIAL[column.name]
    if column.code in FITTERS:
        return put_number(column.name, FITTERS[column.code], COERCERS[column.code])
    return put_column(column.name, COERCERS[column.code])


class _Alias(NamedTuple):
    rank: int
    spelling: str
    path: str
    put: Put
    condition: frozenset[str] | None


_MOST_SHARED = 20_000


class _SharedTexts:
    """Equal texts become one object: rows wait by the thousand, and most of their texts are the same few."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def keeper(self) -> Callable[[str, str], str]:
        """``keep(text, text)`` gives the text that was there first; forgets all when there are too many."""
        if len(self._known) > _MOST_SHARED:
            self._known.clear()
        return self._known.setdefault


class ObjectReader:
    """Reads one object by the declared spellings of its columns.

    The spec's spelling wins; another spelling is flagged ``key_alias``, and ``key_conflict`` when both are
    there and differ. ``id`` counts only on the events its condition names (quirks 18 to 20).
    """

    def __init__(self, columns: Iterable[Column], prefix: str, *, product: bool = False) -> None:
        self._shared = _SharedTexts()
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
        primary, aliases, shared = self._primary, self._aliases, self._shared.keeper()
        others: list[tuple[_Alias, Json]] | None = None
        for key, sent in value.items():
            plan = primary.get(key)
            if plan is not None:
                name, put, path = plan
                if type(sent) is str:
                    if name is not None and sent and sent.isascii() and "\0" not in sent:
                        row[name] = shared(sent, sent)
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
    as_it_is: type | None
    """Values of this type are nearly always the column's value as they are."""
    at: int | None
    """Position among the context columns; None for a column that has a better source elsewhere."""
    name: str
    coerce: Coercer
    path: str


_Plan = dict[str, "_Leaf | _Plan"]
_AS_IT_IS: Mapping[str, type] = {"S": str, "I": int, "D": float, "B": bool}
_INT_32 = 2**31


class ContextReader:
    """Typed columns out of ``context``; what has none, or did not fit it as sent, is the rest."""

    def __init__(self, columns: Iterable[Column], elsewhere: Iterable[Column]) -> None:
        """
        Args:
            columns: the context columns, in the table's order: the cells.
            elsewhere: columns that ``context`` fills only when the rest of the event did not.
        """
        self._shared = _SharedTexts()
        self._plan: _Plan = {}
        cells = tuple(columns)
        self.names = tuple(column.name for column in cells)
        self.at = {name: at for at, name in enumerate(self.names)}
        self._empty: list[Any] = [None] * len(cells)
        for at, column in enumerate(cells):
            self._add(column, at)
        for column in elsewhere:
            self._add(column, None)

    def _add(self, column: Column, at: int | None) -> None:
        for rank, path in enumerate(column.sources):
            steps = path.split(".")
            if steps[0] != "context" or len(steps) == 1:
                continue
            branch = self._plan
            for step in steps[1:-1]:
                inner = branch.setdefault(step, {})
                assert isinstance(inner, dict)
                branch = inner
            as_it_is = None if rank or at is None else _AS_IT_IS.get(column.code)
            branch[steps[-1]] = _Leaf(as_it_is, at, column.name, COERCERS[column.code], path)

    def cells(self) -> list[Any]:
        """Fresh cells, one per context column, all null."""
        return self._empty.copy()

    def read(
        self, context: dict[str, Json], cells: list[Any], row: Columns, flags: list[Flag]
    ) -> dict[str, Json]:
        """Fill ``cells``, and of ``row`` what is missing there; return what is left, ``{}`` if nothing is."""
        later: list[_Later] = []
        kept_open: list[tuple[dict[str, Json], str]] = []
        rest = self._level(context, self._plan, cells, flags, later, kept_open)
        for leaf, value, home, key in later:
            taken = row.get(leaf.name) if leaf.at is None else cells[leaf.at]
            if taken is None:
                _look(leaf, value, cells if leaf.at is not None else row, flags, home, key)
            elif taken != value:
                home[key] = value
        for home, key in kept_open:
            if not home[key]:
                del home[key]
        return rest

    def _level(
        self,
        value: dict[str, Json],
        plan: _Plan,
        cells: list[Any],
        flags: list[Flag],
        later: list[_Later],
        kept_open: list[tuple[dict[str, Json], str]],
    ) -> dict[str, Json]:
        rest: dict[str, Json] = {}
        shared = self._shared.keeper()
        for key, sent in value.items():
            found = plan.get(key)
            if found is None:
                rest[key] = sent
            elif type(found) is _Leaf:
                kind = type(sent)
                if kind is found[0] and (
                    (sent != "" and sent.isascii() and "\0" not in sent)
                    if kind is str
                    else kind is bool or (-_INT_32 <= sent < _INT_32 if kind is int else sent - sent == 0.0)
                ):
                    cells[found[1]] = shared(sent, sent) if kind is str else sent  # type: ignore[index]
                elif sent is None:
                    continue
                elif sent == "":
                    rest[key] = sent
                elif found.as_it_is is None:
                    later.append((found, sent, rest, key))
                else:
                    _look(found, sent, cells, flags, rest, key)
            elif type(sent) is dict:
                pending = len(later)
                inner = self._level(sent, found, cells, flags, later, kept_open)  # type: ignore[arg-type]
                if len(later) > pending:
                    rest[key] = inner
                    kept_open.append((rest, key))
                elif inner:
                    rest[key] = inner
            elif sent is not None:
                rest[key] = sent
        return rest


_Later = tuple[_Leaf, Json, dict[str, Json], str]


def _look(leaf: _Leaf, value: Json, into: Any, flags: list[Flag], rest: dict[str, Json], key: str) -> None:
    """Coerce a value into the cells, or into the row by name; what did not fit as sent stays in the rest."""
    noticed = len(flags)
    typed = leaf.coerce(value, leaf.path, flags)
    if typed is not None:
        into[leaf.name if leaf.at is None else leaf.at] = typed
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
