"""The known name that a misspelt one is nearest to."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def close_name(name: str, known: Iterable[str]) -> str | None:
    """Return the nearest known name, letter case and underscores not counted; None when none is near."""
    by_spelling = {_spelled(each): each for each in known}
    close = get_close_matches(_spelled(name), by_spelling, n=1, cutoff=0.6)
    return by_spelling[close[0]] if close else None


def _spelled(name: str) -> str:
    return name.lower().replace("_", "")
