"""A day that is larger than the memory of who compacts it."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path

import pytest
from faults.results import note
from faults.synthetic_days import write_day
from faults.test_memory_limit import MIB
from system.service import Lake

pytestmark = pytest.mark.slow

LIMIT_BYTES = 1_000 * MIB
"""Of heap and other private memory (RLIMIT_DATA). Arrow's own allocator reserves more than it uses."""


def test_a_day_of_many_files_larger_than_the_memory_is_compacted(tmp_path: Path) -> None:
    lake = Lake(tmp_path, environment={"ARROW_DEFAULT_MEMORY_POOL": "system"})
    size = write_day(lake.data, files=300, rows=1_000, properties_bytes=6_000)
    assert size > 1.8 * LIMIT_BYTES
    began = time.monotonic()

    process = lake.popen("compact", stderr=subprocess.PIPE, preexec_fn=lambda: _limit(LIMIT_BYTES))
    _, said = process.communicate(timeout=300)

    seconds = time.monotonic() - began
    assert process.returncode == 0, said.decode()
    assert lake.query("SELECT count(*), count(DISTINCT row_id) FROM events_raw") == [(300_000, 300_000)]
    assert len(list(lake.data.glob("ledger/changes/*.json"))) == 300 // 64 + 2
    note(
        "a day larger than the memory",
        arrow_megabytes=size // MIB,
        limit_megabytes=LIMIT_BYTES // MIB,
        files=300,
        seconds=round(seconds),
    )


def _limit(size: int) -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))
