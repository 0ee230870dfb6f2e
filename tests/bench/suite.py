"""What the benches take from the test suite, whose modules know each other by the names pytest gives them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
TESTS = CHECKOUT / "tests"
if str(TESTS) not in sys.path:
    sys.path.append(str(TESTS))

from system.processes import (  # type: ignore[import-not-found]  # noqa: E402
    Process,
    descendants,
    wait_until,
)
from system.service import (  # type: ignore[import-not-found]  # noqa: E402
    HOST,
    SETTINGS,
    Lake,
    Service,
)

__all__ = [
    "CHECKOUT", "HOST", "SETTINGS", "Lake", "Process", "Service", "descendants", "environment", "wait_until",
]  # fmt: skip


def environment() -> dict[str, str]:
    """For a process that imports modules of the test suite itself."""
    paths = [str(CHECKOUT), str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
