"""Check events against JSON Schema: what deviates from the documents, where, and whether that rejects.

A document with a ``title`` holds for the track event of that name, one with ``x-call`` for every call of that
type, ``envelope.json`` for every call, and any other document is a part that others refer to. ``x-policy``
says what a violation costs, ``"flag"`` (the default: a note on the row) or ``"reject"`` (the event is
rejected), for a whole subschema or by keyword, ``{"required": "reject"}``. It holds for everything inside the
subschema, behind references too, until something nearer says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import jsonschema_rs

from connector import jsontext
from connector.errors import ConfigError, Fault
from connector.events import Json, Violation
from connector.schemas.documents import (
    ENVELOPE,
    Policy,
    Rule,
    own_faults,
    pointer,
    reference_faults,
    registry_of,
    rule_at,
    shared_faults,
    spoken_keys,
    text,
    with_ids,
)

if TYPE_CHECKING:
    import jsonschema
    import referencing

MAX_VIOLATIONS = 100
_MAX_LEVELS = 255
"""Nesting of a value that jsonschema-rs 0.60 copies into an error; one level more and it raises."""


class Checked(NamedTuple):
    """What a check found."""

    violations: tuple[Violation, ...]
    """Sorted by path, then rule; the first ``MAX_VIOLATIONS`` of them."""
    rejects: bool
    """True when the policy of any violation is ``reject``, be it listed or not."""


VALID = Checked((), False)


class Located(NamedTuple):
    """A violation with the place in the documents that states the rule."""

    violation: Violation
    policy: Policy
    document: str
    """File name."""
    place: tuple[str, ...]
    """Tokens of the JSON Pointer to the keyword in the document."""
    branches: tuple[Located, ...]
    """What the alternatives of an ``anyOf`` or ``oneOf`` lacked, the deepest first."""


class _Finding(NamedTuple):
    """One violation and what it costs."""

    violation: Violation
    policy: Policy
    document: int
    """Which of the documents says so; the last is the nearest to the event."""


@dataclass(frozen=True, slots=True)
class Schemas:
    """Compiled documents: immutable, and one for all threads."""

    fingerprint: str
    """SHA-256 of the canonical JSON of all documents with their file names, 64 hex digits."""
    _everywhere: _Check = field(repr=False)
    _by_call: Mapping[str, _Check] = field(repr=False)
    _by_name: Mapping[str, _Check] = field(repr=False)

    @property
    def event_names(self) -> tuple[str, ...]:
        """The event names that have a document of their own, sorted."""
        return tuple(sorted(self._by_name))

    @property
    def call_types(self) -> tuple[str, ...]:
        """The call types that have a document of their own, sorted."""
        return tuple(sorted(self._by_call))

    def check(self, event: Json, event_name: str | None = None, call_type: str | None = None) -> Checked:
        """
        Return how an event deviates from the envelope and from the documents of its call type and its name.

        Args:
            event: as decoded; not modified. NaN and infinities count as null, lone surrogates as U+FFFD.
            event_name: of a track call the name after folding (``Order Completed``), else None. A name
                makes it a track call. A name that has no document is checked as any track call is.
            call_type: ``identify``, ``track`` ... A type that has no document is held to the envelope alone.

        Returns:
            ``VALID``, or what was found. Nothing in it comes from the sender: not a value, and in a path
            not a key, for one that no document names is ``*``. An ``anyOf`` that no branch satisfies is one
            violation at the place of the ``anyOf``. Where several documents state the same rule for one
            place, the nearest is quoted: the event's before the call type's before the envelope.
        """
        return self._check_of(event_name, call_type).run(event)

    def explain(self, event: Json, event_name: str | None = None, call_type: str | None = None) -> list[str]:
        """
        Return the deviations for a person: one line each, and below an ``anyOf`` what each branch lacked.

        The ``jsonschema`` package finds them, a second opinion that takes some hundred times as long.
        Arguments as for ``check``; the lines hold no values either.
        """
        return self._check_of(event_name, call_type).explain(event)

    def located(
        self, event: Json, event_name: str | None = None, call_type: str | None = None
    ) -> tuple[Located, ...]:
        """
        Return what ``check`` finds, each with the rule's place, the best match first; not cut off.

        What rejects comes before what is only noted. Then the order is that of ``best_match`` of the
        jsonschema package: the less deep in the event the more is wrong with it, alternatives last.
        Arguments as for ``check``; nothing in it comes from the sender either.
        """
        return self._check_of(event_name, call_type).located(event)

    def _check_of(self, event_name: str | None, call_type: str | None) -> _Check:
        named = self._by_name.get(event_name) if event_name else None
        if named is not None:
            return named
        return self._by_call.get("track" if event_name else call_type or "", self._everywhere)


def compile_schemas(documents: Mapping[str, Json]) -> Schemas:
    """
    Compile schema documents.

    Args:
        documents: file name -> parsed JSON Schema, draft 2020-12. A ``$ref`` is the ``$id`` of a document,
            with a fragment or without; nothing is fetched.

    Raises:
        ConfigError: all faults, one a line: ``order_completed.json#/properties/x text``. How the documents
            refer to each other is looked at once each is right by itself.
    """
    _refuse(fault for name in sorted(documents) for fault in own_faults(name, documents[name]))
    named = with_ids(documents)
    _refuse(fault for keyword in ("$id", "title", "x-call") for fault in shared_faults(named, keyword))
    registry = registry_of(named)
    _refuse(fault for name in named for fault in reference_faults(name, named[name], registry))
    compiled = jsonschema_rs.Registry([(document["$id"], document) for document in named.values()])
    _refuse(fault for name in named for fault in _compile_faults(name, named[name], compiled))

    spoken = frozenset(key for document in named.values() for key in spoken_keys(document))

    files = {document["$id"]: name for name, document in named.items()}

    def check_of(*uris: str) -> _Check:
        return _Check([uri for uri in uris if uri], registry, compiled, spoken, files)

    common = named[ENVELOPE]["$id"] if ENVELOPE in named else ""
    calls = {document["x-call"]: document["$id"] for document in named.values() if "x-call" in document}
    titled = {document["title"]: document["$id"] for document in named.values() if "title" in document}
    return Schemas(
        fingerprint=sha256(jsontext.canonical(dict(documents))).hexdigest(),
        _everywhere=check_of(common),
        _by_call={call: check_of(common, uri) for call, uri in calls.items()},
        _by_name={title: check_of(common, calls.get("track", ""), uri) for title, uri in titled.items()},
    )


class _Check:
    """All that holds for one kind of event, as one validator."""

    def __init__(
        self,
        uris: Sequence[str],
        registry: referencing.Registry[Any],
        compiled: jsonschema_rs.Registry,
        spoken: frozenset[str],
        files: Mapping[str, str],
    ) -> None:
        """``files``: the ``$id`` of each document to its file name."""
        self._schema: Json = {"allOf": [{"$ref": uri} for uri in uris]} if uris else {}
        self._validator = _compile(self._schema, compiled)
        self._registry = registry
        self._spoken = spoken
        self._files = files
        self._rule: Callable[[tuple[str | int, ...]], Rule] = lru_cache(maxsize=4096)(
            partial(rule_at, self._schema, registry.resolver())
        )

    def run(self, event: Json) -> Checked:
        try:
            if self._validator.is_valid(event):
                return VALID
        except ValueError:  # a lone surrogate, which the copy has not
            pass
        event = _plain(event)
        found = {self._finding(error, event) for error in self._validator.iter_errors(event)}
        violations = sorted(_nearest(found))[:MAX_VIOLATIONS]
        return Checked(tuple(violations), any(finding.policy == "reject" for finding in found))

    def explain(self, event: Json) -> list[str]:
        from jsonschema import Draft202012Validator

        validator = Draft202012Validator(
            self._schema, registry=self._registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        errors = sorted(validator.iter_errors(_plain(event)), key=_place)
        return list(dict.fromkeys(line for error in errors for line in self._lines(error)))

    def located(self, event: Json) -> tuple[Located, ...]:
        event = _plain(event)
        errors = [(self._finding(error, event), error) for error in self._validator.iter_errors(event)]
        nearest = _nearest(finding for finding, _ in errors)
        found = {
            finding.violation: (_relevance(error, finding), self._located(error, finding, event))
            for finding, error in errors
            if finding.violation in nearest
        }
        return tuple(each for _, each in sorted(found.values(), key=lambda ranked: ranked[0]))

    def _located(self, error: jsonschema_rs.ValidationError, finding: _Finding, event: Json) -> Located:
        uri, _, fragment = (error.absolute_keyword_location or "").partition("#")
        place = [unquote(token).replace("~1", "/").replace("~0", "~") for token in fragment.split("/")[1:]]
        inner = [
            (within, self._finding(within, event))
            for branch in getattr(error.kind, "context", ())
            for within in branch
        ]
        inner.sort(key=lambda each: (-len(each[0].instance_path), _relevance(*each)))
        branches = (self._located(within, found, event) for within, found in inner)
        document = self._files.get(uri, "")
        return Located(finding.violation, finding.policy, document, tuple(place), tuple(branches))

    def _finding(self, error: jsonschema_rs.ValidationError, event: Json) -> _Finding:
        rule_path = tuple(error.evaluation_path)
        keyword, expected, policy = self._rule(rule_path)
        path, got_type = error.instance_path, _type_name(_at(event, error.instance_path))
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
            path, got_type = [*path, error.kind.property], "missing"
        violation = Violation(pointer(path, self._spoken), keyword, expected, got_type)
        return _Finding(violation, policy, int(rule_path[1]))  # allOf, then the number of the document

    def _lines(self, error: jsonschema.ValidationError) -> Iterator[str]:
        path, missing = list(error.absolute_path), _missing(error)
        got_type = "missing" if missing else _type_name(error.instance)
        says = f"{error.validator or 'false'}: expected {text(error.validator_value)}, found {got_type}"
        for place in [[*path, key] for key in missing] or [path]:
            yield f"{pointer(place, self._spoken) or 'the event'}: {says}"
        for branch in sorted(error.context or (), key=_place):
            yield from (f"  {line}" for line in self._lines(branch))


def _relevance(error: jsonschema_rs.ValidationError, finding: _Finding) -> tuple[Any, ...]:
    """Sorts the best match first. Source: jsonschema 4.26, exceptions.py, by_relevance and best_match."""
    violation = finding.violation
    is_weak = violation.rule in ("anyOf", "oneOf")
    return finding.policy != "reject", len(error.instance_path), is_weak, violation.path, violation.rule


def _nearest(found: Iterable[_Finding]) -> set[Violation]:
    """Return the violations, those of one place and rule only as the nearest document states them."""
    by_rule: dict[tuple[str, str], list[_Finding]] = {}
    for finding in found:
        by_rule.setdefault((finding.violation.path, finding.violation.rule), []).append(finding)
    return {
        finding.violation
        for findings in by_rule.values()
        for finding in findings
        if finding.document == max(other.document for other in findings)
    }


def _compile(schema: Json, compiled: jsonschema_rs.Registry) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(
        schema, registry=compiled, validate_formats=True, ignore_unknown_formats=False, offline=True
    )


def _compile_faults(name: str, document: Json, compiled: jsonschema_rs.Registry) -> Iterator[Fault]:
    """Yield what only the compiler sees, the first one: an unknown format, an unusable pattern."""
    try:
        _compile(document, compiled)
    except jsonschema_rs.ValidationError as error:
        if _holds(document, error.instance_path, error.instance):
            yield Fault(f"{name}#{pointer(error.instance_path)}", error.message)


def _holds(document: Json, path: Iterable[str | int], value: Json) -> bool:
    """Return False when a compiler's fault is about another document, one that this document refers to."""
    try:
        return bool(_at(document, path) == value)
    except (KeyError, IndexError, TypeError):
        return False


def _refuse(faults: Iterable[Fault]) -> None:
    if lines := dict.fromkeys(str(fault) for fault in faults):
        raise ConfigError("\n".join(lines))


def _missing(error: jsonschema.ValidationError) -> list[str]:
    """Return the properties whose absence an error is about."""
    value: Any = error.validator_value
    instance: Any = error.instance
    wanted: Iterable[str] = ()
    if error.validator == "required":
        wanted = value
    elif error.validator == "dependentRequired":
        wanted = [key for present, keys in value.items() if present in instance for key in keys]
    return [key for key in dict.fromkeys(wanted) if key not in instance]


def _place(error: jsonschema.ValidationError) -> tuple[str, str]:
    return pointer(error.absolute_path), str(error.validator)


def _at(value: Json, path: Iterable[str | int]) -> Json:
    for token in path:
        value = value[token]
    return value


def _type_name(value: Json) -> str:
    """Return the JSON type name; a number written without a fraction is an ``integer``."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float() | Decimal():
            return "number"
        case str():
            return "string"
        case dict():
            return "object"
        case _:
            return "array"


def _plain(value: Json, levels: int = _MAX_LEVELS) -> Json:
    """Return a copy for the validators: numbers finite, text free of surrogates, nesting bounded."""
    match value:
        case dict():
            return (
                {_plain(key): _plain(item, levels - 1) for key, item in value.items()} if levels > 1 else {}
            )
        case list() | tuple():
            return [_plain(item, levels - 1) for item in value] if levels > 1 else []
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case float() | Decimal() if not math.isfinite(value):
            return None
        case _:
            return value
