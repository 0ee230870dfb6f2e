"""Paths of ``@path``, ``@arrayPath`` and ``{{...}}``: parsed once, then a lookup that only walks.

Source: mapping-kit 3; the walk is shared with the fields of the subscription language (fql 5).
"""

from __future__ import annotations

import re
from functools import lru_cache

from connector.events import Json
from connector.mapping.jsvalues import (
    UNDEFINED,
    Resolver,
    array_index,
    is_truthy,
    utf16_length,
    utf16_units,
)

_SEPARATOR = re.compile(r"""\[(?=["'0-9])|\.|(?<=["'0-9])\]+""")
_QUOTES = str.maketrans("", "", "'\"")
_PROTOTYPE = "__proto__"


def parse_path(path: str) -> tuple[str, ...]:
    """
    Return the keys of a path; none for ``""`` and ``"."``, which mean the whole payload.

    Dots separate, also inside quotes; a bracket separates only beside a quote or a digit. Quotes are deleted
    from every key, so neither a key with a dot nor one with a quote can be reached.
    """
    return tuple(piece.translate(_QUOTES) for piece in _SEPARATOR.split(path) if piece)


@lru_cache(maxsize=256)
def lookup(path: str) -> Resolver:
    """Return the lookup of a placeholder's path, taken as it is written."""
    return lookup_keys(parse_path(path))


def directive_lookup(path: str) -> Resolver:
    """Return the lookup of an ``@path``: the first ``$.``, wherever it stands, is not part of the path."""
    return lookup(path.replace("$.", "", 1))


def lookup_keys(keys: tuple[str, ...]) -> Resolver:
    """
    Return a function that walks the keys from a payload.

    A falsy value on the way stops the walk and is the answer: ``n.x`` of ``{"n": null}`` is null. Lists and
    strings answer to their indexes and ``length`` (UTF-16 units). Inherited members are ``UNDEFINED``, except
    ``__proto__`` of an object, which is an empty object. The payload itself is returned, never a copy.
    """
    if _PROTOTYPE in keys:
        return lambda payload: walk(payload, keys)
    if not keys:
        return lambda payload: payload
    if len(keys) == 1:
        return _one_key(keys[0])
    return _two_keys(keys[0], keys[1]) if len(keys) == 2 else _many_keys(keys)


def _one_key(key: str) -> Resolver:
    def find(payload: Json) -> Json:
        if type(payload) is dict:
            return payload.get(key, UNDEFINED)
        return walk(payload, (key,))

    return find


def _two_keys(outer: str, inner: str) -> Resolver:
    def find(payload: Json) -> Json:
        if type(payload) is dict:
            value = payload.get(outer, UNDEFINED)
            if type(value) is dict:
                return value.get(inner, UNDEFINED)
            return walk(value, (inner,))
        return walk(payload, (outer, inner))

    return find


def _many_keys(keys: tuple[str, ...]) -> Resolver:
    def find(payload: Json) -> Json:
        value = payload
        for key in keys:
            if type(value) is dict:
                value = value.get(key, UNDEFINED)
            elif is_truthy(value):
                value = member(value, key)
            else:
                return value
        return value

    return find


def walk(value: Json, keys: tuple[str, ...]) -> Json:
    """Follow the keys one member at a time, stopping at the first falsy value."""
    for key in keys:
        if not is_truthy(value):
            return value
        value = member(value, key)
    return value


def member(value: Json, key: str) -> Json:
    """Return ``value[key]`` as JavaScript has it, for a value that is truthy."""
    if isinstance(value, dict):
        return value.get(key, {} if key == _PROTOTYPE else UNDEFINED)
    if isinstance(value, list):
        return len(value) if key == "length" else _item(value, key)
    if isinstance(value, str):
        return utf16_length(value) if key == "length" else _item(utf16_units(value), key)
    return UNDEFINED


def _item(items: list[Json], key: str) -> Json:
    index = array_index(key)
    return UNDEFINED if index is None or index >= len(items) else items[index]
