"""What a schema document may say, and every fault of those that say something else."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote

import jsonschema_rs

from connector import jsontext
from connector.errors import Fault
from connector.events import Json

if TYPE_CHECKING:
    import jsonschema
    import referencing

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ENVELOPE = "envelope.json"
"""The document that holds for every call."""
URN_PREFIX = "urn:segment-lake:schema:"
"""With the stem of the file name, percent-encoded, the ``$id`` of a document that states none."""

MAX_EXPECTED_CHARS = 200

Policy = Literal["flag", "reject"]
Path = tuple[str | int, ...]

MAPS = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
"""Keywords whose value holds one schema per key."""
LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
"""Keywords whose value is a list of schemas."""
SINGLE = frozenset(
    "additionalProperties contains else if items not propertyNames then unevaluatedItems "
    "unevaluatedProperties".split()
)
"""Keywords whose value is a schema."""
RULES = frozenset(
    "additionalProperties anyOf const contains dependentRequired enum exclusiveMaximum exclusiveMinimum "
    "format items maxContains maxItems maxLength maxProperties maximum minContains minItems minLength "
    "minProperties minimum multipleOf not oneOf pattern prefixItems properties propertyNames required type "
    "unevaluatedItems unevaluatedProperties uniqueItems".split()
)
"""Keywords that an event can violate: what ``x-policy`` may name, and what a violation's rule is."""
ANNOTATIONS = frozenset(
    "$schema $id $ref $anchor $comment title description default deprecated readOnly writeOnly examples "
    "contentEncoding contentMediaType contentSchema".split()
)

TOP_ONLY = frozenset(("$id", "x-call"))
"""Keywords that say something of a document as a whole."""
CALLS = ("identify", "track", "page", "screen", "group", "alias", "delete")
"""Call types that a document can be about."""

_POLICY = {"enum": ["flag", "reject"]}
METASCHEMA: Json = {
    "$schema": DRAFT,
    "$id": "urn:segment-lake:metaschema",
    "$dynamicAnchor": "meta",
    "$ref": DRAFT,
    "propertyNames": {
        "anyOf": [{"enum": sorted(MAPS | LISTS | SINGLE | RULES | ANNOTATIONS)}, {"pattern": "^x-"}]
    },
    "properties": {
        "$schema": {"const": DRAFT},
        "x-policy": {
            "if": {"type": "object"},
            "then": {"propertyNames": {"enum": sorted(RULES)}, "additionalProperties": _POLICY},
            "else": _POLICY,
        },
        "x-call": {"enum": list(CALLS)},
    },
}
"""Draft 2020-12, ``x-policy`` and ``x-call``. Stricter in one thing: a keyword that the draft does not know
is refused, so a misspelt one cannot pass for a rule; notes of one's own begin with ``x-``."""


class Rule(NamedTuple):
    """What stands at one place in the schemas."""

    keyword: str
    expected: str
    """The value of the keyword as compact JSON, cut at ``MAX_EXPECTED_CHARS``."""
    policy: Policy


def with_ids(documents: Mapping[str, Json]) -> dict[str, Json]:
    """Return the documents, sorted by file name, each with an ``$id``."""
    ids = {name: URN_PREFIX + quote(name.removesuffix(".json"), errors="replace") for name in documents}
    return {name: {"$id": ids[name], **documents[name]} for name in sorted(documents)}


def registry_of(named: Mapping[str, Json]) -> referencing.Registry[Any]:
    """Return what resolves the references of documents that have an ``$id``."""
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    return Registry[Any]().with_resources(
        (document["$id"], DRAFT202012.create_resource(document)) for document in named.values()
    )


def own_faults(name: str, document: Json) -> Iterator[Fault]:
    """Yield what is wrong with one document taken alone, by the metaschema."""
    if not isinstance(document, dict):
        yield Fault(name, "must be a JSON object")
        return
    if not _is_unicode(document):
        yield Fault(name, "holds half of a surrogate pair, which is no text")
        return
    errors = [] if _metaschema().is_valid(document) else _errors(document)
    for error in sorted(errors, key=lambda error: pointer(error.absolute_path)):
        yield Fault(f"{name}#{pointer(error.absolute_path)}", _fault_text(error))
    if not errors:
        for path, schema in subschemas(document):
            for keyword in sorted(TOP_ONLY & schema.keys()) if path else ():
                yield Fault(f"{name}#{pointer(path)}", f"{keyword} is allowed at the top of a document only")
        if not _is_uri(document.get("$id", "")):
            yield Fault(f"{name}#/$id", "is no URI")
        if "title" in document and "x-call" in document:
            yield Fault(name, "is either about an event (title) or about a call type (x-call), not both")


def _is_unicode(document: Json) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_uri(text: str) -> bool:
    try:
        jsonschema_rs.Registry([(text, {})])
    except ValueError:
        return False
    return True


@cache
def _metaschema() -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(METASCHEMA)


def _errors(document: Json) -> list[jsonschema.ValidationError]:
    """What is wrong, in words. Some hundred times slower than to ask whether anything is."""
    import jsonschema

    return list(jsonschema.Draft202012Validator(METASCHEMA).iter_errors(document))


def shared_faults(named: Mapping[str, Json], keyword: str) -> Iterator[Fault]:
    """Yield the documents whose ``$id``, ``title`` or ``x-call`` another one has already."""
    first: dict[str, str] = {}
    for name, document in named.items():
        if keyword in document and first.setdefault(document[keyword], name) != name:
            owner = first[document[keyword]]
            yield Fault(f"{name}#/{keyword}", f"{document[keyword]} is already taken by {owner}")


def reference_faults(name: str, document: Json, registry: referencing.Registry[Any]) -> Iterator[Fault]:
    """Yield the references of one document that lead nowhere."""
    from referencing.exceptions import Unresolvable

    resolver = registry.resolver(document["$id"])
    for path, schema in subschemas(document):
        if "$ref" in schema:
            try:
                resolver.lookup(schema["$ref"])
            except Unresolvable:
                yield Fault(f"{name}#{pointer(path)}", f"$ref {schema['$ref']} leads nowhere")


def subschemas(schema: Json, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Json]]]:
    """Yield each object schema inside a right document, outermost first, with its place."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for keyword, value in schema.items():
        for step, child in _children(keyword, value):
            yield from subschemas(child, (*path, keyword, *step))


def spoken_keys(document: Json) -> Iterator[str]:
    """Yield the property names that a document itself speaks of."""
    for _, schema in subschemas(document):
        yield from schema.get("properties", ())
        yield from schema.get("required", ())
        for key, others in schema.get("dependentRequired", {}).items():
            yield from (key, *others)


def rule_at(schema: Json, resolver: Any, evaluation_path: Sequence[str | int]) -> Rule:
    """Follow an evaluation path from the outermost schema, through references, to the rule at its end."""
    statements: list[Json] = []
    tokens = deque(evaluation_path)
    keyword, found = "", schema
    while tokens:
        statements.append(found.get("x-policy"))
        keyword = str(tokens.popleft())
        found = found[keyword]
        if keyword == "$ref":
            target = resolver.lookup(found)
            found, resolver = target.contents, target.resolver
        elif tokens and keyword in MAPS | LISTS:
            found = found[tokens.popleft()]
    return Rule(keyword, text(found), _policy(reversed(statements), keyword))


def text(value: Json) -> str:
    """Return the schema's own text for a keyword: the start of its compact JSON."""
    return jsontext.dumps(value)[:MAX_EXPECTED_CHARS]


def pointer(path: Iterable[str | int], spoken: frozenset[str] | None = None) -> str:
    """Return a JSON Pointer. Given the spoken keys, any other key, made up by a sender, becomes ``*``."""
    return "".join(f"/{_token(token, spoken)}" for token in path)


def _policy(statements: Iterable[Json], keyword: str) -> Policy:
    """Return what the first of the statements, nearest first, says of a keyword."""
    for statement in statements:
        stated: Policy | None = statement.get(keyword) if isinstance(statement, dict) else statement
        if stated:
            return stated
    return "flag"


def _token(token: str | int, spoken: frozenset[str] | None) -> str:
    if spoken is not None and isinstance(token, str) and token not in spoken:
        return "*"
    return str(token).replace("~", "~0").replace("/", "~1")


def _children(keyword: str, value: Json) -> Sequence[tuple[Path, Json]]:
    if keyword in MAPS:
        return [((key,), child) for key, child in value.items()]
    if keyword in LISTS:
        return [((index,), child) for index, child in enumerate(value)]
    return [((), value)] if keyword in SINGLE else []


def _fault_text(error: jsonschema.ValidationError) -> str:
    if "x-policy" in error.absolute_schema_path:
        return 'must be "flag", "reject" or an object of keyword: "flag" or "reject"'
    if "propertyNames" in error.absolute_schema_path:
        return f"{error.instance} is no keyword of draft 2020-12 that can be used here"
    return error.message
