"""The view ``people``: one row a person, with the traits that are current. Composes trees; runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from connector.errors import ConfigError
from connector.report.compose import Composition, template_of
from connector.tables.others import PROFILES

TYPED: dict[str, tuple[str, ...]] = {
    column.name: column.sources
    for column in PROFILES.columns
    if column.sources and column.sources[0].startswith("traits.")
}
"""Columns of ``profiles`` that hold traits -> where in a call they come from."""
USUAL = (
    "email", "phone", "name", "first_name", "last_name", "address_city", "address_country", "locale",
)  # fmt: skip
"""Traits that ``people`` always has."""
_COLUMN_OF = {
    spelling: column
    for column, sources in TYPED.items()
    for spelling in (column, *(source.removeprefix("traits.") for source in sources))
}


class _Trait(NamedTuple):
    column: str
    value: exp.Expr
    said: exp.Expr
    """Whether a call states it."""


def people_view(composition: Composition, traits: Sequence[str] = ()) -> dict[str, str]:
    """
    Add the view ``people`` to a composition.

    Its columns: ``uid``; ``user_id``, null for a device without a user; ``first_seen_ms``, ``last_seen_ms``
    of rows, over all time, null for who was only identified; ``events``, the number of rows; the traits. A
    trait is what the last identify call says that states it, in the order of event time, ties by arrival,
    calls of linked devices among them. A call states a trait when its key is there; with null or "" it takes
    the value away. ``address`` and ``company`` are stated as a whole. Rows count by the parameter
    ``source``; identify calls of every source do.

    Args:
        traits: more of them: a column of ``profiles`` or a key of ``traits`` as sent, where ``a.b`` reaches
            into an object. What has no column of its own is text, on Athena null for a list or an object.

    Returns:
        Trait -> its column in ``people``, the usual ones included.

    Raises:
        ConfigError: the name of a trait holds quotes, brackets or a backslash.

    Source: analytics definitions, section 6; tables 2.6.
    """
    wanted = dict.fromkeys((*USUAL, *traits))
    columns = {name: _COLUMN_OF.get(name, f"trait_{number}") for number, name in enumerate(wanted)}
    composition.define("resolved_profiles", "resolved", tables={"unique_events": "unique_profiles"})
    statements, current, people = (
        _selecting(name) for name in ("profile_statements", "people_traits", "people")
    )
    for trait in {column: _trait(name, column) for name, column in columns.items()}.values():
        step = f"{trait.column}_step"
        statements.select(_alias(trait.value, trait.column), _alias(_last_step(trait.said), step), copy=False)
        is_last = exp.EQ(this=exp.column("step"), expression=exp.column(step))
        value = exp.Max(this=exp.Case().when(is_last, exp.column(trait.column)))
        current.select(_alias(value, trait.column), copy=False)
        people.select(exp.column(trait.column, "traits"), copy=False)
    composition.define("profile_statements", statements)
    composition.define("people_traits", current)
    composition.define("people", people)
    return columns


def _selecting(name: str) -> exp.Select:
    tree = template_of(name).copy()
    assert isinstance(tree, exp.Select)
    return tree


def _alias(value: exp.Expr, name: str) -> exp.Expr:
    return value if value == exp.column(name) else exp.alias_(value, name)


def _last_step(said: exp.Expr) -> exp.Expr:
    step = exp.Max(this=exp.Case().when(said, exp.column("step")))
    return exp.Window(this=step, partition_by=[exp.column("uid")])


def _trait(name: str, column: str) -> _Trait:
    if column in TYPED:
        keys = dict.fromkeys(source.split(".")[1] for source in TYPED[column])
        value: exp.Expr = exp.column(column)
        has_value = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
        return _Trait(column, value, exp.or_(has_value, *map(_has_key, keys)))
    path = name.split(".")
    if "" in path or set(name) & set("\"'`[]\\"):
        raise ConfigError("trait: a name has no quotes, brackets or backslashes, and no empty part")
    steps = [exp.JSONPathRoot(), *(exp.JSONPathKey(this=part) for part in path)]
    text = exp.JSONExtractScalar(
        this=exp.column("traits"), expression=exp.JSONPath(expressions=steps), only_json_types=False
    )
    return _Trait(column, text, _has_key(path[0]))


def _has_key(key: str) -> exp.Expr:
    return exp.Anonymous(this="has_key", expressions=[exp.column("traits"), exp.Literal.string(key)])
