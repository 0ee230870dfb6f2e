"""From the steps of a visit to messages: when each is sent and received, and what Segment puts around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from connector.events import Json
from connector.sample.calls import Step
from connector.sample.clock import iso
from connector.sample.context import SERVER_CONTEXT, Device, Sender
from connector.sample.dice import Dice
from connector.sample.people import Person

PROJECT_ID = "aLdErLaNeShOp2026sample"

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


class Visitor(NamedTuple):
    """Who sends the messages of one visit, and what they have in common."""

    dice: Dice
    person: Person
    device: Device
    context: dict[str, Json]


class Pending(NamedTuple):
    """A message on its way. Sorted by arrival; ``serial`` is unique, so nothing after it is compared."""

    received_ms: int
    serial: int
    visitor: Visitor
    number: int
    step: Step
    original_ms: int
    sent_ms: int


def deliveries(
    visitor: Visitor, steps: list[Step], visit_ms: int, end_ms: int, duplicates: float, serial: int
) -> Iterator[Pending]:
    """
    When each step of a visit is made, sent and received, and again for repeats.

    Args:
        visit_ms: start of the visit, ms since the epoch.
        end_ms: nothing happens at this time or after it.
        duplicates: share (0 to 1) of the messages that are sent a second time.
        serial: of the first delivery; each further one has the next.
    """
    dice = visitor.dice
    flush_ms = 400 if visitor.device.sender == "browser" else 20_000
    for index, step in enumerate(steps):
        latency_ms = dice.between(25, 240, "latency", index)
        made_ms = visit_ms + step.offset_ms
        if made_ms + latency_ms >= end_ms:
            continue
        skew_ms = 0 if step.by_server else visitor.person.clock_skew_ms
        left_ms = made_ms + dice.between(2, flush_ms, "held back", index)
        first = Pending(
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


def message(pending: Pending) -> dict[str, Any]:
    """The step in its envelope."""
    step, visitor, who = pending.step, pending.visitor, pending.visitor.person
    sender: Sender = "server" if step.by_server else visitor.device.sender
    return {
        "anonymousId": who.anonymous_id,
        "channel": _CHANNELS[sender],
        "context": _context(visitor, step),
        "integrations": {"All": True},
        "messageId": _message_id(sender, visitor.dice.uuid("message", pending.number), pending.original_ms),
        "originalTimestamp": iso(pending.original_ms),
        "projectId": PROJECT_ID,
        "receivedAt": iso(pending.received_ms),
        "sentAt": iso(pending.sent_ms),
        "timestamp": iso(pending.received_ms - (pending.sent_ms - pending.original_ms)),
        "type": step.type,
        "userId": who.user_id if step.signed_in else None,
        "version": 2,
        "_metadata": _METADATA[sender],
        **step.fields,
    }


def _context(visitor: Visitor, step: Step) -> dict[str, Json]:
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
