"""One measurement: printed as a table, and noted for ``python -m tests.reliability`` if asked to."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from tests.bench.markdown import table
from tests.faults.results import FOLDER, note

Rows = Sequence[Sequence[str | int]]


class Record:
    """Takes the caller's own configuration out of the environment, and remembers where to note results."""

    def __init__(self) -> None:
        self._folder = os.environ.get(FOLDER)
        for name in [name for name in os.environ if name.startswith("CONNECTOR_")]:
            del os.environ[name]

    def keep(self, title: str, columns: Sequence[str], rows: Rows, how: str) -> None:
        """Print, and append ``{"part": "measured: <title>", ...}`` to the folder that was named, if any."""
        cells = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
        how = f"{how} {machine()}"
        print(f"{title}\n\n{table(columns, cells)}\n\n{how}\n", flush=True)
        if not self._folder:
            return
        os.environ[FOLDER] = self._folder
        try:
            note(f"measured: {title}", columns=list(columns), rows=[list(row) for row in rows], note=how)
        finally:
            del os.environ[FOLDER]


def machine() -> str:
    return (
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, load "
        f"average {os.getloadavg()[0]:.1f} at the end."
    )
