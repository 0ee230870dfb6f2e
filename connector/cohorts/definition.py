"""What a cohort is: its name and who belongs to it. Pure."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from connector.cohorts.conditions import Condition
from connector.errors import ConfigError
from connector.report.question import Moment


class OfReport(BaseModel):
    """The people of a report: those that its rows name, or those of a step of a funnel."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: str
    """``dropped`` and other kinds with people in their rows, or ``funnel``."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    step: int | None = Field(None, ge=1)
    """Of a funnel: the step that people reached, or stopped before; the last one when not given."""
    outcome: Literal["converted", "dropped"] | None = None
    """Of a funnel: reached the step; or, by default, reached the one before and not this."""
    segment: str | None = None
    """Of a funnel with a breakdown: only this value of it."""


class Definition(BaseModel):
    """
    A cohort; evaluated again each time it is used, as of then.

    Source: analytics definitions, section 4.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    description: str = ""
    report: OfReport | None = None
    conditions: Condition | None = None
    timezone: str = "UTC"
    """Zone of the local days in conditions."""
    created: Moment | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.report is None) == (self.conditions is None):
            raise PydanticCustomError("people", "a cohort is defined by report or by conditions")
        return self

    def stated(self) -> dict[str, Any]:
        """As a file has it: only what differs from the defaults."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def definition_of(document: Any, where: str) -> Definition:
    """A document as a definition.

    Args:
        where: file or name, for the message.

    Raises:
        ConfigError: one line a fault, with its place.
    """
    try:
        return Definition.model_validate(document)
    except ValidationError as faults:
        found = faults.errors(include_input=False, include_url=False)
        told = [fault for fault in found if fault["type"] != "too_short"] or found
        lines = (": ".join(filter(None, (where, ".".join(map(str, f["loc"])), f["msg"]))) for f in told)
        raise ConfigError("\n".join(lines)) from None
