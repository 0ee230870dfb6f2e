"""What a schema document may say, and every fault of those that say something else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from connector import jsontext
from connector.errors import Fault
from connector.events import Json

if TYPE_CHECKING:
    import jsonschema
    import referencing

DRAFT = "https://json-schema.org/draft/2020-12/schema"

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
    },
}
"""Draft 2020-12 and ``x-policy``. Stricter in one thing: a keyword that the draft does not know is refused,
so a misspelt one cannot pass for a rule; notes of one's own begin with ``x-``."""


class Rule(NamedTuple):
    """What stands at one place in the schemas."""

    keyword: str
    expected: str
    """The value of the keyword as compact JSON, cut at ``MAX_EXPECTED_CHARS``."""
    policy: Policy


def own_faults(name: str, document: Json) -> Iterator[Fault]:
    """Yield what is wrong with one document taken alone, by the metaschema."""
    import jsonschema

    if not isinstance(document, dict):
        yield Fault(name, "must be a JSON object")
        return
    errors = list(jsonschema.Draft202012Validator(METASCHEMA).iter_errors(document))
    for error in sorted(errors, key=lambda error: pointer(error.absolute_path)):
        yield Fault(f"{name}#{pointer(error.absolute_path)}", _fault_text(error))
    if not errors:
        for path, schema in subschemas(document):
            if path and "$id" in schema:
                yield Fault(f"{name}#{pointer(path)}", "$id is allowed at the top of a document only")


def shared_faults(named: Mapping[str, Json], keyword: str) -> Iterator[Fault]:
    """Yield the documents whose ``$id`` or ``title`` another one has already."""
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
