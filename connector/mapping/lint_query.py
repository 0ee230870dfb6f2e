"""What a subscription says that Segment's engine reads differently, or not at all. Source: fql 2, 3 and 7.

The tokens are walked as the parser consumes them, with their places, so that every token it passes over can
be told. What the parser refuses is a fault and told by ``compile_subscription``; the walk ends there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Literal, NamedTuple

from connector.mapping.fql_lexer import END_OF_TEXT, LexerError, PlacedToken, Token, join_names, lex_placed
from connector.mapping.fql_parser import FUNCTIONS, ROOTS, ParseError, parse
from connector.mapping.query_text import never_matches, query_text
from connector.mapping.query_traps import QUERY_TRAPS
from connector.mapping.trap import Trap, did_you_mean

_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_VALUES = frozenset(("string", "number", "null", "ident"))
_CALL = ["parenleft", "ident", "comma"]
_GLOB = frozenset("*?[]{}")
_LOST = frozenset(("string", "number", "null", "comma", "brackleft", "brackright", "dot"))
_EXPLAIN_NO_MATCH = frozenset(("operator-unknown", "single-quotes", "event-null", "value-missing"))

_NODES = ("node", "lost")
Part = Literal["node", "lost", "and", "or", "unread"]
"""What stands on a level: a condition or group, one that is dropped, a connective, one that is not read."""


def lint_query(query: str) -> list[Trap]:
    """Return the traps of a subscription, in the order of the text; the path of each is ``""``."""
    try:
        walk = _Walk(query, join_names(lex_placed(query)))
    except LexerError as error:
        position = min(error.position, len(query)) - 1
        return [_trap("unreadable", position, query, {"error": str(error)})] if query else []
    with suppress(_RefusedError):
        walk.level(len(walk.tokens) - 1)
    return sorted([*walk.found, *_no_match(query, walk.found)], key=lambda trap: trap.column or 0)


def _trap(code: str, position: int, query: str, facts: Mapping[str, str]) -> Trap:
    words = QUERY_TRAPS[code]
    read = _read_as(query) if "{read}" in words.text else ""
    text = words.text.format(read=read, **facts)
    return Trap(code, "", text, words.fix.format(**facts), position + 1)


def _read_as(query: str) -> str:
    try:
        return f"it is read as: {query_text(parse(query))}."
    except ParseError:
        return "it is refused for that."


def _no_match(query: str, found: list[Trap]) -> list[Trap]:
    try:
        tree = parse(query)
    except ParseError:
        return []
    explained = _EXPLAIN_NO_MATCH & {trap.code for trap in found}
    return [] if explained or not never_matches(tree) else [_trap("never-matches", 0, query, {})]


class _RefusedError(Exception):
    """The parser gives up here."""


class _NotEqual(NamedTuple):
    position: int
    field: str


class _Walk:
    def __init__(self, query: str, tokens: list[PlacedToken]) -> None:
        self.tokens = tokens
        self.found: list[Trap] = []
        self._query = query
        self._at = 0
        self._owed = 0
        """Closing parentheses to come whose opening ones an earlier ``)`` has closed."""
        self._torn = False
        self._passed = 0
        """Behind the last token that was passed over."""

    def level(self, end: int) -> None:
        """Walk to the token at ``end``, which counts as the end of the text."""
        parts: list[tuple[Part, int]] = []
        present: set[str] = set()
        doubtful: list[_NotEqual] = []
        while self._at < end:
            position, token = self._take(end)
            if token.kind == "conditional":
                parts.append(("and" if token.value == "and" else "or", position))
            elif token.kind == "parenleft":
                self._group(end)
                parts.append(("node", position))
            elif self._is_function(token):
                parts.append((self._function(token.value, position, end), position))
            elif token == Token("operator", "!") and self._is_function(self._peek(end)):
                name = self._take(end).token.value
                parts.append((self._function(name, position, end), position))
            elif token.kind == "ident" and token.value.partition(".")[0] in ROOTS:
                parts.append((self._condition(token.value, position, end, present, doubtful), position))
            elif token.kind == "ident":
                parts += [(part, position) for part in self._unknown(token.value, position, end)]
            elif token.kind == "parenright" and self._owed:
                self._owed -= 1
            else:
                self._passed_over(token, position)
        self._connectives(parts)
        ruling = [part for part, _ in parts if part in ("and", "or")]
        for each in doubtful:
            if each.field not in present or ruling[-1:] == ["or"]:
                self._not_equal(each)

    def _take(self, end: int) -> PlacedToken:
        if self._at > end:
            raise _RefusedError
        placed = self.tokens[self._at]
        if self._at == end:
            placed = PlacedToken(placed.position, END_OF_TEXT)
        self._at += 1
        return placed

    def _peek(self, end: int) -> Token:
        return self.tokens[self._at].token if self._at < end else END_OF_TEXT

    @staticmethod
    def _is_function(token: Token) -> bool:
        return token.kind == "ident" and token.value in FUNCTIONS

    def _add(self, code: str, position: int, **facts: str) -> None:
        self.found.append(_trap(code, position, self._query, facts))

    def _group(self, end: int) -> None:
        start = self._at
        inside = range(start, end)
        close = next((at for at in inside if self.tokens[at].token.kind == "parenright"), None)
        if close is None:
            raise _RefusedError
        opens = [at for at in range(start, close) if self.tokens[at].token.kind == "parenleft"]
        nested = [at for at in opens if not self._is_function(self.tokens[at - 1].token)]
        if nested:
            self._add("nested-group", self.tokens[nested[0]].position)
            raise _RefusedError
        self._owed += len(opens)
        if opens and not (close + 1 < end and self.tokens[close + 1].token.kind == "parenright"):
            self._torn = True
            self._add("function-not-last", self.tokens[opens[0] - 1].position)
        self.level(close)
        self._at = close + 1

    def _function(self, name: str, position: int, end: int) -> Part:
        signs = [self._take_sign(end) for _ in range(5)]
        kinds = [sign.token.kind for sign in signs]
        if END_OF_TEXT in (signs[1].token, signs[3].token):
            raise _RefusedError
        field, value = signs[1].token.value, signs[3]
        # At the end of a group the closing parenthesis of the function is the one that ended the group.
        closed = kinds[4] in ("parenright", "eos")
        if kinds[:3] != _CALL or kinds[3] not in _VALUES or not closed:
            self._add("function-shape", position, name=name)
        root = field.partition(".")[0]
        if root == "type" or root not in ROOTS:
            hint = "Compare the type with =." if root == "type" else did_you_mean(root, ROOTS[1:])
            self._add("root-unknown", signs[1].position, name=root, hint=hint)
            return "lost"
        self._single_quotes(value)
        if name == "match":
            self._glob(value)
        return "node"

    def _take_sign(self, end: int) -> PlacedToken:
        return self._take(end) if self._at <= end else PlacedToken(len(self._query), END_OF_TEXT)

    def _condition(
        self, field: str, position: int, end: int, present: set[str], doubtful: list[_NotEqual]
    ) -> Part:
        operator, value = self._take(end), self._take(end)
        written = self._query[operator.position : value.position + len(value.token.value)]
        if operator.token.value not in _OPERATORS or value.token.kind == "operator":
            if operator.token.kind == "ident" or value.token.kind != "operator":
                written = operator.token.value
            operators = " ".join(_OPERATORS)
            self._add(
                "operator-unknown", operator.position, written=written, field=field, operators=operators
            )
            self._swallow(end)
        elif value.token.kind not in _VALUES:
            self._add("value-missing", operator.position, field=field, value=value.token.value)
        else:
            self._single_quotes(value)
            self._null(field, operator.token.value, value, present)
            if operator.token.value == "!=" and field not in ("type", "event"):
                self._differs(field, operator.position, value.token, doubtful)
        return "node"

    def _null(self, field: str, operator: str, value: PlacedToken, present: set[str]) -> None:
        if value.token.kind != "null":
            return
        if field in ("type", "event"):
            self._add("event-null", value.position, field=field)
        elif operator == "!=":
            present.add(field)

    def _differs(self, field: str, position: int, value: Token, doubtful: list[_NotEqual]) -> None:
        if value.kind == "ident" and value.value in ("true", "false"):
            opposite = "false" if value.value == "true" else "true"
            self._add("not-equal-boolean", position, field=field, value=value.value, opposite=opposite)
        elif value.kind not in ("number", "null"):
            doubtful.append(_NotEqual(position, field))

    def _not_equal(self, doubtful: _NotEqual) -> None:
        self._add("not-equal-missing", doubtful.position, field=doubtful.field)

    def _single_quotes(self, value: PlacedToken) -> None:
        if value.token.kind == "string" and value.token.value.startswith("'"):
            self._add("single-quotes", value.position, value=value.token.value)

    def _glob(self, value: PlacedToken) -> None:
        text = value.token.value
        if not text.startswith('"'):
            return
        pattern = text[1:-1]
        fixed = pattern.removesuffix("*") if pattern.endswith("*") else pattern.removeprefix("*")
        if fixed == pattern or _GLOB & set(fixed):
            self._add("glob", value.position)

    def _unknown(self, name: str, position: int, end: int) -> list[Part]:
        """Tell of a name that is no field; return what it leaves on its level."""
        upcoming = self._peek(end)
        if name.upper() in ("AND", "OR"):
            self._add("connective-ignored", position, name=name, lower=name.lower())
            return ["unread"]
        if name.lower() == "not":
            self._add("negation-ignored", position, written=name)
        elif _is_comparison(upcoming):
            self._at += 1
            self._swallow(end)
            root = name.partition(".")[0]
            self._add("root-unknown", position, name=root, hint=did_you_mean(root, ROOTS))
            return ["lost"]
        elif upcoming.kind == "parenleft":
            self._add("function-unknown", position, name=name)
        else:
            self._passed_over(Token("ident", name), position)
        return []

    def _swallow(self, end: int) -> None:
        """Pass over what is left of a condition that was told already."""
        before = self.tokens[self._at - 1].token
        while (token := self._peek(end)).kind in _LOST or _is_value(token, before):
            before = token
            self._at += 1

    def _passed_over(self, token: Token, position: int) -> None:
        """Tell of a token that nobody reads, once for several in a row."""
        is_first = self._at == 1 or self._passed != self._at - 1
        self._passed = self._at
        if token == Token("operator", "!"):
            self._add("negation-ignored", position, written="!")
        elif is_first:
            self._add("ignored", position, value=token.value)

    def _connectives(self, parts: list[tuple[Part, int]]) -> None:
        """Tell of connectives that join nothing, of nodes that nothing joins, and of a mixture."""
        for place, (part, position) in enumerate(parts):
            follows = place > 0 and parts[place - 1][0] in _NODES
            precedes = place + 1 < len(parts) and parts[place + 1][0] in _NODES
            if part in ("and", "or") and not (follows and precedes):
                self._add("ignored", position, value=part)
            elif part in _NODES and follows:
                self._add("connective-missing", position)
        joining = [(part, position) for part, position in parts if part in ("and", "or")]
        if len({part for part, _ in joining}) > 1 and not self._torn:
            part, position = joining[-1]
            self._add("mixed-connectives", position, part=part)


def _is_comparison(token: Token) -> bool:
    return token == Token("ident", "in") or (token.kind == "operator" and token.value != "!")


def _is_value(token: Token, before: Token) -> bool:
    """Tell whether a token goes on with a condition that ``before`` is part of."""
    if token.kind == "ident":
        return before.kind == "operator"
    return token.kind == "operator" and token.value != "!"
