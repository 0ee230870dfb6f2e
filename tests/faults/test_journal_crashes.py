"""
Real processes, killed with SIGKILL between any two steps of the journal (crash points C1 to C6, C9 to C12).

The law after every crash: what was acknowledged is read back byte for byte, once, in order; what else is read
was sent and not acknowledged; nothing is called damaged.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from connector.journal.folders import JournalFolders
from connector.journal.reader import open_captured

DRIVER = textwrap.dedent(
    """
    import os, signal, sys, threading
    from pathlib import Path
    from connector.events import Capture
    from connector.journal.disk import Disk
    from connector.journal.limits import JournalLimits
    from connector.journal.writer import JournalWriter

    root, step, number, moment, short, refused, threads = sys.argv[1:]

    class CrashingDisk(Disk):
        calls = 0

        def __getattribute__(self, name):
            real = super().__getattribute__(name)
            return (lambda *a: crashing(self, real, *a)) if name == step else real

    def crashing(disk, real, *arguments):
        disk.calls += 1
        now = disk.calls == int(number)
        if now and int(short) >= 0:
            descriptor, buffers = arguments
            os.write(descriptor, b"".join(buffers)[: int(short)])
        if now and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments)
        if now:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    writer = JournalWriter(Path(root), JournalLimits(journal_reserve_bytes=0), CrashingDisk())

    def send(thread):
        for n in range(3):
            body = b'{"thread":%d,"n":%d}' % (thread, n)
            capture = Capture("shop", "webhook", 1, body, "all", refused="body_not_json" if refused else None)
            writer.keep_refused(capture) if refused else writer.append(capture)
            os.write(1, body + b"\\n")

    running = [threading.Thread(target=send, args=(t,)) for t in range(int(threads))]
    [thread.start() for thread in running]
    [thread.join() for thread in running]
    if moment == "stay":
        os.write(1, b"ready\\n")
        signal.pause()
    writer.close()
    os.write(1, b"closed\\n")
    """
)


def command(root, step="none", number=0, moment="after", short=-1, refused="", threads=1):
    arguments = (root, step, number, moment, short, refused, threads)
    return [sys.executable, "-c", DRIVER, *map(str, arguments)]


def crash(root: Path, **options) -> list[bytes]:
    """Run the driver until it kills itself; return the bodies that it acknowledged."""
    done = subprocess.run(command(root, **options), capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    return done.stdout.split(b"\n")[:-1]


def recovered(folders: JournalFolders) -> list[bytes]:
    """Adopt what the dead process left and read everything."""
    folders.adopt()
    assert not folders.open.exists() or list(folders.open.iterdir()) == []
    found = []
    for name in folders.waiting():
        file = open_captured(folders.closed / name)
        found += [captured.raw() for part in file.parts() for captured in part]
        assert (file.corrupt_bytes, file.missing_seq) == (0, 0)
    return found


SENT = [b'{"thread":0,"n":%d}' % n for n in range(3)]

POINTS = {
    "C1 created, not locked": ("create", 1, "after"),
    "C2 locked, not renamed": ("lock", 1, "after"),
    "C3 renamed, folder not synced": ("rename", 1, "after"),
    "C5 first batch written, not synced": ("write", 1, "after"),
    "C5 second batch written, not synced": ("sync", 2, "before"),
    "C6 synced, first 200 not sent": ("sync", 1, "after"),
    "C6 synced, second 200 not sent": ("sync", 2, "after"),
    "C9 before the closing rename": ("rename", 2, "before"),
    "C9 after the closing rename": ("rename", 2, "after"),
}


@pytest.mark.parametrize("point", POINTS)
def test_what_was_acknowledged_survives_a_kill(tmp_path, point):
    step, number, moment = POINTS[point]

    acknowledged = crash(tmp_path, step=step, number=number, moment=moment)

    found = recovered(JournalFolders(tmp_path))
    assert found[: len(acknowledged)] == acknowledged
    assert found == SENT[: len(found)]


@pytest.mark.parametrize("short", [0, 1, 60, 180, 250])
def test_a_kill_inside_a_write_leaves_only_whole_frames(tmp_path, short):
    """C4; every byte offset is covered without processes by the power loss tests."""
    acknowledged = crash(tmp_path, step="write", number=2, moment="before", short=short)

    assert acknowledged == SENT[:1]
    assert recovered(JournalFolders(tmp_path)) in (SENT[:1], SENT[:2])


@pytest.mark.parametrize(("step", "number"), [("write", 3), ("sync", 2), ("sync", 4)])
def test_a_kill_between_batches_with_followers_waiting(tmp_path, step, number):
    """C11, and C6 between two answers of one batch."""
    acknowledged = crash(tmp_path, step=step, number=number, threads=8)

    found = recovered(JournalFolders(tmp_path))
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))
    assert set(found) <= {b'{"thread":%d,"n":%d}' % (thread, n) for thread in range(8) for n in range(3)}


@pytest.mark.parametrize(("moment", "acknowledged"), [("before", 1), ("after", 1)])
def test_a_refused_body_that_was_answered_is_kept(tmp_path, moment, acknowledged):
    """C12."""
    answered = crash(tmp_path, step="sync", number=2, moment=moment, refused="yes")

    assert answered == SENT[:acknowledged]
    found = recovered(JournalFolders(tmp_path).refused)
    assert found[:acknowledged] == answered
    assert JournalFolders(tmp_path).waiting() == []


def test_a_living_file_is_not_adopted_however_long_its_owner_is_stopped(tmp_path):
    """C10: no age, process id or name counts, only the lock."""
    folders = JournalFolders(tmp_path)
    with subprocess.Popen(command(tmp_path, moment="stay"), stdout=subprocess.PIPE) as child:
        try:
            while child.stdout.readline() != b"ready\n":
                pass
            assert folders.adopt() == []
            child.send_signal(signal.SIGSTOP)
            os.waitpid(child.pid, os.WUNTRACED)
            for path in folders.open.iterdir():
                os.utime(path, (1, 1))
            assert folders.adopt() == []
            assert len(list(folders.open.iterdir())) == 1
        finally:
            child.kill()
    assert recovered(folders) == SENT


def test_a_process_that_ends_by_itself_leaves_closed_files_only(tmp_path):
    done = subprocess.run(command(tmp_path), capture_output=True, timeout=60, check=True)

    assert done.stdout.split(b"\n")[:-1] == [*SENT, b"closed"]
    assert list((tmp_path / "open").iterdir()) == []
    assert JournalFolders(tmp_path).adopt() == []
    assert recovered(JournalFolders(tmp_path)) == SENT
