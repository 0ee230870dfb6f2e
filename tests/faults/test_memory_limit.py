"""A journal larger than the memory of who writes it, and a drain that may have no more."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path

import pytest
from faults.results import note
from system.service import Lake

from connector.events import Capture
from connector.journal.limits import JournalLimits
from connector.journal.writer import JournalWriter

pytestmark = pytest.mark.slow

MIB = 1 << 20
LIMIT_BYTES = 360 * MIB
"""Of heap and other private memory, interpreter and libraries included (RLIMIT_DATA, setrlimit(2)).
40 MiB are reserved by numpy, which pyarrow loads, and hardly touched."""
JOURNAL_BYTES = 450 * MIB
NOTE_BYTES = 20_000
EVENTS_A_REQUEST = 100


def fill(journal: Path) -> int:
    """One journal file of requests; return how many events it holds."""
    limits = JournalLimits(journal_reserve_bytes=0, roll_bytes=1 << 40, roll_seconds=1e9)
    writer = JournalWriter(journal, limits)
    text = os.urandom(NOTE_BYTES // 2).hex()
    requests = JOURNAL_BYTES // (NOTE_BYTES * EVENTS_A_REQUEST) + 1
    for request in range(requests):
        events = ",".join(
            f'{{"type":"track","event":"Product Viewed","messageId":"m-{request}-{place}","userId":"usr_1",'
            f'"timestamp":"2026-03-14T17:10:31.891Z","properties":{{"product_id":"p","note":"{text}"}}}}'
            for place in range(EVENTS_A_REQUEST)
        )
        writer.append(Capture("web", "webhook", 1_795_297_924_123, f"[{events}]".encode(), "all"))
    writer.close()
    return requests * EVENTS_A_REQUEST


def small_process() -> None:
    """Two processors as well, whatever the machine has: every thread of a pool has a stack."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT_BYTES, LIMIT_BYTES))


def drain(lake: Lake, **options: object) -> subprocess.CompletedProcess[bytes]:
    process = lake.popen("drain", stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    out, said = process.communicate(timeout=300)
    return subprocess.CompletedProcess(process.args, process.returncode, out, said)


def test_a_journal_larger_than_the_memory_is_written(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    events = fill(lake.journal)
    journal_bytes = sum(path.stat().st_size for path in (lake.journal / "closed").iterdir())
    assert journal_bytes > 1.2 * LIMIT_BYTES
    began = time.monotonic()

    ran = drain(lake, preexec_fn=small_process)

    assert ran.returncode == 0, ran.stderr.decode()
    assert lake.fates() == {"stored": events}
    note(
        "a journal larger than the memory",
        journal_megabytes=journal_bytes // MIB,
        limit_megabytes=LIMIT_BYTES // MIB,
        events=events,
        seconds=round(time.monotonic() - began),
    )
