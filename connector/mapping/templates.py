"""``@template`` text: placeholders found once, values inserted per payload. Source: mapping-kit 4."""

from __future__ import annotations

from typing import Any

from connector.events import Json
from connector.mapping.jsvalues import JS_WHITESPACE, UNDEFINED, Resolver, constant, text_of
from connector.mapping.paths import lookup

_DOUBLE = 2
_TRIPLE = 3


def compile_template(template: str) -> Resolver:
    """
    Return a resolver that fills in a template; the result is always text.

    ``{{{path}}}`` is filled in first and ``{{path}}`` then on what came out, so braces inside a value that
    was inserted by triple braces are placeholders again. Missing and null values insert nothing; nothing is
    escaped.
    """
    if len(_pieces(template, _TRIPLE)) == 1:
        return _fill(template, _DOUBLE)
    first_pass = _fill(template, _TRIPLE)
    return lambda payload: _fill(first_pass(payload), _DOUBLE)(payload)


def _pieces(template: str, braces: int) -> list[str]:
    """
    Cut a template into literal text and the insides of placeholders, in turns.

    A placeholder is as many braces on both sides and at least one character, none of them ``}``, between.
    What a regular expression would find, in linear time: a customer's text may come this way.
    """
    opening, closing = "{" * braces, "}" * braces
    pieces: list[str] = []
    literal_start = position = 0
    while (end := template.find("}", position)) >= 0:
        start = template.find(opening, position, end)
        position = end + 1
        if 0 <= start < end - braces and template.startswith(closing, end):
            pieces += [template[literal_start:start], template[start + braces : end]]
            literal_start = position = end + braces
    return [*pieces, template[literal_start:]]


def _fill(template: str, braces: int) -> Resolver:
    """Return a resolver that joins the literal pieces with the values between them."""
    pieces = _pieces(template, braces)
    if len(pieces) == 1:
        return constant(template)
    parts: list[Any] = list(pieces)
    parts[1::2] = [lookup(path.strip(JS_WHITESPACE)) for path in pieces[1::2]]

    def render(payload: Json) -> str:
        if payload is UNDEFINED:
            payload = {}
        return "".join([part if type(part) is str else _inserted(part(payload)) for part in parts])

    return render


def _inserted(value: Json) -> str:
    if type(value) is str:
        return value
    return "" if value is None or value is UNDEFINED else text_of(value)
