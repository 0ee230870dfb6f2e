"""``connector replay``: captured files into the tables, each once."""

from __future__ import annotations

from collections.abc import Sequence

from connector.commands.files import captured_paths
from connector.config import Settings
from connector.rounds import Writer
from connector.terminal import err, progress
from connector.wiring import configure


def run(settings: Settings, arguments: Sequence[str], source: str | None, workers: int) -> int:
    """Write every captured file behind the arguments; exit code 1 when one could not be mapped.

    Raises:
        ConfigError: an argument leads to nothing, or the settings are wrong.
        Busy: another process held the data folder for a minute.
    """
    paths = captured_paths(arguments)
    writer = Writer(settings, configure(settings))
    with progress("replaying", len(paths)) as (events, done):
        written = writer.write(paths, source=source, progress=events, done=lambda _: done(), workers=workers)
    for path in written.failed:
        err.print(f"✗ {path}: could not be mapped", markup=False)
    known = f"; {written.known:,} were in the ledger already" if written.known else ""
    err.print(f"{written.said}{known}")
    return 1 if written.failed else 0
