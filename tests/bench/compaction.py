"""``connector compact`` of a day of many small files beside DuckDB sorting the same; and of a year."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.bench.measured import Usage, connector, measure, say
from tests.bench.record import Record
from tests.bench.suite import environment

_DUCKDB = """
import sys, duckdb
files, out = (path.replace("'", "''") for path in sys.argv[1:3])
duckdb.execute("SET TimeZone = 'UTC'")
duckdb.execute(f"COPY (SELECT * FROM read_parquet('{files}') ORDER BY event, timestamp, row_id) "
               f"TO '{out}' (FORMAT parquet, COMPRESSION zstd)")
"""
_MB = 1e6
_DAY_COLUMNS = (
    "one day", "rows", "files", "files after", "MB", "MB after", "seconds", "rows/s", "MB/s in",
    "CPU-seconds", "peak RSS, MB",
)  # fmt: skip
_YEAR_COLUMNS = ("days", "files", "files after", "rows", "seconds", "seconds a day", "peak RSS, MB")


class Run(NamedTuple):
    seconds: float
    usage: Usage


class Held(NamedTuple):
    """What a data folder has, as ``connector audit`` counts it."""

    rows: int
    files: int
    bytes: int
    duplicates: int


class Side(NamedTuple):
    """The runs of one side, and what they left behind."""

    runs: list[Run]
    files: int
    bytes: int

    @property
    def seconds(self) -> float:
        return median(run.seconds for run in self.runs)


def main() -> None:
    options = _options()
    record = Record()
    with tempfile.TemporaryDirectory(prefix="connector-compaction-") as name:
        folder = Path(name)
        if options.only in (None, "day"):
            rows, how = _day_rows(folder, options)
            record.keep("Compaction of one day", _DAY_COLUMNS, rows, how)
        if options.only in (None, "year"):
            rows = [_year_row(folder, days, options) for days in (options.year_days // 12, options.year_days)]
            record.keep("Compaction of a year", _YEAR_COLUMNS, rows, _how_year(options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compaction", description=__doc__)
    parser.add_argument("--files", type=int, default=2_000, help="of the day; default 2000")
    parser.add_argument("--rows", type=int, default=500, help="of a file; default 500")
    parser.add_argument("--properties-bytes", type=int, default=300, help="of a row; default 300")
    parser.add_argument("--copies", type=float, default=0.2, help="share, of the second variant; default 0.2")
    parser.add_argument("--rounds", type=int, default=3, help="of each side; default 3")
    parser.add_argument(
        "--year-days", type=int, default=365, help="default 365; a twelfth of them goes first"
    )
    parser.add_argument("--year-files", type=int, default=24, help="of each day; default 24")
    parser.add_argument("--year-rows", type=int, default=50, help="of each of these files; default 50")
    parser.add_argument("--only", choices=("day", "year"), help="one of the two")
    options = parser.parse_args()
    if options.year_days < 12 or min(options.files, options.rows, options.rounds) < 1:
        parser.error("--year-days must be 12 or more, the others above zero")
    return options


def _day_rows(folder: Path, options: argparse.Namespace) -> tuple[list[list[str]], str]:
    rows: list[list[str]] = []
    ratios = []
    for copies, variant in ((0.0, "no copies"), (options.copies, f"{options.copies:.0%} copies")):
        before, ours, theirs, arrow = _day(folder, options, copies)
        for name, side in (("`connector compact`", ours), ("DuckDB", theirs)):
            rows.append([f"{name}, {variant}", *_figures(before, side)])
        wall = median(b.seconds / a.seconds for a, b in zip(ours.runs, theirs.runs, strict=True))
        cpu = median(
            b.usage.cpu_seconds / a.usage.cpu_seconds for a, b in zip(ours.runs, theirs.runs, strict=True)
        )
        blank = [""] * 5
        rows.append([f"ratio to DuckDB, {variant}", *blank, f"{wall:.2f}", "", "", f"{cpu:.2f}", ""])
        ratios.append(arrow / _MB)
    return rows, _how_day(options, ratios[0])


def _day(folder: Path, options: argparse.Namespace, copies: float) -> tuple[Held, Side, Side, int]:
    say(f"compaction: writing {options.files:,} files of {options.rows:,} rows, {copies:.0%} copies")
    made, lake, sorted_file = folder / "made", folder / "lake", folder / "duckdb.parquet"
    written = _write(made, 1, options.files, options.rows, options.properties_bytes, copies)
    before = _held(made)
    sorting = [sys.executable, "-c", _DUCKDB, f"{made}/tables/events/*/*.parquet", str(sorted_file)]
    mine: list[Run] = []
    theirs: list[Run] = []
    for number in range(options.rounds):
        say(f"compaction: round {number + 1} of {options.rounds}")
        shutil.rmtree(lake, ignore_errors=True)
        shutil.copytree(made, lake)
        for ours in (True, False) if number % 2 else (False, True):
            (mine if ours else theirs).append(_run(_compact(lake) if ours else sorting))
    after = _held(lake)
    _check(before, after, written["copies"])
    size = sorted_file.stat().st_size
    for path in (made, lake):
        shutil.rmtree(path)
    return before, Side(mine, after.files, after.bytes), Side(theirs, 1, size), written["arrow_bytes"]


def _year_row(folder: Path, days: int, options: argparse.Namespace) -> list[str]:
    say(f"compaction: writing {days} days of {options.year_files} files of {options.year_rows} rows")
    lake = folder / "year"
    _write(lake, days, options.year_files, options.year_rows, options.properties_bytes, 0.0)
    before = _held(lake)
    run = _run(_compact(lake))
    after = _held(lake)
    _check(before, after, 0)
    shutil.rmtree(lake)
    return [
        f"{days:,}", f"{before.files:,}", f"{after.files:,}", f"{before.rows:,}", f"{run.seconds:,.1f}",
        f"{run.seconds / days:.3f}", f"{run.usage.peak_rss_bytes / _MB:,.0f}",
    ]  # fmt: skip


def _write(root: Path, days: int, files: int, rows: int, properties: int, copies: float) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.bench.days", str(root)]
    numbers = [str(number) for number in (days, files, rows, properties, copies)]
    ran = subprocess.run([*command, *numbers], env=environment(), stdout=subprocess.PIPE, check=True)
    counted: dict[str, int] = json.loads(ran.stdout)
    return counted


def _compact(lake: Path) -> list[str]:
    return connector("compact", "--data", str(lake))


def _run(command: Sequence[str]) -> Run:
    began = time.perf_counter()
    usage = measure(command)
    return Run(time.perf_counter() - began, usage)


def _held(lake: Path) -> Held:
    ran = subprocess.run(
        connector("audit", "--json", "--data", str(lake)), stdout=subprocess.PIPE, check=False
    )
    report: dict[str, Any] = json.loads(ran.stdout)
    if ran.returncode:
        raise SystemExit(f"connector audit ended with {ran.returncode}: {report['findings'][:5]}")
    return Held(
        report["table_rows"], report["table_files"], report["table_bytes"], report["fates"]["duplicate"]
    )


def _check(before: Held, after: Held, copies: int) -> None:
    """The copies are gone and counted, and nothing else is."""
    if (after.rows, after.duplicates) != (before.rows - copies, copies):
        raise SystemExit(f"{before} with {copies} copies became {after}")


def _figures(before: Held, side: Side) -> list[str]:
    peak = median(run.usage.peak_rss_bytes for run in side.runs)
    cpu = median(run.usage.cpu_seconds for run in side.runs)
    return [
        f"{before.rows:,}", f"{before.files:,}", f"{side.files:,}", f"{before.bytes / _MB:,.1f}",
        f"{side.bytes / _MB:,.1f}", f"{side.seconds:,.1f}", f"{before.rows / side.seconds:,.0f}",
        f"{before.bytes / _MB / side.seconds:,.1f}", f"{cpu:,.1f}", f"{peak / _MB:,.0f}",
    ]  # fmt: skip


def _how_day(options: argparse.Namespace, arrow_mb: float) -> str:
    return (
        f"A day of {options.files:,} captured files of {options.rows:,} rows, about "
        f"{options.properties_bytes} bytes of properties in each; MB of Parquet ({arrow_mb:,.0f} MB as "
        "Arrow). Each side is a process of its own, imports included; rounds of each: "
        f"{options.rounds}, taking turns; medians. DuckDB: `COPY (SELECT * FROM read_parquet(...) ORDER BY "
        "event, timestamp, row_id) TO` one zstd file, with its default memory and a thread per core; it "
        "neither looks for copies, hashes rows, counts captured files anew, syncs nor commits. Ratio: its "
        "time divided by ours, above 1 ours is faster. `connector audit` held before and after, and exactly "
        "the copies were taken out."
    )


def _how_year(options: argparse.Namespace) -> str:
    return (
        f"`connector compact` of days of {options.year_files} files of {options.year_rows} rows in one pass, "
        "a twelfth of the days first; the peak is of the whole process. `connector audit` held before and "
        "after."
    )


if __name__ == "__main__":
    main()
