from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lake_samples import files_below, record, stage

from connector.errors import Busy, LedgerError
from connector.write.audit import audit
from connector.write.disk import Disk
from connector.write.folder import DataFolder, host_name
from connector.write.ledger import Entry, Output, encode, entry_path, fold
from connector.write.publish import Publisher
from connector.write.sink import StagedFile

NOW_MS = 1_800_000_000_000


class Hooked(Disk):
    """The real disk, with something that happens before a step."""

    def __init__(self, **before) -> None:
        self.before = before
        self.steps: list[tuple[str, str]] = []

    def _step(self, name: str, path: Path) -> None:
        self.steps.append((name, path.name))
        if hook := self.before.get(name):
            hook(path)

    def lock(self, descriptor: int) -> bool:
        if self.before.get("lock") == "fails":
            return True
        return super().lock(descriptor)

    def write(self, path: Path, content: bytes) -> None:
        self._step("write", path)
        super().write(path, content)

    def link(self, source: Path, target: Path) -> None:
        self._step("link", target)
        super().link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        self._step("rename", target)
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self._step("unlink", path)
        super().unlink(path)

    def sync_folder(self, path: Path) -> None:
        self._step("sync", path)
        super().sync_folder(path)


def _folder(root: Path, **before) -> DataFolder:
    return DataFolder(root, disk=Hooked(**before), now_ms=lambda: NOW_MS)


def _once(action):
    """A hook that acts the first time only."""
    left = [action]
    return lambda path: left.pop()() if left else None


def _ok(root: Path):
    report = audit(root, journal_closed=None, now_ms=NOW_MS, deep=True, pause=lambda: None)
    assert report.findings == ()
    return report


def test_published_files_are_in_the_tables_and_in_the_ledger(tmp_path):
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1")

    assert Publisher(folder).publish([staged]) == 1

    state = fold(tmp_path)
    assert files_below(tmp_path, "tables", "rejected") == {output.name for output in staged.record.files}
    assert state.records == {"h-1": replace(staged.record, committed_at_ms=NOW_MS)}
    assert folder.stagings() == []
    assert _ok(tmp_path).equation == (
        "received 4 = stored 3 + rejected 1 + unmatched 0 + duplicate 0 + suppressed 0"
    )


def test_one_round_makes_one_entry(tmp_path):
    folder = _folder(tmp_path)

    assert Publisher(folder).publish([stage(folder, name) for name in ("h-1", "h-2", "h-3")]) == 3

    assert fold(tmp_path).number == 1


def test_a_captured_file_that_is_recorded_is_done_whatever_the_configuration(tmp_path):
    folder = _folder(tmp_path)
    publisher = Publisher(folder)
    publisher.publish([stage(folder, "h-1")])

    again = stage(folder, "h-1", stored=5)
    again = replace(again, record=replace(again.record, configuration="sha256:99"))

    assert publisher.publish([again]) == 0
    assert fold(tmp_path).number == 1
    assert folder.stagings() == []
    assert _ok(tmp_path).fates["stored"] == 3


def test_the_same_captured_file_twice_in_a_round_is_recorded_once(tmp_path):
    folder = _folder(tmp_path)

    assert Publisher(folder).publish([stage(folder, "h-1"), stage(folder, "h-1")]) == 1
    _ok(tmp_path)


def test_nothing_staged_makes_no_entry(tmp_path):
    assert Publisher(_folder(tmp_path)).publish([]) == 0
    assert fold(tmp_path).number == 0


def test_a_captured_file_without_rows_is_recorded_too(tmp_path):
    folder = _folder(tmp_path)

    Publisher(folder).publish([StagedFile(folder.new_staging(), record("h-1", unmatched=4))])

    assert _ok(tmp_path).fates["unmatched"] == 4


def test_retirement_follows_the_commit_also_for_files_recorded_before(tmp_path):
    folder = _folder(tmp_path)
    retired: list[tuple[str, int]] = []
    publisher = Publisher(folder, retire=lambda name: retired.append((name, fold(tmp_path).number)))

    publisher.publish([stage(folder, "h-1")])
    publisher.publish([stage(folder, "h-1"), stage(folder, "h-2")])

    assert retired == [("h-1", 1), ("h-1", 2), ("h-2", 2)]


def test_what_is_recorded_and_not_retired_is_retired_when_the_lock_is_taken(tmp_path):
    folder = _folder(tmp_path)
    Publisher(folder).publish([stage(folder, "h-1")])
    retired: list[str] = []

    Publisher(folder, retire=retired.append, unretired=lambda: ["h-1", "not-written-yet"]).recover()

    assert retired == ["h-1"]


def test_the_steps_are_in_the_order_of_the_protocol(tmp_path):
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1")
    folder.disk.steps.clear()

    Publisher(folder).publish([staged])

    steps = [step for step, _ in folder.disk.steps]
    order = [steps.index("write"), steps.index("link"), steps.index("rename")]
    assert order == sorted(order)
    assert steps.count("rename") == len(staged.record.files)
    assert folder.disk.steps[steps.index("link") + 1] == ("sync", "changes")
    first, last = steps.index("rename"), len(steps) - 1 - steps[::-1].index("rename")
    assert set(steps[first:last]) == {"rename"}
    days = [Path(output.name).parent.name for output in staged.record.files]
    assert {"sync"} == set(steps[last + 1 :])
    assert set(days) <= {name for step, name in folder.disk.steps[last + 1 :]}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"received": 99}, "fates do not sum up"),
        ({"rejected": 2, "received": 5}, "2 events rejected, 1 kept"),
    ],
)
def test_a_record_that_breaks_the_equation_is_not_committed(tmp_path, change, what):
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1")

    with pytest.raises(LedgerError, match=f"h-1: .*{what}"):
        Publisher(folder).publish([replace(staged, record=replace(staged.record, **change))])

    assert fold(tmp_path).number == 0


def test_an_entry_never_names_a_file_that_is_not_there(tmp_path):
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1")
    (staged.staging / staged.record.outputs[0].name).unlink()

    with pytest.raises(LedgerError, match="is gone"):
        Publisher(folder).publish([staged])

    assert fold(tmp_path).number == 0


def test_two_publishers_without_a_working_lock_store_each_file_once(tmp_path):
    """The second takes the number between the first one's fold and its link."""
    other = _folder(tmp_path, lock="fails")
    theirs = [stage(other, "h-1"), stage(other, "h-2")]
    folder = _folder(tmp_path, lock="fails", link=_once(lambda: Publisher(other).publish(theirs)))
    ours = [stage(folder, "h-2"), stage(folder, "h-3")]

    assert Publisher(folder).publish(ours) == 1

    assert [record.captured_file for record in fold(tmp_path).records.values()] == ["h-1", "h-2", "h-3"]
    assert fold(tmp_path).number == 2
    assert _ok(tmp_path).received == 12


def test_a_publisher_that_loses_everything_to_another_adds_nothing(tmp_path):
    other = _folder(tmp_path, lock="fails")
    theirs = stage(other, "h-1")
    folder = _folder(tmp_path, lock="fails", link=_once(lambda: Publisher(other).publish([theirs])))

    assert Publisher(folder).publish([stage(folder, "h-1")]) == 0
    _ok(tmp_path)


def test_another_publisher_may_finish_our_renames(tmp_path):
    """Without a working lock it comes between our commit and our first rename."""
    other = _folder(tmp_path, lock="fails")
    theirs = stage(other, "h-2")
    folder = _folder(tmp_path, lock="fails", rename=_once(lambda: Publisher(other).publish([theirs])))

    assert Publisher(folder).publish([stage(folder, "h-1")]) == 1
    assert _ok(tmp_path).captured_files == 2


@pytest.mark.parametrize("step", ["write", "link", "sync", "rename"])
def test_a_disk_that_refuses_once_loses_nothing(tmp_path, step):
    def refuse() -> None:
        raise OSError(28, "No space left on device")

    folder = _folder(tmp_path, **{step: _once(refuse)})
    staged = stage(folder, "h-1")
    publisher = Publisher(folder)

    with pytest.raises(OSError, match="No space left"):
        publisher.publish([staged])

    assert publisher.publish([staged]) in (0, 1)
    assert _ok(tmp_path).received == 4


def test_dropping_a_staging_folder_after_the_commit_loses_nothing(tmp_path):
    def refuse() -> None:
        raise OSError(5, "Input/output error")

    folder = _folder(tmp_path, rename=_once(refuse))
    staged = stage(folder, "h-1")
    publisher = Publisher(folder)
    with pytest.raises(OSError, match="Input/output"):
        publisher.publish([staged])

    folder.drop_staging(staged.staging)
    publisher.recover()

    assert folder.stagings() == []
    assert _ok(tmp_path).received == 4


def test_what_a_failed_round_staged_goes_with_the_next(tmp_path):
    def refuse() -> None:
        raise OSError(28, "No space left on device")

    folder = _folder(tmp_path, link=_once(refuse))
    publisher = Publisher(folder)
    with pytest.raises(OSError, match="No space left"):
        publisher.publish([stage(folder, "h-1")])

    publisher.publish([stage(folder, "h-2")])

    assert folder.stagings() == []
    assert list(fold(tmp_path).records) == ["h-2"]
    assert _ok(tmp_path).received == 4


def test_a_staging_folder_that_was_never_given_away_can_be_dropped(tmp_path):
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1")

    folder.drop_staging(staged.staging)

    assert folder.stagings() == []


def test_recovery_finishes_a_change_that_removes_and_adds(tmp_path):
    """As a compaction that died after its entry: its output is still staged, its inputs still lie there."""
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1", stored=1, rejected=0)
    publisher = Publisher(folder)
    publisher.publish([staged])
    (old,) = staged.record.outputs
    dead = folder.staging_root / f"{host_name()}-{_dead_pid()}-0a0a0a0a"
    new = replace(old, name="tables/events/day=2026-11-27/c-2-bbbbbbbbbb.parquet")
    (dead / new.name).parent.mkdir(parents=True)
    (dead / new.name).write_bytes((tmp_path / old.name).read_bytes())
    state = fold(tmp_path)
    change = Entry(2, "compaction", state.sha256, NOW_MS, removes=(old.name,), adds=(new,))
    entry_path(tmp_path, 2).write_bytes(encode(change))

    recovered = publisher.recover()

    assert recovered.finished == (new.name, old.name)
    assert recovered.dropped == (dead.name,)
    assert files_below(tmp_path, "tables") == {new.name}
    assert _ok(tmp_path).table_rows == 1


def test_a_live_file_that_is_nowhere_is_told_and_does_not_stop_the_others(tmp_path):
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1")
    Publisher(folder).publish([staged])
    gone = staged.record.outputs[0].name
    (tmp_path / gone).unlink()
    publisher = Publisher(folder)

    assert publisher.recover().missing == (gone,)
    assert publisher.publish([stage(folder, "h-2")]) == 1


def test_a_staged_file_of_other_content_is_not_taken_for_a_committed_one(tmp_path):
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1", stored=1, rejected=0)
    Publisher(folder).publish([staged])
    (output,) = staged.record.outputs
    size = (tmp_path / output.name).stat().st_size
    (tmp_path / output.name).unlink()
    forged = folder.new_staging() / output.name
    forged.parent.mkdir(parents=True)
    forged.write_bytes(b"x" * size)

    assert Publisher(folder).recover().missing == (output.name,)


def _dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def _leftover(folder: DataFolder, name: str, age_ms: int = 0) -> Path:
    path = folder.staging_root / name
    path.mkdir(parents=True)
    (path / "half.parquet").write_bytes(b"PAR1")
    seconds = (NOW_MS - age_ms) / 1000
    for item in (path / "half.parquet", path):
        os.utime(item, (seconds, seconds))
    return path


def test_leftovers_of_dead_processes_are_dropped(tmp_path):
    folder = _folder(tmp_path)
    dead = _leftover(folder, f"{host_name()}-{_dead_pid()}-00000001")
    same_pid_before_a_restart = _leftover(folder, f"{host_name()}-{os.getpid()}-00000002")
    other_host_yesterday = _leftover(folder, "web-2-4711-00000003", 86_400_001)

    dropped = Publisher(folder).recover().dropped

    assert set(dropped) == {dead.name, same_pid_before_a_restart.name, other_host_yesterday.name}
    assert folder.stagings() == []


def test_what_may_belong_to_a_living_process_stays(tmp_path):
    folder = _folder(tmp_path)
    ours = folder.new_staging()
    parent = _leftover(folder, f"{host_name()}-{os.getppid()}-00000001")
    other_host_today = _leftover(folder, "web-2-4711-00000003", 86_399_999)

    assert Publisher(folder).recover().dropped == ()
    assert set(folder.stagings()) == {ours, parent, other_host_today}


def test_the_second_publisher_waits_no_longer_than_told_and_names_the_holder(tmp_path):
    folder = _folder(tmp_path)

    with folder.locked(), pytest.raises(Busy) as busy:
        Publisher(_folder(tmp_path), wait_seconds=0.1).publish([])

    assert re.search(
        rf"by process {os.getpid()} on {re.escape(host_name())} since 2027-01-15T", str(busy.value)
    )


def test_the_lock_is_free_after_a_failure(tmp_path):
    folder = _folder(tmp_path)
    staged = stage(folder, "h-1")
    with pytest.raises(LedgerError):
        Publisher(folder).publish([replace(staged, record=replace(staged.record, received=99))])

    with folder.locked(0):
        assert (tmp_path / ".lock").exists()


def test_a_second_server_is_refused_and_publishing_beside_a_server_is_not(tmp_path):
    folder = _folder(tmp_path)

    with folder.serve():
        with pytest.raises(Busy, match=f"already served by process {os.getpid()} on "):
            _folder(tmp_path).serve()
        assert Publisher(folder).publish([stage(folder, "h-1")]) == 1

    folder.serve().release()


def test_a_holder_that_cannot_be_read_is_another_process(tmp_path):
    folder = _folder(tmp_path)

    with folder.serve():
        (tmp_path / ".serve").write_bytes(b"")
        with pytest.raises(Busy, match="already served by another process"):
            folder.serve()


def test_a_staging_name_is_never_shared(tmp_path):
    folder = _folder(tmp_path)

    names = {folder.new_staging().name for _ in range(20)}

    assert len(names) == 20
    assert all(name.startswith(f"{host_name()}-{os.getpid()}-") for name in names)


def test_outputs_that_are_only_rejected_files_are_published(tmp_path):
    folder = _folder(tmp_path)

    Publisher(folder).publish([stage(folder, "h-1", stored=0, rejected=2)])

    assert {Output} == {type(live.output) for live in fold(tmp_path).rejected.values()}
    assert _ok(tmp_path).fates["rejected"] == 2
