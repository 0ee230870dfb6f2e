"""A mapping whose paths share their beginnings: each part of the event is looked up once.

An action of fifty fields reads most of them below ``context``, and most of that is not there. The result is
that of ``compile_mapping``; only the order of the keys may differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connector.events import Json
from connector.mapping import UNDEFINED, compile_mapping
from connector.mapping.compile import ROOT_DIRECTIVE
from connector.mapping.jsvalues import Resolver
from connector.mapping.paths import parse_path, walk

_PROTOTYPE = "__proto__"


def compile_payload(mapping: Mapping[str, Json]) -> Resolver:
    """
    Return the function that an action's mapping is, as ``compile_mapping`` does.

    Raises:
        MappingError: Segment's validator refuses the mapping; every fault with its path.
    """
    whole = compile_mapping(mapping)
    if not _is_plain(mapping):
        return whole
    return _plain(mapping)


def _plain(mapping: Mapping[str, Json]) -> Resolver:
    """A plain object: its paths together, its plain objects each in the same way, the rest as ever."""
    paths = {key: keys for key, value in mapping.items() if (keys := _path_of(value))}
    objects = {key: _plain(value) for key, value in mapping.items() if key not in paths and _is_plain(value)}
    others = {key: value for key, value in mapping.items() if key not in paths and key not in objects}
    rest = compile_mapping(others)
    put_paths = _branch(paths.items()).put

    def resolve(payload: Json) -> Json:
        found: dict[str, Json] = rest(payload)
        put_paths(payload, found)
        for key, inner in objects.items():
            found[key] = inner(payload)
        return found

    return resolve


def _is_plain(value: Json) -> bool:
    return (
        isinstance(value, dict) and ROOT_DIRECTIVE not in value and not any(key[:1] == "@" for key in value)
    )


def _path_of(value: Json) -> tuple[str, ...] | None:
    """The keys of a literal ``@path``; None for anything else, the whole payload included."""
    if not isinstance(value, dict) or value.keys() != {"@path"} or not isinstance(value["@path"], str):
        return None
    keys = parse_path(value["@path"].replace("$.", "", 1))
    return None if _PROTOTYPE in keys else keys or None


@dataclass(slots=True)
class _Branch:
    """Paths that continue from one value."""

    below: list[tuple[str, tuple[str, ...], _Branch | None]] = field(default_factory=list)
    """Key, names of the fields that end there, and the branch of those that go on."""
    leaves: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """All fields of the branch with their keys from here on."""

    def put(self, value: Json, found: dict[str, Json]) -> None:
        """Put what the fields find into ``found``; nothing for those that find nothing."""
        if type(value) is not dict:
            for name, keys in self.leaves:
                if (leaf := walk(value, keys)) is not UNDEFINED:
                    found[name] = leaf
            return
        for key, names, branch in self.below:
            if key in value:
                inner = value[key]
                for name in names:
                    found[name] = inner
                if branch is not None:
                    branch.put(inner, found)


def _branch(paths: Iterable[tuple[str, tuple[str, ...]]]) -> _Branch:
    leaves = tuple(paths)
    made = _Branch(leaves=leaves)
    for first in dict.fromkeys(keys[0] for _, keys in leaves):
        names = tuple(name for name, keys in leaves if keys == (first,))
        longer = [(name, keys[1:]) for name, keys in leaves if keys[0] == first and len(keys) > 1]
        made.below.append((first, names, _branch(longer) if longer else None))
    return made
