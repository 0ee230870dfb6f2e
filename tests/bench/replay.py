"""Captured file to Parquet: ``connector replay`` beside DuckDB's own reading of the same file, in one run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from tests.bench.markdown import table
from tests.bench.measured import Usage, connector, measure, say

ROUNDS = 3
_DUCKDB = """
import sys, duckdb
events, out = (path.replace("'", "''") for path in sys.argv[1:3])
if len(sys.argv) > 3:
    duckdb.execute(f"SET threads = {int(sys.argv[3])}")
duckdb.execute(f"COPY (SELECT * FROM read_ndjson('{events}')) TO '{out}' (FORMAT parquet)")
"""
_MIB = 1024 * 1024


def bench_replay(folder: Path, events: int) -> str:
    """Return a Markdown table and how it was made.

    Args:
        folder: for the generated file and both outputs; free space of about ten times the file is enough.
        events: how many the generated file holds, about 2 kB each.
    """
    captured, lake, parquet = folder / "events.ndjson", folder / "replayed", folder / "duckdb.parquet"
    say(f"replay: generating {events:,} events")
    with captured.open("wb") as file:
        subprocess.run(connector("sample", "--events", str(events)), stdout=file, check=True)

    def ours() -> Usage:
        shutil.rmtree(lake, ignore_errors=True)
        return measure(connector("replay", str(captured), "--data", str(lake)))

    def theirs(*threads: str) -> Usage:
        return measure([sys.executable, "-c", _DUCKDB, str(captured), str(parquet), *threads])

    sides = (ours, theirs, partial(theirs, "1"))
    rounds = [_round(number, sides) for number in range(ROUNDS)]
    size = parquet.stat().st_size
    sizes = (sum(path.stat().st_size for path in lake.rglob("*.parquet")), size, size)
    titles = (
        f"replay, {events:,} events",
        "events per CPU-second",
        "peak RSS, MiB",
        "Parquet, bytes per event",
    )
    names = (
        "`connector replay`, one process",
        "DuckDB `COPY (FROM read_ndjson) TO parquet`, as it comes",
        "the same with one thread",
    )
    measured = zip(names, zip(*rounds, strict=True), sizes, strict=True)
    rows = [[name, *_figures(usages, events), f"{size / events:,.0f}"] for name, usages, size in measured]
    ratios = [median(each[other].cpu_seconds / each[0].cpu_seconds for each in rounds) for other in (1, 2)]
    rows.append(["ratio to DuckDB as it comes", f"**{ratios[0]:.2f}**", "", ""])
    rows.append(["ratio to DuckDB with one thread", f"**{ratios[1]:.2f}**", "", ""])
    return f"{table(titles, rows)}\n\n{_how(captured.stat().st_size / events, _audited(lake))}"


def _round(number: int, sides: Sequence[Callable[[], Usage]]) -> list[Usage]:
    """One of each; who goes first alternates, so that nobody always gets what the others left behind."""
    say(f"replay: round {number + 1} of {ROUNDS}")
    first = number % len(sides)
    usages = {at % len(sides): sides[at % len(sides)]() for at in range(first, first + len(sides))}
    return [usages[at] for at in range(len(sides))]


def _figures(usages: tuple[Usage, ...], events: int) -> tuple[str, str]:
    rate = median(events / usage.cpu_seconds for usage in usages)
    return f"{rate:,.0f}", f"{median(usage.peak_rss_bytes for usage in usages) / _MIB:,.0f}"


def _audited(lake: Path) -> str:
    """The ledger equation, and whether it holds: a fast replay that loses something is no result."""
    ran = subprocess.run(connector("audit", "--json", "--data", str(lake)), capture_output=True, check=False)
    report = json.loads(ran.stdout)
    verdict = "exit code 0" if ran.returncode == 0 else f"FAILED: {report['findings']}"
    return f"{report['equation']}; {report['table_rows']:,} rows ({verdict})"


def _how(mean_bytes: float, audited: str) -> str:
    return (
        f"How: one NDJSON file of `connector sample`, {mean_bytes:,.0f} bytes per event; each side is a "
        f"process of the same interpreter, {ROUNDS} rounds, taking turns; user and system time and peak "
        "memory of the whole process, imports included; medians. DuckDB infers the types and writes the "
        "events as they are; the connector also validates and maps them, makes a row per product and day "
        f"folders, hashes each row and syncs. `connector audit` afterwards: {audited}."
    )
