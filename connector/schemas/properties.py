"""What a document asks of each property: the table that people read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from connector.events import Json

_CHOICE = "this or "


class Property(NamedTuple):
    """One property, wherever it lies."""

    path: str
    """``revenue``, ``products[].price``; of call types and parts from the top of the call."""
    types: tuple[str, ...]
    """JSON type names; empty when anything is allowed."""
    required: str
    """Empty, ``yes``, ``this or sku``, or ``with revenue``."""
    description: str
    examples: tuple[Json, ...]


def properties_of(resolved: Json) -> list[Property]:
    """
    Return the properties that a document speaks of, each before the ones inside it.

    Args:
        resolved: a document without references (``resolve``). Of a document about an event, the
            properties of the event itself are listed: what lies inside ``properties``.
    """
    top = resolved if isinstance(resolved, dict) else {}
    of_event = top.get("properties", {}).get("properties") if "title" in top else None
    return list(_below(of_event if isinstance(of_event, dict) else top, ""))


def requirements(properties: Iterable[Property]) -> list[str]:
    """Return what must be there whatever else is: ``order_id``, ``product_id or sku``."""
    found: dict[frozenset[str], str] = {}
    for each in properties:
        parent = each.path.rpartition(".")[0]
        if each.required == "yes":
            found[frozenset((each.path,))] = each.path
        elif each.required.startswith(_CHOICE):
            others = each.required.removeprefix(_CHOICE).split(", ")
            choice = frozenset((each.path, *(f"{parent}.{other}" if parent else other for other in others)))
            found.setdefault(choice, " or ".join((each.path, *others)))
    return list(found.values())


def _below(schema: Json, prefix: str) -> Iterator[Property]:
    for key, inner in _children(schema).items():
        path = f"{prefix}{key}"
        yield Property(
            path, _types(inner), _required(schema, key), _note(inner, "description", ""),
            tuple(_note(inner, "examples", ())),
        )  # fmt: skip
        yield from _below(inner, f"{path}.")
        items = inner.get("items") if isinstance(inner, dict) else None
        yield from _below(items, f"{path}[].")


def _children(schema: Json) -> dict[str, Json]:
    """The properties of a schema and of those it stands together with."""
    if not isinstance(schema, dict):
        return {}
    found: dict[str, Json] = {}
    for part in schema.get("allOf", ()):
        found |= _children(part)
    found |= schema.get("properties", {})
    return found


def _types(schema: Json) -> tuple[str, ...]:
    stated = _note(schema, "type", ())
    return (stated,) if isinstance(stated, str) else tuple(stated)


def _required(schema: Mapping[str, Json], key: str) -> str:
    if key in schema.get("required", ()):
        return "yes"
    choices = [_only_required(branch) for branch in schema.get("anyOf", ())]
    if key in choices and None not in choices:
        return _CHOICE + ", ".join(str(other) for other in choices if other != key)
    needing = [name for name, needs in schema.get("dependentRequired", {}).items() if key in needs]
    if needing:
        return f"with {', '.join(needing)}"
    parts = (_required(part, key) for part in schema.get("allOf", ()) if isinstance(part, dict))
    return next((said for said in parts if said), "")


def _only_required(branch: Json) -> str | None:
    keys: list[str] = branch.get("required", []) if isinstance(branch, dict) else []
    return keys[0] if len(keys) == 1 else None


def _note(schema: Json, keyword: str, default: Json) -> Json:
    return schema.get(keyword, default) if isinstance(schema, dict) else default
