"""Limits, formats and choices of one value, in ajv's order. Source: mapping-kit 9."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connector.errors import ConfigError
from connector.events import Json
from connector.mapping.coercion import IS_OF_TYPE
from connector.mapping.field_formats import FORMATS
from connector.mapping.field_messages import beyond_limit, not_one_of, wrong_format, wrong_length

Keyword = Callable[[Json], str | None]
"""``value -> what is wrong with it``, None when nothing is."""


def compile_keywords(schema: Mapping[str, Json]) -> list[Keyword]:
    """Return the checks that a schema asks for beside the type.

    Raises:
        ConfigError: the format is not known.
    """
    return [build(schema[name]) for name, build in _KEYWORDS.items() if name in schema]


def _maximum(limit: float) -> Keyword:
    return _number_limit(lambda value: value > limit, beyond_limit(limit, "less"))


def _minimum(limit: float) -> Keyword:
    return _number_limit(lambda value: value < limit, beyond_limit(limit, "greater"))


def _number_limit(is_beyond: Callable[[float], bool], text: str) -> Keyword:
    is_number = IS_OF_TYPE["number"]
    return lambda value: text if is_number(value) and is_beyond(value) else None


def _max_length(limit: float) -> Keyword:
    return lambda value: (
        wrong_length(limit, "fewer", value) if isinstance(value, str) and len(value) > limit else None
    )


def _min_length(limit: float) -> Keyword:
    return lambda value: (
        wrong_length(limit, "more", value) if isinstance(value, str) and len(value) < limit else None
    )


def _format(name: str) -> Keyword:
    if name not in FORMATS:
        raise ConfigError(f"unknown format {name!r} of a field")
    has_format = FORMATS[name]
    text = wrong_format(name)
    return lambda value: text if isinstance(value, str) and not has_format(value) else None


def _enum(choices: list[Json]) -> Keyword:
    text = not_one_of(choices)
    known = [(_kind(choice), choice) for choice in choices]
    return lambda value: None if (_kind(value), value) in known else text


def _kind(value: Json) -> type:
    """Tell 1 from true, which Python takes for equal."""
    return float if type(value) is int else type(value)


_KEYWORDS: Mapping[str, Callable[[Json], Keyword]] = {
    "enum": _enum,
    "maximum": _maximum,
    "minimum": _minimum,
    "maxLength": _max_length,
    "minLength": _min_length,
    "format": _format,
}
