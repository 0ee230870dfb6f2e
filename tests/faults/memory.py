"""How much memory the processes of a service hold."""

from __future__ import annotations

from pathlib import Path

from system.service import Service


def megabytes_of(service: Service) -> float:
    """Resident memory of everything below the supervisor (proc_pid_status(5))."""
    processes = service.processes()
    return sum(_resident_kilobytes(each.pid) for each in processes) / 1024


def _resident_kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
