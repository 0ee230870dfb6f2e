"""Conditions as one statement over the views of reports: the people who meet them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from importlib.resources import files
from typing import NamedTuple

from sqlglot import exp

from connector.cohorts.conditions import (
    AnyOf,
    Condition,
    Did,
    Every,
    InCohort,
    Not,
    Profile,
)
from connector.cohorts.predicates import amount, compared, profile_kind
from connector.errors import ConfigError
from connector.report.clock import DAY_MS, Clock, date_of, number_of
from connector.report.compose import Composition, Value, expression
from connector.report.filters import row_filter, value_of
from connector.report.people import people_view
from connector.tables import EVENTS

ROOT = "cohort"
"""The view of the people: one column, ``uid``."""
_BOUNDS = {"at_least": exp.GTE, "at_most": exp.LTE, "more_than": exp.GT, "less_than": exp.LT,
           "exactly": exp.EQ}  # fmt: skip
_DEEPEST = 60
_AGGREGATES = {"sum": exp.Sum, "min": exp.Min, "max": exp.Max}


class When(NamedTuple):
    """What relative times and local days mean."""

    now_ms: int
    timezone: str


def compose(
    condition: Condition, when: When, given: Collection[str], members_of: Callable[[str], Collection[str]]
) -> Composition:
    """
    The views that say who meets a condition: ask ``ROOT``.

    Args:
        given: relations that are on the engine already.
        members_of: the people of another cohort by its name.

    Raises:
        ConfigError: a column is none, or a comparison does not fit it.
    """
    if _depth(condition) > _DEEPEST:
        raise ConfigError(f"conditions: stand in each other more than {_DEEPEST} deep")
    composition = Composition({"as_of_ms": None, "source": None}, given)
    traits = people_view(composition, [name.removeprefix("traits.") for name in _profiles_in(condition)])
    compiler = _Compiler(composition, when, traits, members_of)
    wanted = compiler.person(condition)
    tree = exp.select(exp.column("uid", "people")).from_("people")
    for name in compiler.leaves:
        same = exp.EQ(this=exp.column("uid", name), expression=exp.column("uid", "people"))
        tree = tree.join(exp.to_table(name), on=same, join_type="left")
    composition.define(ROOT, tree.where(wanted))
    return composition


def _parts_of(condition: Condition) -> tuple[Condition, ...]:
    """The conditions right inside another."""
    if isinstance(condition, Every | AnyOf):
        return condition.all if isinstance(condition, Every) else condition.any
    return (condition.not_,) if isinstance(condition, Not) else ()


def _depth(condition: Condition) -> int:
    return 1 + max(map(_depth, _parts_of(condition)), default=0)


def _profiles_in(condition: Condition) -> Iterator[str]:
    """What is asked of people's profiles."""
    if isinstance(condition, Profile):
        yield condition.profile
    for part in _parts_of(condition):
        yield from _profiles_in(part)


class _Compiler:
    def __init__(
        self, composition: Composition, when: When, traits: Mapping[str, str],
        members_of: Callable[[str], Collection[str]],
    ) -> None:  # fmt: skip
        self._composition = composition
        self._when = when
        self._traits = traits
        self._members_of = members_of
        self.leaves: list[str] = []

    def person(self, condition: Condition) -> exp.Expr:
        """Whether a row of ``people`` meets it."""
        if isinstance(condition, Did):
            return self._did(condition)
        if isinstance(condition, Profile):
            return self._profile(condition)
        if isinstance(condition, InCohort):
            rows = [(uid,) for uid in self._members_of(condition.in_cohort)]
            name = f"condition_{len(self.leaves)}"
            return self._is_in(self._composition.define_rows(name, {"uid": "varchar"}, rows))
        if isinstance(condition, Every):
            return exp.paren(exp.and_(*map(self.person, condition.all)))
        if isinstance(condition, AnyOf):
            return exp.paren(exp.or_(*map(self.person, condition.any)))
        return exp.not_(exp.paren(self.person(condition.not_)))

    def _is_in(self, leaf: str) -> exp.Expr:
        self.leaves.append(leaf)
        return exp.not_(exp.Is(this=exp.column("uid", leaf), expression=exp.null()))

    def _did(self, did: Did) -> exp.Expr:
        bound, number = did.bound
        if did.measure is None and _counts_none(bound, number):
            opposite = {"at_most": int(number) + 1, "less_than": int(number), "exactly": 1}[bound]
            if opposite == 0:
                raise ConfigError(f"did: nobody did it less than {opposite} times")
            return exp.not_(exp.paren(self._leaf(did, _count("at_least", opposite))))
        if did.measure is None:
            if bound == "at_least" and number == 0:
                raise ConfigError("did: at least 0 is true of everybody; leave it out")
            return self._leaf(did, _count(bound, number))
        return self._leaf(did, self._measured(did))

    def _leaf(self, did: Did, enough: exp.Expr) -> exp.Expr:
        from_ms, before_ms = self._span(did)
        parameters: dict[str, Value] = {
            "event": did.did,
            "from_ms": from_ms,
            "from_day": None if from_ms is None else date_of(from_ms // DAY_MS),
            "before_ms": before_ms,
            "before_day": None if before_ms is None else date_of(before_ms // DAY_MS),
            "kept": exp.paren(_kept(did)),
            "enough": enough,
        }
        name = f"condition_{len(self.leaves)}"
        return self._is_in(self._composition.define(name, view_of("did"), parameters))

    def _span(self, did: Did) -> tuple[int | None, int | None]:
        """From which moment on, and before which."""
        if did.within is not None:
            return self._when.now_ms - did.within, self._when.now_ms + 1
        clock = Clock(self._when.timezone)
        return (
            clock.start_ms(number_of(did.from_day)) if did.from_day else None,
            clock.start_ms(number_of(did.to_day) + 1) if did.to_day else None,
        )

    def _measured(self, did: Did) -> exp.Expr:
        """An aggregate of a column against its bound, over rows that have a value."""
        assert did.measure is not None
        (aggregate, name), (bound, number) = next(iter(did.measure.items())), did.bound
        column, kind = value_of(name, "with")
        there = exp.GT(this=exp.Count(this=column.copy()), expression=exp.Literal.number(0))
        if aggregate == "distinct":
            value: exp.Expr = exp.Count(this=exp.Distinct(expressions=[column]))
            return exp.and_(there, _BOUNDS[bound](this=value, expression=_number(number, name)))
        if kind != "number":
            raise ConfigError(f"{name}: {aggregate} is for columns of numbers")
        if _code(name) == "M" and not _names_currency(did):
            raise ConfigError(
                f"{name}: amounts of several currencies are never added; say which: where (currency = 'USD')"
            )
        if aggregate == "avg" or _code(name) == "D":
            value = exp.cast(column, "double")
            limit: exp.Expr = exp.cast(exp.Literal.number(repr(float(number))), "double")
        else:
            value, limit = column, _number(number, name)
        whole = exp.Avg(this=value) if aggregate == "avg" else _AGGREGATES[aggregate](this=value)
        return exp.and_(there, _BOUNDS[bound](this=whole, expression=limit))

    def _profile(self, profile: Profile) -> exp.Expr:
        name = self._traits[profile.profile.removeprefix("traits.")]
        kind = profile_kind(profile.profile, name)
        return compared(exp.column(name, "people"), kind, profile.is_, profile.value, profile.profile)


def view_of(name: str) -> exp.Expr:
    """A view of this package as a tree."""
    return expression((files("connector.cohorts") / "sql" / f"{name}.sql").read_text(encoding="utf-8"))


def _counts_none(bound: str, number: float) -> bool:
    """Whether people meet it who never did the event."""
    return bound in ("at_most", "less_than") or (bound == "exactly" and number == 0)


def _count(bound: str, number: float) -> exp.Expr:
    count = exp.Count(this=exp.Star(), big_int=True)
    return _BOUNDS[bound](this=count, expression=exp.Literal.number(int(number)))


def _number(number: float, where: str) -> exp.Expr:
    return amount(Decimal(str(number)), where)


def _code(column: str) -> str:
    return EVENTS.by_name[column].code if column in EVENTS.by_name else ""


def _kept(did: Did) -> exp.Expr:
    return exp.true() if did.where is None else row_filter(did.where, "where")


def _names_currency(did: Did) -> bool:
    """Whether every row that counts has one and the same currency."""
    kept = _kept(did).unnest()
    parts = kept.flatten() if isinstance(kept, exp.And) else [kept]
    tests = (test for part in parts if isinstance(test := part.unnest(), exp.EQ))
    return any(
        isinstance(test.this, exp.Column) and test.this.name == "currency"
        and isinstance(test.expression, exp.Literal)
        for test in tests
    )  # fmt: skip
