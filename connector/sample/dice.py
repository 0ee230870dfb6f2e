"""Choices that depend on nothing but a key, a purpose and a number: one question, one answer, for ever."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_RANGE = 1 << 64


class Dice:
    """
    A family of 64 bit hashes, one per (key parts, purpose, index).

    There is no state: throwing twice for one purpose gives one answer, so a choice can be asked for again
    instead of being kept, and adding a new purpose leaves every other choice as it was.
    """

    __slots__ = ("_key",)

    def __init__(self, *parts: int | str) -> None:
        self._key = "/".join(str(part) for part in parts)

    def part(self, *parts: int | str) -> Dice:
        """A family of its own, of the same key and more parts."""
        return Dice(self._key, *parts)

    def number(self, purpose: str, index: int = 0) -> int:
        """A number from 0 to 2^64 - 1."""
        return int.from_bytes(self._digest(purpose, index, 8), "big")

    def below(self, end: int, purpose: str, index: int = 0) -> int:
        """A number from 0 to ``end - 1``."""
        return self.number(purpose, index) % end

    def between(self, low: int, high: int, purpose: str, index: int = 0) -> int:
        """A number from ``low`` to ``high``, both possible."""
        return low + self.number(purpose, index) % (high - low + 1)

    def chance(self, share: float, purpose: str, index: int = 0) -> bool:
        """True for ``share`` (0 to 1) of all indexes."""
        return self.number(purpose, index) < share * _RANGE

    def one_of(self, options: Sequence[T], purpose: str, index: int = 0) -> T:
        """One of the options; repeat an option to give it more weight."""
        return options[self.number(purpose, index) % len(options)]

    def mostly_low(self, end: int, purpose: str, index: int = 0) -> int:
        """A number from 0 to ``end - 1``, small ones more often (the square of an even throw)."""
        throw = self.number(purpose, index)
        return (throw * throw * end) >> 128

    def hex(self, length: int, purpose: str, index: int = 0) -> str:
        """``length`` (at most 32) lower-case hexadecimal digits."""
        return self._digest(purpose, index, 16).hex()[:length]

    def uuid(self, purpose: str, index: int = 0) -> str:
        """An id in the form of a version 4 UUID."""
        text = self._digest(purpose, index, 16).hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def _digest(self, purpose: str, index: int, size_bytes: int) -> bytes:
        return blake2b(f"{self._key}/{purpose}/{index}".encode(), digest_size=size_bytes).digest()
