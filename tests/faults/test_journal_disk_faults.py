"""A disk that fails: short writes, lost syncs, no space, power loss (C3 to C5, C7 to C9, C12)."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from connector.errors import CannotKeep
from connector.events import Capture
from connector.journal.disk import Disk
from connector.journal.folders import JournalFolders
from connector.journal.limits import JournalLimits
from connector.journal.reader import open_captured
from connector.journal.writer import JournalWriter

FIRST, SECOND, THIRD = b'{"n":1}', b'{"n":2,\n"m":0}', b'{"n":3}'


class FaultyDisk(Disk):
    """The real disk, except where ``faults`` says otherwise: step -> what to do instead, once each."""

    def __init__(self, **faults):
        self.faults = {step: list(errors) for step, errors in faults.items()}
        self.touched = []
        self.clock = 0.0

    def _fail(self, step, target):
        self.touched.append((step, target))
        planned = self.faults.get(step)
        fault = planned.pop(0) if planned else None
        if isinstance(fault, BaseException):
            raise fault
        return fault

    def create(self, path):
        self._fail("create", path.stem)
        return super().create(path)

    def rename(self, old, new):
        self._fail("closing" if new.parent.name == "closed" else "rename", old.stem)
        super().rename(old, new)

    def write(self, descriptor, buffers):
        short = self._fail("write", descriptor)
        if short is None:
            return super().write(descriptor, buffers)
        return os.write(descriptor, b"".join(buffers)[:short])

    def sync(self, descriptor):
        self._fail("sync", descriptor)
        super().sync(descriptor)

    def monotonic(self):
        return self.clock


LIMITS = JournalLimits(journal_reserve_bytes=0, poll_seconds=1000)


def full():
    return OSError(errno.ENOSPC, "no space left on device")


def capture(body):
    return Capture("shop", "webhook", 1, body, "all")


def read(root):
    """Adopt and read everything; return the bodies, sorted, and the sum of torn bytes."""
    folders = JournalFolders(root)
    folders.adopt()
    found, torn_bytes = [], 0
    for name in folders.waiting():
        file = open_captured(folders.closed / name)
        found += [captured.raw() for part in file.parts() for captured in part]
        assert (file.corrupt_bytes, file.missing_seq) == (0, 0)
        torn_bytes += file.torn_bytes
    return sorted(found), torn_bytes


def frame_length(root):
    writer = JournalWriter(root, LIMITS)
    writer.append(capture(SECOND))
    writer.close()
    return next((root / "closed").iterdir()).stat().st_size


def test_a_short_write_at_every_byte_hides_no_later_frame(tmp_path):
    """C4: the cut file is abandoned, so nothing is ever appended behind the cut."""
    for short in range(frame_length(tmp_path / "measure")):
        root = tmp_path / str(short)
        writer = JournalWriter(root, LIMITS, FaultyDisk(write=[None, short]))
        writer.append(capture(FIRST))

        with pytest.raises(CannotKeep):
            writer.append(capture(SECOND))
        writer.append(capture(THIRD))
        writer.close()

        assert read(root) == ([FIRST, THIRD], short)


@pytest.mark.parametrize("step", ["write", "sync"])
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_file_that_failed_once_is_never_touched_again(tmp_path, step, error):
    """C7, C8: a second sync that succeeds proves nothing about the first one's bytes."""
    disk = FaultyDisk(**{step: [None, OSError(error, "fault")]})
    writer = JournalWriter(tmp_path, LIMITS, disk)
    writer.append(capture(FIRST))
    (abandoned,) = (path for path in (tmp_path / "open").iterdir())

    with pytest.raises(CannotKeep) as refused:
        writer.append(capture(SECOND))
    assert (refused.value.status, refused.value.retry_after_seconds) == (503, 5)
    assert "fault" not in refused.value.message
    size = abandoned.stat().st_size
    disk.touched.clear()
    writer.append(capture(THIRD))
    writer.close()

    assert abandoned.stat().st_size == size
    assert not [target for _, target in disk.touched if target == abandoned.stem]
    assert JournalFolders(tmp_path).adopt() == [abandoned.stem]
    found, _ = read(tmp_path)
    assert [body for body in found if body != SECOND] == [FIRST, THIRD]


@pytest.mark.parametrize("step", ["create", "rename", "write", "sync"])
def test_a_first_file_that_fails_is_refused_and_the_next_capture_tries_another(tmp_path, step):
    """C8."""
    writer = JournalWriter(tmp_path, LIMITS, FaultyDisk(**{step: [full()]}))

    with pytest.raises(CannotKeep):
        writer.append(capture(FIRST))
    writer.append(capture(THIRD))
    writer.close()

    found, _ = read(tmp_path)
    assert [body for body in found if body != FIRST] == [THIRD]


def test_a_disk_that_goes_on_failing_is_tried_once_a_second_by_whoever_asks(tmp_path):
    """C8."""
    disk = FaultyDisk(create=[full()] * 4)
    writer = JournalWriter(tmp_path, LIMITS, disk)

    def tries():
        return len([step for step, _ in disk.touched if step == "create"])

    for _ in range(5):
        with pytest.raises(CannotKeep):
            writer.append(capture(FIRST))
    assert tries() == 2
    assert writer.not_ready() is not None
    disk.clock += 1.0
    assert writer.not_ready() is not None
    with pytest.raises(CannotKeep):
        writer.append(capture(FIRST))
    assert tries() == 3
    disk.clock += 1.0
    with pytest.raises(CannotKeep):
        writer.append(capture(FIRST))
    assert tries() == 4
    disk.clock += 1.0
    assert writer.not_ready() is None
    writer.append(capture(FIRST))
    writer.close()

    assert read(tmp_path) == ([FIRST], 0)
    assert not list(tmp_path.glob(".probe*"))


def test_a_closing_rename_that_fails_leaves_the_file_to_be_adopted(tmp_path):
    """C8, C9."""
    writer = JournalWriter(tmp_path, LIMITS, FaultyDisk(closing=[full()]))
    writer.append(capture(FIRST))

    writer.close()

    assert len(list((tmp_path / "open").iterdir())) == 1
    assert read(tmp_path) == ([FIRST], 0)


def test_a_refused_body_that_cannot_be_kept_is_not_answered_as_refused(tmp_path):
    """C12: the caller answers 503 instead of 400."""
    writer = JournalWriter(tmp_path, LIMITS, FaultyDisk(sync=[full()]))
    broken = Capture("shop", "webhook", 1, b"{", "all", refused="body_not_json")

    with pytest.raises(CannotKeep):
        writer.keep_refused(broken)

    assert writer.keep_refused(broken)
    writer.close()


class PowerDisk(Disk):
    """Remembers what a power loss could not take: the size of each file at its last sync."""

    def __init__(self):
        self.durable_bytes = {}
        self.durable_names = set()
        self.fail_next_sync = False

    def sync(self, descriptor):
        if self.fail_next_sync:
            raise OSError(errno.EIO, "lost")
        super().sync(descriptor)
        self.durable_bytes[str(Path(f"/proc/self/fd/{descriptor}").readlink())] = os.fstat(descriptor).st_size

    def sync_folder(self, folder):
        super().sync_folder(folder)
        self.durable_names |= {str(path) for path in folder.iterdir()}


def test_a_power_loss_takes_any_tail_that_was_not_synced_and_nothing_else(tmp_path):
    """C5: the un-synced tail cut at every byte; C3: the name was durable before the first answer."""
    disk = PowerDisk()
    writer = JournalWriter(tmp_path / "live", LIMITS, disk)
    writer.append(capture(FIRST))
    disk.fail_next_sync = True
    with pytest.raises(CannotKeep):
        writer.append(capture(SECOND))
    (path,) = (tmp_path / "live" / "open").iterdir()
    text, durable_bytes = path.read_bytes(), disk.durable_bytes[str(path)]

    assert str(path) in disk.durable_names
    assert durable_bytes < len(text)
    for kept_bytes in range(durable_bytes, len(text) + 1):
        root = tmp_path / str(kept_bytes)
        JournalFolders(root).make()
        (root / "open" / path.name).write_bytes(text[:kept_bytes])
        whole = kept_bytes == len(text)
        torn_bytes = 0 if whole else kept_bytes - durable_bytes
        assert read(root) == ([FIRST, SECOND] if whole else [FIRST], torn_bytes)


def test_after_a_power_loss_a_lost_closing_rename_is_made_again(tmp_path):
    """C9: the file is back under its open name, whole, without a lock."""
    writer = JournalWriter(tmp_path, LIMITS)
    writer.append(capture(FIRST))
    writer.close()
    (closed,) = (tmp_path / "closed").iterdir()
    closed.rename(tmp_path / "open" / f"{closed.name}.open")

    assert read(tmp_path) == ([FIRST], 0)


def test_an_adopted_file_without_a_frame_has_no_events(tmp_path):
    """C3: the crash came between the name and the first frame."""
    JournalFolders(tmp_path).make()
    (tmp_path / "open" / "20261121T215204123Z-web1-4711-7f3a9c21.open").touch()

    assert read(tmp_path) == ([], 0)
