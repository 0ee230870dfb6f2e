"""Measure on this machine; print Markdown for the README on standard output, progress on standard error."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from tests.bench.replay import bench_replay


def main() -> None:
    options = _options()
    for name in [name for name in os.environ if name.startswith("CONNECTOR_")]:
        del os.environ[name]  # the caller's own configuration must not be measured
    signal.signal(signal.SIGTERM, _leave)
    sections: list[str] = []
    with tempfile.TemporaryDirectory(prefix="connector-bench-") as name:
        folder = Path(name)
        if options.only in (None, "replay"):
            sections.append(bench_replay(folder, options.events))
        if options.only in (None, "serve"):
            from tests.bench.serve import bench_serve  # after the replays: see ``measure``

            sections.append(bench_serve(folder, options.seconds))
        if options.only in (None, "mapping"):
            from tests.bench.mapping import bench_mapping

            sections.append(bench_mapping(folder, min(options.events, 20_000)))
    print("\n\n".join([*sections, _machine()]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="events to replay; default 100000")
    parser.add_argument("--seconds", type=float, default=6.0, help="timed part of one load; default 6")
    parser.add_argument("--only", choices=("replay", "serve", "mapping"), help="one of the benches")
    options = parser.parse_args()
    if options.events < 1 or options.seconds <= 0:
        parser.error("--events and --seconds must be above zero")
    return options


def _leave(*_: object) -> NoReturn:
    """An exception, so that every server is stopped and the temporary folder is removed."""
    raise SystemExit(143)


def _machine() -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("duckdb", "pyarrow", "orjson", "granian", "flask")
    )
    return (
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), {platform.system()}, load average {load} "
        f"at the end; Python {platform.python_version()}, {packages}. Absolute figures move with the machine "
        "and its other work; the ratios were taken side by side in one run. Again: `make bench`."
    )


if __name__ == "__main__":
    main()
