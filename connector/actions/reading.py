"""Objects of the event to columns: one pass over the keys that are there, plans made at start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import unescape
from typing import NamedTuple, Protocol

from connector.actions.call import NO_RULES, Columns, SourceRules
from connector.events import Flag, Json
from connector.tables.model import Column, TypeCode
from connector.values.amounts import Amounts, amounts
from connector.values.coerce import COERCERS, Coercer, integer, quiet_text, text
from connector.values.names import ORDER_EVENTS, SINGLE_PRODUCT_EVENTS


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


def put_number(name: str, reading: Amounts) -> Put:
    """M and Q: the usual number without a detour, everything else by the type's coercion."""
    fit, coerce = reading

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


_Read = Callable[[Json, str, list[Flag]], str | None]


def _trimmed(value: Json, path: str, flags: list[Flag]) -> str | None:
    """Text without blanks around it; None when there is nothing else."""
    typed = text(value, path, flags)
    return typed.strip() or None if typed else None


def _unescaped(value: Json, path: str, flags: list[Flag]) -> str | None:
    """``Toys &amp; Games`` is ``Toys & Games``."""
    typed = text(value, path, flags)
    return unescape(typed).strip() or None if typed else None


def put_first_and_all(name: str, everything: str, read: _Read = _trimmed) -> Put:
    """A list: its first element in ``name``, all of it in ``everything`` (quirks 42, 48)."""

    def put(row: Columns, value: Json, path: str, flags: list[Flag]) -> None:
        if type(value) is list:
            texts = [
                one
                for place, element in enumerate(value)
                if not is_missing(element) and (one := read(element, f"{path}[{place}]", flags))
            ]
            row[everything] = texts
            if texts:
                row[name] = texts[0]
        elif one := read(value, path, flags):
            row[name] = one

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


SPECIAL: Mapping[str, Put] = {
    "category": put_first_and_all("category", "categories"),
    "coupon": put_first_and_all("coupon", "coupons"),
    "position": put_position,
    "currency": put_currency,
    "rating": put_column("rating", quiet_text),
}
"""Columns of ``properties`` and of a product that need more than their type's coercion."""


_UNESCAPED_CATEGORY = put_first_and_all("category", "categories", _unescaped)


def putter(column: Column, rules: SourceRules = NO_RULES, minor_digits: int = 0) -> Put:
    """How a value of ``properties`` or of a product gets into its column.

    Args:
        minor_digits: amounts of money count units of ``10 ** -minor_digits``.
    """
    if column.name == "category" and rules.unescape_categories:
        return _UNESCAPED_CATEGORY
    if column.name in SPECIAL:
        return SPECIAL[column.name]
    if column.code == "M":
        return put_number(column.name, amounts("M", minor_digits, decimal_comma=rules.decimal_comma))
    if column.code == "Q":
        return put_number(column.name, amounts("Q", decimal_comma=rules.decimal_comma))
    return put_column(column.name, COERCERS[column.code])


def coercers(rules: SourceRules, minor_digits: int = 0) -> Mapping[TypeCode, Coercer]:
    """The coercions of every type, those of amounts as the source writes them."""
    return {
        **COERCERS,
        "M": amounts("M", minor_digits, decimal_comma=rules.decimal_comma).coerce,
        "Q": amounts("Q", decimal_comma=rules.decimal_comma).coerce,
    }


class _Alias(NamedTuple):
    rank: int
    spelling: str
    path: str
    put: Put
    condition: frozenset[str] | None


class _Way(NamedTuple):
    """A key that one source's rules name: the steps to it and how it is shown in a flag."""

    steps: Sequence[str]
    shown: str


def _put_inner(put: Put, ways: Sequence[_Way]) -> Put:
    """An object under the spec's own key: what lies inside it at the place that the source's rules name."""

    def put_inner(row: Columns, value: Json, path: str, flags: list[Flag]) -> None:
        for way in ways:
            inner = _at(value, way.steps)
            if not is_missing(inner):
                flags.append(Flag("key_alias", way.shown))
                put(row, inner, way.shown, flags)
                return
        put(row, value, path, flags)

    return put_inner


_MOST_SHARED = 20_000


class SharedTexts:
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

    def __init__(
        self,
        columns: Iterable[Column],
        prefix: str,
        *,
        product: bool = False,
        rules: SourceRules = NO_RULES,
        minor_digits: int = 0,
        key_aliases: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """
        Args:
            prefix: begins the sources that are read here, ``properties.`` for one.
            product: the object is a product: flags name its keys without the prefix.
            minor_digits: see ``putter``.
            key_aliases: column name -> further keys, dotted paths allowed, after the declared spellings.
        """
        self._shared = SharedTexts()
        self._primary: dict[str, tuple[str | None, Put, str]] = {}
        self._aliases: dict[str, list[_Alias]] = {}
        self._further: list[tuple[Sequence[str], _Alias]] = []
        self._product = product
        for column in columns:
            put = putter(column, rules, minor_digits)
            further = (key_aliases or {}).get(column.name, ())
            spellings = [path.removeprefix(prefix) for path in column.sources if path.startswith(prefix)]
            self._add(column, spellings, put, "" if product else prefix, further)

    def _add(
        self, column: Column, spellings: Sequence[str], put: Put, shown: str, further: Sequence[str]
    ) -> None:
        own = spellings[0]
        ways = [way for path in further if (way := _Way(path.split("."), shown + path)).steps != [own]]
        inside = [_Way(way.steps[1:], way.shown) for way in ways if way.steps[0] == own]
        plain_text = column.code == "S" and column.name not in SPECIAL
        self._primary[own] = (
            column.name if plain_text else None,
            _put_inner(put, inside) if inside else put,
            shown + own,
        )
        for rank, key in enumerate(spellings[1:], 1):
            condition = None if self._product or key != "id" else _ID_MEANS[column.name]
            self._aliases.setdefault(key, []).append(_Alias(rank, own, shown + key, put, condition))
        for rank, way in enumerate(ways, len(spellings)):
            if way.steps[0] != own:
                self._further.append((way.steps, _Alias(rank, own, way.shown, put, None)))

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
        if self._further:
            found = ((alias, _at(value, steps)) for steps, alias in self._further)
            others = [*(others or ()), *((alias, sent) for alias, sent in found if not is_missing(sent))]
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
            elif winner != sent and not _same_scalar(winner, sent):
                flags.append(Flag("key_conflict", alias.path))


def _same_scalar(one: Json, other: Json) -> bool:
    """``1001`` and ``"1001"`` say the same, written by two hands."""
    pair = {type(one), type(other)}
    return (pair == {int, str} or pair == {float, str}) and str(one) == str(other)


_ID_MEANS: Mapping[str, frozenset[str]] = {"order_id": ORDER_EVENTS, "product_id": SINGLE_PRODUCT_EVENTS}


def look_up(event: dict[str, Json], path: str) -> Json:
    """The value at a dotted path of objects; None when a step is missing or no object."""
    return _at(event, path.split("."))


def _at(value: Json, steps: Sequence[str]) -> Json:
    for step in steps:
        if type(value) is not dict:
            return None
        value = value.get(step)
    return value


def read_paths(
    columns: Iterable[Column],
    event: dict[str, Json],
    row: Columns,
    flags: list[Flag],
    coercions: Mapping[TypeCode, Coercer] = COERCERS,
) -> None:
    """Columns whose sources may lie anywhere (traits, the user's own): first value that was sent."""
    for column in columns:
        first: Json = None
        for rank, path in enumerate(column.sources):
            value = look_up(event, path)
            if is_missing(value):
                continue
            if first is not None:
                if value != first and not _same_scalar(first, value):
                    flags.append(Flag("key_conflict", path))
                continue
            first = value
            if rank and column.code != "T":
                flags.append(Flag("key_alias", path))
            put_column(column.name, coercions[column.code])(row, value, path, flags)
