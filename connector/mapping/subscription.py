"""A subscription becomes one predicate over events. Source: fql 1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from connector.errors import MappingError
from connector.events import Json
from connector.mapping.fql_match import Predicate, compile_tree
from connector.mapping.fql_parser import Condition, Group, ParseError, parse

_MOST_NAMES = 4_096
"""Pairs of type and name that a ``Matching`` remembers."""


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


T = TypeVar("T")


class Matching(Generic[T]):
    """Subscriptions asked together: what matches an event, in their order.

    Where type and name alone decide about all of them, which is usual, answers are remembered by these two.
    """

    def __init__(self, subscribed: Iterable[tuple[str, Predicate, T]]) -> None:
        """
        Args:
            subscribed: queries, each with what ``compile_subscription`` made of it and what it leads to.
        """
        items = list(subscribed)
        self._items = [(matches, item) for _, matches, item in items]
        self._decided_by_name = all(fields_read(query) <= {"event-type", "event"} for query, _, _ in items)
        self._known: dict[tuple[str, str | None], list[T]] = {}

    def of(self, event: Json) -> list[T]:
        """What matches an event, an object."""
        kind, name = event.get("type"), event.get("event")
        if not self._decided_by_name or type(kind) is not str or not (name is None or type(name) is str):
            return self._asked(event)
        matched = self._known.get((kind, name))
        if matched is None:
            matched = self._asked(event)
            if len(self._known) >= _MOST_NAMES:
                self._known.clear()
            self._known[kind, name] = matched
        return matched

    def _asked(self, event: Json) -> list[T]:
        return [item for matches, item in self._items if matches(event)]


def _conditions(tree: Group | Condition | None) -> Iterator[Condition]:
    if isinstance(tree, Condition):
        yield tree
    elif tree is not None:
        for child in tree.children:
            yield from _conditions(child)
