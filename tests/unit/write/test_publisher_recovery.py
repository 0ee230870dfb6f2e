"""What dead processes left is finished or dropped; who holds the lock is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lake_samples import files_below, stage
from publisher_hooks import NOW_MS, hooked_folder, proven

from connector.errors import Busy, LedgerError
from connector.write.folder import DataFolder, host_name
from connector.write.ledger import Entry, encode, entry_path, fold
from connector.write.publish import Publisher


def test_recovery_finishes_a_change_that_removes_and_adds(tmp_path):
    """As a compaction that died after its entry: its output is still staged, its inputs still lie there.

    They stay for those who read them, until their time is over.
    """
    folder = hooked_folder(tmp_path)
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

    assert recovered.finished == (new.name,)
    assert recovered.dropped == (dead.name,)
    assert files_below(tmp_path, "tables") == {new.name, old.name}
    assert publisher.remove_old(0) == (old.name,)
    assert files_below(tmp_path, "tables") == {new.name}
    assert proven(tmp_path).table_rows == 1


def test_a_live_file_that_is_nowhere_is_told_and_does_not_stop_the_others(tmp_path):
    folder = hooked_folder(tmp_path)
    staged = stage(folder, "h-1")
    Publisher(folder).publish([staged])
    gone = staged.record.outputs[0].name
    (tmp_path / gone).unlink()
    publisher = Publisher(folder)

    assert publisher.recover().missing == (gone,)
    assert publisher.publish([stage(folder, "h-2")]) == 1


def test_a_staged_file_of_other_content_is_not_taken_for_a_committed_one(tmp_path):
    folder = hooked_folder(tmp_path)
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
    folder = hooked_folder(tmp_path)
    dead = _leftover(folder, f"{host_name()}-{_dead_pid()}-00000001")
    same_pid_before_a_restart = _leftover(folder, f"{host_name()}-{os.getpid()}-00000002")
    other_host_yesterday = _leftover(folder, "web-2-4711-00000003", 86_400_001)

    dropped = Publisher(folder).recover().dropped

    assert set(dropped) == {dead.name, same_pid_before_a_restart.name, other_host_yesterday.name}
    assert folder.stagings() == []


def test_what_may_belong_to_a_living_process_stays(tmp_path):
    folder = hooked_folder(tmp_path)
    ours = folder.new_staging()
    parent = _leftover(folder, f"{host_name()}-{os.getppid()}-00000001")
    other_host_today = _leftover(folder, "web-2-4711-00000003", 86_399_999)

    assert Publisher(folder).recover().dropped == ()
    assert set(folder.stagings()) == {ours, parent, other_host_today}


def test_the_second_publisher_waits_no_longer_than_told_and_names_the_holder(tmp_path):
    folder = hooked_folder(tmp_path)

    with folder.locked(), pytest.raises(Busy) as busy:
        Publisher(hooked_folder(tmp_path), wait_seconds=0.1).publish([])

    assert re.search(
        rf"by process {os.getpid()} on {re.escape(host_name())} since 2027-01-15T", str(busy.value)
    )


def test_the_lock_is_free_after_a_failure(tmp_path):
    folder = hooked_folder(tmp_path)
    staged = stage(folder, "h-1")
    with pytest.raises(LedgerError):
        Publisher(folder).publish([replace(staged, record=replace(staged.record, received=99))])

    with folder.locked(0):
        assert (tmp_path / ".lock").exists()


def test_a_second_server_is_refused_and_publishing_beside_a_server_is_not(tmp_path):
    folder = hooked_folder(tmp_path)

    with folder.serve():
        with pytest.raises(Busy, match=f"already served by process {os.getpid()} on "):
            hooked_folder(tmp_path).serve()
        assert Publisher(folder).publish([stage(folder, "h-1")]) == 1

    folder.serve().release()


def test_a_holder_that_cannot_be_read_is_another_process(tmp_path):
    folder = hooked_folder(tmp_path)

    with folder.serve():
        (tmp_path / ".serve").write_bytes(b"")
        with pytest.raises(Busy, match="already served by another process"):
            folder.serve()


def test_a_staging_name_is_never_shared(tmp_path):
    folder = hooked_folder(tmp_path)

    names = {folder.new_staging().name for _ in range(20)}

    assert len(names) == 20
    assert all(name.startswith(f"{host_name()}-{os.getpid()}-") for name in names)
