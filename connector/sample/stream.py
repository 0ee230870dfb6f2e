"""The sample shop's messages in the order they reach Segment, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from heapq import heappop, heappush
from typing import Any

from connector.sample.calls import Step
from connector.sample.clock import DAY_MS, moment_ms, start_of
from connector.sample.context import device_of, landing_of, visit_context
from connector.sample.dice import Dice
from connector.sample.envelope import Pending, Visitor, deliveries, message
from connector.sample.people import person
from connector.sample.visit import plan_visit

_MEAN_VISIT_MESSAGES = 8
_QUIET_END_MS = 60_000
"""No visit starts this close to the end of the last day, so each has at least its first message."""
_RETURNS = (0, 1, 3, 4)
"""When a person's visits happen, in sevenths of the whole time after the first."""
_LOYALTY = (0, 0, 0, 1, 1, 1, 2, 2, 3, 3)
"""How often people come back."""


def sample_events(
    *,
    events: int,
    seed: int = 20,
    first_day: date = date(2026, 1, 1),
    days: int = 10,
    duplicates: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """
    Make the Segment messages of one believable shop.

    Args:
        events: how many messages, repeats included.
        seed: another seed is another set of people and choices.
        first_day: UTC day of the first ``timestamp``.
        days: every ``timestamp`` lies within this many days; the messages are spread over all of them.
        duplicates: share (0 to 1) of the messages that are sent a second time, 20 seconds to 2 hours
            later: same ``messageId`` and ``timestamp``, later ``sentAt`` and ``receivedAt``.

    Returns:
        Exactly ``events`` decoded messages, ``receivedAt`` never falling, each with the whole envelope and
        ``timestamp = receivedAt - (sentAt - originalTimestamp)``. A message shares inner values with others:
        copy before changing one. Held in memory are the visits under way and what they still owe, whatever
        ``events`` is at the same rate per day.

    Raises:
        ValueError: a number is out of its range.

    The same arguments give the same messages, everywhere: all choices are hashes of (seed, purpose, ids).
    """
    if events < 0 or days < 1 or not 0 <= duplicates <= 1:
        raise ValueError("sample_events needs events >= 0, days >= 1 and duplicates from 0 to 1")
    return _stream(events, seed, start_of(first_day), days, duplicates)


def _stream(events: int, seed: int, start_ms: int, days: int, duplicates: float) -> Iterator[dict[str, Any]]:
    """Start visits as time goes by; between two starts, hand out what arrived in the meantime."""
    end_ms = start_ms + days * DAY_MS
    return_gap = max(1, events // _MEAN_VISIT_MESSAGES // (7 * len(_RETURNS)))
    on_the_way: list[Pending] = []
    planned = sent = slot = 0
    while planned < events:
        visit_ms = min(start_ms + moment_ms(planned / events, days), end_ms - _QUIET_END_MS)
        while on_the_way and on_the_way[0].received_ms <= visit_ms:
            yield message(heappop(on_the_way))
            sent += 1
        visitor, steps = _visit(seed, slot, return_gap)
        for pending in deliveries(visitor, steps, visit_ms, end_ms, duplicates, planned):
            heappush(on_the_way, pending)
            planned += 1
        slot += 1
    while sent < events:
        yield message(heappop(on_the_way))
        sent += 1


def _visit(seed: int, slot: int, return_gap: int) -> tuple[Visitor, list[Step]]:
    """
    The visit of a slot, slots counted in time order.

    Of four slots the first brings somebody new; the others bring back who was new a while ago, if that
    person is loyal enough, else somebody new too. A person's number is the slot of the first visit; below
    zero are the customers from before the first day.
    """
    visit_number = slot % len(_RETURNS)
    first_slot = slot - visit_number - _RETURNS[visit_number] * return_gap * len(_RETURNS)
    if Dice(seed, "loyalty", first_slot).one_of(_LOYALTY, "returns") < visit_number:
        first_slot, visit_number = slot, 0
    who, dice = person(seed, first_slot), Dice(seed, "visit", slot)
    device, landing = device_of(who), landing_of(dice)
    steps = plan_visit(dice, who, visit_number, landing, app=device.sender != "browser")
    return Visitor(dice, who, device, visit_context(who, device, landing, carrier=dice)), steps
