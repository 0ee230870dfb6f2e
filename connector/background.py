"""Processes that belong to another one: they work until told to stop, and do not outlive it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable

_POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1

Stopping = Callable[[], bool]
"""Whether the process is to end as soon as it can."""


def die_with_parent() -> None:
    """Ask the system, where it can, to send SIGTERM to this process when its parent ends, in whatever way."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


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
