"""Ids of saved things: slugs. Pure."""

from __future__ import annotations

import re
import unicodedata

from connector.errors import ConfigError
from connector.options import SLUG

_OTHERS = re.compile(r"[^a-z0-9]+")
_MOST_CHARACTERS = 64


def slug_of(name: str) -> str:
    """
    ``Home Supplies, June`` -> ``home-supplies-june``: small letters, digits, ``-``; at most 64 characters.

    Raises:
        ConfigError: nothing of the name is a letter or a digit of ASCII.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = _OTHERS.sub("-", plain).strip("-")[:_MOST_CHARACTERS].rstrip("-")
    if not slug:
        raise ConfigError("a name needs letters a to z or digits: its id is made of them")
    return slug


def checked_id(text: str) -> str:
    """The same text. Raises ``ConfigError``: it is no slug."""
    if not SLUG.fullmatch(text):
        raise ConfigError("an id has small letters, digits, - and _, at most 64 of them")
    return text
