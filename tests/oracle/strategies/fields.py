"""Field tables, as Segment's actions declare them, and payloads for them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.oracle.strategies.values import numbers, scalars, texts, values, weighted

_NAMES = ("a", "b", "event", "time", "traits")
_TYPES = ("string", "text", "password", "datetime", "number", "integer", "boolean", "object")
_FORMATS = ("uri", "email", "ipv4", "ipv6", "hostname", "date", "date-time", "time", "uuid", "uri-reference")
_CHOICES: dict[str, tuple[Any, ...]] = {
    "string": ("a", "b", "5", "", "USD", "true"),
    "number": (1, 2, 5.5, 0),
    "integer": (1, 2, 5),
}
_FORMATTED = (
    *(
        "http://a.example/x?y#z",
        "ftp://x",
        "a@b.com",
        "a@b",
        "127.0.0.1",
        "256.1.1.1",
        "::1",
        "localhost",
        "a_b.com",
    ),
    *(
        "2024-02-30",
        "2024-02-29",
        "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.5Z",
        "23:59:60Z",
        "10:00:00+01:00",
    ),
    *(
        "2024-01-01 00:00:00Z",
        "123e4567-e89b-12d3-a456-426614174000",
        "urn:x:y",
        "/a/b",
        "//a",
        "%zz",
        "mailto:a@b",
    ),
    *(
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "March 7, 2024",
        "2024-1-1",
        "2024-01-01T00:00:00+25:00",
        "24:00",
        "1e10",
    ),
    *(
        "2024/03/05",
        "03/05/2024",
        "2024-W10",
        "01 Jan 2024",
        "1.5",
        "-5",
        "99999999999999",
        "2024-01-01T00:00",
        "١",
    ),
)


_labels = st.sampled_from(("A", "event name", "Über", "Price"))
_seldom = st.sampled_from((False, False, False, True))


@st.composite
def _table(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3, unique=True))
    return {name: draw(_field(depth)) for name in names}


@st.composite
def _field(draw: st.DrawFn, depth: int) -> dict[str, Any]:
    kind = draw(st.sampled_from(_TYPES))
    field: dict[str, Any] = {"label": draw(_labels), "type": kind}
    for flag in ("required", "multiple", "allowNull"):
        if draw(_seldom):
            field[flag] = True
    if kind in _CHOICES and draw(_seldom):
        chosen = draw(st.lists(st.sampled_from(_CHOICES[kind]), min_size=1, max_size=3, unique=True))
        field["choices"] = [{"label": str(value), "value": value} for value in chosen]
    if kind in _CHOICES and draw(_seldom):
        field[draw(st.sampled_from(("minimum", "maximum")))] = draw(st.integers(0, 6))
    if kind == "string" and draw(_seldom):
        field["format"] = draw(st.sampled_from(_FORMATS))
    if kind == "object" and depth and draw(st.booleans()):
        field["properties"] = draw(_table(depth - 1))
        if draw(_seldom):
            field["additionalProperties"] = draw(st.booleans())
    return field


tables = _table(2)

_leaves = st.one_of(
    scalars, texts, st.sampled_from(_FORMATTED), st.sampled_from(("a", "b", "USD", 1, 2, 5.5))
)


_any = st.one_of(_leaves, values, st.dictionaries(st.sampled_from((*_NAMES, "extra")), values, max_size=4))
_TYPICAL: dict[str, st.SearchStrategy[Any]] = {
    "datetime": st.sampled_from(_FORMATTED) | numbers | texts,
    "number": numbers | texts,
    "integer": numbers | texts,
    "boolean": st.sampled_from((True, False, "true", "false", 0, 1, "", None, "yes")),
}


@st.composite
def _filled(draw: st.DrawFn, table: dict[str, Any]) -> dict[str, Any]:
    """An object with most of the table's keys, each with a value that may do for it."""
    found: dict[str, Any] = draw(st.dictionaries(st.just("extra"), _leaves, max_size=1))
    for key, field in table.items():
        dice = draw(st.integers(0, 9))
        if dice == 0:
            continue
        one = _value(field) if dice < 9 else _any
        listed = field.get("multiple") and dice < 7
        found[key] = draw(st.lists(one, max_size=3) if listed else one)
    return found


def _value(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" in field:
        return _filled(field["properties"])
    if field["type"] == "object":
        return _any
    chosen = [choice["value"] for choice in field.get("choices", ())]
    typical = _TYPICAL.get(field["type"], texts | texts | scalars | st.sampled_from(_FORMATTED))
    return weighted((3, st.sampled_from(chosen)), (1, typical)) if chosen else typical


def payloads(table: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Resolved mappings for an action with these fields."""
    return _filled(table)
