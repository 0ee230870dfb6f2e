"""Conditions that people meet or do not: what they did, what is known of them, other cohorts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from connector.report.question import Duration

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "contains", "is set"]
Scalar = bool | int | float | str
Number = int | float
Aggregate = Literal["sum", "avg", "min", "max", "distinct"]
BOUNDS = ("at_least", "at_most", "more_than", "less_than", "exactly")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Did(_Part):
    """
    What somebody did: an event, so and so often, or with such an aggregate of one of its columns.

    Without a bound: at least once. ``at_most``, ``less_than`` and ``exactly`` 0 are met by people who never
    did it. An aggregate is there only for people who did the event with a value in the column.
    """

    did: str = Field(min_length=1)
    where: str | None = Field(None, min_length=1)
    """A condition on its rows in SQL, as reports have it: ``category = 'Toys' AND price > 20``."""
    measure: dict[Aggregate, str] | None = Field(None, max_length=1)
    at_least: Number | None = None
    at_most: Number | None = None
    more_than: Number | None = None
    less_than: Number | None = None
    exactly: Number | None = None
    within: Duration | None = Field(None, gt=0)
    """So long before now, up to now; both ends count."""
    from_day: date | None = Field(None, alias="from")
    to_day: date | None = Field(None, alias="to")
    """The last local day, included."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        bounds = [name for name in BOUNDS if getattr(self, name) is not None]
        if len(bounds) > 1:
            raise PydanticCustomError("bounds", "give one of {names}", {"names": ", ".join(BOUNDS)})
        if self.measure and not bounds:
            raise PydanticCustomError("bounds", "an aggregate needs a bound, as at_least: 100")
        if bounds and not self.measure:
            count = getattr(self, bounds[0])
            if count < 0 or count != int(count):
                raise PydanticCustomError("bounds", "a number of times is whole and not negative")
        if self.within is not None and (self.from_day or self.to_day):
            raise PydanticCustomError("time", "give within, or from and to")
        if self.from_day and self.to_day and self.from_day > self.to_day:
            raise PydanticCustomError("time", "from lies after to")
        return self

    @property
    def bound(self) -> tuple[str, Number]:
        """``("at_least", 1)`` when none is given."""
        return next(((name, found) for name in BOUNDS if (found := getattr(self, name)) is not None),
                    ("at_least", 1))  # fmt: skip


class Profile(_Part):
    """What is known of somebody now: a column of ``profiles``, or ``traits.<name>``."""

    profile: str
    is_: Operator = Field(alias="is")
    value: Scalar | tuple[Scalar, ...] | None = None


class InCohort(_Part):
    """Another cohort, or one of its snapshots: ``name@snapshot``."""

    in_cohort: str = Field(min_length=1)


class Every(_Part):
    all: tuple[Condition, ...] = Field(min_length=1)


class AnyOf(_Part):
    any: tuple[Condition, ...] = Field(min_length=1)


class Not(_Part):
    not_: Condition = Field(alias="not")


def _tag(value: Any) -> str | None:
    """Which part it is: by the one key that only it has."""
    if isinstance(value, Mapping):
        return next((key for key in _KEYS.values() if key in value), None)
    return _KEYS.get(type(value).__name__)


_KEYS = {
    "Did": "did", "Profile": "profile", "InCohort": "in_cohort", "Every": "all", "AnyOf": "any", "Not": "not",
}  # fmt: skip
Condition = Annotated[
    Annotated[Did, Tag("did")]
    | Annotated[Profile, Tag("profile")]
    | Annotated[InCohort, Tag("in_cohort")]
    | Annotated[Every, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")],
    Discriminator(_tag, "part", "a condition has one of the keys did, profile, in_cohort, all, any, not"),
]
"""A condition on one person."""

for _model in (Every, AnyOf, Not):
    _model.model_rebuild()
