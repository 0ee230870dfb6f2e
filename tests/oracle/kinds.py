"""The kinds of comparison: what is drawn, how both sides are asked, when their answers count as the same."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from connector.errors import MappingError
from connector.mapping import UNDEFINED, compile_mapping, compile_subscription
from connector.mapping.fields import ActionField, PayloadInvalid, compile_fields
from connector.mapping.fql_parser import Condition, Group, ParseError, parse
from tests.oracle import mixpanel
from tests.oracle.oracle import Answer, Job
from tests.oracle.strategies import fields, liquid
from tests.oracle.strategies.mappings import mappings
from tests.oracle.strategies.queries import events, queries
from tests.oracle.strategies.values import decoded, payloads


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job."""

    name: str
    jobs: st.SearchStrategy[list[Job]]
    """Draws jobs that belong together, so that drawing costs less than asking."""
    ours: Callable[[Job], Answer]
    share: int
    """Of a hundred jobs, how many are of this kind."""
    theirs: Callable[[Job, Answer], Answer] = lambda _job, answer: answer
    """Segment's answer in the form of ours."""


def same(expected: Answer, got: Answer) -> bool:
    """True when both are the same value, the same nothing, or the same refusal.

    Objects are compared without the order of their keys, numbers as doubles. Texts of errors count where
    Segment wrote them; where JavaScript itself fails (``TypeError`` and the like) both must fail.
    """
    if "failed" in expected:
        if expected["failed"] not in ("Error", "ValidationError", "AggregateError", "AggregateAjvError"):
            return "failed" in got
        if "messages" in expected and "messages" in got:
            return bool(expected["messages"] == got["messages"])
        return bool("failed" in got and expected["message"] == got["message"])
    return json.dumps(_doubles(expected), sort_keys=True) == json.dumps(_doubles(got), sort_keys=True)


def _doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_doubles(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = _double(value)
        return number + 0.0 if math.isfinite(number) else None
    return value


def _double(number: int | float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _given(value: Any) -> Answer:
    return {"undefined": True} if value is UNDEFINED else {"value": decoded(value)}


def _failed(error: MappingError | ParseError) -> Answer:
    messages = [str(fault) for fault in error.faults] if isinstance(error, MappingError) else [str(error)]
    return {"failed": type(error).__name__, "messages": messages, "message": " ".join(messages)}


def _transform(job: Job) -> Answer:
    try:
        return _given(compile_mapping(job["mapping"])(job["data"]))
    except MappingError as error:
        return _failed(error)


def _match(job: Job) -> Answer:
    try:
        parse(job["query"])
    except ParseError as error:
        return _failed(error)
    return {"value": bool(compile_subscription(job["query"] or " ")(job["event"]))}


def _parse(job: Job) -> Answer:
    try:
        return {"value": _tree(parse(job["query"]))}
    except ParseError as error:
        return _failed(error)


def _tree(node: Group | Condition | None) -> Any:
    if isinstance(node, Group):
        return {
            "type": "group",
            "operator": node.operator,
            "children": [_tree(child) for child in node.children],
        }
    if node is None:
        return None
    members = {"type": node.type, "name": node.name, "operator": node.operator, "value": node.value}
    return {key: value for key, value in members.items() if value is not None}


def _fields(job: Job) -> Answer:
    try:
        return {"value": decoded(compile_fields(_declared(job["fields"]))(job["payload"], job["batch"]))}
    except PayloadInvalid as error:
        return {"failed": "PayloadInvalid", "message": " ".join(error.messages)}


def _declared(table: Mapping[str, Any]) -> tuple[ActionField, ...]:
    return tuple(
        ActionField(
            key,
            field["label"],
            field["type"],
            required=field.get("required", False),
            multiple=field.get("multiple", False),
            allow_null=field.get("allowNull", False),
            choices=tuple(choice["value"] for choice in field.get("choices", ())),
            minimum=field.get("minimum"),
            maximum=field.get("maximum"),
            format=field.get("format"),
            properties=_declared(field.get("properties", {})),
            additional_properties=field.get("additionalProperties", False),
        )
        for key, field in table.items()
    )


def _jobs(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Job]:
    return st.fixed_dictionaries(parts).map(decoded)


def _each(op: str, shared: str, each: str) -> Callable[[Job], list[Job]]:
    return lambda drawn: [{"op": op, shared: drawn[shared], each: value} for value in drawn[each]]


_TRANSFORM = _jobs(mapping=mappings, data=st.lists(payloads, min_size=1, max_size=3))
_LIQUID = _jobs(
    mapping=st.fixed_dictionaries({"a": st.fixed_dictionaries({"@liquid": liquid.templates})}),
    data=st.lists(liquid.payloads, min_size=1, max_size=3),
)
_MATCH = _jobs(query=queries, event=st.lists(events, min_size=1, max_size=4))


@st.composite
def _field_jobs(draw: st.DrawFn) -> list[Job]:
    table = draw(fields.tables)
    drawn = draw(st.lists(st.tuples(fields.payloads(table), st.booleans()), min_size=1, max_size=4))
    return [
        decoded({"op": "fields", "fields": table, "payload": payload, "batch": batch})
        for payload, batch in drawn
    ]


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("transform", _TRANSFORM.map(_each("transform", "mapping", "data")), _transform, 35),
        Kind("liquid", _LIQUID.map(_each("transform", "mapping", "data")), _transform, 10),
        Kind("match", _MATCH.map(_each("match", "query", "event")), _match, 15),
        Kind("parse", queries.map(lambda query: [decoded({"op": "parse", "query": query})]), _parse, 10),
        Kind("fields", _field_jobs(), _fields, 15),
        Kind("mixpanel", mixpanel.jobs(), mixpanel.ours, 15, mixpanel.theirs),
    )
}
