"""Files of lines: one per day, few of them open, the same bytes for the same lines."""

from __future__ import annotations

import gzip
import resource
from pathlib import Path

from connector.write.lines import DayLines


def write(folder: Path, lines: list[tuple[str, int]]) -> dict[str, bytes]:
    writer = DayLines(folder, lambda day: f"duplicates/day={day}/h-1.ndjson.gz")
    for day, number in lines:
        writer.add(day, "h-1", number, b'{"n":%d}\n' % number)
    return {output.name: (folder / output.name).read_bytes() for output in writer.finish()}


def test_more_days_than_files_may_be_open(tmp_path):
    days = [f"20{year:02}-{month:02}-01" for year in range(10, 40) for month in range(1, 13)]
    lines = [(day, number * 1_000 + at) for number in range(3) for at, day in enumerate(days)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, limits[1]))
    try:
        written = write(tmp_path / "one", lines)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert len(written) == len(days) > 200
    assert gzip.decompress(written[f"duplicates/day={days[7]}/h-1.ndjson.gz"]) == (
        b'{"n":7}\n{"n":1007}\n{"n":2007}\n'
    )
    assert write(tmp_path / "other", lines) == written


def test_rows_and_events_are_counted(tmp_path):
    writer = DayLines(tmp_path, lambda day: f"duplicates/day={day}/h-1.ndjson.gz")
    for number in (4, 4, 7):
        writer.add("2026-03-01", "h-1", number, b"{}\n")

    (output,) = writer.finish()
    assert (output.rows, output.events) == (3, 2)
