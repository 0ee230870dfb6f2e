"""Subscription text to tokens, exactly as Segment's lexer cuts it. Source: fql 2 (@segment/fql-ts 1.10.1)."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_letters, digits
from typing import Literal, NamedTuple

Kind = Literal[
    "ident", "dot", "operator", "conditional", "string", "number", "null",
    "brackleft", "brackright", "parenleft", "parenright", "comma", "eos",
]  # fmt: skip

_MAX_TOKEN_LENGTH = 100_000
_END = ""
_WHITESPACE = frozenset(" \t\n")
_TERMINATORS = _WHITESPACE | frozenset([_END, *",])"])
_AFTER_IDENT = _TERMINATORS | frozenset(".(=!")
_LETTERS = frozenset(ascii_letters)
_DIGITS = frozenset(digits)
_IDENT_START = _LETTERS | frozenset("_\\")
_IDENT = _IDENT_START | _DIGITS | frozenset("-")
_PUNCTUATION: dict[str, Kind] = {
    ".": "dot", "[": "brackleft", "]": "brackright", ",": "comma", "(": "parenleft", ")": "parenright",
}  # fmt: skip
_LAST_UNIT = "\uffff"


class Token(NamedTuple):
    """A token; a string keeps its quotes, an ident has lost its backslashes."""

    kind: Kind
    value: str


END_OF_TEXT = Token("eos", "eos")
_KEYWORDS: dict[str, tuple[str, Token]] = {
    "a": ("nd", Token("conditional", "and")),
    "o": ("r", Token("conditional", "or")),
    "n": ("ull", Token("null", "null")),
}


class LexerError(ValueError):
    """The text holds what is no token."""

    position = 0
    """Where reading stopped, in characters from 0."""


class PlacedToken(NamedTuple):
    """A token and where it begins, in characters from 0."""

    position: int
    token: Token


def lex(text: str) -> list[Token]:
    """
    Return the tokens of a text, ``END_OF_TEXT`` last.

    Quirks that are kept: an operator of two characters, a keyword and a closing quote count only before
    blanks, ``,``, ``]``, ``)`` or the end (``!="x"`` is an error); a quote that does not close opens a string
    again; at the very end an ident too short for the keyword its first letter suggests keeps only that
    letter (``an`` and ``ab`` are ``a``).

    Raises:
        LexerError: an unknown character, a string or number without an end, an ident that something else
            follows.
    """
    return [placed.token for placed in lex_placed(text)]


def lex_placed(text: str) -> list[PlacedToken]:
    """Return the tokens of a text with their places; otherwise as ``lex``.

    Raises:
        LexerError: as ``lex``, with the position.
    """
    lexer = _Lexer(text)
    try:
        return lexer.tokens()
    except LexerError as error:
        error.position = lexer.position
        raise


def join_names(tokens: list[PlacedToken]) -> list[PlacedToken]:
    """Join ident, dot, ident into one ident, which the parser takes for one name."""
    joined: list[PlacedToken] = []
    position = 0
    while position < len(tokens):
        kinds = [placed.token.kind for placed in tokens[position : position + 2]]
        if joined and joined[-1].token.kind == "ident" and kinds == ["dot", "ident"]:
            start, before = joined[-1]
            name = f"{before.value}.{tokens[position + 1].token.value}"
            joined[-1] = PlacedToken(start, Token("ident", name))
            position += 2
        else:
            joined.append(tokens[position])
            position += 1
    return joined


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    @property
    def position(self) -> int:
        return self._position

    def tokens(self) -> list[PlacedToken]:
        found: list[PlacedToken] = []
        start = self._position
        while (char := self._next()) != _END:
            if char not in _WHITESPACE:
                found.append(PlacedToken(start, self._token(char)))
            start = self._position
        return [*found, PlacedToken(start, END_OF_TEXT)]

    def _token(self, char: str) -> Token:
        if char in _PUNCTUATION:
            return Token(_PUNCTUATION[char], char)
        readers: tuple[tuple[bool, Callable[[str], Token]], ...] = (
            (char in "!=<>", self._operator),
            (char in _IDENT_START, self._word),
            (char in _DIGITS or char in "+-", self._number),
            (char in "\"'", self._string),
        )
        for applies, read in readers:
            if applies:
                return read(char)
        raise LexerError(f"invalid character {char!r}")

    def _operator(self, char: str) -> Token:
        if char == "=":
            return Token("operator", char)
        if char == "!" and (self._peek() in _LETTERS or self._peek() == "("):
            return Token("operator", char)
        if self._accept("="):
            return Token("operator", f"{char}=")
        if char == "!":
            raise LexerError("expected '=' after '!'")
        return Token("operator", char)

    def _word(self, char: str) -> Token:
        rest, keyword = _KEYWORDS.get(char, ("", END_OF_TEXT))
        return keyword if rest and self._accept(rest) else self._ident(char)

    def _ident(self, char: str) -> Token:
        name = [self._unescaped(char)]
        while self._peek() in _IDENT:
            name.append(self._unescaped(self._next()))
            self._bound(len(name))
        if self._peek() not in _AFTER_IDENT:
            raise LexerError("expected termination character after identifier")
        return Token("ident", "".join(name))

    def _unescaped(self, char: str) -> str:
        if char != "\\":
            return char
        escaped = self._next()
        if escaped == _END:
            raise LexerError("expected character after escape character")
        # Segment's lexer reads UTF-16 units: it would take half of the character and fail at the other half.
        if escaped > _LAST_UNIT:
            raise LexerError("expected termination character after identifier")
        return escaped

    def _number(self, char: str) -> Token:
        rest: list[str] = []
        while self._peek() in _DIGITS or self._peek() == ".":
            rest.append(self._next())
            if rest[-1] == "." and (self._peek() in _TERMINATORS or rest.count(".") > 1):
                raise LexerError("a number ends in a point or has two")
            self._bound(len(rest))
        return Token("number", char + "".join(rest))

    def _string(self, quote: str) -> Token:
        end = self._text.find(quote, self._position)
        if end < 0:
            raise LexerError("unterminated string")
        content = self._text[self._position : end]
        self._bound(len(content))
        self._position = end
        self._accept(quote)
        return Token("string", f"{quote}{content}{quote}")

    def _accept(self, expected: str) -> bool:
        """Advance over the expected text when a terminator follows it; else stay, but see ``lex``."""
        taken = ""
        for _ in expected:
            char = self._next()
            if char == _END:
                return False
            taken += char
            if char in _TERMINATORS:
                break
        if taken == expected and self._peek() in _TERMINATORS:
            return True
        self._position -= len(taken)
        return False

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _next(self) -> str:
        char = self._peek()
        self._position += len(char)
        return char

    def _bound(self, length: int) -> None:
        if length >= _MAX_TOKEN_LENGTH:
            raise LexerError("unreasonable token length")
