"""The price of "durable before 200", as ``tests.bench.serve`` measures it, kept for the reliability page."""

from __future__ import annotations

import argparse
import signal
import tempfile
from pathlib import Path
from typing import NoReturn

from tests.bench.record import Record
from tests.bench.serve import bench_serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.durability", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="timed part of one load; default 6")
    options = parser.parse_args()
    if options.seconds <= 0:
        parser.error("--seconds must be above zero")
    record = Record()
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="connector-durability-") as name:
        printed, _, how = bench_serve(Path(name), options.seconds).partition("\n\n")
    head, _, *rows = (_cells(line) for line in printed.splitlines())
    record.keep("The price of durable before 200", head, rows, how)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def _leave(*_: object) -> NoReturn:
    """An exception, so that every server is stopped and the temporary folder is removed."""
    raise SystemExit(143)


if __name__ == "__main__":
    main()
