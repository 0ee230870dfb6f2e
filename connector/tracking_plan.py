"""Segment's tracking plans to schema documents and back. Pure.

A plan is its rules, ``{"rules": [{type, key, version, jsonSchema}]}``: type ``TRACK`` with the event's name
as key, ``IDENTIFY``, ``GROUP``, ``PAGE``, ``SCREEN``, or ``COMMON`` for every call. Its schemas are draft-07.

Source: segmentio/public-api-sdk-typescript, RuleInputV1 and RuleV1; segment-docs
src/protocols/tracking-plan/create.md (common schema, labels, versions).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import NamedTuple

from connector.errors import ConfigError, Fault
from connector.events import Json
from connector.schemas.documents import DRAFT, ENVELOPE, Path, pointer
from connector.schemas.draft07 import DRAFT_07, faults_in_07, faults_of_07, from_07, to_07
from connector.schemas.resolve import resolve

RULE_OF_CALL = {"identify": "IDENTIFY", "group": "GROUP", "page": "PAGE", "screen": "SCREEN"}
"""Call type -> type of rule. Track calls have a rule per name, alias and delete none."""
_CALL_OF_RULE = {kind: call for call, kind in RULE_OF_CALL.items()}
RULE_TYPES = ("COMMON", *RULE_OF_CALL.values(), "TRACK")

_OF_A_CALL = ("context", "traits", "properties")
"""What Segment's own editor writes into every rule, constrained or not."""
_MEMBERS = frozenset("type key version jsonSchema createdAt updatedAt deprecatedAt".split())
_LONGEST_STEM_CHARS = 80


class Exported(NamedTuple):
    plan: Json
    """``{"rules": [...]}``: the body of the Public API's "replace rules", and of "update rules"."""
    left_out: tuple[str, ...]
    """Files of documents that no type of rule can hold."""


class Imported(NamedTuple):
    documents: dict[str, Json]
    """File name -> document, draft 2020-12."""
    notes: tuple[str, ...]
    """What a person should know, one line each."""


class _Rule(NamedTuple):
    """One rule of a plan that is right."""

    type: str
    key: str
    """Name of the event; empty for every type but TRACK."""
    version: int
    schema: Json
    deprecated: bool

    @property
    def about(self) -> tuple[str, str]:
        return self.type, self.key

    @property
    def label(self) -> str:
        return f"{self.key or self.type}, version {self.version}"


# Documents to a plan


def to_plan(documents: Mapping[str, Json], names: Collection[str] | None = None) -> Exported:
    """
    Return schema documents as a tracking plan, each rule standing alone.

    A plan has no word for ``x-policy``: whether violations block is a setting of the source there.

    Args:
        documents: all documents, right ones.
        names: files to export; None: every document about an event, a call type or all calls.

    Raises:
        ConfigError: every keyword that draft-07 cannot say, with its file and place.
    """
    chosen = [
        name
        for name, document in documents.items()
        if _speaks_of_calls(name, document) and (names is None or name in names)
    ]
    kinds = {name: _rule_type(name, documents[name]) for name in chosen}
    resolved = {name: resolve(name, documents) for name in chosen if kinds[name]}
    _refuse(fault for name, document in resolved.items() for fault in faults_in_07(document, name))
    rules = [_rule(kinds[name] or "", document) for name, document in resolved.items()]
    rules.sort(key=lambda rule: (RULE_TYPES.index(rule["type"]), rule.get("key", "")))
    return Exported({"rules": rules}, tuple(name for name in chosen if not kinds[name]))


def _speaks_of_calls(name: str, document: Mapping[str, Json]) -> bool:
    return name == ENVELOPE or not document.keys().isdisjoint(("title", "x-call"))


def _rule_type(name: str, document: Mapping[str, Json]) -> str | None:
    if name == ENVELOPE:
        return "COMMON"
    return "TRACK" if "title" in document else RULE_OF_CALL.get(document["x-call"])


def _rule(kind: str, document: Mapping[str, Json]) -> dict[str, Json]:
    schema = {key: value for key, value in document.items() if key != "title" or kind != "TRACK"}
    key = {"key": document["title"]} if kind == "TRACK" else {}
    labels = {"labels": document["x-labels"]} if "x-labels" in document else {}
    written = {"$schema": DRAFT_07, **labels, **to_07(schema)}
    if kind != "COMMON":
        written["properties"] = {key: {} for key in _OF_A_CALL} | written.get("properties", {})
    return {"type": kind, **key, "version": document.get("x-version", 1), "jsonSchema": written}


# A plan to documents


def from_plan(plan: Json, documents: Mapping[str, Json], where: str) -> Imported:
    """
    Return the documents that a tracking plan stands for.

    Of several versions of a rule the highest is taken; deprecated rules are passed over.

    Args:
        plan: ``{"rules": [...]}``, the API's answer ``{"data": {"rules": [...]}}``, a list of rules, or one.
        documents: the documents there are already. A rule takes the file name of the one it takes over from.
        where: file of the plan, for messages.

    Raises:
        ConfigError: every fault of every rule, with its place in the plan.
    """
    found = _rules_in(plan)
    if not found:
        raise ConfigError(f"{where}: is no tracking plan: no list of rules, and no rule with a jsonSchema")
    _refuse(
        Fault(f"{where}#{pointer(place)}", text)
        for start, rule in found
        for place, text in _faults(rule, start)
    )
    rules, notes = _chosen([_read(rule) for _, rule in found])
    _refuse(Fault(where, f"{label} is there twice") for label in _twice(rules))
    names = _file_names(rules, documents)
    if _has_more(plan):
        notes.append(f"{where}: holds one page of the answer, and there is a next one")
    return Imported({names[rule.about]: _document(rule) for rule in rules}, tuple(notes))


def _rules_in(plan: Json) -> list[tuple[Path, Json]]:
    """Each rule with its place in the plan."""
    path: Path = ()
    for step in ("data", "rules"):
        if isinstance(plan, dict) and step in plan:
            path, plan = (*path, step), plan[step]
    if isinstance(plan, list):
        return [((*path, index), rule) for index, rule in enumerate(plan)]
    return [(path, plan)] if isinstance(plan, dict) and "jsonSchema" in plan else []


def _has_more(plan: Json) -> bool:
    for step in ("data", "pagination", "next"):
        plan = plan.get(step) if isinstance(plan, dict) else None
    return bool(plan)


def _faults(rule: Json, place: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(rule, dict):
        yield place, "must be a rule, an object"
        return
    for member in sorted(rule.keys() - _MEMBERS):
        yield (*place, member), f"a rule has no {member}"
    if rule.get("type") not in RULE_TYPES:
        yield (*place, "type"), f"must be one of {', '.join(RULE_TYPES)}"
    key = rule.get("key")
    if rule.get("type") == "TRACK" and not (isinstance(key, str) and key):
        yield (*place, "key"), "must be the name of the event"
    version = rule.get("version", 1)
    if not isinstance(version, int) and not (isinstance(version, float) and version.is_integer()):
        yield (*place, "version"), "must be a whole number"
    schema = rule.get("jsonSchema")
    checked = _without(schema, "labels") if isinstance(schema, dict) else schema
    yield from faults_of_07(checked, (*place, "jsonSchema"))


def _read(rule: Mapping[str, Json]) -> _Rule:
    key = rule["key"] if rule["type"] == "TRACK" else ""
    version = int(rule.get("version", 1))
    return _Rule(rule["type"], key, version, rule["jsonSchema"], bool(rule.get("deprecatedAt")))


def _chosen(rules: Sequence[_Rule]) -> tuple[list[_Rule], list[str]]:
    """The rules to import, in their order, and a note on each of the others."""
    highest: dict[tuple[str, str], int] = {}
    for rule in rules:
        if not rule.deprecated:
            highest[rule.about] = max(rule.version, highest.get(rule.about, rule.version))
    chosen = [rule for rule in rules if not rule.deprecated and rule.version == highest[rule.about]]
    notes = [
        f"{rule.label}: passed over, {'deprecated' if rule.deprecated else 'there is a newer one'}"
        for rule in rules
        if rule.deprecated or rule.version != highest[rule.about]
    ]
    return chosen, notes


def _twice(rules: Sequence[_Rule]) -> list[str]:
    seen = Counter(rule.about for rule in rules)
    return list(dict.fromkeys(rule.label for rule in rules if seen[rule.about] > 1))


def _document(rule: _Rule) -> Json:
    schema = _without(rule.schema, "labels", "title", "x-call", "x-version", "x-labels")
    about: dict[str, Json] = {"title": rule.key} if rule.type == "TRACK" else {}
    if rule.type in _CALL_OF_RULE:
        about["x-call"] = _CALL_OF_RULE[rule.type]
    if rule.version != 1:
        about["x-version"] = rule.version
    if "labels" in rule.schema:
        about["x-labels"] = rule.schema["labels"]
    return {"$schema": DRAFT, **about, **_without_filling(from_07(schema), rule.type)}


def _without_filling(document: Mapping[str, Json], kind: str) -> Json:
    """The document less the empty entries that Segment's editor writes into every rule."""
    if kind == "COMMON" or "properties" not in document:
        return document
    kept = {
        key: value for key, value in document["properties"].items() if key not in _OF_A_CALL or value != {}
    }
    return {**document, "properties": kept} if kept else _without(document, "properties")


def _file_names(rules: Sequence[_Rule], documents: Mapping[str, Json]) -> dict[tuple[str, str], str]:
    names = {
        (kind, document.get("title", "") if kind == "TRACK" else ""): name
        for name, document in documents.items()
        if _speaks_of_calls(name, document) and (kind := _rule_type(name, document))
    }
    taken = set(documents)
    for rule in rules:
        if rule.about not in names:
            names[rule.about] = _free_name(rule, taken)
            taken.add(names[rule.about])
    return names


def _free_name(rule: _Rule, taken: Collection[str]) -> str:
    if rule.type == "COMMON":
        return ENVELOPE
    stem = _CALL_OF_RULE.get(rule.type) or _stem(rule.key)
    numbered = (f"{stem}.json" if number == 1 else f"{stem}_{number}.json" for number in count(1))
    return next(name for name in numbered if name not in taken)


def _stem(key: str) -> str:
    return re.sub(r"\W+", "_", key.lower()).strip("_")[:_LONGEST_STEM_CHARS] or "event"


def _without(schema: Mapping[str, Json], *keywords: str) -> dict[str, Json]:
    return {keyword: value for keyword, value in schema.items() if keyword not in keywords}


def _refuse(faults: Iterable[Fault]) -> None:
    if lines := dict.fromkeys(str(fault) for fault in faults):
        raise ConfigError("\n".join(lines))
