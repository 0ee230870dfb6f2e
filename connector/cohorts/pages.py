"""What leaves in a delivery: who enters, who leaves, page by page. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from connector.cohorts.channels.channel import Action


class Part(NamedTuple):
    """The people of one page."""

    at: int
    """Number within the delivery, from 1."""
    action: Action
    number: int
    """Number within its action, from 1,"""
    total: int
    """of so many."""
    people: Sequence[str]


def parts_of(
    before: Collection[str], after: Collection[str], *, full: bool, replaces: bool, at_most: int
) -> list[Part]:
    """
    The pages that bring a receiver from ``before`` to ``after``.

    Args:
        full: everybody leaves once more, not the difference alone.
        replaces: the receiver understands ``members``: it keeps those alone. Else, with ``full``, all enter
            again and those who are gone leave.
        at_most: people of a page.
    """
    if full and replaces:
        return list(_numbered([("members", sorted(after))], at_most, keep_empty=True))
    enter = sorted(after) if full else sorted(set(after) - set(before))
    leave = sorted(set(before) - set(after))
    return list(_numbered([("add_members", enter), ("remove_members", leave)], at_most, keep_empty=False))


def _numbered(
    actions: Sequence[tuple[Action, list[str]]], at_most: int, *, keep_empty: bool
) -> Iterator[Part]:
    at = 0
    for action, people in actions:
        pages = list(_cut(people, at_most)) or ([[]] if keep_empty else [])
        for number, page in enumerate(pages, 1):
            at += 1
            yield Part(at, action, number, len(pages), page)


def _cut(people: list[str], at_most: int) -> Iterator[list[str]]:
    rest = iter(people)
    while page := list(islice(rest, at_most)):
        yield page


def key_of_page(cohort_id: str, session: str, at: int) -> str:
    """The idempotency key of a page."""
    return sha256(f"{cohort_id}\n{session}\n{at}".encode()).hexdigest()[:32]
