"""What the fault tests tried and counted, noted for ``python -m tests.reliability`` if asked to."""

from __future__ import annotations

import json
import os
from pathlib import Path

FOLDER = "CONNECTOR_FAULT_RESULTS"
"""Environment variable: the folder that results are noted in; unset: nothing is."""


def note(part: str, **figures: object) -> None:
    """Append one line, ``{"part": ..., ...}``; processes side by side do not mix theirs."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    line = json.dumps({"part": part, **figures}) + "\n"
    descriptor = os.open(Path(folder) / "results.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
