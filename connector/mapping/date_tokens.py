"""A text cut into the pieces that V8's date reader looks at. Source: the behaviour of Node 20."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, NamedTuple

from connector.mapping.jsvalues import JS_WHITESPACE

_SIGNIFICANT_DIGITS = 9
_PREFIX_LENGTH = 3
_DIGITS: Final = frozenset("0123456789")
_SYMBOLS: Final = frozenset(":-+.)")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_KEYWORDS: Final[dict[str, tuple[str, int]]] = {
    **{name: ("month", number) for number, name in enumerate(_MONTHS, 1)},
    **{"am": ("half", 0), "pm": ("half", 12), "t": ("time", 0)},
    **dict.fromkeys(("ut", "utc", "z", "gmt"), ("zone", 0)),
    **{"cdt": ("zone", -5), "cst": ("zone", -6), "edt": ("zone", -4), "est": ("zone", -5)},
    **{"mdt": ("zone", -6), "mst": ("zone", -7), "pdt": ("zone", -7), "pst": ("zone", -8)},
}


class Kind(Enum):
    NUMBER = auto()
    SYMBOL = auto()
    WORD = auto()
    SPACE = auto()
    UNKNOWN = auto()
    END = auto()
    INVALID = auto()


class Token(NamedTuple):
    kind: Kind
    text: str = ""
    """A symbol, or what a word means: ``month``, ``half`` (of the day), ``time``, ``zone``, or nothing."""
    number: int = 0
    length: int = 0

    @property
    def is_sign(self) -> bool:
        return self.kind is Kind.SYMBOL and self.text in "+-"

    @property
    def is_z(self) -> bool:
        return self.is_word("zone") and self.length == 1

    @property
    def milliseconds(self) -> int:
        """The number as a fraction of a second; digits beyond the ninth were not read."""
        length = min(self.length, _SIGNIFICANT_DIGITS)
        if length < 3:
            return self.number * (100, 10)[length - 1]
        return int(self.number // 10 ** (length - 3))

    def is_word(self, meaning: str) -> bool:
        return self.kind is Kind.WORD and self.text == meaning

    def is_digits(self, count: int) -> bool:
        return self.kind is Kind.NUMBER and self.length == count


class Tokens:
    """The tokens of a text, one at a time, with a look at the next one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._next = self._scan()

    def peek(self) -> Token:
        return self._next

    def next(self) -> Token:
        token = self._next
        self._next = self._scan()
        return token

    def skip(self, symbol: str) -> bool:
        """Pass over a symbol if it comes next."""
        if self._next.kind is not Kind.SYMBOL or self._next.text != symbol:
            return False
        self.next()
        return True

    def _scan(self) -> Token:
        if self._position == len(self._text):
            return Token(Kind.END)
        char = self._text[self._position]
        if char in _DIGITS:
            return self._number()
        if char not in JS_WHITESPACE and char >= "A":
            return self._word()
        if char == "(":
            self._position = self._end_of_parentheses()
            return Token(Kind.UNKNOWN)
        self._position += 1
        if char in _SYMBOLS:
            return Token(Kind.SYMBOL, char)
        return Token(Kind.SPACE if char in JS_WHITESPACE else Kind.UNKNOWN)

    def _number(self) -> Token:
        start = self._position
        while self._text[self._position : self._position + 1] in _DIGITS:
            self._position += 1
        digits = self._text[start : self._position]
        return Token(Kind.NUMBER, "", int(digits.lstrip("0")[:_SIGNIFICANT_DIGITS] or "0"), len(digits))

    def _word(self) -> Token:
        start = self._position
        while (char := self._text[self._position : self._position + 1]) >= "A" and char not in JS_WHITESPACE:
            self._position += 1
        word = self._text[start : self._position]
        length = len(word)
        prefix = "".join(char.lower() if char.isascii() else char for char in word[:_PREFIX_LENGTH])
        meaning, number = _KEYWORDS.get(prefix, ("", 0))
        if length > _PREFIX_LENGTH and meaning != "month":
            meaning = ""
        return Token(Kind.WORD, meaning, number, length)

    def _end_of_parentheses(self) -> int:
        balance = 0
        for position in range(self._position, len(self._text)):
            balance += {"(": 1, ")": -1}.get(self._text[position], 0)
            if balance == 0:
                return position + 1
        return len(self._text)
