"""What Segment says about a payload that its fields refuse. Source: mapping-kit 9 (ajv-human-errors)."""

from __future__ import annotations

from collections.abc import Sequence

from connector.errors import MappingError
from connector.events import Json
from connector.mapping.jsjson import stringify
from connector.mapping.jsvalues import number_text, type_name, utf16_length

Where = tuple["Where", str | int] | None
"""A place in the payload: the place around it and the key or index in that; None is the root."""

_FORMAT_NAMES = {
    "date-time": "date and time",
    "email": "email address",
    "hostname": "hostname",
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
    "uri": "URI",
    "uri-reference": "URI Reference",
}


class PayloadInvalid(MappingError):
    """The fields refuse a payload. Names fields, places and types, never values."""

    code = "payload_invalid"

    def __init__(self, messages: Sequence[str]) -> None:
        """``messages``: one per finding, in the order in which Segment lists them."""
        self.messages = tuple(messages)
        super().__init__(" ".join(self.messages))

    def __reduce__(self) -> tuple[object, ...]:
        return PayloadInvalid, (self.messages,)


def finding(title: str, where: Where, text: str) -> str:
    """Return one sentence: the field's label, or else its place, and what is wrong."""
    subject = title or (f"the value at {_pointer(where)}" if where else "the root value")
    return f"{subject[0].upper()}{subject[1:]} {text}."


def _pointer(where: Where) -> str:
    keys: list[str] = []
    while where:
        where, key = where
        keys.append(str(key).replace("~", "~0").replace("/", "~1"))
    return "/" + "/".join(reversed(keys))


def wrong_type(types: Sequence[str], value: Json) -> str:
    """Say which types were expected and which was found."""
    found = type_name(value)
    if found not in ("null", "undefined"):
        found = _with_article(found)
    return f"must be {_with_article(_listed(types))} but it was {found}"


def missing(key: str) -> str:
    return f"is missing the required field '{key}'"


def not_one_of(choices: Sequence[Json]) -> str:
    return f"must be one of: {_listed([stringify(choice) for choice in choices])}"


def wrong_format(name: str) -> str:
    return f"must be a valid {_FORMAT_NAMES.get(name, name)} string but it was not"


def wrong_length(limit: float, direction: str, text: str) -> str:
    """Say how long a text must be (``direction``: ``more`` or ``fewer``) and how many UTF-16 units it has."""
    return f"must be {_characters(limit)} or {direction} but it was {_characters(utf16_length(text))}"


def beyond_limit(limit: float, direction: str) -> str:
    """Say how large a number must be; ``direction``: ``greater`` or ``less``."""
    return f"must be equal to or {direction} than {number_text(limit)}"


def _characters(count: float) -> str:
    return f"{number_text(count)} character{'' if count == 1 else 's'}"


def _with_article(noun: str) -> str:
    return f"{'an' if noun[:1] in tuple('aeiou') else 'a'} {noun}"


def _listed(items: Sequence[str]) -> str:
    if len(items) < 3:
        return " or ".join(items)
    return f"{', '.join(items[:-1])}, or {items[-1]}"
