"""``connector replay`` as a process: every format, each captured file once, whatever interrupts it."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from system.processes import wait_until
from system.service import Lake, batch_of

from connector.events import Capture
from connector.journal.frames import frame_header
from connector.sample import sample_events

pytestmark = pytest.mark.slow

EVENTS = [orjson.dumps(event) for event in sample_events(events=120, days=3, seed=7)]
FRAMES = "20261121T215204123Z-web1-4711-7f3a9c21"


def ndjson(events: list[bytes]) -> bytes:
    return b"".join(event + b"\n" for event in events)


def frames(events: list[bytes]) -> bytes:
    captures = [Capture("web", "webhook", 1_795_297_924_123, event, "all", 0) for event in events]
    return b"".join(
        frame_header(capture, FRAMES, seq) + capture.body + b"\n" for seq, capture in enumerate(captures)
    )


def rows(lake: Lake) -> list[tuple[Any, ...]]:
    """Every row of every table, copies too, in a fixed order."""
    tables = ("events", "profiles", "groups", "aliases", "deletions")
    return [row for table in tables for row in lake.query(f"SELECT * FROM {table}_raw ORDER BY row_id, day")]


def entries(lake: Lake) -> int:
    return int(lake.audit()["entries"])


def test_every_format_is_read_and_known_files_are_passed_over_under_any_name(tmp_path: Path) -> None:
    lake, inbox = Lake(tmp_path / "lake"), tmp_path / "inbox"
    (inbox / "deep").mkdir(parents=True)
    parts = [EVENTS[at : at + 30] for at in range(0, 120, 30)]
    (inbox / "deep" / "plain.ndjson").write_bytes(ndjson(parts[0]))
    (inbox / "array.json").write_bytes(batch_of(parts[1]))
    (inbox / "archive.gz").write_bytes(gzip.compress(ndjson(parts[2])))
    (inbox / FRAMES).write_bytes(frames(parts[3]))
    (inbox / "renamed copy.txt").write_bytes(gzip.compress(ndjson(parts[0])))

    lake.ok("replay", str(inbox / "*.json"), str(inbox / "deep"))
    assert lake.fates() == {"stored": 60}
    lake.ok("replay", str(inbox), "--source", "till")

    assert lake.fates() == {"stored": 120}
    assert lake.query("SELECT source, count(DISTINCT captured_file) FROM events GROUP BY 1 ORDER BY 1") == [
        ("file", 2), ("till", 1), ("web", 1)
    ]  # fmt: skip
    before = rows(lake), entries(lake)
    again = lake.run("replay", str(inbox))
    assert b"wrote 0 captured files, 0 events; 5 were in the ledger already" in again.stderr
    assert (rows(lake), entries(lake)) == before


@pytest.mark.parametrize(
    ("source", "said"), [("wbe", b"there is web"), ("Web Shop", b"small letters"), ("crm", b"no source crm")]
)
def test_a_source_that_is_not_configured_is_refused_before_anything_is_written(
    tmp_path: Path, source: str, said: bytes
) -> None:
    lake, path = Lake(tmp_path / "lake"), tmp_path / "some.ndjson"
    path.write_bytes(ndjson(EVENTS[:2]))

    ran = lake.run("replay", str(path), "--source", source)

    assert (ran.returncode, (lake.data / "ledger").exists()) == (2, False)
    assert said in ran.stderr


def test_a_broken_line_is_one_rejected_record_with_its_bytes_its_file_and_its_line(tmp_path: Path) -> None:
    lake, path = Lake(tmp_path), tmp_path / "archive.ndjson"
    broken = b'{"type":"track","event":"Order Comple'
    path.write_bytes(ndjson([EVENTS[0], broken, b"", EVENTS[1]]))

    lake.ok("replay", str(path))

    (record,) = lake.rejected()
    (captured_file,) = {name for (name,) in lake.query("SELECT captured_file FROM events UNION "
        "SELECT captured_file FROM profiles UNION SELECT captured_file FROM groups")}  # fmt: skip
    assert (record["code"], record["raw"].encode()) == ("truncated", broken)
    assert (record["captured_file"], record["captured_index"]) == (captured_file, 1)
    assert "line 1" in record["message"], "lines count from 0"
    assert lake.fates() == {"stored": 2, "rejected": 1}


def test_two_workers_write_the_same_rows_as_one(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for number in range(6):
        (inbox / f"{number}.ndjson").write_bytes(ndjson(EVENTS[number * 20 : number * 20 + 20]))
    key = {"privacy_key": "env:PRIVACY_KEY"}
    alone, together = (
        Lake(tmp_path / name, settings=key, environment={"PRIVACY_KEY": "one key for both"})
        for name in ("alone", "together")
    )

    alone.ok("replay", str(inbox))
    together.ok("replay", str(inbox), "--workers", "2")

    assert rows(together) == rows(alone)
    assert together.fates() == alone.fates() == {"stored": 120}


def test_a_replay_that_is_killed_and_begun_again_writes_every_event_once(tmp_path: Path) -> None:
    inbox, dice = tmp_path / "inbox", random.Random(2026)
    inbox.mkdir()
    events = [orjson.dumps(event) for event in sample_events(events=4_000, days=3, seed=8)]
    for number in range(8):
        (inbox / f"{number:02}.ndjson").write_bytes(ndjson(events[number * 500 : number * 500 + 500]))
    whole, interrupted = Lake(tmp_path / "whole"), Lake(tmp_path / "interrupted")
    began = time.monotonic()
    whole.ok("replay", str(inbox))
    lasts = time.monotonic() - began

    for pause in (0.0, dice.uniform(0, lasts), dice.uniform(0, lasts)):
        replay = interrupted.popen("replay", str(inbox), stderr=subprocess.DEVNULL)
        wait_until(
            "it is at work", lambda replay=replay: replay.poll() is not None or is_staging(interrupted)
        )
        time.sleep(pause)
        replay.kill()
        replay.wait(30)
    interrupted.ok("replay", str(inbox))

    assert interrupted.fates() == whole.fates() == {"stored": 4_000}
    ids = "SELECT message_id, count(*) FROM events_raw GROUP BY 1 ORDER BY 1"
    assert interrupted.query(ids) == whole.query(ids)


def is_staging(lake: Lake) -> bool:
    """Files are being prepared: something would be left behind by a kill."""
    return any(lake.data.glob(".staging/*/tables/*/*/*"))


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    large, small = tmp_path / "large.ndjson", tmp_path / "small.ndjson"
    with large.open("wb") as all_events, small.open("wb") as some_events:
        for number in range(80_000):
            line = _PAGE % (number, number % 60)
            all_events.write(line)
            if number < 20_000:
                some_events.write(line)

    peaks = [peak_bytes(Lake(tmp_path / path.stem, settings={"part_bytes": 1 << 20}), path)
             for path in (small, large)]  # fmt: skip

    assert peaks[1] < 1.3 * peaks[0] + 60e6


_PAGE = (
    b'{"type":"page","messageId":"m-%d","anonymousId":"a-1","timestamp":"2026-03-14T17:10:%02dZ",'
    b'"properties":{"note":"' + b"wool throw " * 200 + b'"}}\n'
)

_MEASURED = """
import sys
from pathlib import Path
from connector.cli import main
try:
    main(sys.argv[1:], standalone_mode=False)
except SystemExit as ended:
    assert not ended.code
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in lines if line.startswith("VmHWM")).split()[1])
"""


def peak_bytes(lake: Lake, path: Path) -> int:
    """The most memory that a replay of a file held at one time."""
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURED, "replay", str(path)],
        env=lake.variables, capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    assert lake.query("SELECT count(*) > 0 FROM events_raw") == [(True,)]
    return int(ran.stdout) * 1024
