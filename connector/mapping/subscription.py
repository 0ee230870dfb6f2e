"""A subscription becomes one predicate over events. Source: fql 1."""

from __future__ import annotations

from collections.abc import Iterator

from connector.errors import MappingError
from connector.mapping.fql_match import Predicate, compile_tree
from connector.mapping.fql_parser import Condition, Group, ParseError, parse


def compile_subscription(query: str) -> Predicate:
    """
    Return the function that tells whether an event triggers an action.

    Args:
        query: Segment's action trigger, ``type = "track" and event = "Order Completed"``. This is not the
            richer language of Segment's destination filters: what Segment's engine ignores is ignored.

    Returns:
        ``event -> bool``; it never raises, and only an object can match.

    Raises:
        MappingError: the query is empty, no text, or gives no condition; the message is Segment's.
    """
    if not isinstance(query, str) or not query:
        raise MappingError("Failed to validate subscription")
    try:
        matches = compile_tree(parse(query))
    except ParseError as error:
        raise MappingError(f"Invalid subscription : {error}") from None
    return lambda event: isinstance(event, dict) and matches(event)


def fields_read(query: str) -> frozenset[str]:
    """
    Return what of an event decides about a valid query, in the parser's words.

    ``event-type``, ``event``, ``name``, ``userId``, ``event-property``, ``event-trait``, ``event-context``.
    """
    return frozenset(condition.type for condition in _conditions(parse(query)))


def _conditions(tree: Group | Condition | None) -> Iterator[Condition]:
    if isinstance(tree, Condition):
        yield tree
    elif tree is not None:
        for child in tree.children:
            yield from _conditions(child)
