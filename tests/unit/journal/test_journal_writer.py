"""The writer: when it returns, what it groups, when it rolls, and when it refuses."""

from __future__ import annotations

import mmap
import threading
import time

import pytest

from connector.errors import CannotKeep
from connector.events import Capture
from connector.journal.commit import GroupCommit
from connector.journal.disk import Disk
from connector.journal.frames import Frame, FrameScan
from connector.journal.limits import JournalLimits
from connector.journal.writer import JournalWriter

LIMITS = JournalLimits(journal_reserve_bytes=0, poll_seconds=0.01)


def capture(body=b'{"type":"track"}', **fields):
    return Capture("shop", "webhook", 1795297924123, body, "all", **fields)


def bodies(folder):
    found = []
    for path in sorted(folder.iterdir()):
        text = path.read_bytes()
        found.append([text[f.body_start : f.body_end] for f in FrameScan(text) if isinstance(f, Frame)])
    return found


def eventually(condition):
    """Wait for another thread; the test run's own time limit is the only one."""
    while not condition():
        time.sleep(0.001)


class Log(Disk):
    def __init__(self):
        self.done = []
        self.free = 10**12

    def create(self, path):
        self.done.append("create")
        return super().create(path)

    def lock(self, descriptor):
        self.done.append("lock")
        return super().lock(descriptor)

    def rename(self, old, new):
        self.done.append(f"rename {new.suffix or new.parent.name}")
        super().rename(old, new)

    def sync_folder(self, folder):
        self.done.append(f"sync {folder.name}")
        super().sync_folder(folder)

    def write(self, descriptor, buffers):
        self.done.append("write")
        return super().write(descriptor, buffers)

    def sync(self, descriptor):
        self.done.append("sync")
        super().sync(descriptor)

    def free_bytes(self, folder):
        return self.free


def test_everything_is_durable_in_order_before_the_first_capture_is_acknowledged(tmp_path):
    disk = Log()
    writer = JournalWriter(tmp_path, LIMITS, disk)

    writer.append(capture())

    assert disk.done[-6:] == ["create", "lock", "rename .open", "sync open", "write", "sync"]
    disk.done.clear()
    writer.append(capture())
    assert disk.done == ["write", "sync"]
    writer.close()
    assert disk.done == ["write", "sync", "rename closed", "sync closed", "sync open"]


def test_what_was_appended_is_read_back_in_order(tmp_path):
    writer = JournalWriter(tmp_path, LIMITS)
    sent = [b'{"n":%d}' % number for number in range(5)]

    for body in sent:
        writer.append(capture(body))
    writer.close()

    assert bodies(tmp_path / "closed") == [sent]
    assert list((tmp_path / "open").iterdir()) == []


def test_a_writer_without_traffic_makes_no_file(tmp_path):
    writer = JournalWriter(tmp_path / "journal", LIMITS)

    assert writer.not_ready() is None
    writer.close()

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_many_threads_share_syncs_and_lose_nothing(tmp_path):
    disk = Log()
    writer = JournalWriter(tmp_path, LIMITS, disk)

    def send(thread):
        for number in range(50):
            writer.append(capture(b"%d-%d" % (thread, number)))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    writer.close()

    (found,) = bodies(tmp_path / "closed")
    assert sorted(found) == sorted(b"%d-%d" % (thread, number) for thread in range(8) for number in range(50))
    assert disk.done.count("sync") == disk.done.count("write") <= 400


class Gate:
    """A commit that stops inside until it is let go, and remembers its batches."""

    def __init__(self):
        self.batches = []
        self.inside = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, items):
        self.batches.append(list(items))
        self.inside.release()
        self.go.acquire()
        if "bad" in items:
            raise CannotKeep("disk", code="journal_failed", retry_after_seconds=7)


def started(group, items, outcome):
    """Submit each item from a thread of its own, in order."""
    threads = []
    for item, size in items:

        def run(item=item, size=size):
            try:
                group.submit(item, size)
                outcome.append((item, None))
            except CannotKeep as error:
                outcome.append((item, error))

        before = len(group._waiting)
        threads.append(threading.Thread(target=run))
        threads[-1].start()
        eventually(lambda before=before: len(group._waiting) > before)
    return threads


def test_one_batch_forms_while_another_is_synced_and_large_items_go_alone():
    gate, outcome = Gate(), []
    group = GroupCommit(gate, batch_bytes=10, alone_bytes=8)
    first = threading.Thread(target=group.submit, args=("first", 1))
    first.start()
    gate.inside.acquire()

    threads = started(group, [("a", 5), ("b", 5), ("c", 1), ("LARGE", 9), ("d", 1), ("e", 1)], outcome)
    for _ in range(5):
        gate.go.release()
    [thread.join() for thread in (first, *threads)]

    assert gate.batches == [["first"], ["a", "b"], ["c"], ["LARGE"], ["d", "e"]]
    assert sorted(item for item, error in outcome if error is None) == ["LARGE", "a", "b", "c", "d", "e"]


def test_a_failure_reaches_everybody_in_the_batch_and_nobody_else():
    gate, outcome = Gate(), []
    group = GroupCommit(gate, batch_bytes=2, alone_bytes=8)
    first = threading.Thread(target=group.submit, args=("first", 1))
    first.start()
    gate.inside.acquire()

    threads = started(group, [("bad", 1), ("follower", 1), ("next", 1)], outcome)
    for _ in range(3):
        gate.go.release()
    [thread.join() for thread in (first, *threads)]

    errors = dict(outcome)
    assert errors["next"] is None
    assert errors["bad"] is not errors["follower"]
    assert {(errors[item].code, errors[item].retry_after_seconds) for item in ("bad", "follower")} == {
        ("journal_failed", 7)
    }


def test_a_defect_in_the_commit_leaves_nobody_waiting():
    def broken(items):
        raise ZeroDivisionError

    group = GroupCommit(broken, batch_bytes=10, alone_bytes=10)

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            group.submit("item", 1)


def test_an_action_runs_while_nothing_is_committed():
    gate, order = Gate(), []
    group = GroupCommit(gate, batch_bytes=10, alone_bytes=8)
    first = threading.Thread(target=lambda: (group.submit("first", 1), order.append("first")))
    first.start()
    gate.inside.acquire()
    action = threading.Thread(target=group.exclusively, args=(lambda: order.append(len(gate.batches)),))
    action.start()
    eventually(lambda: group._waiting)

    assert order == []
    gate.go.release()
    [thread.join() for thread in (first, action)]

    assert sorted(map(str, order)) == ["1", "first"]


def test_a_mapped_body_is_written_from_where_it_lies(tmp_path):
    memory = mmap.mmap(-1, 6 * 1024 * 1024)
    writer = JournalWriter(tmp_path, LIMITS)

    writer.append(capture(memory))
    writer.close()

    assert bodies(tmp_path / "closed") == [[memory[:]]]


def test_a_batch_of_more_frames_than_one_call_takes_buffers(tmp_path):
    disk = Disk()
    descriptor = disk.create(tmp_path / "file")

    assert disk.write(descriptor, [b"ab"] * 5000) == 10000

    disk.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"ab" * 5000


def test_a_file_is_closed_at_its_size(tmp_path):
    writer = JournalWriter(tmp_path, JournalLimits(journal_reserve_bytes=0, roll_bytes=1000))

    for number in range(4):
        writer.append(capture(b"%d" % number * 400))
    writer.close()

    assert [[len(body) for body in file] for file in bodies(tmp_path / "closed")] == [[400, 400], [400, 400]]


def test_an_idle_file_is_closed_by_its_age(tmp_path):
    writer = JournalWriter(
        tmp_path, JournalLimits(journal_reserve_bytes=0, poll_seconds=0.01, roll_seconds=0.05)
    )

    writer.append(capture())

    eventually(lambda: bodies(tmp_path / "closed") == [[b'{"type":"track"}']])
    writer.append(capture())
    eventually(lambda: len(bodies(tmp_path / "closed")) == 2)
    writer.close()


def test_a_request_to_roll_closes_what_is_open_but_not_what_comes_later(tmp_path):
    writer = JournalWriter(tmp_path, LIMITS)
    writer.append(capture(b"1"))

    (tmp_path / "roll").touch()

    eventually(lambda: bodies(tmp_path / "closed") == [[b"1"]])
    time.sleep(0.02)
    writer.append(capture(b"2"))
    time.sleep(0.1)
    assert bodies(tmp_path / "closed") == [[b"1"]]
    writer.close()


def test_a_stopped_writer_refuses(tmp_path):
    writer = JournalWriter(tmp_path, LIMITS)
    writer.append(capture())

    writer.close()
    writer.close()

    with pytest.raises(CannotKeep, match="closed") as refused:
        writer.append(capture())
    assert (refused.value.code, refused.value.status) == ("journal_stopped", 503)
    assert writer.not_ready() is not None


def test_below_the_reserve_nothing_is_accepted_until_there_is_room_again(tmp_path):
    disk = Log()
    writer = JournalWriter(tmp_path, JournalLimits(journal_reserve_bytes=1000, probe_seconds=0), disk)
    disk.free = 999

    with pytest.raises(CannotKeep) as refused:
        writer.append(capture())
    assert refused.value.code == "journal_no_room"
    assert "full" in writer.not_ready()

    disk.free = 1000
    assert writer.not_ready() is None
    writer.append(capture())
    writer.close()


def test_free_space_is_not_asked_for_every_capture(tmp_path):
    class Counting(Log):
        asked = 0

        def free_bytes(self, folder):
            self.asked += 1
            return super().free_bytes(folder)

        def monotonic(self):
            return 5.0

    disk = Counting()
    writer = JournalWriter(tmp_path, LIMITS, disk)

    for _ in range(3):
        writer.append(capture())
    writer.close()

    assert disk.asked == 1


@pytest.mark.parametrize("max_bytes", [100, None])
def test_a_backlog_above_its_limit_is_refused(tmp_path, max_bytes):
    disk = Log()
    disk.free = 200
    limits = JournalLimits(journal_reserve_bytes=0, journal_max_bytes=max_bytes, probe_seconds=0)
    writer = JournalWriter(tmp_path, limits, disk)
    writer.append(capture())
    (tmp_path / "closed" / "waiting").write_bytes(b"x" * 101)

    with pytest.raises(CannotKeep) as refused:
        writer.append(capture())

    assert refused.value.code == "journal_backlog"
    writer.close()


def test_refused_bodies_are_kept_beside_the_journal_until_their_limit(tmp_path):
    writer = JournalWriter(tmp_path, JournalLimits(journal_reserve_bytes=0, refused_max_bytes=400))

    kept = [writer.keep_refused(capture(b"{broken" * 20, refused="body_not_json")) for _ in range(4)]
    writer.close()

    assert kept == [True, True, False, False]
    assert bodies(tmp_path / "refused" / "closed") == [[b"{broken" * 20] * 2]
    assert b'"refused":"body_not_json"' in next((tmp_path / "refused" / "closed").iterdir()).read_bytes()
    assert list((tmp_path / "closed").iterdir()) == []


def test_refused_and_accepted_captures_cannot_be_mixed_up(tmp_path):
    writer = JournalWriter(tmp_path, LIMITS)

    with pytest.raises(ValueError, match="keep_refused"):
        writer.append(capture(refused="body_not_json"))
    with pytest.raises(ValueError, match="append"):
        writer.keep_refused(capture())
