"""A document without references: what it refers to stands where it referred. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connector.errors import ConfigError
from connector.events import Json
from connector.schemas.documents import LISTS, MAPS, SINGLE, registry_of, with_ids

_NOTES = frozenset("title description default deprecated readOnly writeOnly examples $comment".split())
_OF_A_DOCUMENT = frozenset(("$schema", "$id", "$defs", "$anchor"))
_ALONE = frozenset(
    "x-policy additionalProperties patternProperties unevaluatedProperties unevaluatedItems".split()
)
"""Keywords that mean something else once a schema has more neighbours."""
_BOUND = frozenset("if then else contains minContains maxContains prefixItems items".split())
"""Keywords that mean something together, so those of two schemas cannot be mixed."""


def resolve(name: str, documents: Mapping[str, Json]) -> Json:
    """
    Return one document so that it stands alone: no ``$ref``, no ``$defs``.

    It accepts and refuses what the original does, at the same places. What is said beside a ``$ref`` is
    joined with what it leads to; where that would change a meaning, both stand in an ``allOf``.

    Args:
        name: file name of the document.
        documents: all documents, right ones (``compile_schemas`` takes them).

    Raises:
        ConfigError: the document refers to itself, so it would have no end.
    """
    named = with_ids(documents)
    document = named[name]
    whole = _inline(document, registry_of(named).resolver(document["$id"]), (id(document),), name)
    top = {key: documents[name][key] for key in ("$schema", "$id") if key in documents[name]}
    return {**top, **whole} if isinstance(whole, dict) else whole


def _inline(schema: Json, resolver: Any, open_targets: tuple[int, ...], name: str) -> Json:
    if not isinstance(schema, dict):
        return schema
    own = {
        keyword: _children(keyword, value, resolver, open_targets, name)
        for keyword, value in schema.items()
        if keyword not in _OF_A_DOCUMENT and keyword != "$ref"
    }
    if "$ref" not in schema:
        return own
    target = resolver.lookup(schema["$ref"])
    if id(target.contents) in open_targets:
        raise ConfigError(f"{name}: refers to itself through {schema['$ref']}, so it cannot stand alone")
    other = _inline(target.contents, target.resolver, (*open_targets, id(target.contents)), name)
    return _joined(own, other)


def _children(keyword: str, value: Json, resolver: Any, open_targets: tuple[int, ...], name: str) -> Json:
    if keyword in MAPS:
        return {key: _inline(child, resolver, open_targets, name) for key, child in value.items()}
    if keyword in LISTS:
        return [_inline(child, resolver, open_targets, name) for child in value]
    return _inline(value, resolver, open_targets, name) if keyword in SINGLE else value


def _joined(own: Json, other: Json) -> Json:
    """Return one schema that holds where both hold; of notes the own ones stay."""
    if not isinstance(own, dict) or not isinstance(other, dict) or _is_entangled(own, other):
        rest = own if isinstance(own, dict) else {"allOf": [own]}
        return {**rest, "allOf": [*rest.get("allOf", ()), other]}
    joined = {**other, **own}
    beside: dict[str, Json] = {}
    for keyword in _disputed(own, other):
        if keyword == "properties":
            both = own[keyword].keys() & other[keyword].keys()
            joined[keyword] = {**other[keyword], **own[keyword]} | {
                key: _joined(own[keyword][key], other[keyword][key]) for key in sorted(both)
            }
        elif keyword == "required":
            joined[keyword] = list(dict.fromkeys([*other[keyword], *own[keyword]]))
        elif keyword == "allOf":
            joined[keyword] = [*other[keyword], *own[keyword]]
        else:
            beside[keyword] = other[keyword]
    if beside:
        joined["allOf"] = [*joined.get("allOf", ()), beside]
    return joined


def _is_entangled(own: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    return bool(_ALONE & (own.keys() | other.keys()) or (_BOUND & own.keys() and _BOUND & other.keys()))


def _disputed(own: Mapping[str, Json], other: Mapping[str, Json]) -> Iterator[str]:
    for keyword in own:
        if keyword in other and keyword not in _NOTES and own[keyword] != other[keyword]:
            yield keyword
