"""``context`` to columns: what has a typed column goes there, the rest stays JSON. Source: tables 2.5."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from connector.actions.call import Columns
from connector.actions.reading import SharedTexts
from connector.events import Flag, Json
from connector.tables.model import Column
from connector.values.coerce import COERCERS, Coercer


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
        self._shared = SharedTexts()
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
