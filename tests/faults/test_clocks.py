"""C39: the clock is set back by an hour and a day, forward by 40 days. Nothing is lost, nothing deleted."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from faults.store_journal import Journal, at_rest
from object_stores import Watched
from unit.write.lake_samples import stage

from connector.config import Settings, load_settings
from connector.errors import StoreError
from connector.events import Capture
from connector.journal.disk import Disk
from connector.journal.folders import JournalFolders, started_ms
from connector.journal.limits import JournalLimits
from connector.journal.writer import JournalWriter
from connector.rounds import Writer
from connector.wiring import configure
from connector.write.audit import audit
from connector.writer import Tidying

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
STEPS = {"back an hour": -HOUR_MS, "back a day": -DAY_MS, "forward 40 days": 40 * DAY_MS}
NOW_MS = 1_795_297_924_123

every_step = pytest.mark.parametrize("step_ms", STEPS.values(), ids=STEPS)


class SetClock(Disk):
    """The real disk on a machine whose clock somebody sets."""

    wall_ms = NOW_MS

    def now_ms(self) -> int:
        return self.wall_ms


class Machine:
    """Receives and writes; ``clock`` is what it believes the time to be."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings = settings
        self.clock = SetClock()
        monkeypatch.setattr(time, "time_ns", lambda: self.clock.wall_ms * 1_000_000)
        self.folders = JournalFolders(settings.journal_path)
        self._limits = JournalLimits(journal_reserve_bytes=0, roll_bytes=1)
        self.sent = 0

    def receive(self, events: int) -> None:
        journal = JournalWriter(self.settings.journal_path, self._limits, self.clock)
        for _ in range(events):
            self.sent += 1
            body = b'{"type":"page","messageId":"m-%d","userId":"u"}' % self.sent
            journal.append(Capture("web", "webhook", self.clock.wall_ms, body, "all"))
        journal.close()

    def writer(self) -> Writer:
        return Writer(self.settings, configure(self.settings))

    def done(self) -> set[str]:
        return {path.name.removesuffix(".gz") for path in self.folders.done.glob("*/*.gz")}

    def retain(self, tidying: Tidying) -> None:
        tidying.retain(self.writer().recorded)

    def audit_holds(self) -> None:
        report = audit(
            self.settings.data_path, journal_closed=self.folders.closed, now_ms=self.clock.wall_ms, deep=True,
            pause=lambda: None,
        )  # fmt: skip
        assert (report.findings, report.fates["stored"]) == ((), self.sent)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(load_settings(data=str(tmp_path / "data"), retention_days=30), monkeypatch)


@every_step
def test_events_before_and_after_a_step_are_all_written_once(machine: Machine, step_ms: int):
    machine.receive(3)
    machine.clock.wall_ms += step_ms
    machine.receive(3)
    assert machine.writer().write_journal().files == 6
    machine.clock.wall_ms -= step_ms
    machine.receive(3)

    assert machine.writer().write_journal().files == 3

    machine.audit_holds()


@every_step
def test_no_step_makes_retention_delete_a_written_file_that_is_young(machine: Machine, step_ms: int):
    tidying = Tidying(machine.settings)
    machine.receive(3)
    machine.writer().write_journal()
    machine.retain(tidying)
    before = machine.done()
    assert len(before) == 3
    for path in machine.folders.done.glob("*/*.gz"):
        os.utime(path, (NOW_MS / 1000, NOW_MS / 1000))

    machine.clock.wall_ms += step_ms
    machine.retain(tidying)
    machine.clock.wall_ms += DAY_MS - 1
    machine.retain(tidying)
    assert machine.done() == before
    machine.clock.wall_ms += 1 - DAY_MS - step_ms
    machine.retain(tidying)

    assert machine.done() == before, "the clock was set right again"


@every_step
def test_files_of_a_later_time_than_now_are_neither_deleted_nor_in_the_way(machine: Machine, step_ms: int):
    machine.clock.wall_ms += step_ms
    machine.receive(2)
    machine.clock.wall_ms -= step_ms
    machine.receive(2)

    names = machine.folders.waiting()
    assert machine.writer().write_journal().files == 4

    assert {started_ms(name) for name in names} == {NOW_MS, NOW_MS + step_ms}
    machine.retain(Tidying(machine.settings))
    assert machine.done() == set(names)


@every_step
@pytest.mark.parametrize("call", range(1, 8))
def test_an_attempt_in_which_the_clock_steps_writes_the_file_once(tmp_path: Path, step_ms: int, call: int):
    """Forward it may take itself for late and give up; the next attempt does it."""
    journal = Journal(tmp_path, waiting={"h-1"})
    skew_ms = 0

    def step() -> None:
        nonlocal skew_ms
        skew_ms = step_ms

    publisher = journal.publisher(Watched(journal.store).at("after", call, step))
    journal.folder.now_ms = lambda: journal.store.now_ms + skew_ms
    with suppress(StoreError):
        publisher.publish([stage(journal.folder, "h-1")])

    journal.settle()
    at_rest(journal, "h-1")
