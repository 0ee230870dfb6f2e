"""JSON Schema draft-07, which Segment's tracking plans speak, to draft 2020-12 and back. Pure.

Source: the release notes of draft 2019-09 and 2020-12 on what was renamed and split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from connector.errors import Fault
from connector.events import Json
from connector.schemas.documents import Path, pointer

DRAFT_07 = "http://json-schema.org/draft-07/schema#"
_READ_AS_07 = frozenset((DRAFT_07.rstrip("#"), "http://json-schema.org/draft-06/schema"))

_MAPS = frozenset(("properties", "patternProperties", "definitions"))
_LISTS = frozenset(("allOf", "anyOf", "oneOf"))
_SINGLE = frozenset("additionalItems additionalProperties contains else if not propertyNames then".split())
_NOTES = frozenset("title description default readOnly writeOnly examples $comment".split())
_VALUES = frozenset(
    "$schema $id $ref multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength "
    "pattern maxItems minItems uniqueItems maxProperties minProperties required const enum type format "
    "contentMediaType contentEncoding".split()
)
_KNOWN = _MAPS | _LISTS | _SINGLE | _NOTES | _VALUES | {"items", "dependencies"}
_NOT_IN_07 = frozenset("unevaluatedItems unevaluatedProperties minContains maxContains $anchor $ref".split())
_DROPPED = frozenset(
    "$schema $id $defs deprecated contentSchema prefixItems dependentRequired dependentSchemas".split()
)
"""What is not carried over as it is."""


def faults_of_07(schema: Json, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield ``(place, text)`` of everything in a draft-07 schema that is unknown or wrong there."""
    if not isinstance(schema, dict):
        yield path, "must be a JSON Schema, an object"
        return
    draft = schema.get("$schema", DRAFT_07)
    if not isinstance(draft, str) or draft.rstrip("#") not in _READ_AS_07:
        yield (*path, "$schema"), f"{draft} cannot be read, only draft-07"
        return
    import jsonschema

    for error in jsonschema.Draft7Validator(jsonschema.Draft7Validator.META_SCHEMA).iter_errors(schema):
        yield (*path, *error.absolute_path), error.message
    for place, keyword in _unknown(schema, path):
        yield (*place, keyword), f"{keyword} is no keyword of draft-07"


def _unknown(schema: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword not in _KNOWN and not keyword.startswith("x-"):
            yield path, keyword
        for step, child in _children(keyword, value):
            yield from _unknown(child, (*path, keyword, *step))


def _children(keyword: str, value: Json) -> Iterator[tuple[Path, Json]]:
    if (keyword in _MAPS or keyword == "dependencies") and isinstance(value, dict):
        yield from (((key,), child) for key, child in value.items())
    elif (keyword in _LISTS or keyword == "items") and isinstance(value, list):
        yield from (((index,), child) for index, child in enumerate(value))
    elif keyword in _SINGLE or keyword == "items":
        yield (), value


def from_07(schema: Json) -> Json:
    """Return a right draft-07 schema as draft 2020-12, without ``$schema`` and ``$id``."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:  # draft-07 ignores whatever else stands beside a reference
        schema = {key: value for key, value in schema.items() if key in _NOTES | {"$ref", "definitions"}}
    return dict(
        pair for keyword, value in schema.items() for pair in _in_2020(keyword, value, schema.get("items"))
    )


def _in_2020(keyword: str, value: Json, items: Json) -> Iterator[tuple[str, Json]]:
    match keyword:
        case "$schema" | "$id":
            return
        case "$ref":
            yield keyword, value.replace("#/definitions/", "#/$defs/", 1)
        case "definitions":
            yield "$defs", _converted(keyword, value, from_07)
        case "items" if isinstance(value, list):
            yield "prefixItems", [from_07(child) for child in value]
        case "additionalItems":
            if isinstance(items, list):  # it means nothing beside a single schema
                yield "items", from_07(value)
        case "dependencies":
            yield from _split_dependencies(value)
        case _:
            yield keyword, _converted(keyword, value, from_07)


def _split_dependencies(value: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    required = {key: needs for key, needs in value.items() if isinstance(needs, list)}
    schemas = {key: from_07(needs) for key, needs in value.items() if not isinstance(needs, list)}
    if required:
        yield "dependentRequired", required
    if schemas:
        yield "dependentSchemas", schemas


def faults_in_07(schema: Json, name: str, path: Path = ()) -> Iterator[Fault]:
    """Yield the keywords of a resolved 2020-12 schema that draft-07 has no word for."""
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in _NOT_IN_07:
            yield Fault(f"{name}#{pointer((*path, keyword))}", "cannot be said in draft-07")
        children = _children("allOf" if keyword == "prefixItems" else keyword, value)
        if keyword == "dependentSchemas":
            children = _children("dependencies", value)
        for step, child in children:
            yield from faults_in_07(child, name, (*path, keyword, *step))


def to_07(schema: Json) -> Json:
    """Return a resolved 2020-12 schema as draft-07. Notes of one's own (``x-``) are left out."""
    if not isinstance(schema, dict):
        return schema
    found = {
        keyword: _converted(keyword, value, to_07)
        for keyword, value in schema.items()
        if keyword not in _DROPPED and not keyword.startswith("x-")
    }
    if "prefixItems" in schema:
        found["items"] = [to_07(child) for child in schema["prefixItems"]]
        if "items" in schema:
            found["additionalItems"] = to_07(schema["items"])
    required, schemas = schema.get("dependentRequired", {}), schema.get("dependentSchemas", {})
    needs = {**{key: to_07(child) for key, child in schemas.items()}, **required}
    twice = [{"dependencies": {key: to_07(schemas[key])}} for key in schemas if key in required]
    if needs:
        found["dependencies"] = needs
    if twice:
        found["allOf"] = [*found.get("allOf", ()), *twice]
    return found


def _converted(keyword: str, value: Json, convert: Callable[[Json], Json]) -> Json:
    if keyword in _MAPS:
        return {key: convert(child) for key, child in value.items()}
    if keyword in _LISTS:
        return [convert(child) for child in value]
    return convert(value) if keyword in _SINGLE or keyword == "items" else value
