"""Processes that die while they publish (crash points C13 to C17, C19, C21), and what comes after them.

Run as a program, this file is the process that dies: ``python test_publish_crashes.py ROOT POINT NAMES``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from connector.errors import Busy
from connector.events import Captured, Rejected
from connector.tables import TABLES
from connector.write.audit import audit
from connector.write.disk import Disk
from connector.write.entries import Record
from connector.write.folder import DataFolder
from connector.write.ledger import fold
from connector.write.parquet import PartWriter
from connector.write.publish import Publisher
from connector.write.rejected import RejectedWriter
from connector.write.sink import StagedFile

DAY_MS = 86_400_000
FRIDAY_MS = 1_795_773_600_000
ORDERS = 40

POINTS = {
    "C13 in the middle of mapping": "mapping",
    "C14 before the entry": "before write",
    "C15 before link": "before link",
    "C16 after link": "after link",
    "C17 before the first rename": "before rename 1",
    "C17 between two renames": "before rename 2",
    "C17 after the last rename": "after rename 3",
    "C19 before retirement": "before retire 1",
    "C19 in the middle of retirement": "after retire 1",
}


def main(root: str, point: str, names: str) -> None:
    """Publish the captured files, dying at ``point``; ``lock ...`` are the ways of C21."""
    folder = DataFolder(Path(root), disk=Dying(point))
    if point == "lock held":
        with folder.locked():
            print("held", flush=True)
            sys.stdin.read()
        return
    publisher = Publisher(folder, retire=lambda name: folder.disk.step("retire", lambda: _retire(root, name)))
    if point == "lock disabled":
        for name in names.split(","):
            publisher.publish([stage(folder, name)])
        return
    publisher.publish([stage(folder, name, die=point == "mapping") for name in names.split(",")])


class Dying(Disk):
    """Kills its own process before or after a step: ``<before|after> <step> <how manieth>``."""

    def __init__(self, point: str) -> None:
        self._when, self._step, self._count = (*point.split(), "1", "1")[:3]
        self._left = int(self._count) if self._count.isdigit() else 1
        self._locks = point != "lock disabled"

    def lock(self, descriptor: int) -> bool:
        return super().lock(descriptor) if self._locks else True

    def write(self, path, content):
        self.step("write", lambda: super(Dying, self).write(path, content))

    def link(self, source, target):
        self.step("link", lambda: super(Dying, self).link(source, target))

    def rename(self, source, target):
        self.step("rename", lambda: super(Dying, self).rename(source, target))

    def step(self, name, do):
        fatal = False
        if name == self._step:
            self._left -= 1
            fatal = self._left == 0
        if fatal and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        do()
        if fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def stage(folder: DataFolder, name: str, die: bool = False) -> StagedFile:
    """Orders on two days and one broken record; the same bytes in every process."""
    staging = folder.new_staging()
    rows = PartWriter(staging, TABLES, name, 0, "aaaaaaaaaa")
    lines = RejectedWriter(staging, name, "aaaaaaaaaa")
    broken = Captured(
        name, ORDERS, "web", "webhook", None, "all", None, "not_json", False, lambda: b"{", "line"
    )
    lines.add(broken, Rejected("not_json", "the record is not JSON"))
    for index in range(ORDERS):
        rows.add("events", _order(name, index))
    rejected_outputs = tuple(lines.finish())
    if die:
        (staging / "tables").mkdir()
        (staging / "tables" / "half.parquet").write_bytes(b"PAR1")
        os.kill(os.getpid(), signal.SIGKILL)
    outputs = tuple(rows.finish())
    identity = {"kind": "frames", "bytes": 1, "sha256": "00"}
    return StagedFile(
        staging,
        Record(
            name, identity, "sha256:11", "0.1.0", ORDERS + 1, ORDERS, 1, 0, 0, 0,
            outputs=outputs, rejected_outputs=rejected_outputs,
        ),
    )  # fmt: skip


def _order(name: str, index: int) -> dict:
    return {
        "row_id": f"{name}-{index}", "source": "web", "type": "track", "event": "Order Completed",
        "timestamp": FRIDAY_MS + index % 2 * DAY_MS, "order_revenue": Decimal("12.50"), "flags": [],
        "violations": [], "proven": "all", "mapping": "m@0", "subscription": "s", "captured_file": name,
        "captured_index": index,
    }  # fmt: skip


def _retire(root: str, name: str) -> None:
    (Path(root) / "closed" / name).unlink(missing_ok=True)


def _process(root: Path, point: str, names: str, **pipes) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, __file__, str(root), point, names], text=True, **pipes)


def _captured(root: Path, *names: str) -> Path:
    closed = root / "closed"
    closed.mkdir(parents=True)
    for name in names:
        (closed / name).write_bytes(b"frames")
    return closed


def _start_again(root: Path) -> None:
    """What a new process does: recover, then write what the journal still has."""
    folder, closed = DataFolder(root), root / "closed"
    publisher = Publisher(
        folder, retire=lambda name: _retire(str(root), name), unretired=lambda: _names_in(closed)
    )
    publisher.recover()
    publisher.publish([stage(folder, name) for name in _names_in(closed)])


def _names_in(closed: Path) -> list[str]:
    return sorted(path.name for path in closed.iterdir())


def _exactly_once(root: Path, *names: str) -> None:
    report = audit(
        root,
        journal_closed=root / "closed",
        now_ms=time.time_ns() // 1_000_000,
        deep=True,
        pause=lambda: None,
    )
    assert report.findings == ()
    assert sorted(names) == sorted(fold(root).records)
    assert report.table_rows == ORDERS * len(names)
    assert report.fates["rejected"] == len(names)
    assert (report.waiting_files, list((root / "closed").iterdir())) == (0, [])
    assert list((root / ".staging").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_a_process_killed_while_publishing_leaves_each_event_exactly_once(tmp_path, point):
    _captured(tmp_path, "f-1", "f-2")

    process = _process(tmp_path, point, "f-1,f-2")
    assert process.wait() == -signal.SIGKILL

    _start_again(tmp_path)
    _exactly_once(tmp_path, "f-1", "f-2")


@pytest.mark.slow
def test_before_the_entry_nothing_is_visible_and_after_it_everything_will_be(tmp_path):
    _captured(tmp_path / "a", "f-1")
    _captured(tmp_path / "b", "f-1")

    _process(tmp_path / "a", "before link", "f-1").wait()
    _process(tmp_path / "b", "after link", "f-1").wait()

    assert (fold(tmp_path / "a").number, fold(tmp_path / "b").number) == (0, 1)
    assert not (tmp_path / "a" / "tables").exists()
    assert len(Publisher(DataFolder(tmp_path / "b")).recover().finished) == 3


@pytest.mark.slow
def test_death_after_death_still_leaves_each_event_exactly_once(tmp_path):
    _captured(tmp_path, "f-1")

    for point in ("before link", "mapping", "after link"):
        assert _process(tmp_path, point, "f-1").wait() == -signal.SIGKILL

    _start_again(tmp_path)
    _exactly_once(tmp_path, "f-1")


@pytest.mark.slow
def test_a_second_publisher_names_the_first_and_gets_its_turn_after_it(tmp_path):
    """C21."""
    _captured(tmp_path, "f-1")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with _process(tmp_path, "lock held", "", **pipes) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=f"by process {holder.pid} on "):
            Publisher(DataFolder(tmp_path), wait_seconds=0.1).publish([])
        disk = EndsTheHolder(holder)
        folder = DataFolder(tmp_path, disk=disk)

        Publisher(folder, retire=lambda name: _retire(str(tmp_path), name)).publish([stage(folder, "f-1")])

    assert disk.refusals > 0
    _exactly_once(tmp_path, "f-1")


class EndsTheHolder(Disk):
    """Lets the holder of the lock finish as soon as somebody waits for it."""

    def __init__(self, holder: subprocess.Popen) -> None:
        self.holder = holder
        self.refusals = 0

    def lock(self, descriptor: int) -> bool:
        got = super().lock(descriptor)
        if not got:
            self.refusals += 1
            if self.refusals == 1:
                self.holder.stdin.close()
        return got


@pytest.mark.slow
def test_a_killed_holder_leaves_the_lock_free(tmp_path):
    """C21."""
    _captured(tmp_path, "f-1")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with _process(tmp_path, "lock held", "", **pipes) as holder:
        assert holder.stdout.readline() == "held\n"
        holder.kill()

    _start_again(tmp_path)
    _exactly_once(tmp_path, "f-1")


@pytest.mark.slow
def test_publishers_whose_lock_fails_still_store_each_captured_file_once(tmp_path):
    """C21."""
    names = [f"f-{number}" for number in range(12)]
    _captured(tmp_path, *names)

    processes = [_process(tmp_path, "lock disabled", ",".join(names)) for _ in range(2)]

    assert [process.wait() for process in processes] == [0, 0]
    _exactly_once(tmp_path, *names)


if __name__ == "__main__":
    main(*sys.argv[1:])
