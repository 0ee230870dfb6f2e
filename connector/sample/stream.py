"""The sample shop's messages in the order they reach Segment, one at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from heapq import heappop, heappush
from itertools import accumulate
from typing import Any, NamedTuple

from connector.events import Json
from connector.sample.calls import Step
from connector.sample.context import SERVER_CONTEXT, Device, Sender, device_of, landing_of, visit_context
from connector.sample.dice import Dice
from connector.sample.people import Person, person
from connector.sample.visit import plan_visit

PROJECT_ID = "aLdErLaNeShOp2026sample"

_DAY_MS = 86_400_000
_MEAN_VISIT_MESSAGES = 8
_QUIET_END_MS = 60_000
"""No visit starts this close to the end of the last day, so each has at least its first message."""
_RETURNS = (0, 1, 3, 4)
"""When a person's visits happen, in sevenths of the whole time after the first."""
_LOYALTY = (0, 0, 0, 1, 1, 1, 2, 2, 3, 3)
"""How often people come back."""
_HOUR_WEIGHTS = (*(2, 1, 1, 1, 1, 1), *(2, 3, 4, 5, 6, 6), *(7, 7, 6, 6, 6, 7), *(8, 9, 10, 9, 6, 4))
_HOURS = (0, *accumulate(_HOUR_WEIGHTS))
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_CHANNELS: dict[Sender, str] = {"browser": "client", "ios": "mobile", "android": "mobile", "server": "server"}
_NOTHING_BUNDLED: Json = {"bundled": [], "unbundled": [], "bundledIds": []}
_METADATA: dict[Sender, Json] = {
    "browser": {
        "bundled": ["Segment.io", "Mixpanel (Actions)"],
        "unbundled": ["Amazon S3", "Webhooks (Actions)"],
        "bundledIds": ["65f0c1a2b3d4e5f607182930"],
    },
    "ios": _NOTHING_BUNDLED,
    "android": _NOTHING_BUNDLED,
    "server": {"nodeVersion": "v20.20.2", "jsRuntime": "node"},
}


class _Visitor(NamedTuple):
    """Who sends the messages of one visit, and what they have in common."""

    dice: Dice
    person: Person
    device: Device
    context: dict[str, Json]


class _Pending(NamedTuple):
    """A message on its way. Sorted by arrival; ``serial`` is unique, so nothing after it is compared."""

    received_ms: int
    serial: int
    visitor: _Visitor
    number: int
    step: Step
    original_ms: int
    sent_ms: int


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
    start_ms = int(datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC).timestamp()) * 1_000
    return _stream(events, seed, start_ms, days, duplicates)


def _stream(events: int, seed: int, start_ms: int, days: int, duplicates: float) -> Iterator[dict[str, Any]]:
    """Start visits as time goes by; between two starts, hand out what arrived in the meantime."""
    end_ms = start_ms + days * _DAY_MS
    return_gap = max(1, events // _MEAN_VISIT_MESSAGES // (7 * len(_RETURNS)))
    on_the_way: list[_Pending] = []
    planned = sent = slot = 0
    while planned < events:
        visit_ms = min(start_ms + _moment_ms(planned / events, days), end_ms - _QUIET_END_MS)
        while on_the_way and on_the_way[0].received_ms <= visit_ms:
            yield _message(heappop(on_the_way))
            sent += 1
        visitor, steps = _visit(seed, slot, return_gap)
        for pending in _deliveries(visitor, steps, visit_ms, end_ms, duplicates, planned):
            heappush(on_the_way, pending)
            planned += 1
        slot += 1
    while sent < events:
        yield _message(heappop(on_the_way))
        sent += 1


def _moment_ms(progress: float, days: int) -> int:
    """The time, in ms from the start, by which this share of all messages was made; evenings are busiest."""
    day, share = divmod(progress * days, 1)
    weight = share * _HOURS[-1]
    hour = bisect_right(_HOURS, weight) - 1
    return int((day * 24 + hour + (weight - _HOURS[hour]) / _HOUR_WEIGHTS[hour]) * 3_600_000)


def _visit(seed: int, slot: int, return_gap: int) -> tuple[_Visitor, list[Step]]:
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
    return _Visitor(dice, who, device, visit_context(who, device, landing, carrier=dice)), steps


def _deliveries(
    visitor: _Visitor, steps: list[Step], visit_ms: int, end_ms: int, duplicates: float, serial: int
) -> Iterator[_Pending]:
    """When each step is made, sent and received, and again for repeats; nothing happens after the end."""
    dice = visitor.dice
    flush_ms = 400 if visitor.device.sender == "browser" else 20_000
    for index, step in enumerate(steps):
        latency_ms = dice.between(25, 240, "latency", index)
        made_ms = visit_ms + step.offset_ms
        if made_ms + latency_ms >= end_ms:
            continue
        skew_ms = 0 if step.by_server else visitor.person.clock_skew_ms
        left_ms = made_ms + dice.between(2, flush_ms, "held back", index)
        first = _Pending(
            left_ms + latency_ms, serial, visitor, index, step, made_ms + skew_ms, left_ms + skew_ms
        )
        yield first
        serial += 1
        if dice.chance(duplicates, "sent again", index):
            delay_ms = 20_000 + dice.mostly_low(7_180_000, "delay", index)
            yield first._replace(
                received_ms=first.received_ms + delay_ms, serial=serial, sent_ms=first.sent_ms + delay_ms
            )
            serial += 1


def _message(pending: _Pending) -> dict[str, Any]:
    """The step in its envelope."""
    step, visitor, who = pending.step, pending.visitor, pending.visitor.person
    sender: Sender = "server" if step.by_server else visitor.device.sender
    return {
        "anonymousId": who.anonymous_id,
        "channel": _CHANNELS[sender],
        "context": _context(visitor, step),
        "integrations": {"All": True},
        "messageId": _message_id(sender, visitor.dice.uuid("message", pending.number), pending.original_ms),
        "originalTimestamp": _iso(pending.original_ms),
        "projectId": PROJECT_ID,
        "receivedAt": _iso(pending.received_ms),
        "sentAt": _iso(pending.sent_ms),
        "timestamp": _iso(pending.received_ms - (pending.sent_ms - pending.original_ms)),
        "type": step.type,
        "userId": who.user_id if step.signed_in else None,
        "version": 2,
        "_metadata": _METADATA[sender],
        **step.fields,
    }


def _context(visitor: _Visitor, step: Step) -> dict[str, Json]:
    if step.by_server:
        return SERVER_CONTEXT
    context = {**visitor.context}
    if step.page:
        context["page"] = step.page
    if step.signed_in and visitor.person.company:
        context["groupId"] = visitor.person.company.group_id
    return context


def _message_id(sender: Sender, uuid: str, original_ms: int) -> str:
    """In the form the sender's library makes."""
    if sender == "browser":
        return f"ajs-next-{original_ms}-{uuid}"
    if sender == "server":
        return f"node-next-{original_ms}-{uuid}"
    return uuid.upper() if sender == "ios" else uuid


def _iso(at_ms: int) -> str:
    day, rest = divmod(at_ms, _DAY_MS)
    seconds, millis = divmod(rest, 1_000)
    return f"{_iso_day(day)}T{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}Z"


@lru_cache(maxsize=64)
def _iso_day(day: int) -> str:
    return date.fromordinal(day + _EPOCH_ORDINAL).isoformat()
