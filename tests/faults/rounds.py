"""
Rounds of the one question that matters: under traffic something is killed; is every acknowledged event there
exactly once?

``CONNECTOR_FAULT_ROUNDS`` says how many (12), ``CONNECTOR_FAULT_SEED`` which (a number that is always the
same): round n of a seed is the same dice, though never the same moment to the microsecond.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from faults.kills import kill_something
from faults.results import note
from faults.traffic import SECRET, Traffic, assert_kept_once, settle
from system.processes import wait_until
from system.service import Service

ROUNDS = int(os.environ.get("CONNECTOR_FAULT_ROUNDS", "12"))
SEED = os.environ.get("CONNECTOR_FAULT_SEED", "20261121")
ROUNDS_A_FOLDER = 25
"""Then an empty data folder: reading an ever longer ledger is not what is tried here."""
SETTINGS = {"publish_seconds": 0.1, "roll_seconds": 0.2, "compact_seconds": 0.5}
ENVIRONMENT = {"WEB_SECRET": SECRET}

Start = Callable[[int], AbstractContextManager[Service]]
"""Gives a running service with an empty data folder; the number is another each time."""
Aloud = Callable[[], AbstractContextManager[None]]


@dataclass
class Tally:
    """What all rounds so far came to."""

    rounds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    stored_unacknowledged: int = 0
    compactions: int = 0
    """Passes that merged table files meanwhile; how many of the killed ones had begun, nobody counts."""
    began: float = field(default_factory=time.monotonic)

    def note(self, part: str) -> None:
        """For the reliability page. Nothing was lost or twice: the rounds would have ended there."""
        note(
            part,
            rounds=self.rounds,
            seed=SEED,
            kills=dict(self.kills),
            acknowledged=self.acknowledged,
            stored_unacknowledged=self.stored_unacknowledged,
            compactions=self.compactions,
            lost=0,
            twice=0,
            seconds=round(time.monotonic() - self.began),
        )

    def tell(self, part: str, rounds: int) -> None:
        """A line for who waits for a long run."""
        seconds = time.monotonic() - self.began
        sys.stderr.write(
            f"\n{part}: {self.rounds} of {rounds} rounds, {sum(self.kills.values())} kills, "
            f"{self.acknowledged:,} events acknowledged, none lost or twice; {seconds:.0f} s "
            f"({seconds / self.rounds:.1f} s a round)\n"
        )


def run_rounds(part: str, rounds: int, start: Start, aloud: Aloud) -> Tally:
    """Run them, in a fresh data folder now and then; the first event that is missing or twice ends it.

    Args:
        aloud: lets a line through to the terminal.
    """
    tally = Tally()
    while tally.rounds < rounds:
        with start(tally.rounds) as service:
            for _ in range(min(ROUNDS_A_FOLDER, rounds - tally.rounds)):
                _round(service, f"{SEED}-{tally.rounds}", tally)
            assert service.stop() == 0
            service.audit()
            tally.compactions += service.log.count(" files became ")
        with aloud():
            tally.tell(part, rounds)
    tally.note(part)
    return tally


def _round(service: Service, name: str, tally: Tally) -> None:
    dice = random.Random(name)
    traffic = Traffic(service, name)
    with traffic.flowing():
        for _ in range(dice.choice((1, 1, 1, 2))):
            time.sleep(dice.uniform(0.05, 0.4))
            tally.kills[kill_something(service, dice)] += 1
        wait_until("events are taken again", lambda: service.all_listen() and service.ready())
        traffic.goes_on()
    settle(service)
    try:
        found = assert_kept_once(service, traffic)
    except AssertionError as broken:
        broken.add_note(f"round {name}: CONNECTOR_FAULT_SEED={SEED}, after {dict(tally.kills)}")
        raise
    tally.rounds += 1
    tally.acknowledged += found.acknowledged
    tally.stored_unacknowledged += found.stored_unacknowledged
