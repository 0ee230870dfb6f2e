"""Processes of the running service that die by SIGKILL, and what is started instead."""

from __future__ import annotations

import random
import signal
import subprocess

from system.processes import wait_until
from system.service import Service

RECEIVER, WRITER, BOTH = "a receiver", "the writer", "a receiver and the writer"
JANITOR = "the process that compacts"
PARENT = "the parent of the receivers"
EVERYTHING, DRAIN = "everything", "everything, then a drain"
_OFTEN = {RECEIVER: 3, WRITER: 3, BOTH: 1, JANITOR: 2, PARENT: 1, EVERYTHING: 2, DRAIN: 1}


def kill_something(service: Service, dice: random.Random) -> str:
    """Kill, and start by hand what nobody else starts again; return what it was."""
    what = dice.choices(list(_OFTEN), list(_OFTEN.values()))[0]
    if what in (EVERYTHING, DRAIN):
        service.kill_all()
        if what == DRAIN:
            _kill_a_drain(service, dice.uniform(0.3, 1.0))
        service.start()
        return what
    receivers, writers = service.receivers(), service.writers()
    parents = [each for each in service.processes("granian") if each not in receivers]
    victims = {
        RECEIVER: dice.sample(receivers, min(1, len(receivers))),
        WRITER: writers,
        BOTH: [*receivers[:1], *writers],
        JANITOR: service.processes("connector.janitor"),
        PARENT: parents,
    }[what]
    if not victims:
        return kill_something(service, dice)
    for victim in victims:
        victim.send(signal.SIGKILL)
    if what == PARENT:
        wait_until("its receivers are gone", lambda: not any(each.alive for each in receivers))
    return what


def _kill_a_drain(service: Service, after_seconds: float) -> None:
    """The moment is any: before it has read anything, while it maps or publishes, or after its end."""
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with service.popen("drain", **pipes) as drain:
        try:
            drain.wait(after_seconds)
        except subprocess.TimeoutExpired:
            drain.kill()
