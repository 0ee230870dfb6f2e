"""Tokens to a tree, by consuming them from the left. No precedence, and what is not understood is ignored.

Source: fql 3 and 4 (@segment/destination-subscriptions 3.37.0, src/parse-fql.ts).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Literal, NamedTuple

from connector.mapping.fql_lexer import END_OF_TEXT, LexerError, Token, join_names, lex_placed
from connector.mapping.jsvalues import number_of, text_of

Value = str | float | bool

_NOTHING_THERE = "Cannot read properties of undefined (reading 'type')"
_TEXT_ROOTS = {"type": "event-type", "event": "event", "name": "name", "userId": "userId"}
_TYPED_ROOTS = {"properties": "event-property", "traits": "event-trait", "context": "event-context"}
ROOTS = (*_TEXT_ROOTS, *_TYPED_ROOTS)
"""What a condition may begin with."""
FUNCTIONS = ("contains", "match")
_WITHOUT_VALUE = {
    ("=", "null"): "not_exists",
    ("!=", "null"): "exists",
    ("=", "true"): "is_true",
    ("=", "false"): "is_false",
}
_KNOWN_WITHOUT_VALUE: dict[str, tuple[str, ...]] = {
    "event-type": (),
    "event": (),
    "name": ("exists", "not_exists"),
    "userId": ("exists", "not_exists", "is_true", "is_false"),
}
_NUMERIC = {"=": "number_equals", "!=": "number_not_equals"}


class Condition(NamedTuple):
    """One comparison. ``name`` is the path below properties, traits or context, None for the other types."""

    type: str
    operator: str
    value: Value | None = None
    name: str | None = None


class Group(NamedTuple):
    """Conditions of one level. A child is None where parentheses held no condition."""

    operator: Literal["and", "or"]
    children: tuple[Condition | Group | None, ...]


class ParseError(ValueError):
    """The text gives no tree; the message is Segment's."""


def parse(text: str) -> Group:
    """
    Return the tree of a subscription.

    The last ``and`` or ``or`` of a level rules the whole level, and ``)`` closes a group wherever it comes
    from, so ``(contains(event, "z") or ...)`` ends at the function.

    Raises:
        ParseError: no condition, a condition without a value, an open parenthesis, or text that is not made
            of tokens (Segment then parses nothing, with the message of an empty text).
    """
    try:
        tokens = deque(placed.token for placed in join_names(lex_placed(text)))
    except LexerError:
        raise ParseError(_NOTHING_THERE) from None
    tree = _parse_level(tokens)
    if tree is None:
        raise ParseError(_NOTHING_THERE)
    return tree if isinstance(tree, Group) else Group("and", (tree,))


def _parse_level(tokens: deque[Token]) -> Condition | Group | None:
    nodes: list[Condition | Group | None] = []
    operator: Literal["and", "or"] = "and"
    while tokens and (token := tokens.popleft()).kind != "eos":
        if token.kind == "ident":
            nodes += _conditions_at(token, tokens)
        elif token == Token("operator", "!") and _is_function(tokens[0]):
            nodes += _function(tokens.popleft().value, tokens, negated=True)
        elif token.kind == "parenleft":
            nodes.append(_parse_level(_until_closed(tokens)))
        elif token.kind == "conditional":
            operator = "and" if token.value == "and" else "or"
    if len(nodes) > 1:
        return Group(operator, tuple(nodes))
    return nodes[0] if nodes else None


def _until_closed(tokens: deque[Token]) -> deque[Token]:
    """Take what stands before the first closing parenthesis."""
    inner: deque[Token] = deque()
    while (token := _take(tokens, _NOTHING_THERE)).kind != "parenright":
        inner.append(token)
    inner.append(END_OF_TEXT)
    return inner


def _take(tokens: deque[Token], error: str) -> Token:
    if not tokens:
        raise ParseError(error)
    return tokens.popleft()


def _skip(tokens: deque[Token]) -> None:
    if tokens:
        tokens.popleft()


def _is_function(token: Token) -> bool:
    return token.kind == "ident" and token.value in FUNCTIONS


def _conditions_at(token: Token, tokens: deque[Token]) -> Iterable[Condition]:
    if _is_function(token):
        return _function(token.value, tokens, negated=False)
    root = token.value.partition(".")[0]
    if root not in ROOTS:
        return ()
    operator = _take(tokens, "Operator token is missing").value
    value = _take(tokens, "Value token is missing")
    if root in _TEXT_ROOTS:
        return (_text_condition(_TEXT_ROOTS[root], operator, value),)
    return (_typed_condition(_TYPED_ROOTS[root], _name_below(root, token.value), operator, value),)


def _name_below(root: str, field: str) -> str:
    return field.removeprefix(f"{root}.")


def _text_condition(type_: str, operator: str, value: Token) -> Condition:
    without_value = _WITHOUT_VALUE.get((operator, value.value))
    if without_value and without_value in _KNOWN_WITHOUT_VALUE[type_]:
        return Condition(type_, without_value)
    return Condition(type_, operator, text_of(_value(value)))


def _typed_condition(type_: str, name: str, operator: str, value: Token) -> Condition:
    without_value = _WITHOUT_VALUE.get((operator, value.value))
    if without_value:
        return Condition(type_, without_value, name=name)
    if value.kind == "number":
        operator = _NUMERIC.get(operator, operator)
    return Condition(type_, operator, _value(value), name)


def _value(token: Token) -> Value:
    if token.kind == "string":
        return token.value.removeprefix('"').removesuffix('"')
    if token.kind == "number":
        return number_of(token.value)
    if token.kind == "ident" and token.value in ("true", "false"):
        return token.value == "true"
    return token.value


def _function(function: str, tokens: deque[Token], *, negated: bool) -> Iterable[Condition]:
    """Take ``( field , value )`` without looking at what stands for the signs."""
    _skip(tokens)
    field = _take(tokens, f"{function}() is missing a 1st argument").value
    _skip(tokens)
    token = _take(tokens, f"{function}() is missing a 2nd argument")
    _skip(tokens)
    operator, value = _function_test(function, token)
    operator = f"not_{operator}" if negated else operator
    if field in ("event", "name", "userId"):
        return (Condition(field, operator, value),)
    return tuple(
        Condition(type_, operator, value, _name_below(root, field))
        for root, type_ in _TYPED_ROOTS.items()
        if field.startswith(root)
    )


def _function_test(function: str, token: Token) -> tuple[str, str]:
    value = text_of(_value(token))
    if function == "contains":
        return "contains", value
    return ("starts_with", value[:-1]) if token.value.endswith('*"') else ("ends_with", value[1:])
