"""A process that ``connector serve`` keeps alive: one round after the other until it is told to stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

_POLL_SECONDS = 0.05

Stopping = Callable[[], bool]
"""Whether the process is to end as soon as it can."""


def run_rounds(next_round: Callable[[Stopping], float]) -> None:
    """Call ``next_round`` until SIGTERM, or until the process that started this one is gone.

    Args:
        next_round: does one round; returns how many seconds after its beginning the next one is due.
    """
    asked = False
    parent = os.getppid()

    def stop(*_: object) -> None:
        nonlocal asked
        asked = True

    def stopping() -> bool:
        return asked or os.getppid() != parent

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while not stopping():
        began = time.monotonic()
        pause_seconds = next_round(stopping)
        while not stopping() and time.monotonic() - began < pause_seconds:
            time.sleep(_POLL_SECONDS)
