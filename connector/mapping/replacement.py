"""JavaScript's ``String.replace`` of a literal pattern: its replacement signs, its way to ignore case.

Source: mapping-kit 4, ``@replace``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

Replace = Callable[[str], str]

_SIGN = re.compile(r"\$([$&`'])")
_LAST_UNIT = "\uffff"


def compile_replace(pattern: str, replacement: str, *, every: bool, ignore_case: bool) -> Replace:
    """
    Return a function that replaces the pattern, literal text that is not empty, in a text.

    Args:
        pattern: what to look for.
        replacement: may hold ``$$`` (a dollar sign), ``$&`` (the match), ``$` `` and ``$'`` (the text before
            and after it); any other ``$`` stands for itself.
        every: replace all occurrences, or the first.
        ignore_case: compare by single-character upper-casing, as regular expressions without the ``u`` flag
            do: ``É`` equals ``é``, while no other letter ever equals an ASCII one.
    """
    limit = -1 if every else 1
    if not ignore_case and not _SIGN.search(replacement):
        return lambda text: text.replace(pattern, replacement, limit)
    fold = _folded if ignore_case else str
    sought = fold(pattern)

    def replace(text: str) -> str:
        starts = _occurrences(fold(text), sought, limit)
        return _rebuilt(text, starts, len(pattern), replacement)

    return replace


def _occurrences(text: str, sought: str, limit: int) -> list[int]:
    """Return where the sought text begins, from the left, without overlaps."""
    starts: list[int] = []
    start = text.find(sought)
    while start >= 0 and len(starts) != limit:
        starts.append(start)
        start = text.find(sought, start + len(sought))
    return starts


def _rebuilt(text: str, starts: list[int], length: int, replacement: str) -> str:
    parts: list[str] = []
    position = 0
    for start in starts:
        end = start + length
        parts += [text[position:start], _expanded(replacement, text, start, end)]
        position = end
    return "".join([*parts, text[position:]])


def _expanded(replacement: str, text: str, start: int, end: int) -> str:
    meaning = {"$": "$", "&": text[start:end], "`": text[:start], "'": text[end:]}
    return _SIGN.sub(lambda match: meaning[match[1]], replacement)


def _folded(text: str) -> str:
    """Return a text of the same length in which equal characters mean equal without regard to case."""
    return text.upper() if text.isascii() else "".join(map(_fold, text))


@lru_cache(maxsize=1024)
def _fold(char: str) -> str:
    upper = char.upper()
    if len(upper) != 1 or char > _LAST_UNIT or (upper.isascii() and not char.isascii()):
        return char
    return upper
