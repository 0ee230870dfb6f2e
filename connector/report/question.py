"""What is asked: the parameters that every report has, and how they are read. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

from connector.errors import ConfigError

_DURATION = re.compile(r"([0-9]+)\s*(ms|s|m|h|d)")
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(value: Any) -> Any:
    """``7d``, ``36h``, ``30m``, ``10s``, ``250ms`` or a number of ms -> ms."""
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise PydanticCustomError("duration", "a duration is a number and a unit, as 7d, 36h, 30m or 10s")
    return int(match[1]) * _UNITS_MS[match[2]]


def duration_text(value_ms: int) -> str:
    """604800000 -> ``7d``."""
    for unit in ("d", "h", "m", "s"):
        if value_ms and value_ms % _UNITS_MS[unit] == 0:
            return f"{value_ms // _UNITS_MS[unit]}{unit}"
    return f"{value_ms}ms"


def _in_utc(value: Any) -> Any:
    """A moment without a zone is UTC; a bare day is its first moment."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("moment", "a moment is written as 2026-03-01T12:00:00Z") from None
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value


def moment_of(text: str, where: str) -> datetime:
    """A moment as it is typed. Raises ``ConfigError``, which names the place."""
    try:
        moment = _in_utc(text)
    except PydanticCustomError as fault:
        raise ConfigError(f"{where}: {fault.message()}") from None
    assert isinstance(moment, datetime)
    return moment


Duration = Annotated[int, BeforeValidator(duration_ms), PlainSerializer(duration_text, when_used="json")]
"""Milliseconds, written with a unit."""
Moment = Annotated[datetime, BeforeValidator(_in_utc)]
Unit = Literal["day", "week", "month"]
"""Local days, weeks from Monday, months."""


class Question(BaseModel):
    """
    Parameters of one report. Subclasses are the kinds of reports; options of the command line, saved reports
    and the documentation come from their fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    KIND: ClassVar[str]
    """Name on the command line."""
    SAYS: ClassVar[str]
    """The definition, in a sentence or a few."""
    COLUMNS: ClassVar[dict[str, str]]
    """Columns of the answer: name -> meaning and unit."""
    SHOWN: ClassVar[tuple[str, ...]] = ()
    """The columns that a terminal shows; none: all of them."""

    from_day: date | None = Field(None, alias="from", description="First local day; all data when not given.")
    to_day: date | None = Field(
        None, alias="to", description="Last local day, included; all data when not given."
    )
    timezone: str = Field("UTC", description="Zone in which days, weeks and months are cut.")
    as_of: Moment | None = Field(
        None,
        description="Count only what was received until then, as 2026-03-01T12:00:00Z; now when not given.",
    )
    source: str | None = Field(None, description="Rows of this source only.")

    def stated(self) -> dict[str, Any]:
        """As a saved report holds them: what differs from the defaults; no ``as_of``, which is always new."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"as_of"})
