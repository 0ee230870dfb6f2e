"""Folders of the journal: names, locks, adoption, retirement and retention."""

from __future__ import annotations

import gzip
import os
import re

import pytest

from connector.journal.disk import Disk
from connector.journal.folders import JournalFolders, day_of, new_name, started_ms
from connector.journal.retention import DAY_MS, expire, expire_refused

NOW_MS = 1795297924123
OLD = "20261001T000000000Z-web1-1-00000001"
YOUNG = "20261121T000000000Z-web1-1-00000002"


class Log(Disk):
    """The real disk, and a list of what was done to it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def lock(self, descriptor):
        self.done.append("lock")
        return super().lock(descriptor)

    def rename(self, old, new):
        self.done.append(f"rename {old.parent.name}{old.suffix} {new.parent.name}{new.suffix}")
        super().rename(old, new)

    def sync_folder(self, folder):
        self.done.append(f"sync {folder.name}")
        super().sync_folder(folder)


@pytest.fixture
def folders(tmp_path):
    made = JournalFolders(tmp_path / "journal", Log())
    made.make()
    made.disk.done.clear()
    return made


def closed_file(folders, name, data=b"frames"):
    path = folders.closed / name
    path.write_bytes(data)
    return path


def test_a_name_sorts_by_time_and_says_who_wrote_it(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "web-1.shop_example" + "x" * 50)

    name = new_name(NOW_MS)

    assert re.fullmatch(rf"20261121T215204123Z-web1\.shopexamplex{{16}}-{os.getpid()}-[0-9a-f]{{8}}", name)
    assert (started_ms(name), day_of(name)) == (NOW_MS, "2026-11-21")
    assert new_name(NOW_MS) != name
    assert new_name(NOW_MS + 1) > name


def test_a_new_file_is_locked_before_it_gets_the_name_that_others_may_adopt(folders):
    file = folders.create()

    assert folders.disk.done == ["lock", "rename open.new open.open", "sync open"]
    assert [path.name for path in folders.open.iterdir()] == [f"{file.name}.open"]
    assert (folders.open / f"{file.name}.open").stat().st_mode & 0o777 == 0o600
    assert not os.get_inheritable(file.descriptor)
    os.close(file.descriptor)


def test_folders_are_made_durably_parents_first(tmp_path):
    disk = Log()

    JournalFolders(tmp_path / "data" / "journal", disk).make()

    assert disk.done == [f"sync {tmp_path.name}", "sync data", "sync journal", "sync journal"]


def test_closing_syncs_both_folders_while_the_lock_is_held(folders):
    file = folders.create()
    folders.disk.done.clear()

    folders.close(file.name)

    assert folders.disk.done == ["rename open.open closed", "sync closed", "sync open"]
    assert folders.waiting() == [file.name]
    os.close(file.descriptor)


def test_a_locked_file_is_never_adopted_and_a_free_one_always(folders):
    living, dead = folders.create(), folders.create()
    os.close(dead.descriptor)

    assert folders.adopt() == [dead.name]
    assert folders.adopt() == []
    os.close(living.descriptor)
    assert folders.adopt() == [living.name]
    assert folders.waiting() == sorted([living.name, dead.name])


def test_a_file_without_its_final_name_is_removed_unless_its_writer_lives(folders):
    """C1, C2."""
    (folders.open / "orphan.new").touch()
    descriptor = folders.disk.create(folders.open / "living.new")
    folders.disk.lock(descriptor)

    assert folders.adopt() == []
    assert [path.name for path in folders.open.iterdir()] == ["living.new"]
    os.close(descriptor)


def test_a_writer_whose_fresh_file_was_caught_by_an_orphan_hunter_takes_another(tmp_path):
    """C1: the hunter comes between creating and locking."""

    class Hunted(Disk):
        hunts = 1

        def create(self, path):
            descriptor = super().create(path)
            if self.hunts:
                self.hunts -= 1
                JournalFolders(tmp_path).adopt()
            return descriptor

    folders = JournalFolders(tmp_path, Hunted())
    folders.make()

    file = folders.create()

    assert [path.name for path in folders.open.iterdir()] == [f"{file.name}.open"]
    os.close(file.descriptor)


def test_the_lock_check_leaves_nothing_and_notices_locks_that_do_not_work(tmp_path):
    class NoLocks(Disk):
        def lock(self, descriptor):
            return True

    assert JournalFolders(tmp_path / "a").flock_works()
    assert not JournalFolders(tmp_path / "a", NoLocks()).flock_works()
    assert list((tmp_path / "a").iterdir()) == []


def test_sizes_are_those_of_the_closed_files(folders):
    closed_file(folders, OLD, b"12345")

    assert folders.sizes() == {OLD: 5}
    assert JournalFolders(folders.root / "nowhere").sizes() == {}


def test_retiring_packs_the_file_under_its_day_and_removes_the_original(folders):
    closed_file(folders, OLD)

    target = folders.retire(OLD)

    assert target == folders.done / "2026-10-01" / f"{OLD}.gz"
    assert gzip.decompress(target.read_bytes()) == b"frames"
    assert folders.waiting() == []


def test_retiring_again_after_a_crash_finishes_the_work(folders):
    """C19: both files there, and leftovers of an unfinished archive."""
    closed_file(folders, OLD)
    target = folders.retire(OLD)
    packed = target.read_bytes()
    closed_file(folders, OLD)
    (target.parent / f"{OLD}.gz.1-0000.part").write_bytes(b"half")

    assert folders.retire(OLD) == target
    assert folders.retire(OLD) == target
    assert folders.waiting() == []
    assert [(path.name, path.read_bytes()) for path in target.parent.iterdir()] == [(target.name, packed)]


def test_a_crash_while_packing_leaves_the_original(folders):
    """C19: during gzip."""

    class Full(Disk):
        def sync(self, descriptor):
            raise OSError("no space")

    closed_file(folders, OLD)

    with pytest.raises(OSError, match="no space"):
        JournalFolders(folders.root, Full()).retire(OLD)

    assert folders.waiting() == [OLD]
    assert not list(folders.done.glob("*/*.gz"))


def done_file(folders, name, age_days):
    closed_file(folders, name)
    path = folders.retire(name)
    seconds = (NOW_MS - age_days * DAY_MS) / 1000
    os.utime(path, (seconds, seconds))
    return path


def test_retention_removes_what_is_old_by_name_and_file_time_and_in_the_ledger(folders):
    done_file(folders, OLD, 51)
    done_file(folders, OLD.replace("web1", "web2"), 51)
    done_file(folders, OLD.replace("web1", "web3"), 2)
    done_file(folders, YOUNG, 51)
    waiting = closed_file(folders, OLD.replace("web1", "web4"))

    gone = expire(folders, 30 * DAY_MS, NOW_MS, lambda names: {name for name in names if "web2" not in name})

    assert gone == ((OLD,), False)
    assert sorted(path.name for path in folders.done.glob("*/*.gz")) == sorted(
        f"{name}.gz" for name in (OLD.replace("web1", "web2"), OLD.replace("web1", "web3"), YOUNG)
    )
    assert waiting.exists()


@pytest.mark.parametrize("jump_days", [40, -2])
def test_a_clock_that_jumps_pauses_retention_for_a_day(folders, jump_days):
    """C39."""
    done_file(folders, OLD, 51)
    done_file(folders, YOUNG, 0)
    jumped_ms = NOW_MS + jump_days * DAY_MS
    expire(folders, 60 * DAY_MS, NOW_MS, set)

    paused = expire(folders, 30 * DAY_MS, jumped_ms, set)
    still = expire(folders, 30 * DAY_MS, jumped_ms + DAY_MS - 1, set)
    resumed = expire(folders, 30 * DAY_MS, jumped_ms + DAY_MS, set)

    assert (paused, still) == (((), True), ((), True))
    assert OLD in resumed.removed


def test_refused_files_have_a_limit_of_their_own(folders):
    folders.refused.make()
    path = folders.refused.closed / OLD
    path.write_bytes(b"")
    os.utime(path, (1, 1))
    kept = closed_file(folders, OLD)
    os.utime(kept, (1, 1))

    assert expire_refused(folders, 90 * DAY_MS, NOW_MS).removed == ()
    assert expire_refused(folders, 30 * DAY_MS, NOW_MS).removed == (OLD,)
    assert kept.exists()
