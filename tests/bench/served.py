"""A real ``connector serve`` with its default settings, and the reckoning after a load."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from connector.config import Settings
from tests.bench.suite import SETTINGS, Lake, Process, Service, descendants

_STOP_SECONDS = 300.0
SOURCE = "bench"
SECRET = "bench-shared-secret"
LONG_SECONDS = 1_800.0
RECEIVERS, WRITER, JANITOR = "receivers", "writer", "janitor"
KINDS = (RECEIVERS, WRITER, JANITOR)
_MARKS = {"granian": RECEIVERS, "connector.writer": WRITER, "connector.janitor": JANITOR}


def service(folder: Path, **settings: Any) -> Service:
    """One that is not started; ``settings`` beside the defaults."""
    defaults = {name: Settings.model_fields[name].default for name in SETTINGS}
    return Service(
        folder,
        settings={**defaults, **settings},
        sources={SOURCE: {"secrets": ["env:BENCH_SECRET"]}},
        environment={"BENCH_SECRET": SECRET},
    )


def kinds(pid: int) -> dict[str, list[Process]]:
    """Every process below the supervisor by kind; helpers of a process count as it."""
    found: dict[str, list[Process]] = {kind: [] for kind in KINDS}
    for child in descendants(pid):
        for mark, kind in _MARKS.items():
            if mark in child.command and child not in found[kind]:
                new = [child, *descendants(child.pid)]
                found[kind] += [each for each in new if each not in found[kind]]
    return found


def resident_mb(processes: list[Process]) -> float:
    """Resident memory, pages that several share counted in each (proc_pid_status(5))."""
    return sum(_resident_kb(each.pid) for each in processes) * 1_024 / 1e6


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def stop(served: Service) -> None:
    """Wait longer than ``Service.stop``: the janitor may be merging a large day."""
    assert served.process is not None
    served.process.terminate()
    code = served.process.wait(_STOP_SECONDS)
    served.process = None
    if code:
        raise SystemExit(f"connector serve ended with {code}")


def drained(lake: Lake) -> None:
    """Everything captured so far is in the ledger. Raises ``SystemExit``: it is not."""
    ran = _run(lake, "drain")
    if ran.returncode:
        raise SystemExit(f"connector drain ended with {ran.returncode}: {ran.stderr.decode()}")


def audited(lake: Lake) -> dict[str, Any]:
    """The report of an audit that holds. Raises ``SystemExit``: it does not."""
    ran = _run(lake, "audit", "--json")
    if ran.returncode:
        raise SystemExit(f"connector audit ended with {ran.returncode}: {ran.stdout.decode()[:2_000]}")
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def _run(lake: Lake, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    with lake.popen(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            out, said = process.communicate(timeout=LONG_SECONDS)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, said)
