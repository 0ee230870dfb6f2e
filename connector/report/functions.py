"""
The closed list of SQL functions that reports may use.

``STANDARD`` are called alike, or sqlglot translates them, or ``render`` brings them to one meaning
(``REDEFINED``). ``OWN`` are ours: what each engine calls them is written here as text. A tree that holds any
other function is refused. What else SQL may hold is said in ``portable``.

Not on the list, because the engines disagree: round (of 1.005 DuckDB rounds the binary fraction, Spark the
decimal digits), lower and upper (Spark makes two letters of the German sharp s).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlglot import exp

Engine = Literal["duckdb", "spark", "athena"]
ENGINES: tuple[Engine, ...] = ("duckdb", "spark", "athena")

STANDARD: dict[type[exp.Expr], str] = {
    exp.Abs: "abs", exp.And: "AND", exp.ArgMax: "max_by", exp.ArgMin: "min_by", exp.Avg: "avg",
    exp.Case: "CASE", exp.Cast: "cast", exp.Ceil: "ceil", exp.Coalesce: "coalesce", exp.Count: "count",
    exp.DenseRank: "dense_rank", exp.Exists: "EXISTS", exp.FirstValue: "first_value", exp.Floor: "floor",
    exp.Greatest: "greatest",
    exp.If: "if", exp.JSONExtractScalar: "json_extract_scalar", exp.Lag: "lag", exp.LastValue: "last_value",
    exp.Lead: "lead", exp.Least: "least", exp.Length: "length", exp.Max: "max", exp.Min: "min",
    exp.Nullif: "nullif", exp.Or: "OR", exp.Rank: "rank", exp.RowNumber: "row_number", exp.Sqrt: "sqrt",
    exp.Sum: "sum", exp.Variance: "variance",
}  # fmt: skip
"""Type in the tree -> what Trino calls it; capitals: it is no function there."""

REDEFINED: dict[type[exp.Expr], str] = {
    exp.Avg: "the mean as a double, also of decimals",
    exp.ArgMax: "of the row with the greatest second argument, also where its first is null",
    exp.ArgMin: "of the row with the least second argument, also where its first is null",
    exp.Ceil: "a whole number",
    exp.Floor: "a whole number",
    exp.Greatest: "the greatest of those that are not null",
    exp.Least: "the least of those that are not null",
    exp.Div: "a division of doubles, null where the divisor is 0",
    exp.Like: "a pattern of % and _, in which a backslash is a backslash",
}
"""What ``render`` writes so that it means the same on every engine."""


class Own(NamedTuple):
    """One of our own functions; ``{0}``, ``{1}`` are its arguments."""

    says: str
    duckdb: str
    spark: str
    athena: str
    approximate_on: tuple[Engine, ...] = ()
    trino: tuple[str, ...] = ()
    """The functions of Trino in it."""


OWN: dict[str, Own] = {
    "ms_of": Own(
        "ms since the epoch of a timestamp",
        "epoch_ms({0})",
        "unix_millis({0})",
        "CAST(to_unixtime({0}) * 1000 AS BIGINT)",
        trino=("to_unixtime",),
    ),
    "whole": Own(
        "the whole part of a division of whole numbers, none of them negative",
        "{0} // {1}",
        "{0} DIV {1}",
        "CAST({0} AS BIGINT) / CAST({1} AS BIGINT)",
    ),
    "month_start": Own(
        "the first day of the month of a day number",
        "date_diff('day', DATE '1970-01-01', "
        "CAST(date_trunc('month', DATE '1970-01-01' + CAST({0} AS INTEGER)) AS DATE))",
        "datediff(trunc(date_add(DATE '1970-01-01', CAST({0} AS INT)), 'MM'), DATE '1970-01-01')",
        "date_diff('day', DATE '1970-01-01', date_trunc('month', date_add('day', {0}, DATE '1970-01-01')))",
        trino=("date_diff", "date_trunc", "date_add"),
    ),
    "percentile": Own(
        "the percentile of a share from 0 to 1, between closest ranks, as a double",
        "quantile_cont(CAST({0} AS DOUBLE), {1})",
        "percentile(CAST({0} AS DOUBLE), {1})",
        "approx_percentile(CAST({0} AS DOUBLE), {1})",
        approximate_on=("athena",),
        trino=("approx_percentile",),
    ),
    "has_key": Own(
        "whether an object in JSON text has a key of this name, be its value null",
        "list_contains(json_keys({0}), {1})",
        "array_contains(json_object_keys({0}), {1})",
        "contains(map_keys(CAST(json_parse({0}) AS MAP(VARCHAR, JSON))), {1})",
        trino=("contains", "map_keys", "json_parse"),
    ),
    "item": Own(
        "an item of a list by its number from 1, null behind the end; item(products, 1).sku is a field of it",
        "list_extract({0}, {1})",
        "try_element_at({0}, CAST({1} AS INT))",
        "element_at({0}, {1})",
        trino=("element_at",),
    ),
    "items": Own(
        "how many items a list has", "len({0})", "size({0})", "cardinality({0})", trino=("cardinality",)
    ),
}  # fmt: skip
CLOCK = ("local_ms", "local_day")
"""Functions of a time that depend on the time zone; they become arithmetic."""


def refused(tree: exp.Expr) -> list[str]:
    """Names of the functions in a tree that are not on the list, each once."""
    found = dict.fromkeys(_name(node) for node in tree.find_all(exp.Func) if not _is_listed(node))
    return list(found)


def _is_listed(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower() in {*OWN, *CLOCK}
    return type(node) in STANDARD


def _name(node: exp.Expr) -> str:
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else type(node).__name__.lower()
