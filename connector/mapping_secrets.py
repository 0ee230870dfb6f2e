"""Secrets among settings and mappings: taken out for a file, put back for Segment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from connector.events import Json
from connector.mapping.trap import pointer_step

_NAME = re.compile(
    r"secret|passw(or)?d|passphrase|credential|authorization|bearer"
    r"|(api|access|private|service|auth|signing|write)[-_ ]?(key|token)|^token$|client[-_ ]?token",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
_TEXT_DIRECTIVES = ("@literal", "@template")
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


def take_out(
    value: Json, owner: str, secrets: dict[str, str], notes: list[str], *, place: str = "settings"
) -> tuple[Json, dict[str, str]]:
    """Put ``env:NAME`` where a secret stands.

    A secret is a text under a key that says so (``apiSecret``, ``Authorization``; Mixpanel's ``projectToken``
    is none, every page that sends to Mixpanel shows it), or an address with a password.

    Args:
        value: settings or a mapping; not modified.
        owner: begins the names of the variables.
        secrets: variable to value, filled in.
        notes: a sentence for each, filled in; names it, never shows it.
        place: what the notes call the value.

    Returns:
        The value without secrets, and JSON pointer to variable.
    """
    places: dict[str, str] = {}
    found = dict(_secrets(value, "", hidden=False))
    for pointer, secret in found.items():
        if not isinstance(secret, str):
            notes.append(
                f"{place}: {pointer} looks like a secret, is no text, and stays in the file as it is"
            )
            continue
        variable = _variable(f"{owner}_{_last_key(pointer)}", secret, secrets)
        secrets[variable] = secret
        places[pointer] = variable
        notes.append(f"{place}: {pointer} is a secret and is not written; set {variable} before an export")
    references = {pointer: f"env:{variable}" for pointer, variable in places.items()}
    return _replaced(value, "", references), places


def put_back(value: Json, places: Mapping[str, str], variables: Mapping[str, str], unset: list[str]) -> Json:
    """Put the secrets back where their references still stand; variables that are not set join ``unset``."""
    wanted: dict[str, str] = {}
    for pointer, variable in places.items():
        if _at(value, pointer) != f"env:{variable}":
            continue
        if variable in variables:
            wanted[pointer] = variables[variable]
        else:
            unset.append(variable)
    return _replaced(value, "", wanted)


def _secrets(value: Json, pointer: str, *, hidden: bool) -> Iterator[tuple[str, Json]]:
    """Yield pointer and value of everything that is a secret; ``hidden``: a key above said so."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key.startswith("@"):
                below = hidden and key in _TEXT_DIRECTIVES and not _is_filled(item)
            else:
                below = hidden or _NAME.search(key) is not None
            yield from _secrets(item, pointer + pointer_step(key), hidden=below)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secrets(item, f"{pointer}/{index}", hidden=hidden)
    elif isinstance(value, str):
        if value and (hidden or _IN_URL.search(value)):
            yield pointer, value
    elif hidden and isinstance(value, int | float) and not isinstance(value, bool):
        yield pointer, value


def _is_filled(template: Json) -> bool:
    """A template that only repeats a field of the event."""
    return isinstance(template, str) and re.fullmatch(r"\s*\{\{[^{}]+\}\}\s*", template) is not None


def _last_key(pointer: str) -> str:
    keys = [key for key in pointer.split("/") if key and not key.startswith("@") and not key.isdigit()]
    return keys[-1] if keys else "secret"


def _variable(wanted: str, secret: str, secrets: Mapping[str, str]) -> str:
    """A name for a variable, the same for the same secret."""
    base = "_".join(part for part in _BOUNDARY.split(wanted) if part).upper()
    base = base if base[:1].isalpha() else f"S_{base}"
    name, number = base, 1
    while secrets.get(name, secret) != secret:
        number += 1
        name = f"{base}_{number}"
    return name


def _replaced(value: Json, pointer: str, by_pointer: Mapping[str, str]) -> Json:
    if pointer in by_pointer:
        return by_pointer[pointer]
    if isinstance(value, dict):
        return {key: _replaced(item, pointer + pointer_step(key), by_pointer) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, f"{pointer}/{index}", by_pointer) for index, item in enumerate(value)]
    return value


def _at(value: Json, pointer: str) -> Json:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value
