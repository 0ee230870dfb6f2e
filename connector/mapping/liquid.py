"""``@liquid``: python-liquid reads the template, values behave as in LiquidJS. Source: mapping-kit 4.

What differs from LiquidJS 10.27.2 is listed in ``docs/conformance.md``.
"""

from __future__ import annotations

from typing import Any, TextIO

import liquid
from liquid.builtin.expressions import Nil, logical
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoTag
from liquid.builtin.tags.if_tag import IfNode, IfTag
from liquid.builtin.tags.unless_tag import UnlessNode, UnlessTag
from liquid.exceptions import LiquidError, LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_ILLEGAL, Token

from connector.errors import MappingError
from connector.events import Json
from connector.mapping.jsvalues import UNDEFINED, Resolver, constant, utf16_length
from connector.mapping.liquid_filters import FILTERS
from connector.mapping.liquid_values import (
    MAX_CHARACTERS,
    MEMORY_EXCEEDED,
    NIL,
    contains,
    equals,
    is_less,
    is_less_or_equal,
    is_true,
    member,
    text,
)

MAX_TEMPLATE_LENGTH = 1000
"""UTF-16 units."""

DISABLED_TAGS = frozenset("case for include layout render tablerow".split())
DISABLED_FILTERS = frozenset(
    "array_to_sentence_string concat find find_exp find_index find_index_exp group_by group_by_exp has"
    " has_exp map newline_to_br reject reject_exp reverse sort sort_natural uniq where_exp type".split()
)
REFUSED_FILTERS = frozenset("base64_decode base64_encode sample slugify uri_escape".split())
"""Filters that LiquidJS has and this version has not: refused, since ignoring them would be silent."""

REFUSED_TAGS = frozenset(("block", "break", "continue"))
_COMPARISONS: dict[type[Expression], Any] = {
    logical.EqExpression: equals,
    logical.NeExpression: lambda left, right: not equals(left, right),
    logical.LtExpression: is_less,
    logical.LeExpression: is_less_or_equal,
    logical.GtExpression: lambda left, right: is_less(right, left),
    logical.GeExpression: lambda left, right: is_less_or_equal(right, left),
    logical.ContainsExpression: contains,
}


def compile_liquid(template: Json) -> Resolver:
    """
    Return the resolver of a template; the result is always text.

    The event itself is the root: ``{{ properties.x }}``. A template that Segment would refuse when it runs is
    refused then, by ``MappingError``; so are the clock (``now``), time zones, and what this version has not.
    Nothing loops, and what a rendering makes may not exceed ``MAX_CHARACTERS``.
    """
    try:
        return _compiled(template)
    except MappingError as error:
        faults = error.faults

    def fail(_payload: Json) -> Json:
        raise MappingError(faults)

    return fail


def _compiled(template: Json) -> Resolver:
    if not isinstance(template, str):
        raise MappingError("liquid template value must be a string")
    if utf16_length(template) > MAX_TEMPLATE_LENGTH:
        raise MappingError(f"liquid template values are limited to {MAX_TEMPLATE_LENGTH} characters")
    if not template:
        return constant("")
    try:
        parsed = _ENVIRONMENT.from_string(template)
    except LiquidError as error:
        said = error.message if isinstance(error, _Refused) else f"@liquid: {error.message}"
        raise MappingError(f"{said}{_place(error.token)}") from None

    def render(payload: Json) -> Json:
        try:
            return parsed.render(payload if isinstance(payload, dict) else {})
        except LiquidError as error:
            # The engine's words may quote the payload.
            raise MappingError(f"@liquid: {type(error).__name__}{_place(error.token)}") from None
        except (TypeError, ValueError, OverflowError):
            raise MappingError("@liquid: a filter cannot read its value or its arguments") from None

    return render


def _place(token: Token | None) -> str:
    """Return where the tag or output begins that a token belongs to, as LiquidJS writes it."""
    if token is None or token.start_index < 0:
        return ""
    before = token.source[: token.start_index + 2]
    start = max(before.rfind("{{"), before.rfind("{%"), 0)
    lines = token.source[:start].split("\n")
    return f", line:{len(lines)}, col:{len(lines[-1]) + 1}"


class _Context(liquid.RenderContext):
    """Scopes and members as LiquidJS has them; counts what filters make."""

    made = 0

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """Return what a path leads to, ``UNDEFINED`` when that is nothing."""
        value: Any = self._variable(path[0])
        for key in path[1:]:
            value = member(value, key)
        return value

    def _variable(self, name: object) -> Any:
        if not isinstance(name, str):
            return UNDEFINED
        for scope in (self.locals, self.globals, self.counters):
            if name in scope:
                return scope[name]
        return UNDEFINED

    def resolve(self, name: str, *, token: Token | None = None, default: object = UNDEFINED) -> Any:
        return self._variable(name)

    def filter(self, name: str, token: Token | None) -> Any:
        """Return a filter; one that nobody knows gives its value back."""
        if name in DISABLED_FILTERS:
            raise MappingError(f'filter "{name}" is disabled{_place(token)}')
        if name in REFUSED_FILTERS:
            raise MappingError(f'@liquid: filter "{name}" is not supported by this version{_place(token)}')
        known = FILTERS.get(name)

        def apply(value: Any, *arguments: Any, **named: Any) -> Any:
            if known is None:
                return value
            try:
                result = known(value, *arguments, **named)
            except MappingError as error:
                raise MappingError(f"{error}{_place(token)}") from None
            self.count(result)
            return result

        return apply

    def count(self, made: Any) -> None:
        """Add a text or list to what was made; raise ``MappingError`` when that is too much."""
        self.made += len(made) if isinstance(made, str | list) else 1
        if self.made > MAX_CHARACTERS:
            raise MappingError(MEMORY_EXCEEDED)


class _Template(liquid.BoundTemplate):
    context_class = _Context


class _TextNode(OutputNode):
    def render_to_output(self, context: liquid.RenderContext, buffer: TextIO) -> int:
        written = text(self.expression.evaluate(context))
        if isinstance(context, _Context):
            context.count(written)
        return buffer.write(written)


class _Output(Output):
    node_class = _TextNode


class _Echo(EchoTag):
    node_class = _TextNode  # type: ignore[assignment]


class _Condition(Expression):
    """A condition that compares as JavaScript does."""

    __slots__ = ("parsed",)

    def __init__(self, parsed: Expression) -> None:
        super().__init__(parsed.token)
        self.parsed = parsed.expression if isinstance(parsed, logical.BooleanExpression) else parsed

    def evaluate(self, context: liquid.RenderContext) -> bool:
        return is_true(_evaluated(self.parsed, context))

    def children(self) -> list[Expression]:
        return [self.parsed]


def _evaluated(parsed: Expression, context: liquid.RenderContext) -> Any:
    if isinstance(parsed, logical.LogicalAndExpression):
        return is_true(_evaluated(parsed.left, context)) and is_true(_evaluated(parsed.right, context))
    if isinstance(parsed, logical.LogicalOrExpression):
        return is_true(_evaluated(parsed.left, context)) or is_true(_evaluated(parsed.right, context))
    if isinstance(parsed, logical.LogicalNotExpression):
        return not is_true(_evaluated(parsed.right, context))
    if isinstance(parsed, Nil):
        return NIL
    compare = _COMPARISONS.get(type(parsed))
    if compare is None:
        return parsed.evaluate(context)
    return compare(_evaluated(parsed.left, context), _evaluated(parsed.right, context))  # type: ignore[attr-defined]


def _with_conditions(node: Any) -> Any:
    """Return a parsed ``if`` or ``unless`` after its conditions were replaced."""
    if isinstance(node, IfNode | UnlessNode):
        node.condition = _Condition(node.condition)
        for alternative in node.alternatives:
            alternative.expression = _Condition(alternative.expression)
    return node


class _If(IfTag):
    def parse(self, stream: TokenStream) -> Any:
        return _with_conditions(super().parse(stream))


class _Unless(UnlessTag):
    def parse(self, stream: TokenStream) -> Any:
        return _with_conditions(super().parse(stream))


class _Refused(LiquidSyntaxError):
    """A tag that Segment, or this version, does not let run; the message is complete."""


class _RefusedTag(Tag):
    """A tag that cannot be used, and why: any of the disabled ones, or one that nobody knows."""

    block = False

    def __init__(self, env: liquid.Environment, why: str) -> None:
        super().__init__(env)
        self.why = why

    def parse(self, stream: TokenStream) -> Any:
        token = stream.current
        raise _Refused(f'tag "{token.value}" {self.why}', token=token)


class _Environment(liquid.Environment):
    template_class = _Template
    suppress_blank_control_flow_blocks = False
    block_nesting_limit = MAX_TEMPLATE_LENGTH
    shorthand_indexes = True
    logical_not_operator = True

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.filters = dict(FILTERS)
        for name in ("ifchanged", "doc"):
            del self.tags[name]
        for tag in (_Output, _Echo, _If, _Unless):
            self.add_tag(tag)
        self.tags[TOKEN_ILLEGAL] = _RefusedTag(self, "not found")
        for name in DISABLED_TAGS:
            self.tags[name] = _RefusedTag(self, "is disabled")
        for name in REFUSED_TAGS:
            self.tags[name] = _RefusedTag(self, "is not supported by this version")


_ENVIRONMENT = _Environment(strict_filters=False)
