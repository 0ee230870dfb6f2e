"""
What a filter may hold, and of which kind each part is: text, number, moment or truth. Pure.

Every engine that runs reports must give the same answer to a filter, and no row may stop it. So nothing is
compared across kinds, no text is cast (one that is no number would end the report), and what the engines do
differently is left out: see ``functions`` and ``portable``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from sqlglot import exp

from connector.nearest import close_name
from connector.tables import Table, TypeCode

Kind = Literal["text", "number", "moment", "truth", "nothing"]
"""``nothing``: NULL, which goes with every kind."""
_COLUMN_KINDS: Mapping[TypeCode, Kind] = {
    "S": "text", "J": "text", "M": "number", "Q": "number", "I": "number", "L": "number", "D": "number",
    "B": "truth", "T": "moment",
}  # fmt: skip
_KEY = re.compile(r"[^'\"\\\[\]*\x00-\x1f]+")


class Unfit(Exception):
    """A part of a filter that is not allowed; the text is the rule."""


class Reader:
    """Checks the parts of a filter over the columns of a table, and builds them anew."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._by_type: dict[type[exp.Expr], Callable[[exp.Expr], tuple[exp.Expr, Kind]]] = {
            exp.Column: self._column, exp.Literal: _literal, exp.Null: lambda _: (exp.null(), "nothing"),
            exp.Boolean: lambda node: (exp.convert(node.this), "truth"), exp.Paren: self._paren,
            exp.And: self._logic, exp.Or: self._logic, exp.Not: self._logic, exp.EQ: self._comparison,
            exp.NEQ: self._comparison,
            exp.GT: self._comparison, exp.GTE: self._comparison, exp.LT: self._comparison,
            exp.LTE: self._comparison, exp.Is: self._is_null, exp.In: self._in, exp.Between: self._between,
            exp.NullSafeEQ: self._comparison, exp.NullSafeNEQ: self._comparison, exp.Like: self._like,
            exp.Add: self._number, exp.Sub: self._number, exp.Mul: self._number, exp.Mod: self._number,
            exp.Div: self._number, exp.Neg: self._number, exp.Abs: self._number, exp.Ceil: self._number,
            exp.Floor: self._number, exp.DPipe: self._text, exp.Length: self._length, exp.Case: self._case,
            exp.If: self._case, exp.Coalesce: self._alike, exp.Nullif: self._alike, exp.Greatest: self._alike,
            exp.Least: self._alike, exp.Cast: self._cast, exp.JSONExtractScalar: self._json,
            exp.Anonymous: self._own,
        }  # fmt: skip

    def read(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        """The part as a new tree, and its kind. Raises ``Unfit``: it is not allowed."""
        reader = self._by_type.get(type(node))
        if reader is None:
            raise Unfit(f"{_called(node)} is not allowed in a filter")
        return reader(node)

    def truth(self, node: exp.Expr) -> exp.Expr:
        """A part that must be true or false."""
        return self._of(node, "truth")

    def _of(self, node: exp.Expr, wanted: Kind) -> exp.Expr:
        new, kind = self.read(node)
        if kind not in (wanted, "nothing"):
            raise Unfit(f"{_a(kind)} stands where {_a(wanted)} is needed")
        return new

    def _same(self, nodes: Sequence[exp.Expr]) -> tuple[list[exp.Expr], Kind]:
        read = [self.read(node) for node in nodes]
        kinds = dict.fromkeys(kind for _, kind in read if kind != "nothing")
        if len(kinds) > 1:
            first, second, *_ = kinds
            raise Unfit(f"{_a(first)} does not go with {_a(second)}")
        return [new for new, _ in read], next(iter(kinds), "nothing")

    def _column(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        _only(node, "this")
        name = node.name.lower()
        column = self._table.by_name.get(name)
        if column is None:
            near = close_name(name, self._table.by_name)
            hint = f"; did you mean {near}?" if near else ""
            raise Unfit(f"{self._table.name} has no column {node.name}{hint}")
        if column.code not in _COLUMN_KINDS:
            raise Unfit(f"{name} is a list, which a filter cannot hold")
        return exp.column(name), _COLUMN_KINDS[column.code]

    def _paren(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        new, kind = self.read(node.this)
        return exp.Paren(this=new), kind

    def _logic(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        return _with(node, **{name: self.truth(part) for name, part in _parts(node)}), "truth"

    def _comparison(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        (left, right), kind = self._same([node.this, node.expression])
        if kind == "truth" and isinstance(node, exp.GT | exp.GTE | exp.LT | exp.LTE):
            raise Unfit("true and false have no order")
        return _with(node, this=left, expression=right), "truth"

    def _is_null(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        if not isinstance(node.expression, exp.Null):
            raise Unfit("IS goes with NULL only")
        return _with(node, this=self.read(node.this)[0], expression=exp.null()), "truth"

    def _in(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        _only(node, "this", "expressions")
        if not node.expressions:
            raise Unfit("IN needs a list of values")
        (left, *values), _ = self._same([node.this, *node.expressions])
        return exp.In(this=left, expressions=values), "truth"

    def _between(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        _only(node, "this", "low", "high")
        (value, low, high), kind = self._same([node.this, node.args["low"], node.args["high"]])
        if kind == "truth":
            raise Unfit("true and false have no order")
        return exp.Between(this=value, low=low, high=high), "truth"

    def _like(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        pattern = node.expression
        if not (isinstance(pattern, exp.Literal) and pattern.is_string):
            raise Unfit("the pattern of LIKE is a text in quotes")
        return exp.Like(this=self._of(node.this, "text"), expression=_literal(pattern)[0]), "truth"

    def _number(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        _only(node, "this", "expression")
        return _with(node, **{name: self._of(part, "number") for name, part in _parts(node)}), "number"

    def _text(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        return _with(node, **{name: self._of(part, "text") for name, part in _parts(node)}), "text"

    def _length(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        _only(node, "this")
        return exp.Length(this=self._of(node.this, "text")), "number"

    def _case(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        branches: list[exp.If] = [node] if isinstance(node, exp.If) else node.args["ifs"]
        default = node.args.get("false") if isinstance(node, exp.If) else node.args.get("default")
        if isinstance(node, exp.Case) and node.this is not None:
            raise Unfit("CASE needs a condition after each WHEN")
        conditions = [self.truth(branch.this) for branch in branches]
        values, kind = self._same(
            [branch.args["true"] for branch in branches] + ([default] if default else [])
        )
        new = exp.Case(default=values[len(conditions)] if default else None)
        for condition, value in zip(conditions, values, strict=False):
            new = new.when(condition, value, copy=False)
        return new, kind

    def _alike(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        second = [node.expression] if isinstance(node, exp.Nullif) else node.expressions
        (first, *others), kind = self._same([node.this, *second])
        if isinstance(node, exp.Nullif):
            return exp.Nullif(this=first, expression=others[0]), kind
        if isinstance(node, exp.Coalesce):
            return exp.Coalesce(this=first, expressions=others), kind
        return type(node)(this=first, expressions=others, ignore_nulls=True), kind

    def _cast(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        to = node.args["to"]
        if not to.is_type("double", "decimal"):
            raise Unfit("CAST goes to DOUBLE or DECIMAL(18, 6)")
        if to.is_type("decimal") and len(to.expressions) != 2:
            raise Unfit("a DECIMAL has a width and a scale, as DECIMAL(18, 6)")
        return exp.cast(self._of(node.this, "number"), exp.DataType.build(to.sql())), "number"

    def _json(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        path, column = node.expression, node.this
        if not isinstance(column, exp.Column) or column.name.lower() not in (
            "properties",
            "context",
            "envelope",
        ):
            raise Unfit("->> reads properties, context or envelope")
        if not isinstance(path, exp.JSONPath) or not all(map(_is_plain, path.expressions)):
            raise Unfit("->> takes a path of keys, as '$.key' or '$.outer.inner'")
        return exp.paren(exp.JSONExtractScalar(this=self._column(column)[0], expression=path.copy())), "text"

    def _own(self, node: exp.Expr) -> tuple[exp.Expr, Kind]:
        name = str(node.this).lower()
        taken: Mapping[str, Kind] = {"ms_of": "moment", "local_ms": "number", "local_day": "number"}
        if name not in taken or len(node.expressions) != 1:
            raise Unfit(f"{_called(node)} is not allowed in a filter")
        return exp.Anonymous(this=name, expressions=[self._of(node.expressions[0], taken[name])]), "number"


def _literal(node: exp.Expr) -> tuple[exp.Expr, Kind]:
    text = node.name
    return (exp.Literal.string(text), "text") if node.is_string else (exp.Literal.number(text), "number")


def _is_plain(step: exp.Expr) -> bool:
    is_key = isinstance(step, exp.JSONPathKey) and isinstance(step.this, str) and _KEY.fullmatch(step.this)
    return isinstance(step, exp.JSONPathRoot) or bool(is_key)


def _parts(node: exp.Expr) -> list[tuple[str, exp.Expr]]:
    return [(name, part) for name, part in node.args.items() if isinstance(part, exp.Expr)]


def _with(node: exp.Expr, **parts: exp.Expr) -> exp.Expr:
    """A node of the same type; comments of the old one stay behind."""
    return type(node)(**parts)


def _only(node: exp.Expr, *names: str) -> None:
    more = {name for name, value in node.args.items() if value not in (None, False, [])} - set(names)
    if more:
        raise Unfit(f"{_called(node)} is not allowed in this form")


def _called(node: exp.Expr) -> str:
    name = str(node.this) if isinstance(node, exp.Anonymous) else type(node).__name__
    return name.lower()


def _a(kind: Kind) -> str:
    return {"truth": "a condition", "nothing": "NULL"}.get(kind, f"a {kind}")
